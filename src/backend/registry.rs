//! The configured backends by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Backend;
use crate::model::{BackendId, Error};

/// All backends, in the order of their ids, which is the order of merged lists.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    backends: Arc<BTreeMap<BackendId, Arc<dyn Backend>>>,
}

impl Registry {
    /// A registry of these backends.
    pub fn new(backends: impl IntoIterator<Item = (BackendId, Arc<dyn Backend>)>) -> Self {
        Self { backends: Arc::new(backends.into_iter().collect()) }
    }

    /// One backend.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an id that is not configured.
    pub fn get(&self, id: &BackendId) -> Result<&Arc<dyn Backend>, Error> {
        self.backends.get(id).ok_or_else(|| Error::NotFound {
            name: id.to_string(),
            field: None,
            detail: "no such backend is configured; ListBackends shows those that are".to_owned(),
        })
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&BackendId, &Arc<dyn Backend>)> {
        self.backends.iter()
    }
}
