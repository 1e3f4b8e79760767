//! What all reads of collections and restore points share: the session, the cache of job runs, and the errors.

use super::id::CollectionId;
use super::job_runs::JobRuns;
use super::kind::{Kind, QuerySupport};
use super::map;
use super::references::Fallback;
use super::session::Session;
use crate::model::{BackendId, Error};

/// Reads one Enterprise Manager. Its methods are in `collections`, `points` and `poll`.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) backend: BackendId,
    pub(super) session: Session,
    pub(super) job_runs: JobRuns,
}

impl Reader {
    pub(super) fn new(backend: BackendId, session: Session) -> Self {
        Self { backend, session, job_runs: JobRuns::default() }
    }

    /// The references to list all entities of a kind by, if the query service may not support the kind.
    pub(super) fn fallback_of_all(&self, kind: Kind, path: &str) -> Option<Fallback> {
        // It belongs to the server and not to a resource, so it is not a name that was not found.
        let reason =
            "this Enterprise Manager implements neither a query for this type nor a list of it";
        let backend = self.backend.as_str().to_owned();
        let absent = Error::Unsupported { backend, capability: "read", reason };
        self.fallback(kind, path.to_owned(), absent)
    }

    /// The same for the restore points of one collection.
    pub(super) fn fallback_of(&self, id: CollectionId, path: String) -> Option<Fallback> {
        self.fallback(id.kind, path, self.collection_not_found(id))
    }

    fn fallback(&self, kind: Kind, path: String, error_if_absent: Error) -> Option<Fallback> {
        match kind.definition().query_support {
            QuerySupport::Documented => None,
            QuerySupport::Undocumented => Some(Fallback { path, error_if_absent }),
        }
    }

    /// The error for a collection that does not exist.
    pub(super) fn collection_not_found(&self, id: CollectionId) -> Error {
        not_found(map::collection_name(&self.backend, id).to_string())
    }
}

/// The error for a resource that the vendor does not have, or not yet.
pub(super) fn not_found(name: String) -> Error {
    let detail = "a new resource is not visible at once, since Enterprise Manager collects the data of its backup \
                  servers every 15 minutes"
        .to_owned();
    Error::NotFound { name, field: Some("name".to_owned()), detail }
}
