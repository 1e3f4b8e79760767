//! The provider's own machines, beside the tenants' replicas: repositories, backups with their runs,
//! files and points, and replicas with theirs.
//!
//! One backup and one replica are always there; more are drawn, as many points of each as a quarter of
//! the cloud points asked for. A run writes one file, which holds a point of each VM of the job.

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::chain::{FILE_SIZE, FULL, INCREMENT, Maker, Making, REVERSE, SYNTHETIC};
use super::document::Scalar;
use super::estate::{Estate, Field, Stage, point_name, utc};
use super::kinds::Kind;
use super::settings::Settings;

const VM: &str = "audi99";
const NIGHTS: [DateTime; 3] = [
    date(2025, 6, 5).at(1, 1, 25, 930_000_000),
    date(2025, 6, 6).at(1, 0, 47, 0),
    date(2025, 6, 7).at(1, 2, 3, 783_000_000),
];

const DRAWN_FROM: DateTime = date(2024, 2, 28).at(22, 0, 0, 0);
const VMS_PER_BACKUP: usize = 5;
const RUNS_PER_BACKUP: usize = 14;
const POINTS_PER_REPLICA: usize = 28;
const PLATFORMS: [&str; 3] = ["VMware", "HyperV", "vCloud"];
const JOBS: [&str; 4] = ["Oracle & SAP", "Datei-Server Köln", "Test <Lab>", "\"Tier 1\""];

/// The size of a file that is being written.
const UNWRITTEN: i64 = 0;

/// Adds them all, under the backup server given.
pub(super) fn add(estate: &mut Estate, server: Uuid, settings: &Settings) {
    let maker = Maker { server, settings };
    let repository = maker.repository(estate, "Default Backup Repository");
    let backup = maker.backup(estate, "Nightly", repository, PLATFORMS[0]);
    let replica = maker.replica(estate, VM, repository, PLATFORMS[0]);
    for (night, civil) in NIGHTS.into_iter().enumerate() {
        let making = if night == 0 { FULL } else { INCREMENT };
        let run = maker.run(estate, backup, "Nightly", utc(civil), making);
        let id = maker.id(Kind::VmRestorePoint, &point_name(VM, utc(civil), settings));
        let object = maker.object(PLATFORMS[0], 31_017);
        maker.restore_point(estate, id, (VM, &object), &run, utc(civil), making);
        let id = maker.id(Kind::VmReplicaPoint, &point_name(VM, utc(civil), settings));
        maker.replica_point(estate, id, VM, replica, utc(civil));
    }
    let drawn = settings.points.div_ceil(4);
    draw_backups(maker, estate, repository, drawn);
    draw_replicas(maker, estate, repository, drawn);
}

/// Begins a run of a backup, in which a point of `vm` is being written. Nothing when there is no such
/// backup.
pub(super) fn begin_write(
    estate: &mut Estate,
    backup: Uuid,
    vm: &str,
    now: Timestamp,
    settings: &Settings,
) -> Option<Uuid> {
    let backup = estate.find(Kind::Backup, backup)?;
    let (backup, name) = (backup.id, backup.name.clone());
    let server = estate.all(Kind::BackupServer).next()?.id;
    let maker = Maker { server, settings };
    let run = maker.run(estate, backup, &name, now, INCREMENT);
    set_size(estate, run.file, UNWRITTEN);
    let id = Uuid::new_v4();
    let object = known_object(estate, vm).unwrap_or_else(|| maker.object(PLATFORMS[0], 90_210));
    maker.restore_point(estate, id, (vm, &object), &run, now, INCREMENT);
    estate.find_mut(Kind::VmRestorePoint, id)?.stage = Stage::BeingWritten;
    Some(id)
}

/// Ends the writing of a point; false when it is not being written.
pub(super) fn end_write(estate: &mut Estate, point: Uuid) -> bool {
    let Some(point) = estate.find_mut(Kind::VmRestorePoint, point) else { return false };
    let was = std::mem::replace(&mut point.stage, Stage::Complete);
    for parent in point.parents.clone() {
        set_size(estate, parent, FILE_SIZE);
    }
    was == Stage::BeingWritten
}

/// What the hypervisor calls a VM of which there are points already.
fn known_object(estate: &Estate, vm: &str) -> Option<String> {
    let mut points = estate.all(Kind::VmRestorePoint);
    let point = points.find(|point| point.vm.as_deref() == Some(vm))?;
    match point.field("HierarchyObjRef")? {
        Field::Plain(Scalar::Text(object)) => Some(object.clone()),
        _ => None,
    }
}

/// Sets the size of a file; anything but a file has none.
fn set_size(estate: &mut Estate, file: Uuid, size: i64) {
    if let Some(file) = estate.find_mut(Kind::BackupFile, file) {
        file.set("BackupSize", Field::number(size));
    }
}

fn draw_backups(maker: Maker<'_>, estate: &mut Estate, repository: Uuid, points: usize) {
    let mut left = points;
    let backups = points.div_ceil(VMS_PER_BACKUP * RUNS_PER_BACKUP);
    for number in 0..backups {
        let job = format!("{} Backup {number}", JOBS[number % JOBS.len()]);
        let platform = PLATFORMS[number % PLATFORMS.len()];
        let backup = maker.backup(estate, &job, repository, platform);
        for run_number in 0..RUNS_PER_BACKUP {
            if left == 0 {
                return;
            }
            let making = making(number, run_number);
            let began = night(maker.drawn(Kind::RestorePoint, left), run_number);
            let run = maker.run(estate, backup, &job, began, making);
            for vm in 0..VMS_PER_BACKUP.min(left) {
                let id = maker.drawn(Kind::VmRestorePoint, left);
                let machine = number * VMS_PER_BACKUP + vm;
                let object = maker.object(platform, machine);
                let at = began + SignedDuration::from_mins(i64::try_from(vm).unwrap_or(0));
                let vm = (format!("own-{machine}"), object);
                maker.restore_point(estate, id, (&vm.0, &vm.1), &run, at, making);
                left -= 1;
            }
        }
    }
}

fn draw_replicas(maker: Maker<'_>, estate: &mut Estate, repository: Uuid, points: usize) {
    for number in 0..points.div_ceil(POINTS_PER_REPLICA) {
        let vm = format!("standby-{number}");
        let platform = PLATFORMS[number % 2];
        let replica = maker.replica(estate, &vm, repository, platform);
        let first = number * POINTS_PER_REPLICA;
        for point in first..points.min(first + POINTS_PER_REPLICA) {
            let id = maker.drawn(Kind::VmReplicaPoint, point);
            maker.replica_point(estate, id, &vm, replica, night(id, point - first));
        }
    }
}

/// A time within the night, to the microsecond; the id is as good as random.
fn night(id: Uuid, night: usize) -> Timestamp {
    let (chance, _) = id.as_u64_pair();
    let late = i64::try_from(chance % 14_400_000_000).unwrap_or(0);
    let nights = SignedDuration::from_hours(24 * i64::try_from(night).unwrap_or(0));
    utc(DRAWN_FROM) + nights + SignedDuration::from_micros(late)
}

/// Every other job writes its chain forward, with a synthetic full a week; the rest write it backward.
fn making(job: usize, run: usize) -> Making {
    match (job % 2, run % 7) {
        (_, 0) if run == 0 => FULL,
        (0, 0) => SYNTHETIC,
        (0, _) => INCREMENT,
        _ if run + 1 == RUNS_PER_BACKUP => FULL,
        _ => REVERSE,
    }
}
