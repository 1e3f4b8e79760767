//! The simulated vendors: two HTTPS servers on loopback that answer as Azure Resource Manager and
//! Veeam Backup Enterprise Manager do, quirks included.
//!
//! They know nothing of the rest of the program and share no type with the adapters: what they say
//! comes from what the vendors say on the wire, so that a test that passes against them means
//! something. All their life cycles are computed from a [`Clock`], never from timers.

pub mod azure;
mod clock;
mod listen;
pub mod veeam;

pub use clock::Clock;
pub use listen::{Authority, Identity, Listening, StartError};
