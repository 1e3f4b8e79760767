//! The mounts of a point, in the own logon session.

use http::Method;
use uuid::Uuid;

use super::actions;
use crate::veeam_em::context::Context;
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::model::principal::Permission;
use crate::veeam_em::model::tasks::{self, TaskResult};

/// `…/ID/mounts`. POST starts a task that mounts the point.
pub(crate) fn all(
    context: &mut Context<'_>,
    method: &Method,
    (kind, id): (Kind, Uuid),
) -> Result<Reply, ApiError> {
    match *method {
        Method::POST => mount(context, kind, id),
        Method::GET => {
            let now = context.now;
            let list = context.own_session()?.mounts.list(kind, id, now);
            list.map(Reply::ok).ok_or(ApiError::NotFound)
        }
        _ => Err(ApiError::MethodNotAllowed("GET, POST")),
    }
}

/// `…/ID/mounts/N`.
pub(crate) fn one(
    context: &mut Context<'_>,
    method: &Method,
    id: Uuid,
    number: usize,
) -> Result<Reply, ApiError> {
    let now = context.now;
    let mounts = &mut context.own_session()?.mounts;
    let mount = mounts.get(id, number, now).ok_or(ApiError::NotFound)?;
    match *method {
        Method::GET => Ok(Reply::ok(mount)),
        Method::DELETE => {
            mounts.remove(id, number);
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::MethodNotAllowed("GET, DELETE")),
    }
}

fn mount(context: &mut Context<'_>, kind: Kind, id: Uuid) -> Result<Reply, ApiError> {
    context.require(Permission::RestoreFiles)?;
    let result = if context.inventories.exists_at_server(kind, id, context.now) {
        let Some((name, _)) = kind.schema().mounts else { return Err(ApiError::NotFound) };
        let [_, ready_at] = tasks::end_times(context.now, context.settings);
        let number = context.own_session()?.mounts.add(kind, id, ready_at);
        let href = format!("{}/mounts/{number}", kind.href(id));
        TaskResult::Success("Mounted".to_owned(), Some((name, href)))
    } else {
        actions::point_not_found(id)
    };
    context.start_task("MountRestorePoint", result)
}
