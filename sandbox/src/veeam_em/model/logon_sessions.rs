//! Logon sessions: their tokens, their expiry, and the tasks and mounts that end with them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::mounts::Mounts;
use super::principal::Principal;
use super::tasks::Tasks;

/// The name of the header and of the cookie with the token.
pub(crate) const TOKEN: &str = "X-RestSvcSessionId";

/// The API versions of a current server.
pub(crate) const API_VERSIONS: [&str; 3] = ["v1_5", "v1_6", "v1_7"];

#[derive(Debug)]
pub(crate) struct LogonSession {
    pub(crate) principal: Principal,
    /// The user's full name. For a tenant it is the name of the user who logged on with it.
    pub(crate) username: &'static str,
    pub(crate) tasks: Tasks,
    pub(crate) mounts: Mounts,
    last_request: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct LogonSessions {
    sessions: BTreeMap<Uuid, LogonSession>,
    tasks: usize,
}

impl LogonSessions {
    pub(crate) fn open(
        &mut self,
        principal: Principal,
        username: &'static str,
        now: Timestamp,
    ) -> Uuid {
        let id = Uuid::new_v4();
        let (tasks, mounts) = (Tasks::default(), Mounts::default());
        let session = LogonSession { principal, username, tasks, mounts, last_request: now };
        self.sessions.insert(id, session);
        id
    }

    /// The session with a token, if it is alive. Renews it.
    pub(crate) fn authenticate(
        &mut self,
        token: &str,
        now: Timestamp,
        idle_timeout: SignedDuration,
    ) -> Option<Uuid> {
        self.expire(now, idle_timeout);
        let (id, session) = self.sessions.iter_mut().find(|(id, _)| self::token(**id) == token)?;
        session.last_request = now;
        Some(*id)
    }

    /// The number of sessions that are alive.
    pub(crate) fn count(&mut self, now: Timestamp, idle_timeout: SignedDuration) -> usize {
        self.expire(now, idle_timeout);
        self.sessions.len()
    }

    pub(crate) fn get(&mut self, id: Uuid) -> Option<&mut LogonSession> {
        self.sessions.get_mut(&id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Uuid, &LogonSession)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// The number of a new task. They count through all sessions.
    pub(crate) fn next_task(&mut self) -> usize {
        self.tasks += 1;
        self.tasks
    }

    pub(crate) fn close(&mut self, id: Uuid) -> bool {
        self.sessions.remove(&id).is_some()
    }

    pub(crate) fn close_all(&mut self) {
        self.sessions.clear();
    }

    fn expire(&mut self, now: Timestamp, idle_timeout: SignedDuration) {
        self.sessions.retain(|_, session| now.duration_since(session.last_request) < idle_timeout);
    }
}

/// The token of a session: the base64 of its id as text.
pub(crate) fn token(id: Uuid) -> String {
    STANDARD.encode(id.to_string())
}
