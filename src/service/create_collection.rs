//! CreateCollection: reads the request; what a collection needs is the backend's to know.

use super::{Gateway, writing};
use crate::backend::Wanted;
use crate::convert;
use crate::model::{BackendId, Error, NewCollection, check_id};
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
        let request_id = writing::request_id(&request.request_id)?;
        check_id(&request.collection_id, "collection_id")?;
        let wanted = request.collection.unwrap_or_default();
        let new = NewCollection {
            id: request.collection_id,
            location: wanted.location,
            source: wanted.source,
            labels: wanted.labels.into_iter().collect(),
            request_id,
        };
        writer
            .create_collection(&new, writing::write(request.validate_only))
            .await
            .map(convert::collection)
    }
}
