//! An entry of the table of kinds, which each vendor's folder provides.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Backend;
use crate::config::{BackendTable, ConfigError, PollPolicy};
use crate::model::{BackendId, BackendKind};

/// One kind of backend: its name, its defaults, and how its configuration is read.
#[derive(Debug)]
pub struct KindEntry {
    /// The kind.
    pub kind: BackendKind,
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its name in earlier releases.
    pub former_name: Option<&'static str>,
    /// How often the vendor updates the progress of a copy; zero if it has no fixed interval.
    pub progress_interval: Duration,
    /// Reads the keys of this kind.
    pub read: fn(BackendTable<'_>) -> Result<Box<dyn BackendConfig>, ConfigError>,
}

impl KindEntry {
    /// How often a watched target is polled unless the configuration says otherwise.
    pub fn default_poll_policy(&self) -> PollPolicy {
        PollPolicy { progress_interval: self.progress_interval, ..PollPolicy::default() }
    }
}

/// The checked settings of one backend. Secrets have not been read.
pub trait BackendConfig: fmt::Debug + Send + Sync {
    /// Reads the secrets and builds the backend. Sends nothing.
    ///
    /// # Errors
    /// A secret or certificate that is absent or unusable.
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError>;
}
