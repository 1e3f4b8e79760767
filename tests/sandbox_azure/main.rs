//! What the simulated Azure says on the wire: statuses, headers, member order, life cycles by a clock
//! moved by hand, and every refusal. A plain HTTP client, no adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod copies;
mod creation;
mod faults;
mod front_door;
