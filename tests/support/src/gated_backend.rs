//! A backend whose reads of lists wait until a test lets them through: a vendor that is silent or slow for as long as
//! the test wants, without a clock.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use restore_point_gateway::backend::{
    Backend, Cursor, NewCopy, Page, PollTarget, StartedCopy, WriteMode,
};
use restore_point_gateway::model::{
    BackendKind, Capabilities, Collection, Error, NewCollection, PointRef, RestorePoint, Segment,
    View,
};
use restore_point_gateway::upstream::RequestMetrics;
use tokio::sync::Semaphore;

/// More reads than a test makes.
const ALL: usize = 1 << 20;

/// A backend in front of another; closed at first. Only lists pass the gate, the other methods pass through.
pub struct GatedBackend {
    inner: Arc<dyn Backend>,
    page_limit: usize,
    gate: Semaphore,
    sizes: Mutex<Vec<usize>>,
    in_flight: AtomicUsize,
    returned: AtomicUsize,
}

/// Counts a read until it returns or is dropped.
struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl GatedBackend {
    /// A closed gate in front of `inner`, whose pages have no more than `page_limit` items.
    pub fn new(inner: Arc<dyn Backend>, page_limit: usize) -> Arc<Self> {
        Arc::new(Self {
            inner,
            page_limit,
            gate: Semaphore::new(0),
            sizes: Mutex::default(),
            in_flight: AtomicUsize::default(),
            returned: AtomicUsize::default(),
        })
    }

    /// Lets all reads through.
    pub fn open(&self) {
        self.gate.add_permits(ALL);
    }

    /// Lets `count` reads through.
    pub fn let_through(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// The page sizes of all reads that have begun.
    pub fn sizes(&self) -> Vec<usize> {
        self.sizes.lock().unwrap().clone()
    }

    /// How many reads are neither completed nor dropped.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// How many reads have returned a page or an error.
    pub fn returned(&self) -> usize {
        self.returned.load(Ordering::SeqCst)
    }

    /// Reads a page of up to `size` items once the read is let through. `read` gets the size for the inner backend.
    async fn read<T, F>(&self, size: usize, read: impl FnOnce(usize) -> F) -> T
    where
        F: Future<Output = T>,
    {
        self.sizes.lock().unwrap().push(size);
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let _in_flight = InFlight(&self.in_flight);
        self.gate.acquire().await.unwrap().forget();
        let result = read(size.min(self.page_limit)).await;
        self.returned.fetch_add(1, Ordering::SeqCst);
        result
    }
}

impl fmt::Debug for GatedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatedBackend").field(&self.inner).finish()
    }
}

#[tonic::async_trait]
impl Backend for GatedBackend {
    fn kind(&self) -> BackendKind {
        self.inner.kind()
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.inner.capabilities()
    }

    fn check_available(&self) -> Result<(), Error> {
        self.inner.check_available()
    }

    async fn probe(&self) -> Result<(), Error> {
        self.inner.probe().await
    }

    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        self.read(size, |size| self.inner.list(collection, view, cursor, size)).await
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        self.inner.get(point, view).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.read(size, |size| self.inner.list_collections(cursor, size)).await
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.inner.get_collection(id).await
    }

    async fn create_collection(
        &self,
        new: &NewCollection,
        mode: WriteMode,
    ) -> Result<Collection, Error> {
        self.inner.create_collection(new, mode).await
    }

    async fn copy(&self, new: &NewCopy, mode: WriteMode) -> Result<StartedCopy, Error> {
        self.inner.copy(new, mode).await
    }

    fn poll_group(&self, point: &PointRef) -> Option<String> {
        self.inner.poll_group(point)
    }

    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.inner.poll(targets).await
    }

    fn request_metrics(&self) -> Vec<RequestMetrics> {
        self.inner.request_metrics()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
