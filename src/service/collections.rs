//! ListCollections and GetCollection.

use async_trait::async_trait;

use super::walk::Read;
use super::{Gateway, page};
use crate::backend::{Backend, Cursor, Page};
use crate::convert;
use crate::model::{Collection, CollectionName, Error, Segment};
use crate::proto;

struct Collections;

#[async_trait]
impl Read for Collections {
    type Item = Collection;

    async fn page(
        &self,
        backend: &dyn Backend,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        backend.list_collections(cursor, size).await
    }
}

impl Gateway {
    pub(super) async fn list_all_collections(
        &self,
        request: proto::ListCollectionsRequest,
    ) -> Result<proto::ListCollectionsResponse, Error> {
        let backend = Segment::parse_backend(&request.parent, "parent")?;
        let size = page::size(request.page_size)?;
        let bound = page::binding("ListCollections", &[&request.parent]);
        let start = page::open(&self.sealer, &bound, &request.page_token)?;
        let walked = self
            .covered(&backend, "parent")?
            .walk(start.walk, size, &Collections, |collection| {
                Some(convert::collection(collection))
            })
            .await?;
        let next = walked.next.map(|walk| page::Position { walk: Some(walk), after: None });
        let next_page_token = page::seal(&self.sealer, &bound, next.as_ref())?;
        Ok(proto::ListCollectionsResponse {
            collections: walked.items,
            next_page_token,
            unreachable: walked.unreachable,
        })
    }

    pub(super) async fn get_one_collection(
        &self,
        request: proto::GetCollectionRequest,
    ) -> Result<proto::Collection, Error> {
        let name = CollectionName::parse(&request.name, "name")?;
        let read =
            async { self.registry.get(&name.backend)?.get_collection(&name.collection).await };
        read.await.map(convert::collection).map_err(|error| error.in_field("name"))
    }
}
