//! Watching: many watchers, one poll.
//!
//! Neither vendor pushes. The first watcher of a target starts its poller, the last one's leaving ends it,
//! and all in between see what the one poller reads. Watchers see the latest value, never a queue, so
//! that a slow one costs nothing.

#[cfg(fuzzing)]
pub mod fuzzing;
mod hub;
mod observation;
mod poller;
mod session;
mod token;

pub use hub::{Hub, Settings};
pub use observation::Target;
pub use session::{Event, Follow, Session, What};
