//! Veeam Backup Enterprise Manager: the restore points of replicas that Cloud Connect tenants keep with a
//! service provider.
//!
//! The API lists and reads, and nothing more: there is no way in it to make, copy, name or delete a
//! restore point. It answers from its own database, which follows the backup servers every 15 minutes:
//! a new point may be missing and a deleted one linger for so long.

mod client;
mod cursor;
mod list;
mod map;
mod session;
mod wire;

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

pub use session::Tenant;

use self::client::{Client, Target};
use self::list::Walk;
use self::session::{Credentials, Session};
use self::wire::{Entity, Keep, Problem, Resource, Root};
use super::{Backend, Capabilities, Cursor, Kind, Operation, Page, Wanted, Writer};
use crate::http::{self, Trust, TrustError};
use crate::model::{
    BackendId, Collection, CollectionName, Error, ListParent, PointRef, RestorePoint, Segment, View,
};

const POINT: Resource = Resource {
    entity: "CloudVmReplicaPoint",
    reference: "CloudVmReplicaPointReference",
    list: "CloudVmReplicaPoints",
    path: "cloud/vmReplicaPoints",
    order: ("sortDesc", "CreationTime"),
};
const REPLICA: Resource = Resource {
    entity: "CloudReplica",
    reference: "CloudReplicaReference",
    list: "CloudReplicas",
    path: "cloud/replicas",
    // Unique, so that the order is the same for every page.
    order: ("sortAsc", "UID"),
};
const LARGEST_PROBE: u64 = 16 * 1024 * 1024;

/// What is configured of one Enterprise Manager.
pub struct Settings {
    /// Id of the backend.
    pub id: BackendId,
    /// `https://host:9398`, with or without `/api`. User information in it is not used.
    pub url: Url,
    /// The account, spelled as the server wants it: `DOMAIN\user` on Windows, `user@DOMAIN` on Linux.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// A tenant to log on as.
    pub tenant: Option<Tenant>,
    /// Whose certificate is taken: the server's own is self-signed unless someone replaced it.
    pub trust: Trust,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = http::redact_url(&self.url);
        f.debug_struct("Settings").field("id", &self.id).field("url", &url).finish_non_exhaustive()
    }
}

/// One Enterprise Manager, spoken to under one logon session.
#[derive(Debug)]
pub struct Veeam {
    id: BackendId,
    session: Session,
}

impl Veeam {
    /// A backend that logs on when it is first asked something.
    ///
    /// # Errors
    /// When `trust` cannot be used.
    pub fn new(settings: Settings) -> Result<Self, TrustError> {
        let Settings { id, url, username, password, tenant, trust } = settings;
        let client = Client::new(id.as_str().to_owned(), http::Client::new(&trust)?, url);
        let session = Session::new(client, Credentials { username, password, tenant });
        Ok(Self { id, session })
    }

    fn point(&self, entity: Entity) -> Result<RestorePoint, Error> {
        map::point(&self.id, entity).map_err(|problem| self.session.client.invalid(problem))
    }

    fn collection_name(&self, replica: Uuid) -> CollectionName {
        map::collection_name(&self.id, replica)
    }
}

#[async_trait]
impl Backend for Veeam {
    fn kind(&self) -> Kind {
        Kind::VeeamEnterpriseManager
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { get_without_collection: true, ..Capabilities::default() }
    }

    async fn probe(&self) -> Result<(), Error> {
        let target =
            Target { path: "logonSessions".to_owned(), query: Vec::new(), largest: LARGEST_PROBE };
        let answer = self.session.read(&target, || Root("LogonSessions")).await?;
        answer.map(drop).map_err(|refusal| refusal.into_error(self.id.as_str()))
    }

    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        let replica = match collection {
            Segment::Any => None,
            Segment::Id(id) => Some(map::replica_id(id, "parent")?),
        };
        let (backend, parent) = (Segment::Id(self.id.as_str().to_owned()), collection.clone());
        let parent = ListParent { backend, collection: parent }.to_string();
        let keep = keep(view);
        let walk = Walk { session: &self.session, resource: &POINT, replica, keep, parent };
        let Page { items, next } = walk.page(cursor, size).await?;
        // A query for the points of a replica that is not there finds none, like that for a new one.
        if let (Segment::Id(id), true, None, None) = (collection, items.is_empty(), cursor, &next) {
            self.get_collection(id).await.map_err(|error| error.in_field("parent"))?;
        }
        let items: Vec<_> =
            items.into_iter().map(|item| self.point(item)).collect::<Result<_, _>>()?;
        let foreign = |point: &RestorePoint| {
            replica.is_some_and(|replica| point.name.collection != self.collection_name(replica))
        };
        if items.iter().any(foreign) {
            let problem = Problem::new("points of another replica than the one asked for");
            return Err(self.session.client.invalid(problem));
        }
        Ok(Page { items, next })
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        let id = map::point_id(&point.restore_point, "name")?;
        let replica = match &point.collection {
            Segment::Any => None,
            Segment::Id(id) => Some(map::replica_id(id, "name")?),
        };
        let absent = |detail: &str| Error::NotFound {
            name: point.to_string(),
            field: Some("name".to_owned()),
            detail: detail.to_owned(),
        };
        let entity = list::entity(&self.session, &POINT, id, keep(view)).await?;
        let found = self.point(entity.ok_or_else(|| absent(""))?)?;
        match replica {
            Some(replica) if found.name.collection != self.collection_name(replica) => {
                Err(absent("it is not in this collection"))
            }
            _ => Ok(found),
        }
    }

    async fn observe(
        &self,
        point: &PointRef,
        _: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        self.get(point, View::Full).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        let walk = Walk {
            session: &self.session,
            resource: &REPLICA,
            replica: None,
            keep: Keep::Fields,
            parent: self.id.to_string(),
        };
        let Page { items, next } = walk.page(cursor, size).await?;
        let items = items.into_iter().map(|item| map::collection(&self.id, item)).collect();
        Ok(Page { items, next })
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        let replica = map::replica_id(id, "name")?;
        let entity = list::entity(&self.session, &REPLICA, replica, Keep::Fields).await?;
        let entity = entity.ok_or_else(|| Error::NotFound {
            name: self.collection_name(replica).to_string(),
            field: Some("name".to_owned()),
            detail: String::new(),
        })?;
        Ok(map::collection(&self.id, entity))
    }

    fn writer(&self, wanted: Wanted) -> Result<&dyn Writer, Error> {
        let (capability, why) = match wanted {
            Wanted::Collection => (
                "create_collection",
                "a replica comes into being only as the by-product of a job on the backup server; \
                 Enterprise Manager can clone a job, which copies its settings and no points",
            ),
            Wanted::Copy => (
                "copy",
                "Enterprise Manager copies no single restore point: it can start a whole backup copy job, \
                 which takes no point and does not promise to copy a given one",
            ),
        };
        Err(Error::Unsupported { backend: self.id.as_str().to_owned(), capability, why })
    }

    async fn close(&self) {
        self.session.log_off().await;
    }
}

fn keep(view: View) -> Keep {
    match view {
        View::Basic | View::Full => Keep::Fields,
        View::Raw => Keep::Raw,
    }
}
