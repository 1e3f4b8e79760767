//! Reads one entity or reference, token by token.

use super::entity::{Entity, Link};
use super::problem::Problem;
use super::token::{Tag, Token};
use super::value::{parse_date, parse_guid};
use crate::backend::veeam_em::resource::LinkTarget;

/// A restore point takes about 1.5 KiB.
const MAX_ENTITY_BYTES: usize = 256 * 1024;
/// Elements whose name contains one of these, in any case, are removed from the raw body with their content. `SqlInfo`
/// is the only known data of the guest; the other words are a precaution.
const REDACTED: [&str; 6] = ["sql", "oracle", "guest", "credential", "password", "secret"];

/// How much of an entity to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The fields.
    Fields,
    /// The fields and the raw body.
    Raw,
}

/// An entity of which some tokens have been read.
#[derive(Debug)]
pub(super) struct EntityReader {
    /// The required value of the attribute `Type`, which may be absent.
    expected_type: &'static str,
    /// The links to keep. Others are ignored: some lead to no entity.
    links: &'static [LinkTarget],
    entity: Entity,
    child: Child,
    /// The text of the current child.
    text: String,
    raw: Vec<u8>,
    /// The depth of the redacted element that the current token is in.
    redacted: Option<usize>,
    keep: Keep,
    size: usize,
}

/// The child element that the current token is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Child {
    Links,
    Created,
    VmName,
    PointType,
    Algorithm,
    State,
    Platform,
    HierarchyRef,
    /// An element that is not used, or none.
    Other,
}

impl EntityReader {
    /// A reader of an entity whose attribute `Type` is `expected_type` or absent. The name of the element is not
    /// checked: the items of a list of `CloudVmReplicaPoint`s are named `CloudReplica`.
    pub(super) fn new(
        expected_type: &'static str,
        links: &'static [LinkTarget],
        keep: Keep,
    ) -> Self {
        Self {
            expected_type,
            links,
            entity: Entity::default(),
            child: Child::Other,
            text: String::new(),
            raw: Vec::new(),
            redacted: None,
            keep,
            size: 0,
        }
    }

    /// Reads one token; `depth` is 0 for the tags of the entity itself.
    pub(super) fn token(
        &mut self,
        token: &Token<'_>,
        depth: usize,
        raw: &[u8],
    ) -> Result<(), Problem> {
        self.size += raw.len();
        if self.size > MAX_ENTITY_BYTES {
            let problem = format!("an entity of more than {MAX_ENTITY_BYTES} bytes");
            return Err(Problem::new(problem));
        }
        if self.keep == Keep::Raw {
            self.copy_raw(token, depth, raw);
        }
        match (token, depth) {
            (Token::Open(tag), 0) => self.attributes(tag),
            (Token::Open(tag), 1) => {
                self.child = Child::named(tag.name());
                self.text.clear();
                Ok(())
            }
            (Token::Open(tag), 2) if self.child == Child::Links && tag.name() == "Link" => {
                self.link(tag)
            }
            (Token::Text(text), 2) => {
                if !matches!(self.child, Child::Links | Child::Other) {
                    self.text.push_str(text);
                }
                Ok(())
            }
            (Token::Close, 1) => self.end_of_child(),
            _ => Ok(()),
        }
    }

    /// Copies a token to the raw body, unless it belongs to a redacted element.
    fn copy_raw(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) {
        if let (Token::Open(tag), None) = (token, self.redacted)
            && depth > 0
        {
            let name = tag.name().to_ascii_lowercase();
            self.redacted = REDACTED.iter().any(|word| name.contains(word)).then_some(depth);
        }
        match (self.redacted, token) {
            (None, _) => self.raw.extend_from_slice(raw),
            (Some(start), Token::Close) if start == depth => self.redacted = None,
            _ => {}
        }
    }

    /// The entity, after its last token.
    ///
    /// # Errors
    /// When it has no UID or no name, which every entity of the vendor has.
    pub(super) fn finish(mut self) -> Result<Entity, Problem> {
        if self.entity.uid.is_empty() || self.entity.name.is_empty() {
            let problem = format!("a `{}` without `UID` or without `Name`", self.expected_type);
            return Err(Problem::new(problem));
        }
        if self.keep == Keep::Raw {
            let raw = String::from_utf8(self.raw)
                .map_err(|_| Problem::new("the document is not in UTF-8"))?;
            self.entity.raw = Some(raw);
        }
        Ok(self.entity)
    }

