//! The documents that the gateway reads, each taken apart while it arrives.
//!
//! A list is never shorter than what was sent: a document that holds something unexpected where its
//! items should be is refused.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::entity::{Entity, Keep, Reading, To, once};
use super::scan::{Problem, Sink, Tag, Token};

/// A kind of resource and what it is called in which place.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Resource {
    /// The entity's element, its `Type`, its `type` in a query and in its UID.
    pub(in super::super) entity: &'static str,
    /// The `Type` of a reference to it.
    pub(in super::super) reference: &'static str,
    /// The element around a list of entities.
    pub(in super::super) list: &'static str,
    /// Path of the collection, below `/api/`.
    pub(in super::super) path: &'static str,
    /// The order asked of a query, parameter and field.
    pub(in super::super) order: (&'static str, &'static str),
    /// The links of an entity that are read.
    pub(in super::super) links: &'static [To],
}

impl Resource {
    /// The `UID` of one of the kind.
    pub(in super::super) fn uid(&self, id: Uuid) -> String {
        format!("urn:veeam:{}:{id}", self.entity)
    }
}

/// A document of which only the root element matters.
#[derive(Debug)]
pub(in super::super) struct Root(pub(in super::super) &'static str);

impl Sink for Root {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => rooted(tag, self.0),
            _ => Ok(()),
        }
    }
}

/// One entity, at `…/G?format=Entity`.
#[derive(Debug)]
pub(in super::super) struct OneEntity {
    resource: &'static Resource,
    reading: Reading,
}

impl OneEntity {
    pub(in super::super) fn new(resource: &'static Resource, keep: Keep) -> Self {
        Self { resource, reading: Reading::new(resource.entity, resource.links, keep) }
    }

    pub(in super::super) fn finish(self) -> Result<Entity, Problem> {
        self.reading.finish()
    }
}

impl Sink for OneEntity {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        if let (Token::Open(tag), 0) = (token, depth) {
            rooted(tag, self.resource.entity)?;
        }
        self.reading.token(token, depth, raw)
    }
}

/// A page of the query service: `QueryResult/Entities/…/…` and `QueryResult/PagingInfo`.
#[derive(Debug)]
pub(in super::super) struct QueryPage {
    resource: &'static Resource,
    keep: Keep,
    most: usize,
    section: Section,
    reading: Option<Reading>,
    entities: Vec<Entity>,
    paging: Option<Paging>,
}

/// The child of `QueryResult` that the reading is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// `Entities`, and whether the list in it is the one asked for.
    Entities(List),
    /// `PagingInfo` or `Links`.
    About,
    /// `Refs`, `Resources`, or what is not known.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Asked,
    Other,
}

/// `PagingInfo`. There is no count of items, only of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Paging {
    /// From 1.
    pub(in super::super) page: u32,
    /// Items on a page.
    pub(in super::super) page_size: u32,
    /// Pages in all.
    pub(in super::super) pages: u32,
}

impl QueryPage {
    /// Expects at most `most` entities of `resource`.
    pub(in super::super) fn new(resource: &'static Resource, keep: Keep, most: usize) -> Self {
        Self {
            resource,
            keep,
            most,
            section: Section::Other,
            reading: None,
            entities: Vec::new(),
            paging: None,
        }
    }

    pub(in super::super) fn finish(self) -> (Vec<Entity>, Option<Paging>) {
        (self.entities, self.paging)
    }

