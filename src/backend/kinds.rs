//! The table of the kinds of backends: a new vendor is one entry.

use std::sync::Arc;

use super::coalescing::CoalescingBackend;
use super::kind_entry::{BackendConfig, KindEntry};
use super::{Backend, azure, veeam_em};
use crate::config::{BackendTable, ConfigError, PollPolicy};
use crate::model::BackendId;

/// All kinds, in the order in which errors list them.
pub const KINDS: &[KindEntry] = &[azure::KIND, veeam_em::KIND];

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

/// The decorators that every configured backend gets, the outermost first.
pub fn decorated(backend: Arc<dyn Backend>) -> Arc<dyn Backend> {
    // However many callers read the same thing at once, the vendor sees two reads.
    Arc::new(CoalescingBackend::new(backend))
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
