//! The configured backends by their ids, their reads shared. They can be exchanged while calls are under way:
//! a call goes on with the backend that it began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Backend;
use super::shared::Shared;
use crate::model::{BackendId, Error};

/// Backends in the order of their ids, which is the order of merged lists.
pub type Backends = BTreeMap<BackendId, Arc<dyn Backend>>;

/// The present backends. Clones show the same ones.
#[derive(Debug, Clone)]
pub struct Registry {
    present: Arc<ArcSwap<Backends>>,
}

impl Registry {
    /// A registry of these backends.
    pub fn new(backends: Backends) -> Self {
        Self { present: Arc::new(ArcSwap::from_pointee(shared(backends))) }
    }

    /// One backend.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an id that is not configured.
    pub fn get(&self, id: &BackendId) -> Result<Arc<dyn Backend>, Error> {
        self.present.load().get(id).cloned().ok_or_else(|| Error::NotFound {
            name: id.to_string(),
            field: None,
            detail: "no such backend is configured; ListBackends shows those that are".to_owned(),
        })
    }

    /// All of them, as they are now.
    pub fn all(&self) -> Arc<Backends> {
        self.present.load_full()
    }

    /// Puts others in their place, and gives back those that were there, to be closed when their last
    /// calls have ended.
    pub fn replace(&self, backends: Backends) -> Arc<Backends> {
        self.present.swap(Arc::new(shared(backends)))
    }
}

fn shared(backends: Backends) -> Backends {
    let share = |(id, backend)| (id, Arc::new(Shared::new(backend)) as Arc<dyn Backend>);
    backends.into_iter().map(share).collect()
}
