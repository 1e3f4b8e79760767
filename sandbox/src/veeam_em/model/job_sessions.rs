//! Job sessions at the backup server: one restore, or one run of a backup job. They go on after the task that
//! started them has ended.

use jiff::Timestamp;
use uuid::Uuid;

use super::inventory::{Entity, Field, Inventory, truncated};
use super::kind::Kind;
use crate::veeam_em::settings::Settings;

/// Begins a session and returns its id.
pub(crate) fn begin(
    inventory: &mut Inventory,
    kind: Kind,
    name: &str,
    now: Timestamp,
    settings: &Settings,
) -> Uuid {
    let job_type = if kind == Kind::RestoreSession { "Restore" } else { "Backup" };
    let fields = vec![
        ("JobType", Field::text(job_type)),
        ("CreationTimeUTC", Field::Time(truncated(now, settings.fraction_digits))),
        ("State", Field::text("Working")),
        ("Result", Field::text("None")),
        ("Progress", Field::number(0)),
    ];
    let id = Uuid::new_v4();
    let servers = inventory.all(Kind::BackupServer).map(|server| server.id).take(1).collect();
    inventory.add(Entity::new(kind, id, name, servers, fields).of_vm(name));
    id
}

/// Ends a session successfully. `time` has the precision of the database.
pub(crate) fn end(inventory: &mut Inventory, kind: Kind, id: Uuid, time: Timestamp) {
    if let Some(session) = inventory.find_mut(kind, id) {
        session.set("State", Field::text("Stopped"));
        session.set("Result", Field::text("Success"));
        session.set("Progress", Field::number(100));
        session.fields.insert(2, ("EndTimeUTC", Field::Time(time)));
    }
}
