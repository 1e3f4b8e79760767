//! One backup job and one replica of the provider's own, beside the tenants' replicas.
//!
//! Just enough that the other collections are not empty: they follow the same grammar and can be
//! read, and nothing can be started on them.

use jiff::civil::{DateTime, date};
use uuid::Uuid;

use super::document::Scalar;
use super::estate::{Entity, Estate, Field, point_name, truncated, utc};
use super::kinds::Kind;
use super::settings::{NameStyle, Settings};

const VM: &str = "audi99";
const NIGHTS: [DateTime; 3] = [
    date(2025, 6, 5).at(1, 1, 25, 930_000_000),
    date(2025, 6, 6).at(1, 0, 47, 0),
    date(2025, 6, 7).at(1, 2, 3, 783_000_000),
];

/// Adds them all, under the backup server given.
pub(super) fn add(estate: &mut Estate, server: Uuid, settings: &Settings) {
    let mut add = |kind: Kind, name: String, vm, parents, fields| {
        let id = Uuid::new_v5(&server, format!("{kind:?} {name}").as_bytes());
        estate.add(Entity { kind, id, name, vm, parents, fields });
        id
    };
    let repository = add(
        Kind::Repository,
        "Default Backup Repository".to_owned(),
        None,
        vec![server],
        vec![
            ("Capacity", number(1_099_511_627_776)),
            ("FreeSpace", number(824_633_720_832)),
            ("Kind", Field::text("WinLocal")),
        ],
    );
    let backup = add(
        Kind::Backup,
        "Nightly".to_owned(),
        None,
        vec![repository, server],
        vec![("Platform", Field::text("VMware")), ("BackupType", Field::text("Standard"))],
    );
    let replica = add(
        Kind::Replica,
        VM.to_owned(),
        None,
        vec![repository, server],
        vec![("Platform", Field::text("VMware"))],
    );
    for (night, civil) in NIGHTS.into_iter().enumerate() {
        let time = truncated(utc(civil), settings.fraction_digits);
        let (point_type, algorithm, extension) = match night {
            0 => ("Full", "Full", "vbk"),
            _ => ("Increment", "Incremental", "vib"),
        };
        let run = add(
            Kind::RestorePoint,
            run_name(civil, settings),
            None,
            vec![backup, server],
            vec![("BackupDateUTC", Field::Time(time))],
        );
        let file_name = format!("Nightly{}.{extension}", civil.date());
        let file = add(
            Kind::BackupFile,
            file_name.clone(),
            None,
            vec![backup, server],
            vec![
                ("FilePath", Field::Plain(format!("D:\\Backup\\Nightly\\{file_name}").into())),
                ("BackupSize", number(5_368_709_120)),
                ("DataSize", number(10_737_418_240)),
                ("DeduplicationRatio", number(1)),
                ("CompressRatio", number(2)),
                ("CreationTimeUtc", Field::Time(time)),
                ("FileType", Field::text(extension)),
            ],
        );
        let vm = Some(VM.to_owned());
        let root = Uuid::new_v5(&server, b"hierarchy root");
        let object = format!("urn:VMware:Vm:{root}.vm-31017");
        add(
            Kind::VmRestorePoint,
            point_name(VM, time, settings),
            vm.clone(),
            vec![server, run, file],
            vec![
                ("CreationTimeUTC", Field::Time(time)),
                ("VmName", Field::text(VM)),
                ("Algorithm", Field::text(algorithm)),
                ("PointType", Field::text(point_type)),
                ("HierarchyObjRef", Field::Plain(object.into())),
            ],
        );
        add(
            Kind::VmReplicaPoint,
            point_name(VM, time, settings),
            vm,
            vec![server, replica],
            vec![
                ("CreationTimeUTC", Field::Time(time)),
                ("VmName", Field::text(VM)),
                ("Algorithm", Field::text("Incremental")),
                ("PointType", Field::text("Snapshot")),
            ],
        );
    }
}

/// Runs are named unlike points: `Jun  5 2025  1:01AM` from SQL Server, a plain time from PostgreSQL.
fn run_name(time: DateTime, settings: &Settings) -> String {
    match settings.name_style {
        NameStyle::WholeSeconds => time.strftime("%b %e %Y %l:%M%p").to_string(),
        NameStyle::Microseconds => time.to_string().replace('T', " "),
    }
}

fn number(value: i64) -> Field {
    Field::Plain(Scalar::Number(value))
}
