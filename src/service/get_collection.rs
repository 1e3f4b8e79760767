//! GetCollection: one collection as the vendor reports it now.

use super::gateway::Gateway;
use crate::convert;
use crate::model::{CollectionName, Error};
use crate::proto;

pub(super) async fn get_collection(
    gateway: &Gateway,
    request: proto::GetCollectionRequest,
) -> Result<proto::Collection, Error> {
    let name = CollectionName::parse(&request.name, "name")?;
    let read =
        async { gateway.registry.get(&name.backend)?.get_collection(&name.collection).await };
    read.await.map(convert::collection).map_err(|error| error.in_field("name"))
}
