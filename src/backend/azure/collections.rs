//! Reads restore point collections: one, one with its points, or a page of those of the subscription.
//!
//! What never changes about a collection is cached; everything else is read each time.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use super::client::{ArmClient, Expand};
use super::dto;
use super::id::{CollectionId, CollectionKey};
use super::map::{self, CollectionIdentity};
use crate::backend::cache::Cache;
use crate::model::{Collection, Error};

const MAX_CACHED_IDENTITIES: NonZeroUsize = NonZeroUsize::new(20_000).unwrap();

/// The collections of the subscription.
#[derive(Debug)]
pub(super) struct Collections {
    pub(super) arm: Arc<ArmClient>,
    identities: Cache<CollectionKey, CollectionIdentity>,
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
        Self { arm, identities: Cache::new(MAX_CACHED_IDENTITIES) }
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
        match self.identities.get(&id.key()) {
            Some(identity) => Ok(identity),
            None => Ok(self.read(id).await?.0),
        }
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
