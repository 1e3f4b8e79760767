//! Veeam Backup Enterprise Manager: the restore points of backups, of replicas, and of the replicas that
//! Cloud Connect tenants keep with a service provider.
//!
//! The API lists and reads, and nothing more: there is no way in it to make, copy, name or delete a
//! restore point. It answers from its own database, which follows the backup servers every 15 minutes:
//! a new point may be missing and a deleted one linger for so long.

mod client;
mod cursor;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kind;
mod list;
mod map;
mod merge;
mod points;
mod refusal;
mod runs;
mod session;
mod watched;
mod wire;

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

pub use session::Tenant;

use self::client::{Client, Target};
use self::kind::Place;
use self::runs::Runs;
use self::session::{Credentials, Session};
use self::wire::{Keep, Root};
use super::{Backend, Capabilities, Cursor, Kind, Observed, Operation, Page, Wanted, Writer};
use crate::model::{BackendId, Collection, Error, PointRef, RestorePoint, Segment, View};
use crate::upstream::{self, Rate, Trust, TrustError};

/// The vendor names no limit. A server of its usual size answers so much without being felt.
pub const DEFAULT_RATE: Rate = Rate { per_second: 50.0, burst: 100 };
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
    /// How often the server is asked at most.
    pub rate: Rate,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = upstream::redact_url(&self.url);
        f.debug_struct("Settings").field("id", &self.id).field("url", &url).finish_non_exhaustive()
    }
}

/// One Enterprise Manager, spoken to under one logon session.
#[derive(Debug)]
pub struct Veeam {
    id: BackendId,
    session: Session,
    runs: Runs,
}

impl Veeam {
    /// A backend that logs on when it is first asked something.
    ///
    /// # Errors
    /// When `trust` cannot be used.
    pub fn new(settings: Settings) -> Result<Self, TrustError> {
        let Settings { id, url, username, password, tenant, trust, rate } = settings;
        let http = upstream::Client::new(&trust)?.within(rate);
        let client = Client::new(id.as_str().to_owned(), http, url);
        let session = Session::new(client, Credentials { username, password, tenant });
        Ok(Self { id, session, runs: Runs::default() })
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

    fn look(&self) -> Result<(), Error> {
        self.session.client.look()
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
        match collection {
            Segment::Any => self.points_of_all(keep(view), cursor, size).await,
            Segment::Id(id) => {
                self.points_in(Place::parse(id, "parent")?, keep(view), cursor, size).await
            }
        }
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        let id = points::id(&point.restore_point)?;
        let found = match &point.collection {
            Segment::Any => self.point_of_any(id, keep(view)).await?,
            Segment::Id(collection) => {
                self.point_in(Place::parse(collection, "name")?, id, keep(view)).await?
            }
        };
        found.ok_or_else(|| points::absent(point.to_string()))
    }

    async fn observe(
        &self,
        point: &PointRef,
        _: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        self.get(point, View::Full).await
    }

    fn batch(&self, point: &PointRef) -> Option<String> {
        Self::place(point).map(|place| place.kind.prefix().to_owned())
    }

    async fn observe_together(&self, points: &[Observed<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.watched(points).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.collections(cursor, size).await
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.collection(Place::parse(id, "name")?).await
    }

    fn writer(&self, wanted: Wanted) -> Result<&dyn Writer, Error> {
        let (capability, why) = match wanted {
            Wanted::Collection => (
                "create_collection",
                "a backup or replica comes into being only as the by-product of a job on the backup server; \
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

    fn usage(&self) -> Option<upstream::Usage> {
        Some(self.session.client.http.usage())
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
