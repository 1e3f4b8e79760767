//! The provider's own backups with their runs, files and points, and its plain replicas with their points.
//!
//! One backup and one replica always exist. More are generated: a quarter of the requested number of cloud points
//! each. A run writes one file, which contains a point of each VM of the job.

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::builder::{Builder, FILE_SIZE, FULL, INCREMENT, Method, REVERSE, SYNTHETIC};
use super::inventory::{Field, Inventory, Stage, point_name, utc};
use super::kind::Kind;
use crate::veeam_em::format::document::Scalar;
use crate::veeam_em::settings::Settings;

const VM: &str = "audi99";
const NIGHTS: [DateTime; 3] = [
    date(2025, 6, 5).at(1, 1, 25, 930_000_000),
    date(2025, 6, 6).at(1, 0, 47, 0),
    date(2025, 6, 7).at(1, 2, 3, 783_000_000),
];

const GENERATED_FROM: DateTime = date(2024, 2, 28).at(22, 0, 0, 0);
const VMS_PER_BACKUP: usize = 5;
const RUNS_PER_BACKUP: usize = 14;
const POINTS_PER_REPLICA: usize = 28;
const PLATFORMS: [&str; 3] = ["VMware", "HyperV", "vCloud"];
const JOBS: [&str; 4] = ["Oracle & SAP", "Datei-Server Köln", "Test <Lab>", "\"Tier 1\""];

/// The size of a file that is being written.
const UNFINISHED_FILE_SIZE: i64 = 0;

/// Adds all of them below the backup server.
pub(crate) fn add(inventory: &mut Inventory, server: Uuid, settings: &Settings) {
    let builder = Builder { server, settings };
    let repository = builder.repository(inventory, "Default Backup Repository");
    let backup = builder.backup(inventory, "Nightly", repository, PLATFORMS[0]);
    let replica = builder.replica(inventory, VM, repository, PLATFORMS[0]);
    for (night, civil) in NIGHTS.into_iter().enumerate() {
        let method = if night == 0 { FULL } else { INCREMENT };
        let run = builder.job_run(inventory, backup, "Nightly", utc(civil), method);
        let id = builder.id(Kind::VmRestorePoint, &point_name(VM, utc(civil), settings));
        let object = builder.hierarchy_ref(PLATFORMS[0], 31_017);
        builder.restore_point(inventory, id, (VM, &object), &run, utc(civil), method);
        let id = builder.id(Kind::VmReplicaPoint, &point_name(VM, utc(civil), settings));
        builder.replica_point(inventory, id, VM, replica, utc(civil));
    }
    let points = settings.points.div_ceil(4);
    generate_backups(builder, inventory, repository, points);
    generate_replicas(builder, inventory, repository, points);
}

/// Begins a run of a backup that writes a point of `vm`, and returns the id of the point; `None` if there is no
/// such backup.
pub(crate) fn begin_write(
    inventory: &mut Inventory,
    backup: Uuid,
    vm: &str,
    now: Timestamp,
    settings: &Settings,
) -> Option<Uuid> {
    let backup = inventory.find(Kind::Backup, backup)?;
    let (backup, name) = (backup.id, backup.name.clone());
    let server = inventory.all(Kind::BackupServer).next()?.id;
    let builder = Builder { server, settings };
    let run = builder.job_run(inventory, backup, &name, now, INCREMENT);
    set_size(inventory, run.file, UNFINISHED_FILE_SIZE);
    let id = Uuid::new_v4();
    let object =
        known_ref(inventory, vm).unwrap_or_else(|| builder.hierarchy_ref(PLATFORMS[0], 90_210));
    builder.restore_point(inventory, id, (vm, &object), &run, now, INCREMENT);
    inventory.find_mut(Kind::VmRestorePoint, id)?.stage = Stage::BeingWritten;
    Some(id)
}

