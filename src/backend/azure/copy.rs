//! Starting a copy, once.
//!
//! The id of the new point is given, so that looking is all it takes to know whether an earlier attempt,
//! of this replica or of another, has had its effect. What the rules are stands in [`super::rules`].

use super::Azure;
use super::client::{ATTEMPTS, Answer, Expand, Written};
use super::id::{ArmId, PointId, is_new_name};
use super::read::Found;
use super::rules::Plan;
use super::wire::{self, Id};
use crate::backend::{NewCopy, Operation, StartedCopy, WriteMode};
use crate::model::{
    AzureDiskProperties, Disk, DiskVendorProperties, Error, InvalidKind, PointRef, RestorePoint,
    State, VendorProperties, View,
};

/// ARM gives no rule; its disk restore points, called after their disks, end here.
const LONGEST_NAME: usize = 260;

impl Azure {
    /// Starts a copy, or says what is in the way.
    pub(super) async fn start_copy(
        &self,
        new: &NewCopy,
        mode: WriteMode,
    ) -> Result<StartedCopy, Error> {
        let from = self.point_id(&new.source).map_err(|error| error.in_field("source"))?;
        let to = self.point_id(&PointRef::from(&new.target));
        let to = to.map_err(|error| error.in_field("destination"))?;
        if !is_new_name(&to.name, LONGEST_NAME) {
            let problem = "ARM takes no such name; use letters, digits, `-`, `_` and `.`";
            return Err(Error::invalid(InvalidKind::Name, "restore_point_id", problem));
        }
        if let Some(existing) = self.existing_copy(&from, &to).await? {
            return Ok(existing);
        }
        let plan = self.plan_copy(&from, &to).await?;
        match mode {
            WriteMode::ValidateOnly => {
                Ok(StartedCopy { point: self.preview(&plan, &to), operation: None })
            }
            WriteMode::Execute => self.put_copy(new, &plan, &from, &to).await,
        }
    }

    /// The target if it is there and is a copy of the source.
    async fn existing_copy(
        &self,
        from: &PointId,
        to: &PointId,
    ) -> Result<Option<StartedCopy>, Error> {
        let found = match self.read_point(to, View::Full).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        self.check_same_source(from, &found)?;
        let operation = self.operations.get(&found.point.uid);
        let point = self.with_reason(found, operation.as_ref()).await?;
        Ok(Some(StartedCopy { point, operation }))
    }

    fn check_same_source(&self, from: &PointId, found: &Found) -> Result<(), Error> {
        let copied = found.wire.copied_from();
        let difference = match copied.map(|id| ArmId::parse(id, &self.arm.subscription)) {
            Some(ArmId::Point(source)) if source.key() == from.key() => return Ok(()),
            Some(ArmId::Point(source)) => {
                format!("it is a copy of {}", source.point_name(&self.arm.backend))
            }
            Some(_) => "it is a copy of a point outside of this backend".to_owned(),
            None => "it is no copy".to_owned(),
        };
        Err(Error::AlreadyExists { name: found.point.name.to_string(), difference })
    }

    async fn put_copy(
        &self,
        new: &NewCopy,
        plan: &Plan,
        from: &PointId,
        to: &PointId,
    ) -> Result<StartedCopy, Error> {
        let target = PointId { collection: plan.destination.id.clone(), name: to.name.clone() };
        let source = Id { id: plan.source.wire.id.clone() };
        let properties = wire::NewCopyProperties { source_restore_point: source };
        let body = wire::NewCopy { properties };
        let body = serde_json::to_vec(&body)
            .map_err(|error| Error::Internal { problem: error.to_string() })?;
        let url = self.arm.url(&target.path(&self.arm.subscription), Expand::Nothing);
        let destination = plan.destination.id.collection_name(&self.arm.backend).to_string();

        let mut attempt = 1;
        loop {
            match self.arm.put(&url, body.clone(), new.request_id).await? {
                Written::Accepted(answer) => {
                    return self.accepted_copy(plan, from, &target, &answer).await;
                }
                Written::Refused(refusal) => {
                    // A conflict may be with our own earlier attempt.
                    if refusal.status == http::StatusCode::CONFLICT
                        && let Some(existing) = self.existing_copy(from, &target).await?
                    {
                        return Ok(existing);
                    }
                    let error = refusal.of_write(self.arm.backend.as_str(), &destination);
                    return Err(match error {
                        Error::NotFound { .. } => error.in_field("destination"),
                        error => error,
                    });
                }
                Written::Unknown(error) => {
                    if let Some(existing) = self.existing_copy(from, &target).await? {
                        return Ok(existing);
                    }
                    if attempt == ATTEMPTS {
                        return Err(error);
                    }
                    attempt += 1;
                }
            }
        }
    }

    async fn accepted_copy(
        &self,
        plan: &Plan,
        from: &PointId,
        target: &PointId,
        answer: &Answer,
    ) -> Result<StartedCopy, Error> {
        let operation = self.handle(&answer.headers);
        if let Some(operation) = &operation {
            self.remember_operation(target, operation);
        }
        let found = match wire::decode::<wire::Point>(&answer.body) {
            Ok(wire) => {
                let point = self.map_point(&plan.destination, &wire, View::Full)?;
                Found { home: plan.destination.clone(), wire, point }
            }
            // It was accepted, whatever became of the body.
            Err(_) => {
                let found = self.read_point(target, View::Full).await;
                found.map_err(|error| self.not_shown_yet(error))?
            }
        };
        self.check_same_source(from, &found)?;
        Ok(StartedCopy { point: found.point, operation })
    }

    fn remember_operation(&self, target: &PointId, operation: &Operation) {
        let uid = target.arm(&self.arm.subscription).to_lowercase();
        self.operations.insert(uid, operation.clone());
    }

    /// What the copy would be.
    fn preview(&self, plan: &Plan, to: &PointId) -> RestorePoint {
        let source = &plan.source.point;
        let target = PointId { collection: plan.destination.id.clone(), name: to.name.clone() };
        let vendor_id = target.arm(&self.arm.subscription);
        let mut vendor = source.vendor.clone();
        if let VendorProperties::Azure(azure) = &mut vendor {
            azure.provisioning_state = String::new();
            azure.encryption_types = Vec::new();
            azure.source_restore_point_id.clone_from(&source.vendor_id);
        }
        let disk = |disk: &Disk| Disk {
            vendor_id: String::new(),
            state: State::Creating,
            progress_percent: None,
            source_vendor_id: disk.vendor_id.clone(),
            vendor: disk.vendor.clone().map(unmade),
            ..disk.clone()
        };
        RestorePoint {
            name: target.point_name(&self.arm.backend),
            uid: vendor_id.to_lowercase(),
            vendor_id,
            display_name: to.name.clone(),
            state: State::Creating,
            state_reason: "it would be made; nothing was written".to_owned(),
            source: crate::model::Source { vm_name: String::new(), ..source.source.clone() },
            location: plan.destination.region.clone(),
            source_restore_point: Some(source.name.clone()),
            disks: source.disks.iter().map(disk).collect(),
            vendor,
            ..source.clone()
        }
    }
}

/// What is known of a disk of a copy before there is one: how it will be encrypted is ARM's choice.
fn unmade(disk: DiskVendorProperties) -> DiskVendorProperties {
    let DiskVendorProperties::Azure(disk) = disk;
    DiskVendorProperties::Azure(AzureDiskProperties {
        encryption_type: String::new(),
        disk_encryption_set_id: String::new(),
        snapshot_access_state: String::new(),
        ..disk
    })
}
