//! The provider's own machines, beside the tenants' replicas: repositories, backups with their runs,
//! files and points, and replicas with theirs.
//!
//! One backup and one replica are always there; more are drawn, as many points of each as a quarter of
//! the cloud points asked for. A run writes one file, which holds a point of each VM of the job.

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::document::Scalar;
use super::estate::{Entity, Estate, Field, Stage, point_name, truncated, utc};
use super::kinds::Kind;
use super::settings::{NameStyle, Settings};
use super::surroundings::hierarchy_root;

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

/// How a point was made: its type, the algorithm behind it, and what its file is called.
type Making = (&'static str, &'static str, &'static str);
const FULL: Making = ("Full", "Full", "vbk");
const SYNTHETIC: Making = ("Full", "SyntheticFull", "vbk");
const INCREMENT: Making = ("Increment", "Incremental", "vib");
const REVERSE: Making = ("ReverseIncrement", "ReversedIncremental", "vrb");

const UNWRITTEN: i64 = 0;
const FILE_SIZE: i64 = 5_368_709_120;

/// Where ids come from and how things are written.
#[derive(Clone, Copy)]
struct Maker<'a> {
    server: Uuid,
    settings: &'a Settings,
}

/// A run of a backup job, and the file that it writes.
struct Run {
    run: Uuid,
    file: Uuid,
}

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
    maker.draw_backups(estate, repository, drawn);
    maker.draw_replicas(estate, repository, drawn);
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

