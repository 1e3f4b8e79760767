//! ListCollections: one page of the collections of one backend or of all.

use async_trait::async_trait;

use super::list_scope::ListScope;
use super::list_source::ListSource;
use super::{Gateway, page_token, walk};
use crate::backend::{Backend, Cursor, Page};
use crate::convert;
use crate::model::{Collection, Deadline, Error, Segment};
use crate::proto;

struct Collections;

#[async_trait]
impl ListSource for Collections {
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

pub(super) async fn list_collections(
    gateway: &Gateway,
    request: proto::ListCollectionsRequest,
    deadline: Option<Deadline>,
) -> Result<proto::ListCollectionsResponse, Error> {
    let backend = Segment::parse_backend(&request.parent, "parent")?;
    let size = page_token::page_size(request.page_size)?;
    let binding = page_token::binding("ListCollections", &[&request.parent]);
    let start = page_token::open(&gateway.sealer, &binding, &request.page_token)?;
    let scope = ListScope::new(&gateway.registry, &backend, "parent", deadline)?;
    let convert = |collection| Some(convert::collection(collection));
    let page = walk::page(&scope, start.walk, size, &Collections, convert).await?;
    let next = page.next.map(|walk| page_token::Position { walk: Some(walk), after: None });
    let next_page_token = page_token::seal(&gateway.sealer, &binding, next.as_ref())?;
    Ok(proto::ListCollectionsResponse {
        collections: page.items,
        next_page_token,
        unreachable: page.unreachable,
    })
}
