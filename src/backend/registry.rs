//! The configured backends by their ids. They can be replaced while calls are in flight: a call ends with the backend
//! that it began with.
//!
//! Every call gets its backend here, so this is where capabilities are checked: a call that a backend does not support
//! never reaches it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Backend;
use crate::model::{BackendId, Capability, Error, PointRef};

/// Backends in the order of their ids, which is the order of merged lists.
pub type Backends = BTreeMap<BackendId, Arc<dyn Backend>>;

/// The present backends. Clones share them.
#[derive(Debug, Clone)]
pub struct Registry {
    backends: Arc<ArcSwap<Backends>>,
}

impl Registry {
    /// A registry of these backends.
    pub fn new(backends: Backends) -> Self {
        Self { backends: Arc::new(ArcSwap::from_pointee(backends)) }
    }

    /// A backend, for calls that every backend supports.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an id that is not configured.
    pub fn get(&self, id: &BackendId) -> Result<Arc<dyn Backend>, Error> {
        self.backends.load().get(id).cloned().ok_or_else(|| Error::NotFound {
            name: id.to_string(),
            field: None,
            detail: "no such backend is configured; ListBackends lists those that are".to_owned(),
        })
    }

    /// A backend, for a call that needs `capability`.
    ///
    /// # Errors
    /// As [`Registry::get`]; [`Error::Unsupported`].
    pub fn get_capable(
        &self,
        id: &BackendId,
        capability: Capability,
    ) -> Result<Arc<dyn Backend>, Error> {
        let backend = self.get(id)?;
        backend.capabilities().require(capability, id)?;
        Ok(backend)
    }

    /// The backend of a point, for calls that address it like this.
    ///
    /// # Errors
    /// As [`Registry::get`]; INVALID_ARGUMENT for a wildcard that the backend does not accept.
    pub fn get_for_point(&self, point: &PointRef) -> Result<Arc<dyn Backend>, Error> {
        let backend = self.get(&point.backend)?;
        backend.capabilities().require_addressable(point)?;
        Ok(backend)
    }

    /// All backends, as they are now.
    pub fn all(&self) -> Arc<Backends> {
        self.backends.load_full()
    }

    /// Replaces all backends, and returns the replaced ones, to be closed when their last calls have ended.
    pub fn replace(&self, backends: Backends) -> Arc<Backends> {
        self.backends.swap(Arc::new(backends))
    }
}
