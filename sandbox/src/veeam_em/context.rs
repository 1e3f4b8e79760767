//! A request with a valid logon session, and everything that its handlers may read and change.

use http::Method;
use jiff::Timestamp;
use uuid::Uuid;

use super::format::reply::{ApiError, Reply};
use super::model::inventories::Inventories;
use super::model::logon_sessions::{LogonSession, LogonSessions};
use super::model::principal::{Permission, Principal};
use super::model::tasks::TaskResult;
use super::model::visible_inventory::VisibleInventory;
use super::parameters::Parameters;
use super::request_body::{Malformed, Node};
use super::settings::Settings;

#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
    pub(crate) session: Uuid,
    pub(crate) principal: Principal,
    pub(crate) sessions: &'a mut LogonSessions,
    pub(crate) inventories: &'a mut Inventories,
}

/// A request after authentication.
#[derive(Debug)]
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: &'a Method,
    /// Below `/api/`.
    pub(crate) path: &'a str,
    pub(crate) parameters: &'a Parameters,
    /// The body, if there is one. Only actions report a malformed one.
    pub(crate) body: Result<Option<Node>, Malformed>,
}

impl ApiRequest<'_> {
    pub(crate) fn only_get(&self) -> Result<(), ApiError> {
        if *self.method == Method::GET { Ok(()) } else { Err(ApiError::MethodNotAllowed("GET")) }
    }
}

impl Context<'_> {
    /// The part of Enterprise Manager's database that the principal may see.
    pub(crate) fn visible(&mut self) -> VisibleInventory<'_> {
        let inventory = self.inventories.database(self.now);
        VisibleInventory { inventory, principal: self.principal }
    }

    /// The logon session of the request.
    pub(crate) fn own_session(&mut self) -> Result<&mut LogonSession, ApiError> {
        self.sessions.get(self.session).ok_or(ApiError::Forbidden)
    }

    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        if self.principal.has(permission) { Ok(()) } else { Err(ApiError::Forbidden) }
    }

    /// Starts a task and replies 202 with it.
    pub(crate) fn start_task(
        &mut self,
        operation: &'static str,
        result: TaskResult,
    ) -> Result<Reply, ApiError> {
        let number = self.sessions.next_task();
        let (now, settings) = (self.now, self.settings);
        let task = self.own_session()?.tasks.start(number, operation, now, result);
        Ok(Reply::accepted(task.document(now, settings)))
    }
}
