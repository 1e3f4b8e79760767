//! Starts a copy: checks ARM's rules for copies as far as reads can show a violation, then sends the request.
//!
//! The caller chooses the id of the copy, so a read shows whether another attempt, by this replica or another, has had its
//! effect. Equal calls may run at the same time, so each read that shows the copy counts, and not only the first. A
//! violated rule is an [`Error::FailedPrecondition`] with a remedy. Uncertain cases are left to ARM.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::client::{Expand, PutOutcome, PutResponse};
use super::collections::CollectionPoints;
use super::copy_encryption;
use super::dto;
use super::id::{ArmId, MAX_NAME, PointId, eq_ignore_case, is_new_name, quoted};
use super::map::CollectionIdentity;
use super::points::{Points, ReadPoint};
use super::status;
use crate::backend::{NewCopy, Operation, StartedCopy, WriteMode};
use crate::model::{
    AzureDiskProperties, CopyEncryption, Disk, DiskVendorProperties, Error, InvalidKind, PointRef,
    RestorePoint, State, Use, VendorProperties, View,
};

/// How often ARM updates the progress of copies.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(600);
/// How long ARM takes to create a point: 35 to 52 s were measured. With instant access it takes minutes, which the next
/// attempt reports.
const CREATION_TIME: Duration = Duration::from_secs(60);

/// A copy that a caller asks for.
#[derive(Debug)]
struct WantedCopy<'a> {
    source: PointId,
    target: PointId,
    encryption: &'a CopyEncryption,
}

/// What the checks of a copy have found.
#[derive(Debug)]
enum Checked {
    /// An equal call has started it since the first look for it.
    Existing(Box<StartedCopy>),
    /// It violates no rule.
    New(Box<CheckedCopy>),
}

/// A copy that violates no rule.
#[derive(Debug)]
struct CheckedCopy {
    source: ReadPoint,
    /// The part of the request that chooses the encryption, if any does.
    encryption: Option<dto::NewSourceMetadata>,
    destination: CollectionIdentity,
    /// The copy, in the destination as ARM spells that.
    target: PointId,
}

/// Starts a copy, or returns the existing one if it has the same source.
///
/// # Errors
/// INVALID_ARGUMENT; NOT_FOUND on `source` or `destination`; [`Error::AlreadyExists`] for a point with another source;
/// [`Error::FailedPrecondition`] with the violated rule; [`Error::Aborted`] while another copy is under way; those of the
/// vendor.
pub(super) async fn start_copy(
    points: &Points,
    new: &NewCopy,
    mode: WriteMode,
) -> Result<StartedCopy, Error> {
    let source = PointId::parse(&new.source).map_err(|error| error.in_field("source"))?;
    let target = PointId::parse(&PointRef::from(&new.target));
    let target = target.map_err(|error| error.in_field("destination"))?;
    if !is_new_name(&target.name, MAX_NAME) {
        let id = quoted(&target.name);
        let problem = format!("invalid id {id}: expected letters, digits, `-`, `_` and `.`");
        return Err(Error::invalid(InvalidKind::Name, "restore_point_id", problem));
    }
    copy_encryption::check_ids(&points.arm.scope, &new.encryption)?;
    let wanted = WantedCopy { source, target, encryption: &new.encryption };
    if let Some(existing) = find_existing(points, &wanted).await? {
        return Ok(existing);
    }
    let copy = match check(points, &wanted).await? {
        Checked::Existing(existing) => return Ok(*existing),
        Checked::New(copy) => copy,
    };
    match mode {
        WriteMode::ValidateOnly => {
            Ok(StartedCopy { point: preview(points, &copy), operation: None })
        }
        WriteMode::Execute => put(points, *copy, &wanted, new.request_id).await,
    }
}

/// The target if it exists and is a copy of the source.
async fn find_existing(
    points: &Points,
    wanted: &WantedCopy<'_>,
) -> Result<Option<StartedCopy>, Error> {
    let existing = match points.read(&wanted.target, View::Full).await {
        Err(Error::NotFound { .. }) => return Ok(None),
        existing => existing?,
    };
    check_same(points, wanted, &existing)?;
    let operation = points.operation(&existing.point);
    let point = points.with_failure_reason(existing, operation.as_ref()).await?;
    Ok(Some(StartedCopy { point, operation }))
}

