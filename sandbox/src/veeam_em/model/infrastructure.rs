//! The other entities of an installation, one of each: a job, the tenants, object storage, a hypervisor, and
//! points of a vApp and of a computer with an agent.
//!
//! They make their collections non-empty, and references to them valid. The id of the hypervisor is wrong in
//! version 12.

use jiff::civil::{DateTime, date};
use uuid::Uuid;

use super::inventory::{Entity, Field, Inventory, point_name, truncated, utc};
use super::kind::Kind;
use crate::veeam_em::settings::{HierarchyRoots, Settings};

const NIGHT: DateTime = date(2025, 6, 8).at(2, 11, 0, 250_000_000);
const VAPP: &str = "vApp002";
const COMPUTER: &str = "laptop-07";

/// The vendor's value of a time that is not set.
const NEVER: &str = "1753-01-01T00:00:00Z";

/// The id of the hypervisor in references to its VMs.
pub(crate) fn hierarchy_root(server: Uuid) -> Uuid {
    Uuid::new_v5(&server, b"hierarchy root")
}

/// Adds all of them below the backup server.
pub(crate) fn add(inventory: &mut Inventory, server: Uuid, settings: &Settings) {
    let id = |what: &str| Uuid::new_v5(&server, what.as_bytes());
    let job = Entity::new(Kind::Job, id("job"), "Nightly", vec![server], job_fields());
    for kind in [Kind::Backup, Kind::Replica] {
        let first = inventory.all(kind).map(|entity| entity.id).next();
        if let Some(entity) = first.and_then(|first| inventory.find_mut(kind, first)) {
            entity.unlinked_parents.push(job.id);
        }
    }
    inventory.add(job);
    for name in ["UCM Company", "ABC-Org"] {
        let fields = vec![
            ("Enabled", Field::bool(true)),
            ("LastResult", Field::text("None")),
            ("LastActive", Field::text(NEVER)),
        ];
        inventory.add(Entity::new(Kind::CloudTenant, id(name), name, vec![server], fields));
    }
    add_object_storage(inventory, server);
    add_hierarchy_root(inventory, server, settings);
    add_vapp_points(inventory, server, settings);
    add_agent_point(inventory, server, settings);
}

fn job_fields() -> Vec<(&'static str, Field)> {
    vec![
        ("JobType", Field::text("Backup")),
        ("Platform", Field::text("VMware")),
        ("Description", Field::text("")),
        ("ScheduleConfigured", Field::bool(true)),
        ("ScheduleEnabled", Field::bool(true)),
    ]
}

/// Object storage has no size.
fn add_object_storage(inventory: &mut Inventory, server: Uuid) {
    let fields = vec![
        ("Capacity", Field::number(-1)),
        ("FreeSpace", Field::number(-1)),
        ("Kind", Field::text("AmazonS3Compatible")),
    ];
    let id = Uuid::new_v5(&server, b"object storage");
    inventory.add(Entity::new(Kind::Repository, id, "Object Storage", vec![server], fields));
}

fn add_hierarchy_root(inventory: &mut Inventory, server: Uuid, settings: &Settings) {
    let referenced = hierarchy_root(server);
    let unique = Uuid::new_v5(&server, b"unique id of the hierarchy root");
    let id = match settings.hierarchy_roots {
        HierarchyRoots::AsInPoints => referenced,
        HierarchyRoots::Mismatched => unique,
    };
    let fields = vec![
        ("HierarchyRootId", Field::text(&id.to_string())),
        ("UniqueId", Field::text(&unique.to_string())),
        ("HostType", Field::text("VC")),
    ];
    let (kind, name) = (Kind::HierarchyRoot, "vcenter.tech.local");
    inventory.add(Entity::new(kind, id, name, vec![server], fields));
}

fn add_vapp_points(inventory: &mut Inventory, server: Uuid, settings: &Settings) {
    let time = truncated(utc(NIGHT), settings.fraction_digits);
    let name = point_name(VAPP, time, settings);
    let fields = |point_type: &str| {
        vec![
            ("CreationTimeUTC", Field::Time(time)),
            ("VAppName", Field::text(VAPP)),
            ("Algorithm", Field::text("Full")),
            ("PointType", Field::text(point_type)),
        ]
    };
    let parents = |kind| inventory.all(kind).map(|entity| entity.id).take(1);
    let run = [server].into_iter().chain(parents(Kind::RestorePoint)).collect();
    let replica = [server].into_iter().chain(parents(Kind::Replica)).collect();
    for (kind, parents, point_type) in
        [(Kind::VAppRestorePoint, run, "Full"), (Kind::VAppReplicaPoint, replica, "Snapshot")]
    {
        let id = Uuid::new_v5(&server, format!("{kind:?}").as_bytes());
        let point = Entity::new(kind, id, name.clone(), parents, fields(point_type));
        inventory.add(point.of_vm(VAPP));
    }
}

fn add_agent_point(inventory: &mut Inventory, server: Uuid, settings: &Settings) {
    let time = truncated(utc(NIGHT), settings.fraction_digits);
    let fields = vec![
        ("CreationTimeUTC", Field::Time(time)),
        ("Algorithm", Field::text("Full")),
        ("PointType", Field::text("Full")),
    ];
    let (kind, name) = (Kind::AgentRestorePoint, point_name(COMPUTER, time, settings));
    let run = inventory.all(Kind::RestorePoint).map(|entity| entity.id).next();
    let file = inventory.all(Kind::BackupFile).map(|entity| entity.id).next();
    let parents = [Some(server), run, file].into_iter().flatten().collect();
    let id = Uuid::new_v5(&server, b"agent restore point");
    let mut point = Entity::new(kind, id, name, parents, fields).of_vm(COMPUTER);
    point.unlinked_parents.extend(inventory.all(Kind::Backup).map(|backup| backup.id).take(1));
    inventory.add(point);
}
