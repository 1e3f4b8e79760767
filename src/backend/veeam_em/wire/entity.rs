//! One entity or reference: what of it the gateway uses, and the reading of it.
//!
//! One shape serves points, what they are kept in, and the references to both; what a kind must have
//! beyond a UID and a name is for `map` to check.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::scan::{Problem, Tag, Token};

/// A point takes about 1.5 KiB.
const LARGEST: usize = 256 * 1024;
/// Elements that a raw body is rid of, with all below them, if their name contains one of these in any
/// case. `SqlInfo` is all that the vendor is known to tell of guests; the rest is the generous side.
const HIDDEN: [&str; 6] = ["sql", "oracle", "guest", "credential", "password", "secret"];

/// What stands between the ends of an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Entity {
    /// The GUID at the end of `UID`.
    pub(in super::super) id: Uuid,
    /// Attribute `UID` as it came.
    pub(in super::super) uid: String,
    /// Attribute `Name`.
    pub(in super::super) name: String,
    /// Attribute `VmDisplayName`.
    pub(in super::super) vm_display_name: Option<String>,
    /// Element `VmName`: mandatory in the schema, absent from many samples.
    pub(in super::super) vm_name: Option<String>,
    /// Element `CreationTimeUTC`, of a job run `BackupDateUTC`.
    pub(in super::super) created: Option<Timestamp>,
    /// Element `PointType`.
    pub(in super::super) point_type: Option<String>,
    /// Element `Algorithm`.
    pub(in super::super) algorithm: Option<String>,
    /// Element `State`.
    pub(in super::super) state: Option<String>,
    /// Element `Platform`.
    pub(in super::super) platform: Option<String>,
    /// Element `HierarchyObjRef`: the machine, in the words of its hypervisor's server.
    pub(in super::super) hierarchy_ref: Option<String>,
    /// The links that the kind is read for, one of each type.
    pub(in super::super) links: Vec<Link>,
    /// The whole element as it came, without comments and without what tells of the guest; only if it
    /// was asked for.
    pub(in super::super) raw: Option<String>,
}

impl Entity {
    /// The link to a thing of this type.
    pub(in super::super) fn link(&self, to: To) -> Option<&Link> {
        self.links.iter().find(|link| link.to == to)
    }
}

/// A link to another entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Link {
    /// What it leads to.
    pub(in super::super) to: To,
    /// Attribute `Rel`: `Up` to a parent.
    pub(in super::super) rel: String,
    /// The GUID at the end of the path. Of an `Href` nothing else is used: its host may be a name that
    /// only the vendor's own network knows.
    pub(in super::super) id: Uuid,
    /// Attribute `Name`.
    pub(in super::super) name: String,
}

/// What a link leads to, by its attribute `Type`: several `Up` links are usual, and their order means
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum To {
    BackupServer,
    CloudReplica,
    Replica,
    Backup,
    BackupFile,
    RestorePoint,
}

impl To {
    /// The `Type` of the entity itself; that of a reference to it has `Reference` behind.
    pub(in super::super) fn entity(self) -> &'static str {
        match self {
            Self::BackupServer => "BackupServer",
            Self::CloudReplica => "CloudReplica",
            Self::Replica => "Replica",
            Self::Backup => "Backup",
            Self::BackupFile => "BackupFile",
            Self::RestorePoint => "RestorePoint",
        }
    }
}

/// How much of an entity to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Keep {
    /// The fields.
    Fields,
    /// The fields, and the text as it came.
    Raw,
}

/// An entity in the middle of being read.
#[derive(Debug)]
pub(in super::super) struct Reading {
    /// What the attribute `Type` must be if it is there.
    expected: &'static str,
    /// The links to keep. Others are not looked at: some lead to no entity.
    links: &'static [To],
    entity: Entity,
    child: Child,
    /// The text of the present child.
    text: String,
    raw: Vec<u8>,
    /// The depth of the element that stays out of `raw`, while in one.
    hidden: Option<usize>,
    keep: Keep,
    size: usize,
}

/// The child element that the reading is in.
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
    /// None, or one that nothing is made of.
    Other,
}

impl Reading {
    /// Begins with the tag of an entity whose attribute `Type`, if it has one, is `expected`. The name of
    /// the element is not looked at: items of a list of points are called `CloudReplica`.
    pub(in super::super) fn new(expected: &'static str, links: &'static [To], keep: Keep) -> Self {
        Self {
            expected,
            links,
            entity: Entity::default(),
            child: Child::Other,
            text: String::new(),
            raw: Vec::new(),
            hidden: None,
            keep,
            size: 0,
        }
    }

    /// Takes one token; `depth` counts from the entity's own ends.
    pub(in super::super) fn token(
        &mut self,
        token: &Token<'_>,
        depth: usize,
        raw: &[u8],
    ) -> Result<(), Problem> {
        self.size += raw.len();
        if self.size > LARGEST {
            return Err(Problem::new("an entity beyond all measure"));
        }
        if self.keep == Keep::Raw {
            self.copy(token, depth, raw);
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
            (Token::Close, 1) => self.field(),
            _ => Ok(()),
        }
    }

