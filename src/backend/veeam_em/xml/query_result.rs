//! A page of the query service: `QueryResult/Entities/{list}/{item}` and `QueryResult/PagingInfo`.
//!
//! Anything unexpected in the place of the items is an error: a list is never shorter than what was sent.

use super::entity::Entity;
use super::entity_reader::{EntityReader, Keep, read_item, set_once};
use super::problem::Problem;
use super::root_element::check_root;
use super::token::{Sink, Tag, Token};
use crate::backend::veeam_em::resource::Resource;

const ITEM_DEPTH: usize = 3;

/// A page of entities.
#[derive(Debug)]
pub(crate) struct QueryResult {
    resource: &'static Resource,
    keep: Keep,
    max_items: usize,
    section: Section,
    reader: Option<EntityReader>,
    entities: Vec<Entity>,
    paging: Option<Paging>,
}

/// The child of `QueryResult` that the current token is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// `Entities`, and the list in it.
    Entities(List),
    /// `PagingInfo` or `Links`, which contain no items.
    Metadata,
    /// `Refs`, `Resources`, or an unknown element.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Requested,
    Other,
}

/// The element `PagingInfo`. The vendor counts pages, not items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    /// The number of this page, from 1.
    pub(crate) page: u32,
    /// The number of items on a page.
    pub(crate) page_size: u32,
    /// The number of pages.
    pub(crate) pages: u32,
}

impl QueryResult {
    /// Expects at most `max_items` entities of `resource`.
    pub(crate) fn new(resource: &'static Resource, keep: Keep, max_items: usize) -> Self {
        Self {
            resource,
            keep,
            max_items,
            section: Section::Other,
            reader: None,
            entities: Vec::new(),
            paging: None,
        }
    }

    /// The entities, and the paging information if there is any.
    pub(crate) fn finish(self) -> (Vec<Entity>, Option<Paging>) {
        (self.entities, self.paging)
    }

    fn open(&mut self, tag: &Tag<'_>, depth: usize) -> Result<(), Problem> {
        match (depth, self.section) {
            (0, _) => return check_root(tag, "QueryResult"),
            (1, _) => {
                self.section = match tag.name() {
                    "Entities" => Section::Entities(List::Other),
                    "PagingInfo" => {
                        set_once(&mut self.paging, Paging::read(tag)?)?;
                        Section::Metadata
                    }
                    "Links" => Section::Metadata,
                    _ => Section::Other,
                }
            }
            (2, Section::Entities(_)) => {
                let is_requested = tag.name() == self.resource.list;
                let list = if is_requested { List::Requested } else { List::Other };
                self.section = Section::Entities(list);
            }
            // Lists of other types are accepted if they are empty: the JSON of this API has them as well.
            (2, Section::Other) | (ITEM_DEPTH, Section::Entities(List::Other)) => {
                let problem = format!("items outside of `{}`", self.resource.list);
                return Err(Problem::new(problem));
            }
            (ITEM_DEPTH, Section::Entities(List::Requested)) => {
                if self.entities.len() == self.max_items {
                    let problem = format!("more than {} items on a page", self.max_items);
                    return Err(Problem::new(problem));
                }
                let Resource { entity, links, .. } = self.resource;
                self.reader = Some(EntityReader::new(entity, links, self.keep));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Sink for QueryResult {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        if self.reader.is_none()
            && let Token::Open(tag) = token
        {
            self.open(tag, depth)?;
        }
        self.entities.extend(read_item(&mut self.reader, token, depth, ITEM_DEPTH, raw)?);
        Ok(())
    }
}

impl Paging {
    fn read(tag: &Tag<'_>) -> Result<Self, Problem> {
        let number = |name| {
            let text = tag.attribute(name)?;
            text.and_then(|text| text.parse().ok())
                .ok_or_else(|| Problem::new(format!("a `PagingInfo` without a valid `{name}`")))
        };
        Ok(Self {
            page: number("PageNum")?,
            page_size: number("PageSize")?,
            pages: number("PagesCount")?,
        })
    }
}
