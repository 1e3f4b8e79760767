//! Restore Point Gateway: one gRPC service in front of two vendors' restore point APIs.

pub mod backend;
pub mod command;
pub mod config;
mod convert;
pub mod http;
pub mod model;
pub mod proto;
pub mod sandbox;
pub mod server;
pub mod service;
pub mod status;
pub mod watch;
