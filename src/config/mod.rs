//! What the configuration file says, checked into what the program runs on.
//!
//! Two types a thing: the raw one is the file's text with its places, the checked one cannot be wrong. An
//! error names file, line and remedy. Secrets are never in the file; they are read from where the file
//! points to, and only when the program is about to use them.

mod backend;
mod checked;
mod pace;
mod raw;
mod secret;
mod source;

pub use backend::{
    AzureConfig, BackendConfig, CredentialConfig, RateConfig, TrustConfig, VeeamConfig,
};
pub use checked::{Address, Config, LogFormat, TlsConfig};
pub use secret::{FileRef, SecretRef};
pub use source::ConfigError;
