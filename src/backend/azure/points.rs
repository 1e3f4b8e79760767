//! Reads single points: their state, their disks, and why their creation failed.
//!
//! That the data of a point is complete is cached, since it does not change again; everything else is read each time. Nothing is
//! waited for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::future::try_join;
use serde_json::Value;
use uuid::Uuid;

use super::client::{ArmClient, DiskApiVersion, Expand};
use super::collections::Collections;
use super::dto;
use super::error_response::{API_VERSION_NOT_SUPPORTED, code_and_message};
use super::id::{PointId, eq_ignore_case};
use super::map::{self, CollectionIdentity};
use super::redact::{redact, redact_message};
use super::replication::replication_code;
use super::status::{self, CompletePoint, DataEvidence};
use crate::backend::Operation;
use crate::backend::cache::Cache;
use crate::model::{Error, PointFailure, RestorePoint, Use, View};

/// Reads of single points that one call of a list or poll has in flight.
pub(super) const MAX_CONCURRENT_READS: usize = 8;

const MAX_CACHED_POINTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
const MAX_CACHED_OPERATIONS: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// A virtual machine has at most 64 data disks; a list with more pages is invalid.
const MAX_DISK_PAGES: usize = 16;

/// What an operation is called in errors: its URL is signed and must not be shown.
const OPERATION_NAME: &str = "the operation";

/// The points of the subscription.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) arm: Arc<ArmClient>,
    pub(super) collections: Arc<Collections>,
    /// What points were found complete by whose state depends on the instance view, by [`fingerprint`].
    complete_points: Cache<Uuid, CompletePoint>,
    /// Whether the cloud's disk provider lacks [`DiskApiVersion::SnapshotAccess`].
    lacks_snapshot_access: AtomicBool,
    /// The operations of copies that were started by this process, by the uid of the point.
    operations: Cache<String, Operation>,
}

/// A point with its collection and the body that it was mapped from.
#[derive(Debug)]
pub(super) struct ReadPoint {
    pub(super) collection: CollectionIdentity,
    pub(super) dto: dto::RestorePoint,
    pub(super) point: RestorePoint,
}

impl Points {
    /// The points of these collections.
    pub(super) fn new(collections: Arc<Collections>) -> Self {
        Self {
            arm: Arc::clone(&collections.arm),
            collections,
            complete_points: Cache::new(MAX_CACHED_POINTS),
            lacks_snapshot_access: AtomicBool::new(false),
            operations: Cache::new(MAX_CACHED_OPERATIONS),
        }
    }

    /// Reads a point.
    ///
    /// # Errors
    /// [`Error::NotFound`]; those of the vendor.
    pub(super) async fn read(&self, id: &PointId, view: View) -> Result<ReadPoint, Error> {
        let expand = if view == View::Basic { Expand::Nothing } else { Expand::InstanceView };
        let (body, collection) =
            try_join(self.read_body(id, expand), self.collections.identity(&id.collection))
                .await
                .inspect_err(|error| self.collections.forget_if_not_found(&id.collection, error))?;
        let dto = self.decode(id, &body)?;
        if view == View::Basic && self.lacks_state(&collection, &dto) {
            return self.read_expanded(collection, id, view).await;
        }
        self.complete(collection, dto, &body, view).await
    }

    /// Reads a point of a collection that was read already.
    ///
    /// # Errors
    /// As [`Points::read`].
    pub(super) async fn read_in(
        &self,
        collection: &CollectionIdentity,
        name: &str,
        view: View,
    ) -> Result<RestorePoint, Error> {
        let id = PointId { collection: collection.id.clone(), name: name.to_owned() };
        Ok(self.read_expanded(collection.clone(), &id, view).await?.point)
    }

    /// Whether a point in the list of its collection, which has no instance views, lacks what `view` shows.
    pub(super) fn needs_own_read(
        &self,
        collection: &CollectionIdentity,
        dto: &dto::RestorePoint,
        view: View,
    ) -> bool {
        let lacks_state = || self.lacks_state(collection, dto);
        match view {
            View::Basic => lacks_state(),
            View::Full => lacks_state() || status::has_instant_access(dto),
            View::Raw => {
                status::needs_instance_view(dto, &collection.region)
                    || status::has_instant_access(dto)
            }
        }
    }

    /// Maps a point in the list of its collection, without view RAW's body.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`].
    pub(super) fn map_listed(
        &self,
        collection: &CollectionIdentity,
        dto: &dto::RestorePoint,
        view: View,
    ) -> Result<RestorePoint, Error> {
        match self.cached(dto).filter(|_| dto.properties.instance_view.is_none()) {
            Some(complete) => self.map(collection, dto, DataEvidence::Cached(&complete), view),
            None => self.map(collection, dto, DataEvidence::Reported(&[]), view),
        }
    }