    fn open(&mut self, tag: &Tag<'_>, depth: usize) -> Result<(), Problem> {
        match (depth, self.section) {
            (0, _) => return rooted(tag, "QueryResult"),
            (1, _) => {
                self.section = match tag.name() {
                    "Entities" => Section::Entities(List::Other),
                    "PagingInfo" => {
                        once(&mut self.paging, paging(tag)?)?;
                        Section::About
                    }
                    "Links" => Section::About,
                    _ => Section::Other,
                }
            }
            (2, Section::Entities(_)) => {
                let asked = tag.name() == self.resource.list;
                self.section = Section::Entities(if asked { List::Asked } else { List::Other });
            }
            // Lists of other kinds may stand beside the one asked for, as they do in JSON, but empty.
            (2, Section::Other) | (3, Section::Entities(List::Other)) => {
                return Err(Problem::new(format!("items that are no {}", self.resource.list)));
            }
            (3, Section::Entities(List::Asked)) => {
                if self.entities.len() == self.most {
                    return Err(Problem::new(format!("a page of more than {} items", self.most)));
                }
                let Resource { entity, links, .. } = self.resource;
                self.reading = Some(Reading::new(entity, links, self.keep));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Sink for QueryPage {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        if self.reading.is_none()
            && let Token::Open(tag) = token
        {
            self.open(tag, depth)?;
        }
        self.entities.extend(item(&mut self.reading, token, depth, 3, raw)?);
        Ok(())
    }
}

/// A whole collection as references, of which the first few in the order of their GUIDs are kept.
///
/// The vendor pages no collection, so each page of ours is a pass over all of it; this way it takes the
/// memory of a page.
#[derive(Debug)]
pub(in super::super) struct References {
    resource: &'static Resource,
    after: Option<Uuid>,
    most: usize,
    reading: Option<Reading>,
    first: BTreeSet<Uuid>,
}

impl References {
    /// Keeps the first `most` behind `after`.
    pub(in super::super) fn new(
        resource: &'static Resource,
        after: Option<Uuid>,
        most: usize,
    ) -> Self {
        Self { resource, after, most, reading: None, first: BTreeSet::new() }
    }

    pub(in super::super) fn finish(self) -> BTreeSet<Uuid> {
        self.first
    }
}

impl Sink for References {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => rooted(tag, "EntityReferences")?,
            // Whatever else stands here is an item or no list of items that is known.
            (Token::Open(tag), 1) if tag.name() != "Links" => {
                self.reading = Some(Reading::new(self.resource.reference, &[], Keep::Fields));
            }
            _ => {}
        }
        if let Some(reference) = item(&mut self.reading, token, depth, 1, raw)?
            && Some(reference.id) > self.after
        {
            self.first.insert(reference.id);
            if self.first.len() > self.most {
                self.first.pop_last();
            }
        }
        Ok(())
    }
}

/// The answer to a logon.
#[derive(Debug, Default)]
pub(in super::super) struct LogonSession {
    child: String,
    id: String,
    places: BTreeSet<String>,
}

impl LogonSession {
    /// The plain GUID of the session, and what it links to: of the path below `/api/` the first segment,
    /// in lower case.
    pub(in super::super) fn finish(self) -> Result<(Uuid, BTreeSet<String>), Problem> {
        let id = super::guid(self.id.trim());
        let id = id.ok_or_else(|| Problem::new("a logon without a SessionId"))?;
        Ok((id, self.places))
    }
}

impl Sink for LogonSession {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => rooted(tag, "LogonSession")?,
            (Token::Open(tag), 1) => tag.name().clone_into(&mut self.child),
            (Token::Open(tag), 2) if self.child == "Links" => {
                let href = tag.attribute("Href")?.unwrap_or_default();
                let below = href.split_once("/api/").map(|(_, below)| below);
                let place = below.and_then(|below| below.split(['/', '?', '#']).next());
                self.places.extend(place.map(str::to_ascii_lowercase));
            }
            (Token::Text(text), 2) if self.child == "SessionId" => self.id.push_str(text),
            _ => {}
        }
        Ok(())
    }
}

/// The body of a refusal. Its stack trace is not read.
#[derive(Debug, Default)]
pub(in super::super) struct Fault {
    /// Attribute `Message`.
    pub(in super::super) message: String,
}

impl Sink for Fault {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        if let (Token::Open(tag), 0) = (token, depth) {
            rooted(tag, "Error")?;
            self.message = tag.attribute("Message")?.unwrap_or_default();
        }
        Ok(())
    }
}

/// Hands a token to the item being read, if one is, and gives back the item when it ends.
fn item(
    reading: &mut Option<Reading>,
    token: &Token<'_>,
    depth: usize,
    item_depth: usize,
    raw: &[u8],
) -> Result<Option<Entity>, Problem> {
    let Some(current) = reading else { return Ok(None) };
    current.token(token, depth - item_depth, raw)?;
    match token {
        Token::Close if depth == item_depth => reading.take().map(Reading::finish).transpose(),
        _ => Ok(None),
    }
}

fn rooted(tag: &Tag<'_>, expected: &str) -> Result<(), Problem> {
    if tag.name() == expected {
        return Ok(());
    }
    let name: String = tag.name().chars().take(40).collect();
    Err(Problem::new(format!("its root is `{name}` where `{expected}` was asked for")))
}

fn paging(tag: &Tag<'_>) -> Result<Paging, Problem> {
    let number = |name| {
        let text = tag.attribute(name)?;
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::new(format!("a PagingInfo without a proper {name}")))
    };
    Ok(Paging {
        page: number("PageNum")?,
        page_size: number("PageSize")?,
        pages: number("PagesCount")?,
    })
}
