//! Veeam Backup Enterprise Manager: the restore points of backups, of replicas, and of the replicas that Cloud Connect
//! tenants keep with a service provider.
//!
//! The vendor's REST API can list and read restore points. It cannot create, copy, rename or delete them, so neither can
//! this backend. Enterprise Manager answers from its own database, which collects the data of the backup servers every 15
//! minutes: for that long a new restore point may be missing, and a deleted one may still be listed.

mod all_kinds;
mod backup_points;
mod client;
mod collections;
mod config;
mod cursor;
mod entity_list;
mod error_response;
#[cfg(fuzzing)]
pub mod fuzzing;
mod get;
mod id;
mod job_runs;
mod kind;
mod logon;
mod map;
mod points;
mod poll;
mod query;
mod reader;
mod references;
mod resource;
mod session;
mod xml;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use config::{DEFAULT_RATE_LIMIT, Settings};
pub use logon::Tenant;

use self::client::{Client, Target};
use self::config::Config;
use self::id::CollectionId;
use self::logon::Credentials;
use self::reader::Reader;
use self::session::Session;
use self::xml::{Keep, RootElement};
use super::{
    Backend, BackendConfig, Cursor, KindEntry, NewCopy, Page, PollTarget, StartedCopy, WriteMode,
};
use crate::config::ConfigError;
use crate::model::{
    BackendId, BackendKind, Capabilities, Capability, Collection, Error, NewCollection, PointRef,
    RestorePoint, Segment, Support, View,
};
use crate::upstream::{self, Connection, RequestMetrics, TrustError, Upstream};

/// The entry in the table of kinds.
pub(super) const KIND: KindEntry = KindEntry {
    kind: BackendKind::VeeamEnterpriseManager,
    name: "veeam_enterprise_manager",
    former_name: Some("veeam"),
    progress_interval: Duration::ZERO,
    read: |table| Ok(Box::new(Config::read(table)?)),
};

static CAPABILITIES: Capabilities = Capabilities {
    create_collection: Support::Unsupported(
        "a backup or replica exists only as the by-product of a job on the backup server; Enterprise Manager can \
         clone a job, which copies its settings and no restore points",
    ),
    copy: Support::Unsupported(
        "Enterprise Manager cannot copy a single restore point: it can start a whole backup copy job, which does not \
         accept a restore point and does not guarantee that a given one is copied",
    ),
    get_without_collection: true,
    copy_progress: false,
    consistency: false,
    disks: false,
};

/// The largest list of logon sessions that a probe reads.
const MAX_PROBE_BYTES: u64 = 16 * 1024 * 1024;

/// One Enterprise Manager.
#[derive(Debug)]
pub struct VeeamEm {
    reader: Reader,
}

impl VeeamEm {
    /// A backend that logs on with its first call.
    ///
    /// # Errors
    /// When `trust` cannot be used.
    pub fn new(settings: Settings) -> Result<Self, TrustError> {
        let Settings { id, url, username, password, tenant, trust, proxy, rate_limit } = settings;
        let connection = Connection { trust, proxy };
        let http = upstream::Client::new(id.as_str(), Upstream::Vendor, &connection, rate_limit)?;
        let client = Client::new(id.as_str().to_owned(), http, url);
        let session = Session::new(client, Credentials { username, password, tenant });
        Ok(Self { reader: Reader::new(id, session) })
    }

    fn unsupported(&self, capability: Capability) -> Error {
        CAPABILITIES.unsupported(capability, &self.reader.backend)
    }
}

impl BackendConfig for Config {
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError> {
        let backend = VeeamEm::new(self.settings(id)?);
        Ok(Arc::new(backend.map_err(|error| self.error(error.to_string()))?))
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
        self.reader.session.check_available()
    }

    async fn probe(&self) -> Result<(), Error> {
        let path = "logonSessions".to_owned();
        let target = Target { path, query: Vec::new(), max_bytes: MAX_PROBE_BYTES };
        let session = &self.reader.session;
        let reply = session.read(&target, || RootElement::named("LogonSessions")).await?;
        reply.map(drop).map_err(|error| session.error(error))
    }

    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        match collection {
            Segment::Any => self.reader.points(keep(view), cursor, size).await,
            Segment::Id(id) => {
                let id = CollectionId::parse(id, "parent")?;
                self.reader.points_of(id, keep(view), cursor, size).await
            }
        }
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        self.reader.point(point, keep(view)).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.reader.collections(cursor, size).await
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.reader.collection(CollectionId::parse(id, "name")?).await
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
        poll::group(point)
    }

    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.reader.poll(targets).await
    }

    fn request_metrics(&self) -> Vec<RequestMetrics> {
        vec![self.reader.session.request_metrics()]
    }

    async fn close(&self) {
        self.reader.session.log_off().await;
    }
}

fn keep(view: View) -> Keep {
    match view {
        View::Basic | View::Full => Keep::Fields,
        View::Raw => Keep::Raw,
    }
}
