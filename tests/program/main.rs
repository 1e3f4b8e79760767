//! The program as its users start it: arguments, configuration files, exit codes, signals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure_clouds;
mod check;
mod config;
mod crash;
mod credentials;
mod documentation;
mod fixture;
mod listeners;
mod metrics;
mod poll_policy;
mod sandbox;
mod serve;
mod unread_responses;
