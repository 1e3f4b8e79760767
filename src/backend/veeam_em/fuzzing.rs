//! Makes the readers of this backend, which are private, public for the fuzz targets.
//!
//! Compiled only by cargo-fuzz. Nothing is decided or checked here.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::cursor::{ListCursor, ListMethod};
use super::kind::Kind;
use super::xml::{
    Entity, EntityReferences, Keep, LogonSession, Problem, QueryResult, Scanner, SingleEntity, Sink,
};
use super::{error_response, map};
use crate::backend::Cursor;
use crate::model::{BackendId, Collection, RestorePoint};

/// The number of kinds of restore points.
pub const KINDS: usize = Kind::ALL.len();

/// Reads a document that arrives in pieces of this size.
fn read<S: Sink>(document: &[u8], piece_size: usize, mut sink: S) -> Result<S, Problem> {
    let mut scanner = Scanner::default();
    for piece in document.chunks(piece_size.max(1)) {
        scanner.push(piece, &mut sink)?;
    }
    scanner.finish()?;
    Ok(sink)
}

fn backend() -> Option<BackendId> {
    BackendId::new("em").ok()
}

/// Maps a restore point with its parent link as the collection, which for a backup is the job run.
fn map_point(kind: Kind, entity: Entity) -> Option<RestorePoint> {
    let parent = entity.link(kind.definition().parent)?.clone();
    map::restore_point(&backend()?, kind, parent, entity).ok()
}

/// One entity as a restore point of a kind in view RAW.
pub fn point(kind: usize, document: &[u8], piece_size: usize) -> Option<RestorePoint> {
    let kind = *Kind::ALL.get(kind)?;
    let sink = SingleEntity::new(kind.definition().point, Keep::Raw);
    map_point(kind, read(document, piece_size, sink).ok()?.finish().ok()?)
}

/// One entity as a collection of a kind.
pub fn collection(kind: usize, document: &[u8], piece_size: usize) -> Option<Collection> {
    let kind = *Kind::ALL.get(kind)?;
    let sink = SingleEntity::new(kind.definition().collection, Keep::Fields);
    let entity = read(document, piece_size, sink).ok()?.finish().ok()?;
    Some(map::collection(&backend()?, kind, entity))
}

/// A page of a query for at most `max_items` restore points of a kind.
pub fn query_page(
    kind: usize,
    document: &[u8],
    piece_size: usize,
    max_items: usize,
) -> Option<QueryPage> {
    let kind = *Kind::ALL.get(kind)?;
    let sink = QueryResult::new(kind.definition().point, Keep::Raw, max_items);
    let (entities, paging) = read(document, piece_size, sink).ok()?.finish();
    Some(QueryPage {
        items: entities.len(),
        points: entities.into_iter().filter_map(|entity| map_point(kind, entity)).collect(),
        paging: paging.map(|paging| (paging.page, paging.page_size, paging.pages)),
    })
}

/// A page of a query.
#[derive(Debug, PartialEq)]
pub struct QueryPage {
    /// The number of entities.
    pub items: usize,
    /// The restore points that they map to; an entity may map to none.
    pub points: Vec<RestorePoint>,
    /// Page number, page size, number of pages.
    pub paging: Option<(u32, u32, u32)>,
}

/// The GUIDs of the first `max_items` references to cloud replica points after `after`.
pub fn references(
    document: &[u8],
    piece_size: usize,
    after: Option<Uuid>,
    max_items: usize,
) -> Option<Vec<Uuid>> {
    let resource = Kind::CloudReplica.definition().point;
    let sink = EntityReferences::new(resource, after, max_items);
    Some(read(document, piece_size, sink).ok()?.finish().into_iter().collect())
}

/// The message of an error response as callers see it.
pub fn error_message(body: &[u8]) -> String {
    error_response::message(body)
}

/// The id of the logon session, and the paths that it links to.
pub fn logon(document: &[u8], piece_size: usize) -> Option<(Uuid, BTreeSet<String>)> {
    read(document, piece_size, LogonSession::default()).ok()?.finish().ok()
}

/// Decodes a cursor and encodes it again.
pub fn cursor(bytes: &[u8]) -> Option<Vec<u8>> {
    let (page_size, method) = ListCursor::decode(&Cursor(bytes.to_vec())).ok()?;
    if let ListMethod::Query(position) = &method {
        position.has_delivered(&Entity::default());
    }
    Some(ListCursor::encode(page_size, method).0)
}
