//! The Enterprise Manager backend against the simulated Enterprise Manager, over real sockets.

mod backups;
mod cloud_replicas;
mod error_responses;
mod fixture;
mod kinds;
mod lists;
mod sessions;