/// Completes a point that is being written. Returns false if it is not being written.
pub(crate) fn finish_write(inventory: &mut Inventory, point: Uuid) -> bool {
    let Some(point) = inventory.find_mut(Kind::VmRestorePoint, point) else { return false };
    let was = std::mem::replace(&mut point.stage, Stage::Complete);
    for parent in point.parents.clone() {
        set_size(inventory, parent, FILE_SIZE);
    }
    was == Stage::BeingWritten
}

/// The hypervisor's reference to a VM, from an existing point of it.
fn known_ref(inventory: &Inventory, vm: &str) -> Option<String> {
    let mut points = inventory.all(Kind::VmRestorePoint);
    let point = points.find(|point| point.vm.as_deref() == Some(vm))?;
    match point.field("HierarchyObjRef")? {
        Field::Plain(Scalar::Text(object)) => Some(object.clone()),
        _ => None,
    }
}

/// Sets the size of a file, if the id is that of a file.
fn set_size(inventory: &mut Inventory, file: Uuid, size: i64) {
    if let Some(file) = inventory.find_mut(Kind::BackupFile, file) {
        file.set("BackupSize", Field::number(size));
    }
}

fn generate_backups(
    builder: Builder<'_>,
    inventory: &mut Inventory,
    repository: Uuid,
    points: usize,
) {
    let mut left = points;
    let backups = points.div_ceil(VMS_PER_BACKUP * RUNS_PER_BACKUP);
    for number in 0..backups {
        let job = format!("{} Backup {number}", JOBS[number % JOBS.len()]);
        let platform = PLATFORMS[number % PLATFORMS.len()];
        let backup = builder.backup(inventory, &job, repository, platform);
        for run_number in 0..RUNS_PER_BACKUP {
            if left == 0 {
                return;
            }
            let method = method(number, run_number);
            let began = night(builder.generated_id(Kind::RestorePoint, left), run_number);
            let run = builder.job_run(inventory, backup, &job, began, method);
            for vm in 0..VMS_PER_BACKUP.min(left) {
                let id = builder.generated_id(Kind::VmRestorePoint, left);
                let machine = number * VMS_PER_BACKUP + vm;
                let object = builder.hierarchy_ref(platform, machine);
                let at = began + SignedDuration::from_mins(i64::try_from(vm).unwrap_or(0));
                let vm = (format!("own-{machine}"), object);
                builder.restore_point(inventory, id, (&vm.0, &vm.1), &run, at, method);
                left -= 1;
            }
        }
    }
}

fn generate_replicas(
    builder: Builder<'_>,
    inventory: &mut Inventory,
    repository: Uuid,
    points: usize,
) {
    for number in 0..points.div_ceil(POINTS_PER_REPLICA) {
        let vm = format!("standby-{number}");
        let platform = PLATFORMS[number % 2];
        let replica = builder.replica(inventory, &vm, repository, platform);
        let first = number * POINTS_PER_REPLICA;
        for point in first..points.min(first + POINTS_PER_REPLICA) {
            let id = builder.generated_id(Kind::VmReplicaPoint, point);
            builder.replica_point(inventory, id, &vm, replica, night(id, point - first));
        }
    }
}

/// A time in a night, to the microsecond, derived from an id.
fn night(id: Uuid, night: usize) -> Timestamp {
    let (hash, _) = id.as_u64_pair();
    let offset = i64::try_from(hash % 14_400_000_000).unwrap_or(0);
    let nights = SignedDuration::from_hours(24 * i64::try_from(night).unwrap_or(0));
    utc(GENERATED_FROM) + nights + SignedDuration::from_micros(offset)
}

/// Every other job writes forward increments with a weekly synthetic full; the others write reverse increments.
fn method(job: usize, run: usize) -> Method {
    match (job % 2, run % 7) {
        (_, 0) if run == 0 => FULL,
        (0, 0) => SYNTHETIC,
        (0, _) => INCREMENT,
        _ if run + 1 == RUNS_PER_BACKUP => FULL,
        _ => REVERSE,
    }
}
