//! The actions on an entity: restore, failover, quick backup, data collection.
//!
//! The reply is always a task. A restore or failover starts a session, but changes no machine. Cloud points
//! have no actions.

use jiff::SignedDuration;
use uuid::Uuid;

use crate::veeam_em::context::Context;
use crate::veeam_em::format::document::Scalar;
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::inventories::Event;
use crate::veeam_em::model::inventory::{Entity, Field};
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::model::principal::Permission;
use crate::veeam_em::model::tasks::{self, TaskResult};
use crate::veeam_em::model::visible_inventory::VisibleInventory;
use crate::veeam_em::model::{backups, job_sessions};
use crate::veeam_em::request_body::Node;

/// How long a restore session goes on after its task has ended.
const RESTORE_DURATION: SignedDuration = SignedDuration::from_mins(10);

/// `POST …/ID?action=…` for an existing entity.
pub(crate) fn start(
    context: &mut Context<'_>,
    (kind, id): (Kind, Uuid),
    action: &str,
    body: Option<&Node>,
) -> Result<Reply, ApiError> {
    let entity = (kind, id);
    match (kind, action) {
        (Kind::VmRestorePoint, "restore") => {
            restore(context, entity, "StartVMRestore", Permission::RestoreMachine, body)
        }
        (Kind::VAppRestorePoint, "restore") => {
            restore(context, entity, "StartvAppRestore", Permission::RestoreMachine, body)
        }
        (Kind::VmReplicaPoint | Kind::VAppReplicaPoint, "failover") => {
            restore(context, entity, "StartReplicaFailover", Permission::Administer, None)
        }
        (Kind::BackupServer, "collect") => collect(context),
        (Kind::BackupServer, "quickbackup") => quick_backup(context, body),
        (kind, action) if kind.schema().actions.iter().any(|(_, known)| *known == action) => {
            context.require(Permission::Administer)?;
            Err(ApiError::NotSimulated(format!("{} {action}", kind.schema().element)))
        }
        _ => Err(ApiError::MethodNotAllowed("GET")),
    }
}

/// The result of a task whose point is in the database, but was removed from the backup server.
pub(crate) fn point_not_found(id: Uuid) -> TaskResult {
    TaskResult::Failure(format!("Restore point with id [{id}] is not found."))
}

fn restore(
    context: &mut Context<'_>,
    (kind, id): (Kind, Uuid),
    operation: &'static str,
    permission: Permission,
    body: Option<&Node>,
) -> Result<Reply, ApiError> {
    context.require(permission)?;
    // The body is optional, but its element is checked.
    if body.is_some_and(|body| !["", "RestoreSpec"].contains(&body.name.as_str())) {
        return Err(ApiError::BadRequest("RestoreSpec is expected.".to_owned()));
    }
    let (now, settings) = (context.now, context.settings);
    if !context.inventories.exists_at_server(kind, id, now) {
        return context.start_task(operation, point_not_found(id));
    }
    let [_, settled] = tasks::end_times(now, settings);
    let servers = context.inventories.servers(now);
    let point = servers.find(kind, id);
    let machine = point.and_then(|point| point.vm.clone()).unwrap_or_default();
    let session_kind = Kind::RestoreSession;
    let session = job_sessions::begin(servers, session_kind, &machine, now, settings);
    context.inventories.schedule(settled, Event::Collection);
    if let Ok(end) = settled.checked_add(RESTORE_DURATION) {
        context.inventories.schedule(end, Event::SessionEnds(session_kind, session));
    }
    context.start_task(operation, success(operation, session_kind, session))
}

fn collect(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.require(Permission::Administer)?;
    let [_, settled] = tasks::end_times(context.now, context.settings);
    context.inventories.schedule(settled, Event::Collection);
    let result = TaskResult::Success("Collected".to_owned(), None);
    context.start_task("CollectingBackupServer", result)
}

/// A new increment of a machine that is in a job already.
fn quick_backup(context: &mut Context<'_>, body: Option<&Node>) -> Result<Reply, ApiError> {
    context.require(Permission::BackUp)?;
    let Some(machine) = body.and_then(|body| body.text_of("VmRef")) else {
        return Err(ApiError::BadRequest("QuickBackupStartupSpec needs a VmRef.".to_owned()));
    };
    let (now, settings, operation) = (context.now, context.settings, "QuickBackup");
    let [operated, settled] = tasks::end_times(now, settings);
    let principal = context.principal;
    let servers = context.inventories.servers(now);
    let visible = VisibleInventory { inventory: servers, principal };
    let point = visible.all(Kind::VmRestorePoint).find(|point| is_of(point, machine));
    let job = point.and_then(|point| {
        let run = servers.all_parents(point).find(|parent| parent.kind == Kind::RestorePoint)?;
        let backup = servers.all_parents(run).find(|parent| parent.kind == Kind::Backup)?;
        Some((backup.id, backup.name.clone(), point.vm.clone()?))
    });
    let Some((backup, job, vm)) = job else {
        let message = format!("VM {machine} is not found in any backup job.");
        return context.start_task(operation, TaskResult::Failure(message));
    };
    let point = backups::begin_write(servers, backup, &vm, now, settings);
    let session_kind = Kind::BackupJobSession;
    let session = job_sessions::begin(servers, session_kind, &job, now, settings);
    if let Some(point) = point {
        context.inventories.schedule(operated, Event::WriteEnds(point));
    }
    context.inventories.schedule(operated, Event::SessionEnds(session_kind, session));
    context.inventories.schedule(settled, Event::Collection);
    context.start_task(operation, success(operation, session_kind, session))
}

/// Whether a point is of the machine with this reference.
fn is_of(point: &Entity, machine: &str) -> bool {
    match point.field("HierarchyObjRef") {
        Some(Field::Plain(Scalar::Text(text))) => text.eq_ignore_ascii_case(machine),
        _ => false,
    }
}

fn success(operation: &str, kind: Kind, session: Uuid) -> TaskResult {
    let href = kind.href(session) + "?format=Entity";
    TaskResult::Success(format!("{operation} is done."), Some((kind.schema().element, href)))
}