    /// Adds the reason of a failed creation, if `operation` or the one that this process has started is known.
    ///
    /// # Errors
    /// When the operation cannot be read now and may be read later.
    pub(super) async fn with_failure_reason(
        &self,
        read: ReadPoint,
        operation: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        let ReadPoint { dto, mut point, .. } = read;
        if !status::is_creation_failed(&dto) {
            return Ok(point);
        }
        let cached = self.operation(&point);
        if let Some(operation) = operation.or(cached.as_ref()) {
            let failure = self.read_failure(operation).await?;
            point.state_reason.clone_from(&failure.message);
            point.failure = Some(failure);
        }
        Ok(point)
    }

    /// The operation of a copy that was started by this process.
    pub(super) fn operation(&self, point: &RestorePoint) -> Option<Operation> {
        self.operations.get(&point.uid)
    }

    /// Caches the operation of a copy.
    pub(super) fn cache_operation(&self, id: &PointId, operation: &Operation) {
        let uid = id.to_arm_id(&self.arm.scope).to_lowercase();
        self.operations.insert(uid, operation.clone());
    }

    async fn read_expanded(
        &self,
        collection: CollectionIdentity,
        id: &PointId,
        view: View,
    ) -> Result<ReadPoint, Error> {
        let body = self.read_body(id, Expand::InstanceView).await?;
        let dto = self.decode(id, &body)?;
        self.complete(collection, dto, &body, view).await
    }

    async fn read_body(&self, id: &PointId, expand: Expand) -> Result<Bytes, Error> {
        let url = self.arm.url(&id.path(&self.arm.scope), expand);
        self.arm.read(&url, &id.to_name(&self.arm.scope).to_string()).await
    }

    fn decode(&self, id: &PointId, body: &[u8]) -> Result<dto::RestorePoint, Error> {
        let dto: dto::RestorePoint = self.arm.decode(body)?;
        if eq_ignore_case(&dto.name, &id.name) {
            Ok(dto)
        } else {
            Err(self.arm.invalid_response("the body is of another restore point than requested"))
        }
    }

    /// Maps a point, after a read of the disk provider if its state depends on that.
    async fn complete(
        &self,
        collection: CollectionIdentity,
        dto: dto::RestorePoint,
        body: &[u8],
        view: View,
    ) -> Result<ReadPoint, Error> {
        let needed = status::needed_disk_provider(&dto, &collection.region);
        let cached = self.cached(&dto);
        let is_complete = cached.is_some() && dto.properties.instance_view.is_none();
        let mut point = match needed.filter(|_| !is_complete) {
            None => self.map_listed(&collection, &dto, view)?,
            Some(version) => {
                // What the disk provider has reported about a complete point does not change.
                let known = cached.map(|complete| complete.disks).filter(|disks| !disks.is_empty());
                let id = PointId { collection: collection.id.clone(), name: dto.name.clone() };
                let disks = match known {
                    Some(disks) => disks,
                    None => self.read_disks_if_possible(version, &id).await.into(),
                };
                self.map(&collection, &dto, DataEvidence::Reported(&disks), view)?
            }
        };
        if view == View::Raw {
            point.raw = Some(redact(self.arm.decode(body)?));
        }
        Ok(ReadPoint { collection, dto, point })
    }

    fn map(
        &self,
        collection: &CollectionIdentity,
        dto: &dto::RestorePoint,
        evidence: DataEvidence<'_>,
        view: View,
    ) -> Result<RestorePoint, Error> {
        let point = map::point(&self.arm.scope, collection, dto, evidence, view)
            .map_err(|problem| self.arm.invalid_response(problem))?;
        let is_complete = point.is_usable_for(Use::Export)
            && status::needs_instance_view(dto, &collection.region);
        if let (true, DataEvidence::Reported(disks), Some(key)) =
            (is_complete, evidence, fingerprint(dto))
        {
            let complete =
                CompletePoint { replication_code: replication_code(dto), disks: disks.into() };
            self.complete_points.insert(key, complete);
        }
        Ok(point)
    }

    /// Whether the state of a point is unknown for want of its instance view.
    fn lacks_state(&self, collection: &CollectionIdentity, dto: &dto::RestorePoint) -> bool {
        status::needs_instance_view(dto, &collection.region)
            && dto.properties.instance_view.is_none()
            && self.cached(dto).is_none()
    }

