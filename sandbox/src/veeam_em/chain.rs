//! How backups and replicas are made, one part at a time: repository, backup, run with its file, points.
//!
//! What is made, and when, is said in [`backups`](super::backups).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::estate::{Entity, Estate, Field, point_name, truncated};
use super::kinds::Kind;
use super::settings::{NameStyle, Settings};
use super::surroundings::hierarchy_root;

/// How a point was made: its type, the algorithm behind it, and what its file is called.
pub(super) type Making = (&'static str, &'static str, &'static str);
pub(super) const FULL: Making = ("Full", "Full", "vbk");
pub(super) const SYNTHETIC: Making = ("Full", "SyntheticFull", "vbk");
pub(super) const INCREMENT: Making = ("Increment", "Incremental", "vib");
pub(super) const REVERSE: Making = ("ReverseIncrement", "ReversedIncremental", "vrb");

/// The size of a file that is written to the end.
pub(super) const FILE_SIZE: i64 = 5_368_709_120;

/// Where ids come from and how things are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) server: Uuid,
    pub(super) settings: &'a Settings,
}

/// A run of a backup job, and the file that it writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) run: Uuid,
    pub(super) file: Uuid,
}

impl Maker<'_> {
    pub(super) fn id(self, kind: Kind, name: &str) -> Uuid {
        Uuid::new_v5(&self.server, format!("{kind:?} {name}").as_bytes())
    }

    /// An id that differs from seed to seed.
    pub(super) fn drawn(self, kind: Kind, number: usize) -> Uuid {
        self.id(kind, &format!("{} {number}", self.settings.seed))
    }

    pub(super) fn repository(self, estate: &mut Estate, name: &str) -> Uuid {
        let id = self.id(Kind::Repository, name);
        let fields = vec![
            ("Capacity", Field::number(1_099_511_627_776)),
            ("FreeSpace", Field::number(824_633_720_832)),
            ("Kind", Field::text("WinLocal")),
        ];
        estate.add(Entity::new(Kind::Repository, id, name, vec![self.server], fields));
        id
    }

    pub(super) fn backup(
        self,
        estate: &mut Estate,
        name: &str,
        repository: Uuid,
        platform: &str,
    ) -> Uuid {
        let id = self.id(Kind::Backup, name);
        let fields =
            vec![("Platform", Field::text(platform)), ("BackupType", Field::text("Standard"))];
        let parents = vec![repository, self.server];
        estate.add(Entity::new(Kind::Backup, id, name, parents, fields));
        id
    }

    pub(super) fn replica(
        self,
        estate: &mut Estate,
        name: &str,
        repository: Uuid,
        platform: &str,
    ) -> Uuid {
        let id = self.id(Kind::Replica, name);
        let fields = vec![("Platform", Field::text(platform))];
        let parents = vec![repository, self.server];
        estate.add(Entity::new(Kind::Replica, id, name, parents, fields));
        id
    }

    pub(super) fn run(
        self,
        estate: &mut Estate,
        backup: Uuid,
        job: &str,
        at: Timestamp,
        (_, _, extension): Making,
    ) -> Run {
        let time = truncated(at, self.settings.fraction_digits);
        let civil = at.to_zoned(TimeZone::UTC).datetime();
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

    pub(super) fn restore_point(
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

    pub(super) fn replica_point(
        self,
        estate: &mut Estate,
        id: Uuid,
        vm: &str,
        replica: Uuid,
        at: Timestamp,
    ) {
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
    pub(super) fn object(self, platform: &str, number: usize) -> String {
        let root = hierarchy_root(self.server);
        let of_vm = Uuid::new_v5(&root, number.to_string().as_bytes());
        match platform {
            "HyperV" => format!("urn:HyperV:Vm:{root}.{of_vm}"),
            "vCloud" => format!("urn:vCloud:Vm:{root}.urn:vcloud:vm:{of_vm}"),
            _ => format!("urn:VMware:Vm:{root}.vm-{number}"),
        }
    }
}
