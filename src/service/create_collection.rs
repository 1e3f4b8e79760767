//! CreateCollection: checks the request's form; the backend checks what its vendor requires.

use super::{Gateway, write_request};
use crate::convert;
use crate::model::{BackendId, Capability, Error, NewCollection, check_id};
use crate::proto;

pub(super) async fn create_collection(
    gateway: &Gateway,
    request: proto::CreateCollectionRequest,
) -> Result<proto::Collection, Error> {
    let parent = BackendId::parse(&request.parent, "parent")?;
    // First, so that a backend without the capability says so, whatever the other fields hold.
    let backend = gateway.registry.get_capable(&parent, Capability::CreateCollection);
    let backend = backend.map_err(|error| error.in_field("parent"))?;
    let request_id = write_request::request_id(&request.request_id)?;
    check_id(&request.collection_id, "collection_id")?;
    let proto::Collection { location, source, labels, .. } = request.collection.unwrap_or_default();
    let new = NewCollection {
        id: request.collection_id,
        location,
        source,
        labels: labels.into_iter().collect(),
        request_id,
    };
    let mode = write_request::mode(request.validate_only);
    backend.create_collection(&new, mode).await.map(convert::collection)
}