    /// What an earlier read found a point complete by.
    fn cached(&self, dto: &dto::RestorePoint) -> Option<CompletePoint> {
        self.complete_points.get(&fingerprint(dto)?)
    }

    /// The disk provider's list of the disks of a point; empty if it cannot be read. It costs a request and a permission
    /// of its own (`diskRestorePoints/read`), so that the instance view has to be enough without it.
    async fn read_disks_if_possible(
        &self,
        version: DiskApiVersion,
        id: &PointId,
    ) -> Vec<dto::DiskRestorePoint> {
        let disks = match version {
            DiskApiVersion::Replication => self.read_disks(version, id).await,
            DiskApiVersion::SnapshotAccess => self.read_accessible_disks(id).await,
        };
        disks.unwrap_or_else(|error| {
            let point = id.to_name(&self.arm.scope);
            tracing::warn!(%point, %error, "cannot read the disk restore points");
            Vec::new()
        })
    }

    /// As [`Points::read_disks`], by the version that reports what disks can be used for if the cloud has it. An earlier one
    /// may have the progress of their background copies.
    async fn read_accessible_disks(
        &self,
        id: &PointId,
    ) -> Result<Vec<dto::DiskRestorePoint>, Error> {
        if !self.lacks_snapshot_access.load(Ordering::Relaxed) {
            match self.read_disks(DiskApiVersion::SnapshotAccess, id).await {
                Err(Error::FailedPrecondition { rule: API_VERSION_NOT_SUPPORTED, .. }) => {
                    self.lacks_snapshot_access.store(true, Ordering::Relaxed);
                }
                disks => return disks,
            }
        }
        self.read_disks(DiskApiVersion::Replication, id).await
    }

    async fn read_disks(
        &self,
        version: DiskApiVersion,
        id: &PointId,
    ) -> Result<Vec<dto::DiskRestorePoint>, Error> {
        let name = id.to_name(&self.arm.scope).to_string();
        let mut url = self.arm.disk_url(version, &id.disks_path(&self.arm.scope));
        let mut disks = Vec::new();
        for _ in 0..MAX_DISK_PAGES {
            let body = self.arm.read(&url, &name).await?;
            let page: dto::DiskRestorePointPage = self.arm.decode(&body)?;
            disks.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(disks),
                Some(link) => url = self.arm.next_page_url(&link)?,
            }
        }
        let problem = format!("the list of disks has more than {MAX_DISK_PAGES} pages");
        Err(self.arm.invalid_response(problem))
    }

    /// Why an operation failed. ARM has the reason nowhere else, and keeps operations only for some time.
    async fn read_failure(&self, operation: &Operation) -> Result<PointFailure, Error> {
        let unknown =
            |problem: &str| PointFailure { code: String::new(), message: problem.to_owned() };
        let Some(url) = self.arm.own_url(&operation.0) else {
            return Ok(unknown("the handle of its operation belongs to another backend"));
        };
        // A failed read of the operation is not a failure of the operation.
        let body = match self.arm.read(&url, OPERATION_NAME).await {
            Ok(body) => body,
            Err(error) if error.is_transient() => return Err(error),
            Err(error @ Error::CredentialRefused { .. }) => return Err(error),
            Err(Error::NotFound { .. }) => {
                return Ok(unknown("ARM no longer has its operation, which held the reason"));
            }
            Err(error) => {
                return Ok(unknown(&format!("cannot read the reason from its operation: {error}")));
            }
        };
        let dto::OperationStatus { status } = self.arm.decode(&body)?;
        let body: Value = self.arm.decode(&body)?;
        if !eq_ignore_case(&status, "Failed") && !eq_ignore_case(&status, "Canceled") {
            return Ok(unknown("its operation has not failed"));
        }
        let (code, message) = code_and_message(body.get("error").unwrap_or(&Value::Null));
        if code.is_empty() && message.is_empty() {
            let status = redact_message(&status);
            return Ok(unknown(&format!("its operation is {status} and reports no reason")));
        }
        Ok(PointFailure { code, message: redact_message(&message) })
    }
}

/// Identifies a point by the ids of its disk restore points, which are new for each point. None while it has none.
fn fingerprint(dto: &dto::RestorePoint) -> Option<Uuid> {
    let ids: Vec<String> = dto
        .vm_disks()
        .filter_map(|disk| Some(disk.disk_restore_point_id()?.to_lowercase()))
        .collect();
    (!ids.is_empty()).then(|| Uuid::new_v5(&Uuid::NAMESPACE_URL, ids.join("\n").as_bytes()))
}
