//! Why a simulator cannot start.

/// For example: no free port, or a key that cannot be generated.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;
