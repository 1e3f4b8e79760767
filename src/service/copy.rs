//! Copy: names the new point so that repetitions find it, starts the copy, and hands out the token that
//! carries the vendor's handle of it.

use uuid::Uuid;

use super::{Gateway, writing};
use crate::backend::{CopyOrder, Wanted, Write};
use crate::convert;
use crate::model::{CollectionName, Error, Invalid, PointRef, RestorePointName, Segment, check_id};
use crate::proto;

impl Gateway {
    pub(super) async fn start_copy(
        &self,
        request: proto::CopyRequest,
    ) -> Result<proto::CopyResponse, Error> {
        let source = PointRef::parse(&request.source, "source")?;
        let backend =
            self.registry.get(&source.backend).map_err(|error| error.in_field("source"))?;
        // Asked first: a vendor that copies nothing needs no destination to say so.
        let writer = backend.writer(Wanted::Copy)?;
        let request_id = writing::request_id(&request.request_id)?;
        let destination = self.destination(&source, &request.destination)?;
        let restore_point = match request.restore_point_id.as_str() {
            "" => derived_id(&source, &destination, request_id),
            id => {
                check_id(id, "restore_point_id")?;
                id.to_owned()
            }
        };
        let target = RestorePointName { collection: destination, restore_point };
        let order = CopyOrder { source, target, request_id };
        let write = writing::write(request.validate_only);
        let started = writer.copy(&order, write).await?;

        let resume_token = match write {
            Write::Check => String::new(),
            Write::Commit => self.hub.token_of_copy(&order.target, started.operation.as_ref())?,
        };
        Ok(proto::CopyResponse {
            restore_point: Some(convert::restore_point(started.point)),
            resume_token,
        })
    }

    fn destination(&self, source: &PointRef, name: &str) -> Result<CollectionName, Error> {
        let destination = CollectionName::parse(name, "destination")?;
        self.registry.get(&destination.backend).map_err(|error| error.in_field("destination"))?;
        if destination.backend != source.backend {
            return Err(Error::invalid(
                Invalid::Value,
                "destination",
                format!(
                    "it must be of {} like the source: vendors do not copy to others",
                    source.backend
                ),
            ));
        }
        if source.collection == Segment::Any {
            return Err(Error::invalid(Invalid::Name, "source", "name its collection too"));
        }
        Ok(destination)
    }
}

/// The same for the same request, so that a repetition finds what the first call made.
fn derived_id(source: &PointRef, destination: &CollectionName, request_id: Option<Uuid>) -> String {
    let request = format!(
        "{source}\n{destination}\n{}",
        request_id.map(|id| id.to_string()).unwrap_or_default()
    );
    format!("copy-{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, request.to_lowercase().as_bytes()))
}
