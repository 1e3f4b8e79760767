//! What goes wrong at the simulated vendors, as their peer sees it on a real TLS socket, ordered by HTTP on
//! the admin path. What the gateway makes of it is held in `tests/wire/faults.rs`.

mod admin;
mod answers;
mod breaks;
mod effects;
mod fixture;
mod http2;
