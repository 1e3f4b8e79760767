//! What the simulated Azure says on the wire: statuses, headers, member order, life cycles by a clock
//! moved by hand, and every refusal. A plain HTTP client, no adapter.

mod access;
mod consistency;
mod copies;
mod creation;
mod deletion;
mod discovery;
mod encryption;
mod faults;
mod fixture;
mod front_door;
mod headers;
mod identity;
mod instant;
mod limits;
mod quirks;
mod throttling;
mod versions;
