//! Get: one restore point as the vendor shows it now.

use super::{Gateway, list};
use crate::convert;
use crate::model::{Error, PointRef, View};
use crate::proto;

impl Gateway {
    pub(super) async fn get_restore_point(
        &self,
        request: proto::GetRequest,
    ) -> Result<proto::RestorePoint, Error> {
        let point = PointRef::parse(&request.name, "name")?;
        let view = convert::view(request.view, View::Full).ok_or_else(list::unknown_view)?;
        let read = async { self.registry.get(&point.backend)?.get(&point, view).await };
        read.await.map(convert::restore_point).map_err(|error| error.in_field("name"))
    }
}
