//! The admin API of the sandbox, over plain HTTP on loopback: faults, call counts and clocks of the running
//! simulators, and each simulator's own routes.
//!
//! It accepts JSON or the words of the command line, and responds with JSON. There is no access control: every
//! local process may use it.

mod calls;
mod clock;
mod faults;
mod help;
pub(crate) mod response;
mod server;
mod state;

pub use server::Admin;
