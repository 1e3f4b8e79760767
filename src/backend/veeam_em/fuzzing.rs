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

/// How many kinds of points there are.
pub const KINDS: usize = Kind::ALL.len();

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

/// Told in what its nearest link up leads to, which of a backup's points is a run of the job.
fn point_of(kind: Kind, entity: Entity) -> Option<RestorePoint> {
    let parent = entity.link(kind.shape().parent)?.clone();
    map::point(&backend()?, kind, parent, entity).ok()
}

/// One entity as a restore point of a kind in view RAW.
pub fn point(kind: usize, document: &[u8], piece: usize) -> Option<RestorePoint> {
    let kind = *Kind::ALL.get(kind)?;
    let entity = read(document, piece, OneEntity::new(&kind.shape().point, Keep::Raw))
        .ok()?
        .finish()
        .ok()?;
    point_of(kind, entity)
}

/// One entity as a collection of a kind.
pub fn collection(kind: usize, document: &[u8], piece: usize) -> Option<Collection> {
    let kind = *Kind::ALL.get(kind)?;
    let entity = read(document, piece, OneEntity::new(&kind.shape().collection, Keep::Fields))
        .ok()?
        .finish()
        .ok()?;
    Some(map::collection(&backend()?, kind, entity))
}

/// A page of a query of at most `most` points of a kind: all its items, those that map into a point, and its page
/// number, page size and count of pages.
pub fn query_page(kind: usize, document: &[u8], piece: usize, most: usize) -> Option<QueryAnswer> {
    let kind = *Kind::ALL.get(kind)?;
    let (entities, paging) =
        read(document, piece, QueryPage::new(&kind.shape().point, Keep::Raw, most)).ok()?.finish();
    Some(QueryAnswer {
        items: entities.len(),
        points: entities.into_iter().filter_map(|entity| point_of(kind, entity)).collect(),
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

/// The first `most` GUIDs of cloud points behind `after` of a list of references.
pub fn references(
    document: &[u8],
    piece: usize,
    after: Option<Uuid>,
    most: usize,
) -> Option<Vec<Uuid>> {
    let ids =
        read(document, piece, References::new(&Kind::CloudReplica.shape().point, after, most))
            .ok()?
            .finish();
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
