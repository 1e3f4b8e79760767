//! Reads one entity: `GET /{collection}/{guid}?format=Entity`.

use uuid::Uuid;

use super::client::Target;
use super::resource::Resource;
use super::session::Session;
use super::xml::{Entity, Keep, SingleEntity};
use crate::model::Error;

/// An entity takes about 1.5 KiB.
const MAX_ENTITY_BYTES: u64 = 1024 * 1024;

/// Reads one entity; none if the vendor has no entity of this id.
///
/// # Errors
/// Those of [`Session::read`]; the error for any other error response.
pub(super) async fn entity(
    session: &Session,
    resource: &'static Resource,
    id: Uuid,
    keep: Keep,
) -> Result<Option<Entity>, Error> {
    let target = Target {
        path: format!("{}/{id}", resource.path),
        query: vec![("format", "Entity".to_owned())],
        max_bytes: MAX_ENTITY_BYTES,
    };
    let entity = match session.read(&target, || SingleEntity::new(resource, keep)).await? {
        Ok(document) => document.finish().map_err(|problem| session.invalid(problem))?,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(session.error(error)),
    };
    if entity.id != id {
        return Err(session.invalid(format!("another `{}` than requested", resource.entity)));
    }
    Ok(Some(entity))
}
