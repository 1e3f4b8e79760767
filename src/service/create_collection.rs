//! CreateCollection: checks that the request is whole; the vendor's rules are the backend's to check.

use super::Gateway;
use crate::backend::{Wanted, Write};
use crate::convert;
use crate::model::{BackendId, Error, Invalid, NewCollection, check_id};
use crate::proto;

impl Gateway {
    pub(super) async fn create(
        &self,
        request: proto::CreateCollectionRequest,
    ) -> Result<proto::Collection, Error> {
        let parent = BackendId::parse(&request.parent, "parent")?;
        let backend = self.registry.get(&parent).map_err(|error| error.in_field("parent"))?;
        // Asked first: a vendor that cannot do it at all says so, whatever the other fields hold.
        let writer = backend.writer(Wanted::Collection)?;
        let request_id = request_id(&request.request_id)?;
        check_id(&request.collection_id, "collection_id")?;
        let wanted = request.collection.unwrap_or_default();
        for (field, value) in
            [("collection.location", &wanted.location), ("collection.source", &wanted.source)]
        {
            if value.is_empty() {
                return Err(Error::invalid(Invalid::Value, field, "it is required"));
            }
        }
        let new = NewCollection {
            id: request.collection_id,
            location: wanted.location,
            source: wanted.source,
            labels: wanted.labels.into_iter().collect(),
            request_id,
        };
        writer.create_collection(&new, write(request.validate_only)).await.map(convert::collection)
    }
}

/// What `validate_only` asks for.
pub(super) fn write(validate_only: bool) -> Write {
    if validate_only { Write::Check } else { Write::Commit }
}

/// The request field `request_id`.
///
/// # Errors
/// INVALID_ARGUMENT for what is no UUID.
pub(super) fn request_id(text: &str) -> Result<Option<uuid::Uuid>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    uuid::Uuid::try_parse(text)
        .map(Some)
        .map_err(|_| Error::invalid(Invalid::Value, "request_id", "it is no UUID; leave it out"))
}
