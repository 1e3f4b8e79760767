//! A backend whose identical concurrent reads are one at the vendor.
//!
//! Writes, probes and the reads of pollers, of which there is one a target anyway, go straight through. While the
//! vendor is left alone, nobody waits for the read that tries whether it is back.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;

use super::rounds::Rounds;
use super::{Backend, Capabilities, Cursor, Kind, Observed, Operation, Page, Wanted, Writer};
use crate::model::{Collection, Error, PointRef, RestorePoint, Segment, View};
use crate::upstream::Usage;

/// What tells one page from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PageKey {
    /// Of collections if there is none.
    of: Option<(Segment, View)>,
    cursor: Option<Cursor>,
    size: usize,
}

/// A backend, its reads shared.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Arc<dyn Backend>,
    points: Rounds<(PointRef, View), Arc<RestorePoint>>,
    collections: Rounds<String, Arc<Collection>>,
    point_pages: Rounds<PageKey, Arc<Page<RestorePoint>>>,
    collection_pages: Rounds<PageKey, Arc<Page<Collection>>>,
}

impl Shared {
    pub(super) fn new(inner: Arc<dyn Backend>) -> Self {
        Self {
            inner,
            points: Rounds::new(),
            collections: Rounds::new(),
            point_pages: Rounds::new(),
            collection_pages: Rounds::new(),
        }
    }
}

#[async_trait]
impl Backend for Shared {
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn look(&self) -> Result<(), Error> {
        self.inner.look()
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
        self.inner.look()?;
        let (inner, of, cursor) = (Arc::clone(&self.inner), collection.clone(), cursor.cloned());
        let key = PageKey { of: Some((of.clone(), view)), cursor: cursor.clone(), size };
        let read = move || {
            let read =
                async move { inner.list(&of, view, cursor.as_ref(), size).await.map(Arc::new) };
            read.boxed()
        };
        self.point_pages.join(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        self.inner.look()?;
        let (inner, point) = (Arc::clone(&self.inner), point.clone());
        let key = (point.clone(), view);
        let read = move || async move { inner.get(&point, view).await.map(Arc::new) }.boxed();
        self.points.join(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn observe(
        &self,
        point: &PointRef,
        operation: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        self.inner.observe(point, operation).await
    }

    fn batch(&self, point: &PointRef) -> Option<String> {
        self.inner.batch(point)
    }

    async fn observe_together(&self, points: &[Observed<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.inner.observe_together(points).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.inner.look()?;
        let (inner, cursor) = (Arc::clone(&self.inner), cursor.cloned());
        let key = PageKey { of: None, cursor: cursor.clone(), size };
        let read = move || {
            async move { inner.list_collections(cursor.as_ref(), size).await.map(Arc::new) }.boxed()
        };
        self.collection_pages.join(key, read).await.map(Arc::unwrap_or_clone)
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.inner.look()?;
        let (inner, id) = (Arc::clone(&self.inner), id.to_owned());
        let key = id.clone();
        let read = move || async move { inner.get_collection(&id).await.map(Arc::new) }.boxed();
        self.collections.join(key, read).await.map(Arc::unwrap_or_clone)
    }

    fn writer(&self, wanted: Wanted) -> Result<&dyn Writer, Error> {
        self.inner.writer(wanted)
    }

    fn usage(&self) -> Option<Usage> {
        self.inner.usage()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
