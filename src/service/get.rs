//! Get: one restore point as the vendor reports it now.

use super::gateway::Gateway;
use crate::convert;
use crate::model::{Error, PointRef, View};
use crate::proto;

pub(super) async fn get(
    gateway: &Gateway,
    request: proto::GetRequest,
) -> Result<proto::RestorePoint, Error> {
    let point = PointRef::parse(&request.name, "name")?;
    let view = convert::view(request.view, View::Full)?;
    let read = async { gateway.registry.get_for_point(&point)?.get(&point, view).await };
    read.await.map(convert::restore_point).map_err(|error| error.in_field("name"))
}
