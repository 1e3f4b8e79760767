//! Faults as a client sees them on a real TLS socket, injected through the admin API. How the gateway handles
//! them is tested in `tests/wire/faults.rs`.

mod admin;
mod effects;
mod fixture;
mod http2;
mod interruptions;
mod responses;