    fn attributes(&mut self, tag: &Tag<'_>) -> Result<(), Problem> {
        for attribute in tag.attributes() {
            let (name, value) = attribute?;
            match name {
                "Type" if value != self.expected_type => {
                    let problem = format!("an entity whose `Type` is not `{}`", self.expected_type);
                    return Err(Problem::new(problem));
                }
                "Name" => self.entity.name = value.into_owned(),
                "VmDisplayName" => self.entity.vm_display_name = Some(value.into_owned()),
                "UID" => {
                    self.entity.id = value
                        .rsplit_once(':')
                        .and_then(|(_, id)| parse_guid(id))
                        .ok_or_else(|| Problem::new("a `UID` that does not end in a GUID"))?;
                    self.entity.uid = value.into_owned();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps a link to one of the targets that the resource is read for.
    fn link(&mut self, tag: &Tag<'_>) -> Result<(), Problem> {
        let (mut link_type, mut href, mut name, mut rel) = (None, None, None, None);
        for attribute in tag.attributes() {
            let (key, value) = attribute?;
            match key {
                "Type" => link_type = Some(value),
                "Href" => href = Some(value),
                "Name" => name = Some(value),
                "Rel" => rel = Some(value),
                _ => {}
            }
        }
        let link_type = link_type.as_deref().unwrap_or_default();
        let entity_type = link_type.strip_suffix("Reference").unwrap_or(link_type);
        let mut targets = self.links.iter().copied();
        let Some(target) = targets.find(|target| target.entity() == entity_type) else {
            return Ok(());
        };
        let id = href
            .as_deref()
            .and_then(|href| href.split(['?', '#']).next())
            .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
            .and_then(parse_guid)
            .ok_or_else(|| Problem::new("a link whose `Href` does not end in a GUID"))?;
        let rel = rel.unwrap_or_default().into_owned();
        let link = Link { target, rel, id, name: name.unwrap_or_default().into_owned() };
        match self.entity.links.iter_mut().find(|other| other.target == target) {
            None => self.entity.links.push(link),
            Some(other) if other.id != id => {
                return Err(Problem::new("two links of one `Type` to different entities"));
            }
            // A duplicate. A `Rel` other than `Up` has a meaning, see `map`, so it takes precedence.
            Some(other) if other.rel == "Up" => *other = link,
            Some(_) => {}
        }
        Ok(())
    }

    fn end_of_child(&mut self) -> Result<(), Problem> {
        let (entity, text) = (&mut self.entity, self.text.trim());
        let field = match std::mem::replace(&mut self.child, Child::Other) {
            Child::Links | Child::Other => return Ok(()),
            Child::Created => return set_once(&mut entity.created, parse_date(text)?),
            Child::VmName => &mut entity.vm_name,
            Child::PointType => &mut entity.point_type,
            Child::Algorithm => &mut entity.algorithm,
            Child::State => &mut entity.state,
            Child::Platform => &mut entity.platform,
            Child::HierarchyRef => &mut entity.hierarchy_ref,
        };
        set_once(field, text.to_owned())
    }
}

impl Child {
    fn named(name: &str) -> Self {
        match name {
            "Links" => Self::Links,
            "CreationTimeUTC" | "BackupDateUTC" => Self::Created,
            "VmName" => Self::VmName,
            "PointType" => Self::PointType,
            "Algorithm" => Self::Algorithm,
            "State" => Self::State,
            "Platform" => Self::Platform,
            "HierarchyObjRef" => Self::HierarchyRef,
            _ => Self::Other,
        }
    }
}

/// Sets a field that must not occur twice: neither of two values is the right one.
pub(super) fn set_once<T>(field: &mut Option<T>, value: T) -> Result<(), Problem> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::new("an element occurs twice that may occur once")),
    }
}

/// Passes a token to the reader of the current item of a list, if there is one, and returns the item when it ends.
pub(super) fn read_item(
    reader: &mut Option<EntityReader>,
    token: &Token<'_>,
    depth: usize,
    item_depth: usize,
    raw: &[u8],
) -> Result<Option<Entity>, Problem> {
    let Some(current) = reader else { return Ok(None) };
    current.token(token, depth - item_depth, raw)?;
    match token {
        Token::Close if depth == item_depth => reader.take().map(EntityReader::finish).transpose(),
        _ => Ok(None),
    }
}