    /// Copies a token as it came, unless it belongs to what must stay hidden.
    fn copy(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) {
        if let (Token::Open(tag), None) = (token, self.hidden)
            && depth > 0
        {
            let name = tag.name().to_ascii_lowercase();
            self.hidden = HIDDEN.iter().any(|part| name.contains(part)).then_some(depth);
        }
        match (self.hidden, token) {
            (None, _) => self.raw.extend_from_slice(raw),
            (Some(begin), Token::Close) if begin == depth => self.hidden = None,
            _ => {}
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When there is no UID or no name: every entity of the vendor has both.
    pub(in super::super) fn finish(mut self) -> Result<Entity, Problem> {
        if self.entity.uid.is_empty() || self.entity.name.is_empty() {
            return Err(Problem::new(format!("a {} without a UID or a name", self.expected)));
        }
        if self.keep == Keep::Raw {
            let raw = String::from_utf8(self.raw).map_err(|_| Problem::new("it is not UTF-8"))?;
            self.entity.raw = Some(raw);
        }
        Ok(self.entity)
    }

    fn attributes(&mut self, tag: &Tag<'_>) -> Result<(), Problem> {
        for attribute in tag.attributes() {
            let (name, value) = attribute?;
            match name {
                "Type" if value != self.expected => {
                    return Err(Problem::new(format!("something else than a {}", self.expected)));
                }
                "Name" => self.entity.name = value.into_owned(),
                "VmDisplayName" => self.entity.vm_display_name = Some(value.into_owned()),
                "UID" => {
                    self.entity.id = value
                        .rsplit_once(':')
                        .and_then(|(_, id)| guid(id))
                        .ok_or_else(|| Problem::new("a UID that does not end in a GUID"))?;
                    self.entity.uid = value.into_owned();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps a link if it leads to something that the kind is read for.
    fn link(&mut self, tag: &Tag<'_>) -> Result<(), Problem> {
        let (mut kind, mut href, mut name, mut rel) = (None, None, None, None);
        for attribute in tag.attributes() {
            let (key, value) = attribute?;
            match key {
                "Type" => kind = Some(value),
                "Href" => href = Some(value),
                "Name" => name = Some(value),
                "Rel" => rel = Some(value),
                _ => {}
            }
        }
        let kind = kind.as_deref().unwrap_or_default();
        let kind = kind.strip_suffix("Reference").unwrap_or(kind);
        let Some(to) = self.links.iter().copied().find(|to| to.entity() == kind) else {
            return Ok(());
        };
        let id = href
            .as_deref()
            .and_then(|href| href.split(['?', '#']).next())
            .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
            .and_then(guid)
            .ok_or_else(|| Problem::new("a link that does not end in a GUID"))?;
        let rel = rel.unwrap_or_default().into_owned();
        let link = Link { to, rel, id, name: name.unwrap_or_default().into_owned() };
        match self.entity.links.iter_mut().find(|other| other.to == to) {
            None => self.entity.links.push(link),
            Some(other) if other.id != id => {
                return Err(Problem::new("two links of one type to different things"));
            }
            // The same twice. One that is more than `Up` says something: see `map`.
            Some(other) if other.rel == "Up" => *other = link,
            Some(_) => {}
        }
        Ok(())
    }

    fn field(&mut self) -> Result<(), Problem> {
        let (entity, text) = (&mut self.entity, self.text.trim());
        let place = match std::mem::replace(&mut self.child, Child::Other) {
            Child::Links | Child::Other => return Ok(()),
            Child::Created => return once(&mut entity.created, time(text)?),
            Child::VmName => &mut entity.vm_name,
            Child::PointType => &mut entity.point_type,
            Child::Algorithm => &mut entity.algorithm,
            Child::State => &mut entity.state,
            Child::Platform => &mut entity.platform,
            Child::HierarchyRef => &mut entity.hierarchy_ref,
        };
        once(place, text.to_owned())
    }
}

/// Fills a place that may be filled once: of two values neither is the right one.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::new("an element twice that there is one of")),
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

/// A GUID with its dashes, in either case; no other spelling of one.
pub(in super::super) fn guid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A date as the vendor writes it: to the second, up to seven fraction digits, trailing zeros cut, and
/// `Z` or nothing behind. Both mean UTC.
fn time(text: &str) -> Result<Timestamp, Problem> {
    let bare = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let shaped = bare.len() >= "2015-12-25T20:00:47".len()
        && bare.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            _ => byte.is_ascii_digit(),
        });
    shaped
        .then(|| bare.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok())
        .flatten()
        .map(|time| time.timestamp())
        .ok_or_else(|| Problem::new("a date that is none"))
}
