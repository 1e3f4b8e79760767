//! The program as its users start it: arguments, configuration files, exit codes, signals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod clouds;
mod config;
mod credentials;
mod metrics;
mod paces;
#[path = "../server/page.rs"]
mod page;
mod replaced;
mod running;
