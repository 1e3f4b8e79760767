//! Entrances for the fuzz targets: the readers of this backend, which are nobody else's business.
//!
//! Compiled by cargo-fuzz only. Nothing is decided or checked here.

use http::{HeaderMap, StatusCode};

use super::error::Refusal;
use super::id::{ArmId, CollectionId};
use super::map::{self, Home, Scope};
use super::state::Arrival;
use super::walk::Position;
use super::{raw, wire};
use crate::backend::Cursor;
use crate::model::{BackendId, Collection, Error, RestorePoint, View};

/// The subscription that answers are read for.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

fn scoped<T>(read: impl FnOnce(Scope<'_>) -> Option<T>) -> Option<T> {
    let backend = BackendId::new("az").ok()?;
    read(Scope { backend: &backend, subscription: SUBSCRIPTION })
}

/// A restore point in view FULL, read as one of whatever collection its id names.
pub fn point(body: &[u8]) -> Option<RestorePoint> {
    let wire: wire::Point = wire::decode(body).ok()?;
    let ArmId::Point(id) = ArmId::parse(&wire.id, SUBSCRIPTION) else { return None };
    let home = Home { id: id.collection, region: "eastus".to_owned(), source: String::new() };
    scoped(|scope| map::point(scope, &home, &wire, Arrival::Told(&[]), View::Full).ok())
}

/// A collection, and the points in it that map, in view FULL.
pub fn collection(body: &[u8]) -> Option<(Collection, Vec<RestorePoint>)> {
    let mut wire: wire::Collection = wire::decode(body).ok()?;
    let points = wire.properties.restore_points.take().unwrap_or_default();
    scoped(|scope| {
        let home = map::home(scope, &wire).ok()?;
        let point = |wire| map::point(scope, &home, wire, Arrival::Told(&[]), View::Full).ok();
        let points = points.iter().filter_map(point).collect();
        Some((map::collection(scope, wire).ok()?, points))
    })
}

/// A page of collections: those that map, and whether another page follows.
pub fn collections(body: &[u8]) -> Option<(Vec<Collection>, bool)> {
    let page: wire::CollectionPage = wire::decode(body).ok()?;
    let more = page.next_link.is_some();
    scoped(|scope| {
        let map = |wire| map::collection(scope, wire).ok();
        Some((page.value.into_iter().filter_map(map).collect(), more))
    })
}

/// What an operation says of itself.
pub fn operation(body: &[u8]) -> Option<String> {
    wire::decode::<wire::OperationStatus>(body).ok().map(|operation| operation.status)
}

/// The error that a refusal becomes.
pub fn refusal(status: StatusCode, body: &[u8]) -> Error {
    Refusal::read(status, &HeaderMap::new(), body).into_error("az", "backends/az")
}

/// The body as view RAW shows it.
pub fn raw(body: &[u8]) -> Option<String> {
    Some(raw::redacted(wire::decode(body).ok()?).body)
}

/// A collection id, printed and read again.
pub fn collection_id(segment: &str) -> Option<(String, Option<String>)> {
    let id = CollectionId::parse(segment, "name").ok()?;
    let again = match ArmId::parse(&id.arm(SUBSCRIPTION), SUBSCRIPTION) {
        ArmId::Collection(again) => Some(again.segment()),
        _ => None,
    };
    Some((id.segment(), again))
}

/// What reading a cursor and writing it again makes of it.
pub fn cursor(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Position::read(Some(&Cursor(bytes.to_vec()))).ok()?.cursor().0)
}
