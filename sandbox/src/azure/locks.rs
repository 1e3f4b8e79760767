//! Locks that an administrator has put on a resource, so that it cannot be deleted.
//!
//! Only deletion is locked here; a lock on writing is not simulated.

use http::{Method, StatusCode};

use super::names::Place;
use super::point;
use super::refusal::Refusal;
use super::world::World;

/// Refuses the deletion of what is locked, or lies inside something locked.
pub(super) fn check(world: &World, method: &Method, place: &Place) -> Result<(), Refusal> {
    let scope = match place {
        _ if *method != Method::DELETE => return Ok(()),
        Place::Collection(name) => name.id(&world.subscription),
        Place::Point(name) => point::id(name, &world.subscription),
        _ => return Ok(()),
    };
    let inside = |lock: &&String| {
        let (lock, scope) = (lock.to_lowercase(), scope.to_lowercase());
        scope == lock || scope.starts_with(&format!("{lock}/"))
    };
    match world.locks.iter().find(inside) {
        None => Ok(()),
        Some(lock) => {
            let message = format!(
                "The scope '{scope}' cannot perform delete operation because following scope(s) \
                 are locked: '{lock}'. Please remove the lock and try again."
            );
            Err(Refusal::gateway(StatusCode::CONFLICT, "ScopeLocked", &message))
        }
    }
}
