//! The simulated vendors: two HTTPS servers on loopback that answer as Azure Resource Manager and
//! Veeam Backup Enterprise Manager do, quirks included.
//!
//! They know nothing of the rest of the program and share no type with the adapters: what they say
//! comes from what the vendors say on the wire, so that a test that passes against them means
//! something. All their life cycles are computed from a [`Clock`], never from timers; only what a
//! [`fault`] delays takes real time.

mod admin;
mod authority;
pub mod azure;
mod clock;
pub mod fault;
mod front;
mod line;
mod listen;
pub mod veeam_em;

pub use admin::{Admin, FaultOrder};
pub use authority::{Authority, Identity};
pub use clock::Clock;
pub use listen::Listening;

/// What can go wrong when a simulator starts: a port that is taken, a key that cannot be made.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;
