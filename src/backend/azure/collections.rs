//! Reads restore point collections: one, one with its points, or a page of those of the subscription.
//!
//! What never changes about a collection is cached; everything else is read each time.
//!
//! A collection of copies does not name the virtual machine of its points, but its source does. That source is in another
//! region, which may be out of service just when the copies are needed: it is read once and waited for briefly, and its
//! absence costs no more than the name.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use url::Url;

use super::client::{ArmClient, Expand};
use super::dto;
use super::id::{ArmId, CollectionId, CollectionKey};
use super::map::{self, CollectionIdentity};
use crate::backend::cache::Cache;
use crate::model::{Collection, Error};

const MAX_CACHED_IDENTITIES: NonZeroUsize = NonZeroUsize::new(20_000).unwrap();
/// How long a point waits for the name of its virtual machine.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a source that could not be read is not read again.
const SOURCE_RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// The collections of the subscription.
#[derive(Debug)]
pub(super) struct Collections {
    pub(super) arm: Arc<ArmClient>,
    identities: Cache<CollectionKey, CollectionIdentity>,
    /// When sources could not be read.
    unreadable_sources: Cache<CollectionKey, Instant>,
}

/// A collection with all its points.
#[derive(Debug)]
pub(super) struct CollectionPoints {
    pub(super) collection: CollectionIdentity,
    /// In ARM's order.
    pub(super) points: Vec<dto::RestorePoint>,
    /// The body that they were decoded from.
    pub(super) body: Bytes,
}

/// One of ARM's pages of collections.
#[derive(Debug)]
pub(super) struct CollectionPage {
    /// Each once, in the gateway's order.
    pub(super) collections: BTreeMap<CollectionKey, dto::Collection>,
    /// The next page.
    pub(super) next: Option<Url>,
}

impl Collections {
    /// The collections of the client's subscription.
    pub(super) fn new(arm: Arc<ArmClient>) -> Self {
        Self {
            arm,
            identities: Cache::new(MAX_CACHED_IDENTITIES),
            unreadable_sources: Cache::new(MAX_CACHED_IDENTITIES),
        }
    }

    /// Reads a collection.
    ///
    /// # Errors
    /// [`Error::NotFound`]; those of the vendor.
    pub(super) async fn get(&self, id: &CollectionId) -> Result<Collection, Error> {
        let (_, dto) = self.read(id).await?;
        self.to_model(dto)
    }

    /// Reads a collection and its identity.
    ///
    /// # Errors
    /// As [`Collections::get`].
    pub(super) async fn read(
        &self,
        id: &CollectionId,
    ) -> Result<(CollectionIdentity, dto::Collection), Error> {
        let url = self.arm.url(&id.path(&self.arm.scope), Expand::Nothing);
        let body = self.arm.read(&url, &id.to_name(&self.arm.scope).to_string()).await;
        self.decode(id, &body.inspect_err(|error| self.forget_if_not_found(id, error))?)
    }

    /// Reads a collection with all its points.
    ///
    /// # Errors
    /// As [`Collections::get`].
    pub(super) async fn read_points(&self, id: &CollectionId) -> Result<CollectionPoints, Error> {
        let url = self.arm.url(&id.path(&self.arm.scope), Expand::RestorePoints);
        let body = self.arm.read_list(url, id.to_name(&self.arm.scope).to_string()).await;
        let body = body.inspect_err(|error| self.forget_if_not_found(id, error))?;
        let (collection, dto) = self.decode(id, &body)?;
        let collection = self.with_vm_name(collection).await;
        let points = dto.properties.restore_points;
        let points = points.ok_or_else(|| {
            self.arm.invalid_response("the collection has no restorePoints, which were requested")
        })?;
        Ok(CollectionPoints { collection, points, body })
    }

