//! Adds backups and replicas to an inventory, part by part: repository, backup, job run with its file, points.
//!
//! Which ones, and when, is in [`backups`](super::backups).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::infrastructure::hierarchy_root;
use super::inventory::{Entity, Field, Inventory, point_name, truncated};
use super::kind::Kind;
use crate::veeam_em::settings::{NameStyle, Settings};

/// How a point is created: its type, its algorithm, and the extension of its file.
pub(crate) type Method = (&'static str, &'static str, &'static str);
pub(crate) const FULL: Method = ("Full", "Full", "vbk");
pub(crate) const SYNTHETIC: Method = ("Full", "SyntheticFull", "vbk");
pub(crate) const INCREMENT: Method = ("Increment", "Incremental", "vib");
pub(crate) const REVERSE: Method = ("ReverseIncrement", "ReversedIncremental", "vrb");

/// The size of a complete file.
pub(crate) const FILE_SIZE: i64 = 5_368_709_120;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Builder<'a> {
    /// The id of the backup server, from which all ids are derived.
    pub(crate) server: Uuid,
    pub(crate) settings: &'a Settings,
}

/// A run of a backup job, and the file that it writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobRun {
    pub(crate) run: Uuid,
    pub(crate) file: Uuid,
}

impl Builder<'_> {
    pub(crate) fn id(self, kind: Kind, name: &str) -> Uuid {
        Uuid::new_v5(&self.server, format!("{kind:?} {name}").as_bytes())
    }

    /// An id that depends on the seed.
    pub(crate) fn generated_id(self, kind: Kind, number: usize) -> Uuid {
        self.id(kind, &format!("{} {number}", self.settings.seed))
    }

    pub(crate) fn repository(self, inventory: &mut Inventory, name: &str) -> Uuid {
        let id = self.id(Kind::Repository, name);
        let fields = vec![
            ("Capacity", Field::number(1_099_511_627_776)),
            ("FreeSpace", Field::number(824_633_720_832)),
            ("Kind", Field::text("WinLocal")),
        ];
        inventory.add(Entity::new(Kind::Repository, id, name, vec![self.server], fields));
        id
    }

    pub(crate) fn backup(
        self,
        inventory: &mut Inventory,
        name: &str,
        repository: Uuid,
        platform: &str,
    ) -> Uuid {
        let id = self.id(Kind::Backup, name);
        let fields =
            vec![("Platform", Field::text(platform)), ("BackupType", Field::text("Standard"))];
        let parents = vec![repository, self.server];
        inventory.add(Entity::new(Kind::Backup, id, name, parents, fields));
        id
    }

    pub(crate) fn replica(
        self,
        inventory: &mut Inventory,
        name: &str,
        repository: Uuid,
        platform: &str,
    ) -> Uuid {
        let id = self.id(Kind::Replica, name);
        let fields = vec![("Platform", Field::text(platform))];
        let parents = vec![repository, self.server];
        inventory.add(Entity::new(Kind::Replica, id, name, parents, fields));
        id
    }

    pub(crate) fn job_run(
        self,
        inventory: &mut Inventory,
        backup: Uuid,
        job: &str,
        at: Timestamp,
        (_, _, extension): Method,
    ) -> JobRun {
        let time = truncated(at, self.settings.fraction_digits);
        let civil = at.to_zoned(TimeZone::UTC).datetime();
        let unique = format!("{job} {at}");
        let run = self.id(Kind::RestorePoint, &unique);
        let fields = vec![("BackupDateUTC", Field::Time(time))];
        let name = self.run_name(civil);
        inventory.add(Entity::new(
            Kind::RestorePoint,
            run,
            name,
            vec![backup, self.server],
            fields,
        ));
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
        inventory.add(
            Entity::new(Kind::BackupFile, file, name, parents, fields).with_unlinked_parent(run),
        );
        JobRun { run, file }
    }

    /// The names of runs differ from those of points: `Jun  5 2025  1:01AM` with SQL Server, a plain time
    /// with PostgreSQL.
    fn run_name(self, time: DateTime) -> String {
        match self.settings.name_style {
            NameStyle::WholeSeconds => time.strftime("%b %e %Y %l:%M%p").to_string(),
            NameStyle::Microseconds => time.to_string().replace('T', " "),
        }
    }

    pub(crate) fn restore_point(
        self,
        inventory: &mut Inventory,
        id: Uuid,
        (vm, object): (&str, &str),
        run: &JobRun,
        at: Timestamp,
        (point_type, algorithm, _): Method,
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
        inventory.add(point.of_vm(vm));
    }

    pub(crate) fn replica_point(
        self,
        inventory: &mut Inventory,
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
        inventory.add(point.of_vm(vm));
    }

    /// The reference of a platform to a VM.
    pub(crate) fn hierarchy_ref(self, platform: &str, number: usize) -> String {
        let root = hierarchy_root(self.server);
        let of_vm = Uuid::new_v5(&root, number.to_string().as_bytes());
        match platform {
            "HyperV" => format!("urn:HyperV:Vm:{root}.{of_vm}"),
            "vCloud" => format!("urn:vCloud:Vm:{root}.urn:vcloud:vm:{of_vm}"),
            _ => format!("urn:VMware:Vm:{root}.vm-{number}"),
        }
    }
}
