//! Azure Resource Manager (ARM): the restore point collections of one subscription.
//!
//! The adapter reads collections and points, creates collections and starts copies. It deletes nothing, creates no points
//! of virtual machines and grants no disk access, since the gateway offers none of that. It waits for no operation: each
//! call returns what ARM reports at that moment.
//!
//! The modules, each of which uses only those before it: `id`, `dto` and `redact` (ARM's ids, JSON and texts);
//! `error_response`, `quota`, `credential`, `config` and `client` (requests); `replication`, `snapshot_access`, `status`
//! and `map` (from JSON to the model); `collections` and `points` (reads); `create_collection`, `copy_encryption`, `copy`,
//! `cursor`, `list` and `poll` (the methods of the backend).

mod client;
mod collections;
mod config;
mod copy;
mod copy_encryption;
mod create_collection;
mod credential;
mod cursor;
mod dto;
mod error_response;
#[cfg(fuzzing)]
pub mod fuzzing;
mod id;
mod list;
mod map;
mod points;
mod poll;
mod quota;
mod redact;
mod replication;
mod snapshot_access;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use config::{DEFAULT_API_VERSION, DEFAULT_RATE_LIMIT, Settings, SettingsError};
pub use credential::Credential;

use self::client::ArmClient;
use self::collections::Collections;
use self::config::AzureConfig;
use self::id::{CollectionId, PointId};
use self::points::Points;
use super::{
    Backend, BackendConfig, Cursor, KindEntry, NewCopy, Page, PollTarget, StartedCopy, WriteMode,
};
use crate::config::ConfigError;
use crate::model::{
    BackendId, BackendKind, Capabilities, Collection, Error, NewCollection, PointRef, RestorePoint,
    Segment, Support, View,
};
use crate::upstream::RequestMetrics;

/// The entry in the table of kinds.
pub(super) const KIND: KindEntry = KindEntry {
    kind: BackendKind::Azure,
    name: "azure",
    former_name: None,
    // ARM updates the progress of a copy every ten minutes.
    progress_interval: Duration::from_secs(600),
    read: config::read,
};

static CAPABILITIES: Capabilities = Capabilities {
    create_collection: Support::Supported,
    copy: Support::Supported,
    get_without_collection: false,
    copy_progress: true,
    consistency: true,
    disks: true,
};

/// One Azure subscription.
#[derive(Debug)]
pub struct Azure {
    arm: Arc<ArmClient>,
    collections: Arc<Collections>,
    points: Points,
}

impl Azure {
    /// A backend with these settings. Sends nothing.
    ///
    /// # Errors
    /// When a setting is invalid whatever Azure replies.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let arm = Arc::new(ArmClient::new(settings)?);
        let collections = Arc::new(Collections::new(Arc::clone(&arm)));
        let points = Points::new(Arc::clone(&collections));
        Ok(Self { arm, collections, points })
    }
}

impl BackendConfig for AzureConfig {
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError> {
        let azure = Azure::new(self.settings(id)?);
        Ok(Arc::new(azure.map_err(|error| self.location.error(error.to_string()))?))
    }
}

#[async_trait]
impl Backend for Azure {
    fn kind(&self) -> BackendKind {
        KIND.kind
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_available(&self) -> Result<(), Error> {
        self.arm.check_available()
    }

    async fn probe(&self) -> Result<(), Error> {
        self.collections.read_page(None).await.map(drop)
    }

    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        match collection {
            Segment::Id(id) => {
                let id = CollectionId::parse(id, "parent")?;
                list::list_points_of_collection(&self.points, &id, view, cursor, size).await
            }
            Segment::Any => list::list_all_points(&self.points, view, cursor, size).await,
        }
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        let read = self.points.read(&PointId::parse(point)?, view).await?;
        self.points.with_failure_reason(read, None).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        list::list_collections(&self.collections, cursor, size).await
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        self.collections.get(&CollectionId::parse(id, "name")?).await
    }

    async fn create_collection(
        &self,
        new: &NewCollection,
        mode: WriteMode,
    ) -> Result<Collection, Error> {
        create_collection::create_collection(&self.collections, new, mode).await
    }

    async fn copy(&self, new: &NewCopy, mode: WriteMode) -> Result<StartedCopy, Error> {
        copy::start_copy(&self.points, new, mode).await
    }

    fn poll_group(&self, point: &PointRef) -> Option<String> {
        let id = PointId::parse(point).ok()?;
        Some(id.collection.segment().to_lowercase())
    }

    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        poll::poll(&self.points, targets).await
    }

    fn request_metrics(&self) -> Vec<RequestMetrics> {
        self.arm.request_metrics()
    }

    /// Tokens expire by themselves: there is no session to end.
    async fn close(&self) {}
}
