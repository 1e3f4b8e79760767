//! What the gateway asks of a vendor, and who is configured to answer.
//!
//! A backend speaks the vendor's API and answers in the words of the model. It knows nothing of gRPC, of
//! callers, or of other backends.

pub mod azure;
mod memory;
mod registry;
mod rounds;
mod shared;
pub mod veeam_em;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use registry::{Backends, Registry};

use crate::model::{
    BackendId, Collection, Error, NewCollection, PointRef, RestorePoint, RestorePointName, Segment,
    View,
};
pub use crate::proto::Capabilities;
pub use crate::proto::backend::Kind;
use crate::upstream::Usage;

/// One configured vendor endpoint.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// Which vendor's API it speaks.
    fn kind(&self) -> Kind;

    /// What it can do. A call outside of it ends [`Error::Unsupported`].
    fn capabilities(&self) -> Capabilities;

    /// Whether the vendor is asked at all at the moment: one that does not answer is left alone for a while.
    ///
    /// # Errors
    /// [`Error::Outage`].
    fn look(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Asks the vendor for something cheap that needs the credential.
    ///
    /// # Errors
    /// Why the vendor cannot be used.
    async fn probe(&self) -> Result<(), Error>;

    /// Reads up to about `size` points after `cursor`, in an order that the backend keeps for the whole
    /// walk. A page may be shorter or empty; only a missing cursor ends the walk.
    ///
    /// # Errors
    /// [`Error::ResponseInvalid`] when the vendor may have cut the list off.
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
    /// [`Error::NotFound`]; [`Error::InvalidArgument`] when the ids are none of this vendor.
    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error>;

    /// Reads one point for a watcher who holds the handle of the operation that makes it: the handle's
    /// answer may tell why it failed.
    ///
    /// # Errors
    /// As [`Backend::get`].
    async fn observe(
        &self,
        point: &PointRef,
        operation: Option<&Operation>,
    ) -> Result<RestorePoint, Error>;

    /// What a point has in common with others that one call can answer for; none if it is read alone.
    fn batch(&self, _: &PointRef) -> Option<String> {
        None
    }

    /// Reads points of one [`Backend::batch`] as [`Backend::observe`], in as few calls as the vendor allows:
    /// one result for each, in their order.
    async fn observe_together(&self, points: &[Observed<'_>]) -> Vec<Result<RestorePoint, Error>> {
        let mut results = Vec::with_capacity(points.len());
        for Observed { point, operation } in points {
            results.push(self.observe(point, *operation).await);
        }
        results
    }

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

    /// The way to write at this vendor.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the vendor's limit, if it cannot do what is wanted.
    fn writer(&self, wanted: Wanted) -> Result<&dyn Writer, Error>;

    /// What has been asked of the vendor so far, and may be asked of it now; none if nobody counts.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// Ends what must be ended at the vendor, such as a logon session.
    async fn close(&self) {}
}

/// Asks a backend whether it can be used, for so long.
///
/// # Errors
/// Why it cannot; [`Error::Unavailable`] when it does not say within `patience`.
pub async fn probe(id: &BackendId, backend: &dyn Backend, patience: Duration) -> Result<(), Error> {
    tokio::time::timeout(patience, backend.probe()).await.unwrap_or_else(|_| {
        Err(Error::Unavailable {
            backend: id.as_str().to_owned(),
            retry_after: patience,
            detail: format!("it did not answer within {} s", patience.as_secs()),
        })
    })
}

/// What only some vendors' APIs can do.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Makes a collection, or answers with the one that exists if it is the same.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if it exists with other content.
    async fn create_collection(
        &self,
        new: &NewCollection,
        write: Write,
    ) -> Result<Collection, Error>;

    /// Starts a copy, or answers with the copy that exists if it is of the same source.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] naming the vendor's rule; [`Error::AlreadyExists`].
    async fn copy(&self, order: &CopyOrder, write: Write) -> Result<CopyStarted, Error>;
}

/// What a caller wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A new collection.
    Collection,
    /// A copy of a point.
    Copy,
}

/// Where a walk over a list stands, in the backend's own bytes. It goes to callers only sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub Vec<u8>);

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; none at the end of the list.
    pub next: Option<Cursor>,
}

/// The vendor's handle of a long-running operation. It may be signed: never logged, and given to callers
/// only sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Operation(pub String);

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operation(…)")
    }
}

/// A point that is watched.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The point.
    pub point: &'a PointRef,
    /// The handle of the operation that makes it, if any watcher has it: its answer may tell why it failed.
    pub operation: Option<&'a Operation>,
}

/// Whether a write is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Check everything, write nothing (`validate_only`).
    Check,
    /// Check, then write.
    Commit,
}

/// A copy to be made. Source and destination are of the same backend.
#[derive(Debug, Clone)]
pub struct CopyOrder {
    /// The point to copy.
    pub source: PointRef,
    /// What the new point shall be called, in the collection to copy into.
    pub target: RestorePointName,
    /// The caller's mark on repetitions of one call, if any.
    pub request_id: Option<uuid::Uuid>,
}

/// A copy that the vendor has accepted, or would accept.
#[derive(Debug)]
pub struct CopyStarted {
    /// The new point as the vendor shows it.
    pub point: RestorePoint,
    /// The vendor's handle, if there is one.
    pub operation: Option<Operation>,
}
