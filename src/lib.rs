//! Restore Point Gateway: one gRPC service in front of several vendors' restore point APIs.
//!
//! A call passes [`server`], [`service`], [`backend`] and [`upstream`] on its way to the vendor; a watch passes [`watch`]
//! between service and backend. All of them use the types of [`model`]. `ARCHITECTURE.md` has the table of modules and
//! of what each may use.
//!
//! This crate is a library for its own program, tests and benchmarks; it promises no stable Rust API.

pub mod backend;
pub mod command;
pub mod config;
mod convert;
pub mod histogram;
pub mod model;
pub mod proto;
pub mod response_budget;
pub mod server;
pub mod service;
pub mod status;
pub mod upstream;
pub mod watch;
