//! Watching: many watchers, one poll.
//!
//! Neither vendor pushes. The first watcher of a target has it polled, the last one's leaving ends that,
//! and all in between see what the one poll reads. Watchers see the latest value, never a queue, so
//! that a slow one costs nothing; what they are told is encoded once for all.

mod event;
mod frames;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hub;
mod pace;
mod poller;
mod reading;
mod schedule;
mod seen;
mod session;
mod tally;
mod target;
mod token;
mod told;

pub use hub::{Hub, Watched};
pub use pace::{Pace, Paces};
pub use session::{Follow, Session};
pub use tally::Tally;
pub use target::Target;
