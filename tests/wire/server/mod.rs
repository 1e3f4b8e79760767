//! `src/server` through real sockets and without any vendor: requests, deadlines, panics, limits, shutdown, health, reflection
//! and metrics.
//!
//! No test measures time: every wait is for an event, and a timeout only fails a test that hangs.

mod access_log;
mod calls;
mod connections;
mod fixture;
mod health;
mod metrics;
mod reflection;
mod requests;
mod scripted_service;
mod shutdown;
mod sockets;
mod unread_responses;