fn check_same(points: &Points, wanted: &WantedCopy<'_>, existing: &ReadPoint) -> Result<(), Error> {
    let scope = &points.arm.scope;
    let copied_from = existing.dto.copied_from();
    let difference = match copied_from.map(|id| ArmId::parse(id, scope)) {
        Some(ArmId::Point(other)) if other.is_same_as(&wanted.source) => {
            match copy_encryption::difference(&existing.dto, wanted.encryption) {
                None => return Ok(()),
                Some(difference) => difference,
            }
        }
        Some(ArmId::Point(other)) => format!("it is a copy of {}", other.to_name(scope)),
        Some(_) => "it is a copy of a point outside of this backend".to_owned(),
        None => "it is not a copy".to_owned(),
    };
    Err(Error::AlreadyExists { name: existing.point.name.to_string(), difference })
}

async fn put(
    points: &Points,
    copy: CheckedCopy,
    wanted: &WantedCopy<'_>,
    request_id: Option<Uuid>,
) -> Result<StartedCopy, Error> {
    let arm = &points.arm;
    let source_restore_point = dto::SubResource { id: copy.source.dto.id.clone() };
    let CheckedCopy { encryption: source_metadata, .. } = &copy;
    let properties =
        dto::NewCopyProperties { source_restore_point, source_metadata: source_metadata.clone() };
    let body = dto::NewCopy { properties };
    let url = arm.url(&copy.target.path(&arm.scope), Expand::Nothing);
    let find_existing = || find_existing(points, wanted);
    match arm.put(&url, &body, request_id, find_existing).await? {
        PutOutcome::Accepted(response) => accepted(points, &copy, wanted, &response).await,
        PutOutcome::Existing(existing) => Ok(existing),
        PutOutcome::Rejected(response) => {
            // What it violates may be an equal attempt: ARM publishes no status for that.
            if matches!(response.status, StatusCode::CONFLICT | StatusCode::BAD_REQUEST)
                && let Some(existing) = find_existing().await?
            {
                return Ok(existing);
            }
            let destination = copy.destination.id.to_name(&arm.scope).to_string();
            let error = response.into_write_error(arm.scope.backend.as_str(), &destination);
            Err(match error {
                Error::NotFound { .. } => error.in_field("destination"),
                error => error,
            })
        }
    }
}

async fn accepted(
    points: &Points,
    copy: &CheckedCopy,
    wanted: &WantedCopy<'_>,
    response: &PutResponse,
) -> Result<StartedCopy, Error> {
    let operation = operation(points, &response.headers);
    if let Some(operation) = &operation {
        points.cache_operation(&copy.target, operation);
    }
    let started = match dto::decode::<dto::RestorePoint>(&response.body) {
        Ok(dto) => {
            let collection = copy.destination.clone();
            let point = points.map_listed(&collection, &dto, View::Full)?;
            ReadPoint { collection, dto, point }
        }
        // It is accepted, whatever the body.
        Err(_) => {
            let read = points.read(&copy.target, View::Full).await;
            read.map_err(|error| points.arm.read_after_put_error(error))?
        }
    };
    check_same(points, wanted, &started)?;
    Ok(StartedCopy { point: started.point, operation })
}

/// The handle of the operation. ARM's contract prefers `Azure-AsyncOperation` over `Location`, which no recorded creation
/// of a point has. The point itself is enough without either.
fn operation(points: &Points, headers: &HeaderMap) -> Option<Operation> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let url = header("azure-asyncoperation").or_else(|| header("location"))?;
    if points.arm.own_url(url).is_none() {
        let backend = points.arm.scope.backend.as_str();
        tracing::warn!(backend, "ignoring an operation URL that points to another host");
        return None;
    }
    Some(Operation(url.to_owned()))
}

