//! Why a command failed, and its exit code.

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
    pub(super) fn other(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}
