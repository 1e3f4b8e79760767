//! The program as its users start it: arguments, configuration files, exit codes, signals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clouds;
mod config;
mod credentials;
mod documentation;
mod fixture;
mod listeners;
mod metrics;
mod paces;
mod replaced;
mod running;