/// Checks a copy whose target did not exist before.
async fn check(points: &Points, wanted: &WantedCopy<'_>) -> Result<Checked, Error> {
    let target = &wanted.target;
    let source = points.read(&wanted.source, View::Basic).await;
    let source = source.map_err(|error| error.in_field("source"))?;
    check_source(&source)?;
    let name = source.point.name.to_string();
    let encryption = copy_encryption::source_metadata(&source.dto, &name, wanted.encryption)?;

    let destination = points.collections.read_points(&target.collection).await;
    let CollectionPoints { collection: destination, points: dtos, .. } =
        destination.map_err(|error| error.in_field("destination"))?;
    check_destination(points, &source, &destination)?;

    let is_target = |dto: &dto::RestorePoint| eq_ignore_case(&dto.name, &target.name);
    if dtos.iter().any(is_target)
        && let Some(existing) = find_existing(points, wanted).await?
    {
        return Ok(Checked::Existing(Box::new(existing)));
    }
    let copies = dtos
        .iter()
        .filter(|dto| dto.copied_from().is_some() && !is_target(dto))
        .map(|dto| points.map_listed(&destination, dto, View::Basic))
        .collect::<Result<Vec<_>, _>>()?;
    check_not_copied(&source.point, &copies)?;
    let newest = newest_copy(points, &destination, &copies).await?;
    check_none_under_way(&copies, newest.as_ref())?;
    check_order(&source.point, newest.as_ref())?;

    let target = PointId { collection: destination.id.clone(), name: target.name.clone() };
    Ok(Checked::New(Box::new(CheckedCopy { source, encryption, destination, target })))
}

fn check_source(source: &ReadPoint) -> Result<(), Error> {
    let violation = |rule, description: String| {
        Err(Error::FailedPrecondition { rule, subject: source.point.name.to_string(), description })
    };
    // Before its state: that it becomes READY does not help.
    if source.dto.copied_from().is_some() {
        return violation(
            "COPY_OF_COPY",
            "it is a copy itself; copy the point that it was copied from".to_owned(),
        );
    }
    let not_yet = |rule, reason: &str, retry_after| {
        Err(Error::NotYetAllowed {
            rule,
            subject: source.point.name.to_string(),
            description: format!(
                "it cannot be copied yet: {reason}; watch it until `usable_for` has COPY, then copy it"
            ),
            retry_after,
        })
    };
    let reason = source.point.state_reason.as_str();
    let data_missing = || not_yet("SOURCE_NOT_COPYABLE_YET", reason, PROGRESS_INTERVAL);
    match source.point.state {
        // Without data to wait for, ARM decides whether it copies the point.
        State::Ready if source.point.is_usable_for(Use::Export) => Ok(()),
        State::Ready | State::Copying => data_missing(),
        State::Creating if status::is_created(&source.dto) => data_missing(),
        State::Creating => not_yet("SOURCE_NOT_READY", "it is still being created", CREATION_TIME),
        // Waiting does not help.
        _ => violation(
            "SOURCE_NOT_READY",
            format!("it is not READY ({reason}) and is not known to become so; copy another point"),
        ),
    }
}

fn check_destination(
    points: &Points,
    source: &ReadPoint,
    destination: &CollectionIdentity,
) -> Result<(), Error> {
    let scope = &points.arm.scope;
    let violation = |rule, description: String| {
        let subject = destination.id.to_name(scope).to_string();
        Err(Error::FailedPrecondition { rule, subject, description })
    };
    let accepts_from = ArmId::parse(&destination.source, scope);
    let accepts =
        matches!(accepts_from, ArmId::Collection(id) if id.key() == source.collection.id.key());
    if !accepts {
        return violation(
            "WRONG_DESTINATION",
            format!(
                "a collection accepts copies from its source only; copy into a collection whose source \
                 is {}, or create one",
                source.collection.id.to_name(scope)
            ),
        );
    }
    if destination.region == source.collection.region {
        return violation(
            "SAME_REGION",
            format!(
                "source and destination are both in {}; ARM copies to another region only",
                destination.region
            ),
        );
    }
    Ok(())
}

