//! A hostile vendor behind the gateway and hostile callers before it, through real sockets: bounded memory, a
//! clear status, never a hang and never a shorter list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure;
mod emitted;
mod gateway;
#[path = "../wire/house.rs"]
#[allow(dead_code, reason = "shared with the tests of the wire")]
mod house;
mod requests;
mod veeam;
#[allow(dead_code, reason = "shared with the tests of memory")]
mod vendor;
mod wire;
