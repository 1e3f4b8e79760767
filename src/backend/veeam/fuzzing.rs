//! Entrances for the fuzz targets: the readers of this backend, which are nobody else's business.
//!
//! Compiled by cargo-fuzz only. Nothing is decided or checked here.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::cursor::{Position, Way};
use super::kind::Kind;
use super::wire::{
    Entity, Keep, LogonSession, OneEntity, Problem, QueryPage, References, Scanner, Sink,
};
use super::{map, refusal};
use crate::backend::Cursor;
use crate::model::{BackendId, Collection, RestorePoint};

const CLOUD: Kind = Kind::CloudReplica;

/// Reads a document that arrives in pieces of this size.
fn read<S: Sink>(document: &[u8], piece: usize, mut sink: S) -> Result<S, Problem> {
    let mut scanner = Scanner::default();
    for piece in document.chunks(piece.max(1)) {
        scanner.push(piece, &mut sink)?;
    }
    scanner.finish()?;
    Ok(sink)
}

fn backend() -> Option<BackendId> {
    BackendId::new("em").ok()
}

fn point_of(entity: Entity) -> Option<RestorePoint> {
    let parent = entity.link(CLOUD.shape().parent)?.clone();
    map::point(&backend()?, CLOUD, parent, entity).ok()
}

/// One entity as a restore point in view RAW.
pub fn point(document: &[u8], piece: usize) -> Option<RestorePoint> {
    let entity = read(document, piece, OneEntity::new(&CLOUD.shape().point, Keep::Raw))
        .ok()?
        .finish()
        .ok()?;
    point_of(entity)
}

/// One entity as a collection.
pub fn collection(document: &[u8], piece: usize) -> Option<Collection> {
    let entity = read(document, piece, OneEntity::new(&CLOUD.shape().collection, Keep::Fields))
        .ok()?
        .finish()
        .ok()?;
    Some(map::collection(&backend()?, CLOUD, entity))
}

/// A page of a query of at most `most` points: all its items, those that map into a point, and its page
/// number, page size and count of pages.
pub fn query_page(document: &[u8], piece: usize, most: usize) -> Option<QueryAnswer> {
    let (entities, paging) =
        read(document, piece, QueryPage::new(&CLOUD.shape().point, Keep::Raw, most)).ok()?.finish();
    Some(QueryAnswer {
        items: entities.len(),
        points: entities.into_iter().filter_map(point_of).collect(),
        paging: paging.map(|paging| (paging.page, paging.page_size, paging.pages)),
    })
}

/// What a page of a query says.
#[derive(Debug, PartialEq)]
pub struct QueryAnswer {
    /// How many entities there are.
    pub items: usize,
    /// Those of them that are points.
    pub points: Vec<RestorePoint>,
    /// Page, page size, pages.
    pub paging: Option<(u32, u32, u32)>,
}

/// The first `most` GUIDs behind `after` of a list of references.
pub fn references(
    document: &[u8],
    piece: usize,
    after: Option<Uuid>,
    most: usize,
) -> Option<Vec<Uuid>> {
    let ids =
        read(document, piece, References::new(&CLOUD.shape().point, after, most)).ok()?.finish();
    Some(ids.into_iter().collect())
}

/// The message of a refusal as callers see it.
pub fn refusal(document: &[u8]) -> String {
    refusal::message(document)
}

/// The session that a logon brings, and where it leads.
pub fn logon(document: &[u8], piece: usize) -> Option<(Uuid, BTreeSet<String>)> {
    read(document, piece, LogonSession::default()).ok()?.finish().ok()
}

/// What reading a cursor and writing it again makes of it.
pub fn cursor(bytes: &[u8]) -> Option<Vec<u8>> {
    let (page_size, way) = Position::read(&Cursor(bytes.to_vec()), 1000).ok()?;
    if let Way::Query(told) = &way {
        told.includes(&Entity::default());
    }
    Some(Position::cursor(page_size, way).0)
}
