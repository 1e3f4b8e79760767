//! Sessions at the backup server: one restore, or one run of a backup job, with a life of its own that
//! goes on after its task has ended.

use jiff::Timestamp;
use uuid::Uuid;

use super::estate::{Entity, Estate, Field, truncated};
use super::kinds::Kind;
use super::settings::Settings;

/// Begins one and gives its id.
pub(super) fn begin(
    estate: &mut Estate,
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
    let servers = estate.all(Kind::BackupServer).map(|server| server.id).take(1).collect();
    estate.add(Entity::new(kind, id, name, servers, fields).of_vm(name));
    id
}

/// Ends one, well, at a time as the database keeps it.
pub(super) fn end(estate: &mut Estate, kind: Kind, id: Uuid, time: Timestamp) {
    if let Some(session) = estate.find_mut(kind, id) {
        session.set("State", Field::text("Stopped"));
        session.set("Result", Field::text("Success"));
        session.set("Progress", Field::number(100));
        session.fields.insert(2, ("EndTimeUTC", Field::Time(time)));
    }
}
