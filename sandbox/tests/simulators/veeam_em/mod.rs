//! The simulated Enterprise Manager on the wire, tested with a plain HTTP client against the vendor's
//! documentation and recordings.

mod backups;
mod data_collection;
mod filters;
mod fixture;
mod json;
mod logon;
mod principals;
mod query;
mod request_bodies;
mod resources;
mod services;
mod tasks;
mod unfinished_points;
mod variations;
