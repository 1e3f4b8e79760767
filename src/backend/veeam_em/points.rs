//! Points and collections of all kinds, listed and found, each told in the collection that it is in.

use uuid::Uuid;

use super::kind::{Kind, Place};
use super::list::{self, Detour, Walk, any_of};
use super::wire::{Entity, Keep, Link, Problem};
use super::{VeeamEm, map, merge};
use crate::backend::{Cursor, Page};
use crate::model::{Collection, Error, InvalidKind, ListParent, RestorePoint, Segment};

impl VeeamEm {
    /// A page of the points of all kinds.
    pub(super) async fn points_of_all(
        &self,
        keep: Keep,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        merge::page(&self.session, cursor, |kind, cursor| async move {
            let resource = &kind.shape().point;
            let detour = self.detour(kind, resource.path.to_owned(), Segment::Any);
            let walk = Walk::all(&self.session, resource, keep).or_by(detour);
            let Page { items, next } = walk.page(cursor.as_ref(), size).await?;
            Ok(Page { items: self.placed(kind, items).await?, next })
        })
        .await
    }

    /// A page of the points of one collection.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such collection.
    pub(super) async fn points_in(
        &self,
        place: Place,
        keep: Keep,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        let shape = place.kind.shape();
        let Page { items, next } = match place.kind {
            Kind::CloudReplica | Kind::Replica => {
                let path = format!("{}/{}/vmReplicaPoints", shape.collection.path, place.id);
                let parent = Segment::Id(place.to_string());
                let of_replica = any_of("ReplicaUid", [place.uid()]);
                Walk::filtered(&self.session, &shape.point, keep, of_replica)
                    .or_by(self.detour(place.kind, path, parent))
                    .page(cursor, size)
                    .await?
            }
            Kind::Backup => self.runs.points(&self.session, place, keep, cursor, size).await?,
        };
        // A query for the points of a collection that is not there finds none, like that for a new one.
        if let (true, None, None) = (items.is_empty(), cursor, &next) {
            self.collection(place).await.map_err(|error| error.in_field("parent"))?;
        }
        let items = self.placed(place.kind, items).await?;
        if items.iter().any(|point| !is_in(point, place)) {
            return Err(self.invalid("points of another collection than the one asked for"));
        }
        Ok(Page { items, next })
    }

    /// One point of a collection.
    pub(super) async fn point_in(
        &self,
        place: Place,
        id: Uuid,
        keep: Keep,
    ) -> Result<Option<RestorePoint>, Error> {
        let found = self.point_of(place.kind, id, keep).await?;
        Ok(found.filter(|point| is_in(point, place)))
    }

    /// One point of whichever kind: the vendor's ids are unique by themselves, and do not tell the kind.
    ///
    /// A kind that cannot be read for good, such as one that the account may not see, does not hide the
    /// points of others; but then a point that is in none of these is not called absent.
    pub(super) async fn point_of_any(
        &self,
        id: Uuid,
        keep: Keep,
    ) -> Result<Option<RestorePoint>, Error> {
        let mut trouble = None;
        for kind in self.session.kinds().await? {
            match self.point_of(kind, id, keep).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    async fn point_of(
        &self,
        kind: Kind,
        id: Uuid,
        keep: Keep,
    ) -> Result<Option<RestorePoint>, Error> {
        let entity = list::entity(&self.session, &kind.shape().point, id, keep).await?;
        Ok(self.placed(kind, entity.into_iter().collect()).await?.pop())
    }

    /// A page of the collections of all kinds.
    pub(super) async fn collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        merge::page(&self.session, cursor, |kind, cursor| async move {
            let resource = &kind.shape().collection;
            let detour = self.detour(kind, resource.path.to_owned(), Segment::Any);
            let walk = Walk::all(&self.session, resource, Keep::Fields).or_by(detour);
            let Page { items, next } = walk.page(cursor.as_ref(), size).await?;
            let told = |entity| map::collection(&self.id, kind, entity);
            Ok(Page { items: items.into_iter().map(told).collect(), next })
        })
        .await
    }

    /// One collection.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(super) async fn collection(&self, place: Place) -> Result<Collection, Error> {
        let resource = &place.kind.shape().collection;
        let entity = list::entity(&self.session, resource, place.id, Keep::Fields).await?;
        let entity =
            entity.ok_or_else(|| absent(map::collection_name(&self.id, place).to_string()))?;
        Ok(map::collection(&self.id, place.kind, entity))
    }

    /// The way around a query service that does not know the kind. Those of Cloud Connect are missing
    /// from the vendor's own list of what can be queried; the others are on it.
    fn detour(&self, kind: Kind, path: String, collection: Segment) -> Option<Detour> {
        let backend = Segment::Id(self.id.as_str().to_owned());
        let parent = ListParent { backend, collection }.to_string();
        (kind == Kind::CloudReplica).then(|| Detour { path, absent: absent(parent) })
    }

    /// Tells points, each in its collection.
    pub(super) async fn placed(
        &self,
        kind: Kind,
        points: Vec<Entity>,
    ) -> Result<Vec<RestorePoint>, Error> {
        let placed: Vec<(Link, Entity)> = match kind {
            Kind::Backup => self.runs.with_backups(&self.session, points).await?,
            Kind::CloudReplica | Kind::Replica => {
                let with_parent = |point: Entity| match point.link(kind.shape().parent) {
                    Some(parent) => Ok((parent.clone(), point)),
                    None => Err(self.invalid("a point without its replica")),
                };
                points.into_iter().map(with_parent).collect::<Result<_, _>>()?
            }
        };
        let told = |(parent, point)| map::point(&self.id, kind, parent, point);
        let points = placed.into_iter().map(told).collect::<Result<_, _>>();
        points.map_err(|problem| self.session.client.invalid(problem))
    }

    fn invalid(&self, problem: &str) -> Error {
        self.session.client.invalid(Problem::new(problem))
    }
}

/// Whether a point is in this collection.
pub(super) fn is_in(point: &RestorePoint, place: Place) -> bool {
    point.name.collection.collection == place.to_string()
}

/// The error for what the vendor does not have, or not yet.
pub(super) fn absent(name: String) -> Error {
    let detail = "what is new can take a while: Enterprise Manager asks its backup servers every \
                  15 minutes"
        .to_owned();
    Error::NotFound { name, field: Some("name".to_owned()), detail }
}

/// The GUID that a restore point's id is.
///
/// # Errors
/// INVALID_ARGUMENT on `name`.
pub(super) fn id(restore_point: &str) -> Result<Uuid, Error> {
    super::wire::guid(restore_point).ok_or_else(|| {
        let problem = "a restore point of this backend is a GUID such as \
                       `93081441-6e3c-4584-b47a-08dc1ce24f84`";
        Error::invalid(InvalidKind::Name, "name", problem)
    })
}
