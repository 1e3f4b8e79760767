//! Reads restore points of all kinds, each with the collection that it is in.

use uuid::Uuid;

use super::entity_list::EntityList;
use super::id::{CollectionId, parse_restore_point_id};
use super::kind::Kind;
use super::query::Query;
use super::reader::{Reader, not_found};
use super::xml::{Entity, Keep, Link};
use super::{all_kinds, backup_points, get, map};
use crate::backend::{Cursor, Page};
use crate::model::{Error, PointRef, RestorePoint, Segment};

impl Reader {
    /// Reads a page of the restore points of all kinds.
    ///
    /// # Errors
    /// As [`EntityList::page`].
    pub(super) async fn points(
        &self,
        keep: Keep,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        all_kinds::page(&self.session, cursor, |kind, cursor| async move {
            let resource = kind.definition().point;
            let query = Query::all(&self.session, resource, keep);
            let fallback = self.fallback_of_all(kind, resource.path);
            let list = EntityList::new(query).with_fallback(fallback);
            let Page { items, next } = list.page(cursor.as_ref(), size).await?;
            Ok(Page { items: self.map_points(kind, items).await?, next })
        })
        .await
    }

    /// Reads a page of the restore points of one collection.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such collection; as [`EntityList::page`].
    pub(super) async fn points_of(
        &self,
        collection: CollectionId,
        keep: Keep,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        let definition = collection.kind.definition();
        let Page { items, next } = match collection.kind {
            Kind::CloudReplica | Kind::Replica => {
                let query = Query::matching(
                    &self.session,
                    definition.point,
                    keep,
                    "ReplicaUid",
                    [collection.uid()],
                );
                let path =
                    format!("{}/{}/vmReplicaPoints", definition.collection.path, collection.guid);
                let fallback = self.fallback_of(collection, path);
                EntityList::new(query).with_fallback(fallback).page(cursor, size).await?
            }
            Kind::Backup => {
                let (session, job_runs) = (&self.session, &self.job_runs);
                backup_points::page(session, job_runs, collection, keep, cursor, size).await?
            }
        };
        // A query for the restore points of a collection that does not exist has an empty result, like that for an empty
        // collection.
        if let (true, None, None) = (items.is_empty(), cursor, &next) {
            self.collection(collection).await.map_err(|error| error.in_field("parent"))?;
        }
        let items = self.map_points(collection.kind, items).await?;
        if items.iter().any(|point| !is_in(point, collection)) {
            let problem = "restore points of another collection than requested";
            return Err(self.session.invalid(problem));
        }
        Ok(Page { items, next })
    }

    /// Reads one restore point.
    ///
    /// # Errors
    /// [`Error::NotFound`]; INVALID_ARGUMENT on `name`; those of [`get::entity`].
    pub(super) async fn point(&self, point: &PointRef, keep: Keep) -> Result<RestorePoint, Error> {
        let id = parse_restore_point_id(&point.restore_point)?;
        let found = match &point.collection {
            Segment::Any => self.find_in_all_kinds(id, keep).await?,
            Segment::Id(collection) => {
                let collection = CollectionId::parse(collection, "name")?;
                let found = self.find(collection.kind, id, keep).await?;
                found.filter(|point| is_in(point, collection))
            }
        };
        found.ok_or_else(|| not_found(point.to_string()))
    }

    /// Finds a restore point of any kind: the vendor's GUIDs are unique across kinds, and do not show the kind.
    ///
    /// A permanent error of one kind, such as a kind that the account may not read, does not hide the restore points of
    /// the others. But it is returned if no other kind has the restore point, which then may exist.
    async fn find_in_all_kinds(&self, id: Uuid, keep: Keep) -> Result<Option<RestorePoint>, Error> {
        let mut first_error = None;
        for kind in self.session.kinds().await? {
            match self.find(kind, id, keep).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(None), Err)
    }

    async fn find(&self, kind: Kind, id: Uuid, keep: Keep) -> Result<Option<RestorePoint>, Error> {
        let entity = get::entity(&self.session, kind.definition().point, id, keep).await?;
        Ok(self.map_points(kind, entity.into_iter().collect()).await?.pop())
    }

    /// Maps restore points, each with the collection that it is in.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] for a restore point without a collection or without a creation time.
    pub(super) async fn map_points(
        &self,
        kind: Kind,
        points: Vec<Entity>,
    ) -> Result<Vec<RestorePoint>, Error> {
        let with_parents: Vec<(Link, Entity)> = match kind {
            Kind::Backup => self.job_runs.with_backups(&self.session, points).await?,
            Kind::CloudReplica | Kind::Replica => {
                let with_parent = |point: Entity| match point.link(kind.definition().parent) {
                    Some(parent) => Ok((parent.clone(), point)),
                    None => {
                        Err(self.session.invalid("a restore point without a link to its replica"))
                    }
                };
                points.into_iter().map(with_parent).collect::<Result<_, _>>()?
            }
        };
        let map = |(parent, point)| map::restore_point(&self.backend, kind, parent, point);
        let points = with_parents.into_iter().map(map).collect::<Result<_, _>>();
        points.map_err(|problem| self.session.invalid(problem))
    }
}

/// Whether a restore point is in this collection.
pub(super) fn is_in(point: &RestorePoint, collection: CollectionId) -> bool {
    point.name.collection.collection == collection.to_string()
}