    /// What never changes about a collection, from the cache if it is there.
    ///
    /// # Errors
    /// As [`Collections::get`].
    pub(super) async fn identity(&self, id: &CollectionId) -> Result<CollectionIdentity, Error> {
        let identity = match self.identities.get(&id.key()) {
            Some(identity) => identity,
            None => self.read(id).await?.0,
        };
        Ok(self.with_vm_name(identity).await)
    }

    /// Adds the name of the virtual machine to the identity of a collection of copies: that of its source, which is
    /// itself no collection of copies.
    async fn with_vm_name(&self, identity: CollectionIdentity) -> CollectionIdentity {
        let ArmId::Collection(source) = ArmId::parse(&identity.source, &self.arm.scope) else {
            return identity;
        };
        let key = source.key();
        if let Some(source) = self.identities.get(&key) {
            return CollectionIdentity { vm_name: source.vm_name, ..identity };
        }
        let unreadable_since = self.unreadable_sources.get(&key);
        if unreadable_since.is_some_and(|since| since.elapsed() < SOURCE_RETRY_INTERVAL) {
            return identity;
        }
        let error = match tokio::time::timeout(SOURCE_TIMEOUT, self.read(&source)).await {
            Ok(Ok((source, _))) => {
                return CollectionIdentity { vm_name: source.vm_name, ..identity };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no response within {} s", SOURCE_TIMEOUT.as_secs()),
        };
        let source = source.to_name(&self.arm.scope);
        tracing::warn!(%source, error, "cannot read the source of a collection of copies");
        self.unreadable_sources.insert(key, Instant::now());
        identity
    }

    /// Caches and returns what never changes about a collection.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`].
    pub(super) fn cache_identity(
        &self,
        dto: &dto::Collection,
    ) -> Result<CollectionIdentity, Error> {
        let identity = map::collection_identity(&self.arm.scope, dto)
            .map_err(|problem| self.arm.invalid_response(problem))?;
        self.identities.insert(identity.id.key(), identity.clone());
        Ok(identity)
    }

    /// Removes a collection from the cache if `error` is that it, or something in it, does not exist: it may have been
    /// deleted, and created again with another source or region.
    pub(super) fn forget_if_not_found(&self, id: &CollectionId, error: &Error) {
        if matches!(error, Error::NotFound { .. }) {
            self.identities.remove(&id.key());
        }
    }

    /// Reads the page that a link of ARM's points to, or the first.
    ///
    /// # Errors
    /// Those of the vendor; [`Error::InvalidResponse`] for a link to another host.
    pub(super) async fn read_page(&self, link: Option<&str>) -> Result<CollectionPage, Error> {
        let url = match link {
            None => self.arm.url(&self.arm.scope.collections_path(), Expand::Nothing),
            Some(link) => self.arm.next_page_url(link)?,
        };
        let body = self.arm.read_list(url, self.arm.scope.backend.to_string()).await?;
        let page: dto::CollectionPage = self.arm.decode(&body)?;
        let mut collections = BTreeMap::new();
        for collection in page.value {
            collections.insert(self.cache_identity(&collection)?.id.key(), collection);
        }
        let next = page.next_link.filter(|link| !link.is_empty());
        let next = next.map(|link| self.arm.next_page_url(&link)).transpose()?;
        Ok(CollectionPage { collections, next })
    }

    /// A collection in the model.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`].
    pub(super) fn to_model(&self, dto: dto::Collection) -> Result<Collection, Error> {
        map::collection(&self.arm.scope, dto).map_err(|problem| self.arm.invalid_response(problem))
    }

    fn decode(
        &self,
        id: &CollectionId,
        body: &[u8],
    ) -> Result<(CollectionIdentity, dto::Collection), Error> {
        let dto: dto::Collection = self.arm.decode(body)?;
        let identity = self.cache_identity(&dto)?;
        if identity.id.key() == id.key() {
            Ok((identity, dto))
        } else {
            Err(self.arm.invalid_response("the body is of another collection than requested"))
        }
    }
}
