//! The simulated Azure on the wire: statuses, headers, member order, states by a manual clock, and every error.
//! Tested with a plain HTTP client.

mod authentication;
mod consistency;
mod copies;
mod creation;
mod deletion;
mod discovery;
mod disk_access;
mod encryption;
mod faults;
mod fixture;
mod gateway;
mod headers;
mod instant_access;
mod limits;
mod quirks;
mod throttling;
mod versions;