impl Maker<'_> {
    fn id(self, kind: Kind, name: &str) -> Uuid {
        Uuid::new_v5(&self.server, format!("{kind:?} {name}").as_bytes())
    }

    /// An id that differs from seed to seed.
    fn drawn(self, kind: Kind, number: usize) -> Uuid {
        self.id(kind, &format!("{} {number}", self.settings.seed))
    }

    fn repository(self, estate: &mut Estate, name: &str) -> Uuid {
        let id = self.id(Kind::Repository, name);
        let fields = vec![
            ("Capacity", Field::number(1_099_511_627_776)),
            ("FreeSpace", Field::number(824_633_720_832)),
            ("Kind", Field::text("WinLocal")),
        ];
        estate.add(Entity::new(Kind::Repository, id, name, vec![self.server], fields));
        id
    }

    fn backup(self, estate: &mut Estate, name: &str, repository: Uuid, platform: &str) -> Uuid {
        let id = self.id(Kind::Backup, name);
        let fields =
            vec![("Platform", Field::text(platform)), ("BackupType", Field::text("Standard"))];
        let parents = vec![repository, self.server];
        estate.add(Entity::new(Kind::Backup, id, name, parents, fields));
        id
    }

    fn replica(self, estate: &mut Estate, name: &str, repository: Uuid, platform: &str) -> Uuid {
        let id = self.id(Kind::Replica, name);
        let fields = vec![("Platform", Field::text(platform))];
        let parents = vec![repository, self.server];
        estate.add(Entity::new(Kind::Replica, id, name, parents, fields));
        id
    }

    fn run(
        self,
        estate: &mut Estate,
        backup: Uuid,
        job: &str,
        at: Timestamp,
        (_, _, extension): Making,
    ) -> Run {
        let time = truncated(at, self.settings.fraction_digits);
        let civil = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let unique = format!("{job} {at}");
        let run = self.id(Kind::RestorePoint, &unique);
        let fields = vec![("BackupDateUTC", Field::Time(time))];
        let name = self.run_name(civil);
        estate.add(Entity::new(Kind::RestorePoint, run, name, vec![backup, self.server], fields));
        let file = self.id(Kind::BackupFile, &unique);
        let name = format!("{job}{}.{extension}", civil.strftime("%FT%H%M%S"));
        let fields = vec![
            ("FilePath", Field::Plain(format!("D:\\Backup\\{job}\\{name}").into())),
            ("BackupSize", Field::number(FILE_SIZE)),
            ("DataSize", Field::number(10_737_418_240)),
            ("DeduplicationRatio", Field::number(1)),
            ("CompressRatio", Field::number(2)),
            ("CreationTimeUtc", Field::Time(time)),
            ("FileType", Field::text(extension)),
        ];
        let parents = vec![backup, self.server];
        estate.add(Entity::new(Kind::BackupFile, file, name, parents, fields).related_to(run));
        Run { run, file }
    }

    /// Runs are named unlike points: `Jun  5 2025  1:01AM` from SQL Server, a plain time from
    /// PostgreSQL.
    fn run_name(self, time: DateTime) -> String {
        match self.settings.name_style {
            NameStyle::WholeSeconds => time.strftime("%b %e %Y %l:%M%p").to_string(),
            NameStyle::Microseconds => time.to_string().replace('T', " "),
        }
    }

    fn restore_point(
        self,
        estate: &mut Estate,
        id: Uuid,
        (vm, object): (&str, &str),
        run: &Run,
        at: Timestamp,
        (point_type, algorithm, _): Making,
    ) {
        let time = truncated(at, self.settings.fraction_digits);
        let fields = vec![
            ("CreationTimeUTC", Field::Time(time)),
            ("VmName", Field::text(vm)),
            ("Algorithm", Field::text(algorithm)),
            ("PointType", Field::text(point_type)),
            ("HierarchyObjRef", Field::text(object)),
        ];
        let name = point_name(vm, time, self.settings);
        let parents = vec![self.server, run.run, run.file];
        let point = Entity::new(Kind::VmRestorePoint, id, name, parents, fields);
        estate.add(point.of_vm(vm));
    }

    fn replica_point(self, estate: &mut Estate, id: Uuid, vm: &str, replica: Uuid, at: Timestamp) {
        let time = truncated(at, self.settings.fraction_digits);
        let fields = vec![
            ("CreationTimeUTC", Field::Time(time)),
            ("VmName", Field::text(vm)),
            ("Algorithm", Field::text("Incremental")),
            ("PointType", Field::text("Snapshot")),
        ];
        let name = point_name(vm, time, self.settings);
        let parents = vec![self.server, replica];
        let point = Entity::new(Kind::VmReplicaPoint, id, name, parents, fields);
        estate.add(point.of_vm(vm));
    }

    /// What a hypervisor calls a VM, each in its own way.
    fn object(self, platform: &str, number: usize) -> String {
        let root = hierarchy_root(self.server);
        let of_vm = Uuid::new_v5(&root, number.to_string().as_bytes());
        match platform {
            "HyperV" => format!("urn:HyperV:Vm:{root}.{of_vm}"),
            "vCloud" => format!("urn:vCloud:Vm:{root}.urn:vcloud:vm:{of_vm}"),
            _ => format!("urn:VMware:Vm:{root}.vm-{number}"),
        }
    }

    fn draw_backups(self, estate: &mut Estate, repository: Uuid, points: usize) {
        let mut left = points;
        let backups = points.div_ceil(VMS_PER_BACKUP * RUNS_PER_BACKUP);
        for number in 0..backups {
            let job = format!("{} Backup {number}", JOBS[number % JOBS.len()]);
            let platform = PLATFORMS[number % PLATFORMS.len()];
            let backup = self.backup(estate, &job, repository, platform);
            for run_number in 0..RUNS_PER_BACKUP {
                if left == 0 {
                    return;
                }
                let making = making(number, run_number);
                let began = self.night(self.drawn(Kind::RestorePoint, left), run_number);
                let run = self.run(estate, backup, &job, began, making);
                for vm in 0..VMS_PER_BACKUP.min(left) {
                    let id = self.drawn(Kind::VmRestorePoint, left);
                    let machine = number * VMS_PER_BACKUP + vm;
                    let object = self.object(platform, machine);
                    let at = began + SignedDuration::from_mins(i64::try_from(vm).unwrap_or(0));
                    let vm = (format!("own-{machine}"), object);
                    self.restore_point(estate, id, (&vm.0, &vm.1), &run, at, making);
                    left -= 1;
                }
            }
        }
    }

    fn draw_replicas(self, estate: &mut Estate, repository: Uuid, points: usize) {
        for number in 0..points.div_ceil(POINTS_PER_REPLICA) {
            let vm = format!("standby-{number}");
            let platform = PLATFORMS[number % 2];
            let replica = self.replica(estate, &vm, repository, platform);
            let first = number * POINTS_PER_REPLICA;
            for point in first..points.min(first + POINTS_PER_REPLICA) {
                let id = self.drawn(Kind::VmReplicaPoint, point);
                self.replica_point(estate, id, &vm, replica, self.night(id, point - first));
            }
        }
    }

    /// A time within the night, to the microsecond; the id is as good as random.
    fn night(self, id: Uuid, night: usize) -> Timestamp {
        let (chance, _) = id.as_u64_pair();
        let late = i64::try_from(chance % 14_400_000_000).unwrap_or(0);
        let nights = SignedDuration::from_hours(24 * i64::try_from(night).unwrap_or(0));
        utc(DRAWN_FROM) + nights + SignedDuration::from_micros(late)
    }
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
