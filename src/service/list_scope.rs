//! The backends that a list covers, and until when it waits for them.
//!
//! Backends that the caller does not name are read side by side where one of them is silent, so each of them has all of
//! the time until the deadline but the part that is for the response itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::list_source::ListSource;
use crate::backend::{Backend, Cursor, Page, Registry};
use crate::model::{BackendId, DEFAULT_RETRY_AFTER, Deadline, Error, Segment};

/// The time of a list that covers all backends and has no deadline.
const DEFAULT_TIME: Duration = Duration::from_secs(120);
/// The part of the time until the deadline that is for the response itself.
const RESERVE: f64 = 0.1;
/// How long a backend may be silent before the next is read beside it: a part of the time that is left, within limits.
const PATIENCE_PARTS: usize = 20;
const MIN_PATIENCE: Duration = Duration::from_millis(50);
const MAX_PATIENCE: Duration = Duration::from_secs(1);

/// The backends that a list covers, in the order of their ids.
pub(super) struct ListScope {
    backends: Vec<(BackendId, Arc<dyn Backend>)>,
    wait: Wait,
}

/// How long a list waits for its backends.
enum Wait {
    /// Until the call ends: the caller names the backend, so its failure is the call's.
    ForNamed,
    /// From `begun` until `end`.
    ForAll { begun: Instant, end: Instant },
}

/// What came of a read.
pub(super) enum Read<T> {
    Page(T),
    Failed(Error),
    /// The time ended before the backend had had enough of it to be called silent.
    OutOfTime,
}

impl ListScope {
    /// The backends that `segment` covers.
    ///
    /// # Errors
    /// NOT_FOUND on `field` for one that is not configured.
    pub(super) fn new(
        registry: &Registry,
        segment: &Segment,
        field: &str,
        deadline: Option<Deadline>,
    ) -> Result<Self, Error> {
        match segment {
            Segment::Any => {
                let begun = Instant::now();
                let time = deadline
                    .map_or(DEFAULT_TIME, |Deadline(at)| at.saturating_duration_since(begun));
                let end = begun + time.mul_f64(1.0 - RESERVE);
                let backends = registry.all().as_ref().clone().into_iter().collect();
                Ok(Self { backends, wait: Wait::ForAll { begun, end } })
            }
            Segment::Id(id) => {
                let id = BackendId::parse(&format!("backends/{id}"), field)?;
                let backend = registry.get(&id).map_err(|error| error.in_field(field))?;
                Ok(Self { backends: vec![(id, backend)], wait: Wait::ForNamed })
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.backends.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &BackendId> {
        self.backends.iter().map(|(id, _)| id)
    }

    /// Whether the failure of a backend is the call's.
    pub(super) fn is_named(&self) -> bool {
        matches!(self.wait, Wait::ForNamed)
    }

    /// Whether a read that begins now would have no time.
    pub(super) fn is_over(&self) -> bool {
        match self.wait {
            Wait::ForNamed => false,
            Wait::ForAll { end, .. } => Instant::now() >= end,
        }
    }

    /// How long the backend whose turn it is may be silent before the next is read beside it. If all are silent, the
    /// last begins within a quarter of the time.
    pub(super) fn patience(&self) -> Duration {
        match self.wait {
            // Nothing is behind it.
            Wait::ForNamed => MAX_PATIENCE,
            Wait::ForAll { end, .. } => {
                let parts = PATIENCE_PARTS.max(4 * self.backends.len());
                let left = end.saturating_duration_since(Instant::now());
                let part = left / u32::try_from(parts).unwrap_or(u32::MAX);
                part.clamp(MIN_PATIENCE, MAX_PATIENCE)
            }
        }
    }

    /// Reads a page of the backend at `index`.
    pub(super) async fn read<S: ListSource>(
        &self,
        index: usize,
        source: &S,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Read<Page<S::Item>> {
        let (_, backend) = &self.backends[index];
        let read = source.page(&**backend, cursor, size);
        let result = match self.wait {
            Wait::ForNamed => read.await,
            Wait::ForAll { begun, end } => {
                let asked = Instant::now();
                match timeout_at(end, read).await {
                    Ok(result) => result,
                    Err(_) if asked.elapsed() < (end - begun) / 2 => return Read::OutOfTime,
                    Err(_) => Err(self.silence(index)),
                }
            }
        };
        result.map_or_else(Read::Failed, Read::Page)
    }

    /// The error of a backend that has not responded in time.
    pub(super) fn silence(&self, index: usize) -> Error {
        Error::Unavailable {
            backend: self.backends[index].0.as_str().to_owned(),
            retry_after: DEFAULT_RETRY_AFTER,
            detail: "no response within the time until the deadline".to_owned(),
        }
    }
}
