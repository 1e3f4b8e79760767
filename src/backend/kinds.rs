//! The table of the kinds of backends: a new vendor is one entry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Backend, azure, decorated, veeam_em};
use crate::config::{BackendTable, ConfigError, PollPolicy};
use crate::model::{BackendId, BackendKind};

/// All kinds, in the order in which errors list them.
pub const KINDS: &[KindEntry] = &[azure::KIND, veeam_em::KIND];

/// What the gateway knows of a kind before it has a backend of it.
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

/// The checked settings of one backend. Secrets are still where the file says.
pub trait BackendConfig: fmt::Debug + Send + Sync {
    /// Reads the secrets and builds the backend. Sends nothing.
    ///
    /// # Errors
    /// A secret or certificate that is absent or unusable.
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError>;
}

/// A backend of the configuration.
#[derive(Debug)]
pub struct Configured {
    /// Its id.
    pub id: BackendId,
    /// How often its watched targets are polled.
    pub poll: PollPolicy,
    config: Box<dyn BackendConfig>,
}

impl Configured {
    /// Reads a backend's table by its kind.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(mut table: BackendTable<'_>) -> Result<Self, ConfigError> {
        let entry = entry(&table)?;
        let poll = table.take_poll_policy(entry.default_poll_policy())?;
        let id = table.id.clone();
        Ok(Self { id, poll, config: (entry.read)(table)? })
    }

    /// Reads the secrets and builds the backend with its decorators.
    ///
    /// # Errors
    /// As [`BackendConfig::build`].
    pub fn build(&self) -> Result<Arc<dyn Backend>, ConfigError> {
        self.config.build(&self.id).map(decorated)
    }
}

fn entry(table: &BackendTable<'_>) -> Result<&'static KindEntry, ConfigError> {
    let name = table.kind.get_ref().as_str();
    if let Some(entry) = KINDS.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let location = table.source().at(&table.kind);
    if let Some(entry) = KINDS.iter().find(|entry| entry.former_name == Some(name)) {
        let problem = format!("kind `{name}` is now called `{}`: rename the value", entry.name);
        return Err(location.error(problem));
    }
    let names: Vec<_> = KINDS.iter().map(|entry| format!("\"{}\"", entry.name)).collect();
    Err(location
        .error(format!("unknown value `{name}` for `kind`: expected one of {}", names.join(", "))))
}
