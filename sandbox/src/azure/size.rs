//! The gateway passes on no answer above 8 MB: it answers 500 in its place.
//!
//! What the request did stays done.

use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::world::World;

pub(super) fn within(world: &World, call: &Call, reply: Reply) -> Result<Reply, Refusal> {
    match world.settings.quirks.answer_limit {
        Some(limit) if reply.body.len() > limit => {
            Err(Refusal::internal(&world.subscription, call.request_id, call.now))
        }
        _ => Ok(reply),
    }
}
