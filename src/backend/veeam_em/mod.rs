//! Veeam Backup Enterprise Manager: the restore points of backups, of replicas, and of the replicas that
//! Cloud Connect tenants keep with a service provider.
//!
//! The API lists and reads, and nothing more: there is no way in it to make, copy, name or delete a
//! restore point. It answers from its own database, which follows the backup servers every 15 minutes:
//! a new point may be missing and a deleted one linger for so long.

mod client;
mod config;
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
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

pub use session::Tenant;

use self::client::{Client, Target};
use self::kind::Place;
use self::runs::Runs;
use self::session::{Credentials, Session};
use self::wire::{Keep, Root};
use super::{Backend, Cursor, KindEntry, NewCopy, Page, PollTarget, StartedCopy, WriteMode};
use crate::model::{
    BackendId, BackendKind, Capabilities, Capability, Collection, Error, NewCollection, PointRef,
    RestorePoint, Segment, Support, View,
};
use crate::upstream::{self, RateLimit, Trust, TrustError};

/// The vendor names no limit. A server of its usual size answers so much without being felt.
pub const DEFAULT_RATE_LIMIT: RateLimit = RateLimit { per_second: 50.0, burst: 100 };
/// The entry in the table of kinds.
pub(super) const KIND: KindEntry = KindEntry {
    kind: BackendKind::VeeamEnterpriseManager,
    name: "veeam_enterprise_manager",
    former_name: Some("veeam"),
    progress_interval: Duration::ZERO,
    read: config::read,
};

static CAPABILITIES: Capabilities = Capabilities {
    create_collection: Support::Unsupported(
        "a backup or replica exists only as the by-product of a job on the backup server; Enterprise Manager can \
         clone a job, which copies its settings and no points",
    ),
    copy: Support::Unsupported(
        "Enterprise Manager copies no single restore point: it can start a whole backup copy job, which takes no point \
         and does not promise to copy a given one",
    ),
    get_without_collection: true,
    copy_progress: false,
    consistency: false,
    disks: false,
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
    /// How often the server is asked at most.
    pub rate_limit: RateLimit,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = upstream::redact_url(&self.url);
        f.debug_struct("Settings").field("id", &self.id).field("url", &url).finish_non_exhaustive()
    }
}

/// One Enterprise Manager, spoken to under one logon session.
#[derive(Debug)]
pub struct VeeamEm {
    id: BackendId,
    session: Session,
    runs: Runs,
}

impl VeeamEm {
    /// A backend that logs on when it is first asked something.
    ///
    /// # Errors
    /// When `trust` cannot be used.
    pub fn new(settings: Settings) -> Result<Self, TrustError> {
        let Settings { id, url, username, password, tenant, trust, rate_limit } = settings;
        let http = upstream::Client::new(&trust)?.with_limits(rate_limit);
        let client = Client::new(id.as_str().to_owned(), http, url);
        let session = Session::new(client, Credentials { username, password, tenant });
        Ok(Self { id, session, runs: Runs::default() })
    }

    fn unsupported(&self, capability: Capability) -> Error {
        CAPABILITIES.unsupported(capability, &self.id)
    }
}

#[async_trait]
impl Backend for VeeamEm {
    fn kind(&self) -> BackendKind {
        KIND.kind
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_available(&self) -> Result<(), Error> {
        self.session.client.check_available()
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

    async fn create_collection(
        &self,
        _: &NewCollection,
        _: WriteMode,
    ) -> Result<Collection, Error> {
        Err(self.unsupported(Capability::CreateCollection))
    }

    async fn copy(&self, _: &NewCopy, _: WriteMode) -> Result<StartedCopy, Error> {
        Err(self.unsupported(Capability::Copy))
    }

    fn poll_group(&self, point: &PointRef) -> Option<String> {
        Self::place(point).map(|place| place.kind.prefix().to_owned())
    }

    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.poll_targets(targets).await
    }

    fn request_metrics(&self) -> upstream::RequestMetrics {
        self.session.client.http.metrics()
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
