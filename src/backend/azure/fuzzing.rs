//! Entry points for the fuzz targets to the decoders of this backend, which are private otherwise.
//!
//! Compiled by cargo-fuzz only. Nothing is decided or checked here.

use http::{HeaderMap, StatusCode};

use super::cursor::Position;
use super::dto;
use super::error_response::ErrorResponse;
use super::id::{ArmId, CollectionId, Scope};
use super::map::{self, CollectionIdentity};
use super::redact::redact;
use super::status::DataEvidence;
use crate::backend::Cursor;
use crate::model::{BackendId, Collection, Error, RestorePoint, View};

/// The subscription that responses belong to.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

fn scope() -> Option<Scope> {
    let backend = BackendId::new("az").ok()?;
    Some(Scope { backend, subscription: SUBSCRIPTION.to_owned() })
}

fn map_point(
    scope: &Scope,
    collection: &CollectionIdentity,
    dto: &dto::RestorePoint,
) -> Option<RestorePoint> {
    let evidence = DataEvidence::Reported(&[]);
    map::point(scope, collection, dto, evidence, View::Full).ok()
}

/// A restore point in view FULL, as one of the collection that its id names.
pub fn point(body: &[u8]) -> Option<RestorePoint> {
    let dto: dto::RestorePoint = dto::decode(body).ok()?;
    let scope = scope()?;
    let ArmId::Point(id) = ArmId::parse(&dto.id, &scope) else { return None };
    let (region, source, vm_name) = ("eastus".to_owned(), String::new(), String::new());
    let collection = CollectionIdentity { id: id.collection, region, source, vm_name };
    map_point(&scope, &collection, &dto)
}

/// A collection, and those of its points that can be mapped, in view FULL.
pub fn collection(body: &[u8]) -> Option<(Collection, Vec<RestorePoint>)> {
    let mut dto: dto::Collection = dto::decode(body).ok()?;
    let dtos = dto.properties.restore_points.take().unwrap_or_default();
    let scope = scope()?;
    let identity = map::collection_identity(&scope, &dto).ok()?;
    let points = dtos.iter().filter_map(|dto| map_point(&scope, &identity, dto)).collect();
    Some((map::collection(&scope, dto).ok()?, points))
}

/// Those collections of a page that can be mapped, and whether another page follows.
pub fn collections(body: &[u8]) -> Option<(Vec<Collection>, bool)> {
    let page: dto::CollectionPage = dto::decode(body).ok()?;
    let scope = scope()?;
    let has_next = page.next_link.is_some();
    let collections =
        page.value.into_iter().filter_map(|dto| map::collection(&scope, dto).ok()).collect();
    Some((collections, has_next))
}

/// The status of an operation.
pub fn operation(body: &[u8]) -> Option<String> {
    dto::decode::<dto::OperationStatus>(body).ok().map(|operation| operation.status)
}

/// The error of an error response.
pub fn error_response(status: StatusCode, body: &[u8]) -> Error {
    ErrorResponse::parse(status, &HeaderMap::new(), body).into_error("az", "backends/az")
}

/// The body in view RAW.
pub fn raw(body: &[u8]) -> Option<String> {
    Some(redact(dto::decode(body).ok()?).body)
}

/// The segment of a collection id, and the same after a round trip through its ARM id.
pub fn collection_id(segment: &str) -> Option<(String, Option<String>)> {
    let id = CollectionId::parse(segment, "name").ok()?;
    let scope = scope()?;
    let from_arm = match ArmId::parse(&id.to_arm_id(&scope), &scope) {
        ArmId::Collection(id) => Some(id.segment()),
        _ => None,
    };
    Some((id.segment(), from_arm))
}

/// A cursor after decoding and encoding.
pub fn cursor(bytes: &[u8]) -> Option<Vec<u8>> {
    let cursor = Cursor(bytes.to_vec());
    Some(Position::decode_cursor(Some(&cursor)).ok()?.to_cursor().0)
}
