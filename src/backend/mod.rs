//! The interface to a vendor: the [`Backend`] trait, the table of its implementations, and what they share.
//!
//! A backend calls the vendor's API and returns the model's types. It is independent of gRPC, of callers, and of
//! other backends.

mod acquirer;
pub mod azure;
mod cache;
mod coalescer;
mod coalescing;
mod kind_entry;
mod kinds;
mod registry;
mod token_cache;
pub mod veeam_em;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use coalescing::CoalescingBackend;
pub use kind_entry::{BackendConfig, KindEntry};
pub use kinds::{Configured, KINDS, decorated};
pub use registry::{Backends, Registry};

use crate::model::{
    BackendId, BackendKind, Capabilities, Collection, CopyEncryption, Error, NewCollection,
    PointRef, RestorePoint, RestorePointName, Segment, View,
};
use crate::upstream::RequestMetrics;

/// One configured vendor endpoint.
///
/// No method has a default body, so that a decorator which forgets one does not compile.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// Which vendor's API it calls.
    fn kind(&self) -> BackendKind;

    /// What it can do. [`Registry`] checks this before a call; a call that comes all the same fails with the same
    /// error.
    fn capabilities(&self) -> &'static Capabilities;

    /// Passes unless its circuit breaker is open. Sends nothing.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`].
    fn check_available(&self) -> Result<(), Error>;

    /// Reads something cheap that needs the credential.
    ///
    /// # Errors
    /// Why the backend cannot be used.
    async fn probe(&self) -> Result<(), Error>;

    /// Reads up to about `size` points after `cursor`, in an order that stays the same for the whole walk. A page may be
    /// shorter or empty; only a missing cursor ends the walk.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] when the vendor may have truncated the list.
    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error>;

    /// Reads one point as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidArgument`] when an id is not one of this vendor.
    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error>;

    /// Reads collections, paged as [`Backend::list`].
    ///
    /// # Errors
    /// As [`Backend::list`].
    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error>;

    /// Reads one collection.
    ///
    /// # Errors
    /// As [`Backend::get`].
    async fn get_collection(&self, id: &str) -> Result<Collection, Error>;

    /// Creates a collection, or returns the one that exists if it has the same content.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if it exists with other content.
    async fn create_collection(
        &self,
        new: &NewCollection,
        mode: WriteMode,
    ) -> Result<Collection, Error>;

    /// Starts a copy, or returns the copy that exists if it has the same source.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] with the vendor's rule; [`Error::AlreadyExists`].
    async fn copy(&self, new: &NewCopy, mode: WriteMode) -> Result<StartedCopy, Error>;

    /// The key that a point shares with others which one request of the vendor's API can read; none if each point is
    /// read by itself.
    fn poll_group(&self, point: &PointRef) -> Option<String>;

    /// Reads points of one [`Backend::poll_group`] for their watchers in view FULL, in as few requests as the vendor
    /// allows: one result for each target, in their order.
    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>>;

    /// The requests sent so far: those to the vendor, and those to its authority if it has one.
    fn request_metrics(&self) -> Vec<RequestMetrics>;

    /// Ends what must be ended at the vendor, such as a logon session.
    async fn close(&self);
}

/// Probes a backend with a time limit.
///
/// # Errors
/// Why it cannot be used; [`Error::Unavailable`] when there is no result within `timeout`.
pub async fn probe(id: &BackendId, backend: &dyn Backend, timeout: Duration) -> Result<(), Error> {
    tokio::time::timeout(timeout, backend.probe()).await.unwrap_or_else(|_| {
        Err(Error::Unavailable {
            backend: id.as_str().to_owned(),
            retry_after: timeout,
            detail: format!("no response within {} s", timeout.as_secs()),
        })
    })
}

/// Where a walk over a list stands, in the backend's own encoding. Callers get it only sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub Vec<u8>);

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end of the list.
    pub next: Option<Cursor>,
}

/// The vendor's handle of a long-running operation. It may be signed: never logged, and given to callers only sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Operation(pub String);

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operation(…)")
    }
}

/// A watched point.
#[derive(Debug, Clone, Copy)]
pub struct PollTarget<'a> {
    /// The point.
    pub point: &'a PointRef,
    /// The handle of the operation that creates it, if a watcher has it: it may report why the operation failed.
    pub operation: Option<&'a Operation>,
}

/// Whether a write is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Check everything, write nothing (AIP-163).
    ValidateOnly,
    /// Check, then write.
    Execute,
}

/// A copy to start. Source and target are of the same backend.
#[derive(Debug, Clone)]
pub struct NewCopy {
    /// The point to copy.
    pub source: PointRef,
    /// The name of the new point, in the collection to copy into.
    pub target: RestorePointName,
    /// The keys of its disks.
    pub encryption: CopyEncryption,
    /// The caller's id of this request, if any: the same on each retry.
    pub request_id: Option<uuid::Uuid>,
}

/// A copy that the vendor has accepted, or would accept.
#[derive(Debug)]
pub struct StartedCopy {
    /// The new point as the vendor reports it.
    pub point: RestorePoint,
    /// The vendor's handle, if there is one.
    pub operation: Option<Operation>,
}
