//! Watching restore points: many watchers, one poll.
//!
//! No vendor pushes. The first watcher of a target has it polled, and the last one's end stops that; all in between see
//! what the one poll reads. Watchers see the latest state, never a queue, so a slow one costs nothing.
//!
//! A [`Watcher`] yields domain events. Encoding them, and sealing the resume tokens that go with them, is the service's.

mod delivered;
mod event;
mod fingerprint;
mod hub;
mod metrics;
mod poller;
mod reading;
mod schedule;
mod target;
mod watched_target;
mod watcher;

pub use delivered::{Delivered, GONE};
pub use event::{Event, EventKind, EventType, ShareKey};
pub use fingerprint::FINGERPRINT_VERSION;
pub(crate) use fingerprint::short_hash;
pub use hub::{BackendTargets, Hub};
pub use metrics::WatchMetrics;
pub use target::Target;
pub use watcher::{End, Follow, Start, Watch, Watcher};
