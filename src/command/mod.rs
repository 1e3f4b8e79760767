//! The subcommands. Arguments and exit codes are `main.rs`'s.

mod assemble;
mod certificate;
mod check;
mod descriptor_set;
mod listeners;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;

pub use check::{Depth, check};
pub use descriptor_set::descriptor_set;
#[cfg(feature = "sandbox")]
pub use sandbox::{SandboxArguments, sandbox};
pub use serve::serve;

use crate::config::ConfigError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is wrong; exit code 2.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Anything else; exit code 1.
    #[error("{0}")]
    Other(String),
}

impl CommandError {
    fn other(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}
