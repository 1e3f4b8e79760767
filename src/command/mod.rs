//! The subcommands. Arguments and exit codes are `main.rs`'s.

mod assemble;
mod certificate;
mod check;
mod descriptor_set;
mod error;
mod limits;
mod listeners;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
mod shutdown_budget;
mod validity;

pub use check::{Depth, check};
pub use descriptor_set::descriptor_set;
pub use error::CommandError;
#[cfg(feature = "sandbox")]
pub use sandbox::{SandboxArguments, sandbox};
pub use serve::serve;
