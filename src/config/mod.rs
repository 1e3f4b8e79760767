//! The configuration file: what it says, checked into types that cannot be wrong in form.
//!
//! An error names the file, the line, the key, the value and what is expected. Secrets are never in the file; they are
//! read from where it points to, when the program is about to use them. The keys of one kind of backend are read in that
//! vendor's folder, so nothing here depends on a vendor.

mod backend;
mod file;
mod limits;
mod poll;
mod secret;
mod source;
mod table;
mod token_keys;

pub use backend::BackendTable;
pub(crate) use backend::TrustConfig;
pub use file::{Address, Config, DrainConfig, LogFormat, TlsConfig};
pub use limits::LimitsConfig;
pub use poll::{PollPolicies, PollPolicy};
pub use secret::{FileRef, SecretRef};
pub use source::ConfigError;
pub(crate) use source::{Location, SourceFile};