fn check_not_copied(source: &RestorePoint, copies: &[RestorePoint]) -> Result<(), Error> {
    let is_copy_of_source = |copy: &&RestorePoint| {
        let from = copy.source_restore_point.as_ref().map(|name| name.to_string().to_lowercase());
        from == Some(source.name.to_string().to_lowercase())
    };
    let Some(copy) = copies.iter().find(is_copy_of_source) else { return Ok(()) };
    let remedy = if copy.state == State::Failed {
        "that copy has failed: delete it in Azure first"
    } else {
        "use that copy"
    };
    Err(Error::FailedPrecondition {
        rule: "ALREADY_COPIED",
        subject: copy.name.to_string(),
        description: format!(
            "a point can be copied into a region once, and {} is a copy of this one; {remedy}",
            copy.name
        ),
    })
}

/// The newest copy that has not failed, with its true state. ARM copies one point after the other in the order of their
/// times, so of the copies that ARM reports as `Succeeded` only this one can be under way.
async fn newest_copy(
    points: &Points,
    destination: &CollectionIdentity,
    copies: &[RestorePoint],
) -> Result<Option<RestorePoint>, Error> {
    let not_failed =
        copies.iter().filter(|copy| matches!(copy.state, State::Copying | State::Ready));
    match not_failed.max_by_key(|copy| copy.point_time) {
        Some(copy) if copy.state == State::Copying => {
            match points.read_in(destination, &copy.name.restore_point, View::Basic).await {
                Err(Error::NotFound { .. }) => Ok(None),
                copy => copy.map(Some),
            }
        }
        newest => Ok(newest.cloned()),
    }
}

fn check_none_under_way(
    copies: &[RestorePoint],
    newest: Option<&RestorePoint>,
) -> Result<(), Error> {
    let creating = copies.iter().find(|copy| copy.state == State::Creating);
    let copying = newest.filter(|copy| copy.state == State::Copying);
    match creating.or(copying) {
        None => Ok(()),
        Some(copy) => Err(Error::Aborted {
            problem: format!(
                "{} is under way, and ARM runs one copy at a time from one collection to another; watch \
                 it until it is READY or FAILED, then retry",
                copy.name
            ),
        }),
    }
}

fn check_order(source: &RestorePoint, newest: Option<&RestorePoint>) -> Result<(), Error> {
    match newest {
        Some(newer) if newer.state == State::Ready && newer.point_time > source.point_time => {
            Err(Error::FailedPrecondition {
                rule: "COPY_ORDER",
                subject: newer.name.to_string(),
                description: format!(
                    "points must be copied in the order of their times, and {} is newer than this one; \
                     copy a point that is newer than it, or copy into another collection",
                    newer.name
                ),
            })
        }
        _ => Ok(()),
    }
}

/// The copy as it would be created.
fn preview(points: &Points, copy: &CheckedCopy) -> RestorePoint {
    let CheckedCopy { source: ReadPoint { point: source, .. }, destination, target, .. } = copy;
    let vendor_id = target.to_arm_id(&points.arm.scope);
    let mut vendor = source.vendor.clone();
    if let VendorProperties::Azure(azure) = &mut vendor {
        azure.provisioning_state = String::new();
        azure.encryption_types = Vec::new();
        azure.source_restore_point_id.clone_from(&source.vendor_id);
    }
    RestorePoint {
        name: target.to_name(&points.arm.scope),
        uid: vendor_id.to_lowercase(),
        vendor_id,
        display_name: target.name.clone(),
        state: State::Creating,
        state_reason: "it would be created; nothing was written".to_owned(),
        location: destination.region.clone(),
        source_restore_point: Some(source.name.clone()),
        disks: source.disks.iter().map(preview_disk).collect(),
        vendor,
        ..source.clone()
    }
}

/// ARM decides how a disk of a copy is encrypted.
fn preview_disk(source: &Disk) -> Disk {
    let vendor = source.vendor.clone().map(|DiskVendorProperties::Azure(azure)| {
        DiskVendorProperties::Azure(AzureDiskProperties {
            encryption_type: String::new(),
            disk_encryption_set_id: String::new(),
            snapshot_access_state: String::new(),
            ..azure
        })
    });
    Disk {
        vendor_id: String::new(),
        state: State::Creating,
        progress_percent: None,
        source_vendor_id: source.vendor_id.clone(),
        vendor,
        ..source.clone()
    }
}
