//! A backend whose identical concurrent reads are one read of the vendor.
//!
//! Writes, probes and polls pass through; a target has only one poller anyway. While the circuit breaker is open, no
//! call waits for the read that probes the vendor.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;

use super::coalescer::Coalescer;
use super::{Backend, Cursor, NewCopy, Page, PollTarget, StartedCopy, WriteMode};
use crate::model::{
    BackendKind, Capabilities, Collection, Error, NewCollection, PointRef, RestorePoint, Segment,
    View,
};
use crate::upstream::RequestMetrics;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PageKey {
    list: ListKey,
    cursor: Option<Cursor>,
    size: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ListKey {
    Collections,
    Points { collection: Segment, view: View },
}

/// The decorator; see the module.
#[derive(Debug)]
pub struct CoalescingBackend {
    inner: Arc<dyn Backend>,
    points: Coalescer<(PointRef, View), Arc<RestorePoint>>,
    collections: Coalescer<String, Arc<Collection>>,
    point_pages: Coalescer<PageKey, Arc<Page<RestorePoint>>>,
    collection_pages: Coalescer<PageKey, Arc<Page<Collection>>>,
}

impl CoalescingBackend {
    /// Coalesces the reads of `inner`.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self {
            inner,
            points: Coalescer::new(),
            collections: Coalescer::new(),
            point_pages: Coalescer::new(),
            collection_pages: Coalescer::new(),
        }
    }
}

#[async_trait]
impl Backend for CoalescingBackend {
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
        self.inner.check_available()?;
        let (inner, collection, cursor) =
            (Arc::clone(&self.inner), collection.clone(), cursor.cloned());
        let list = ListKey::Points { collection: collection.clone(), view };
        let key = PageKey { list, cursor: cursor.clone(), size };
        let read = move || {
            let read = async move { inner.list(&collection, view, cursor.as_ref(), size).await };
            read.map(|page| page.map(Arc::new)).boxed()
        };
        self.point_pages.run(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        self.inner.check_available()?;
        let (inner, point) = (Arc::clone(&self.inner), point.clone());
        let key = (point.clone(), view);
        let read = move || async move { inner.get(&point, view).await.map(Arc::new) }.boxed();
        self.points.run(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.inner.check_available()?;
        let (inner, cursor) = (Arc::clone(&self.inner), cursor.cloned());
        let key = PageKey { list: ListKey::Collections, cursor: cursor.clone(), size };
        let read = move || {
            let read = async move { inner.list_collections(cursor.as_ref(), size).await };
            read.map(|page| page.map(Arc::new)).boxed()
        };
        self.collection_pages.run(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.inner.check_available()?;
        let (inner, id) = (Arc::clone(&self.inner), id.to_owned());
        let key = id.clone();
        let read = move || async move { inner.get_collection(&id).await.map(Arc::new) }.boxed();
        self.collections.run(key, read).await.map(Arc::unwrap_or_clone)
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
