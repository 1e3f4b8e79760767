//! Logon sessions: who is in, by which token, until when, and what goes with the session.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::accounts::{self, Account, Tenant, Who};
use super::mounts::Mounts;
use super::settings::Installation;
use super::spec::Node;
use super::tasks::Tasks;

/// The header and the cookie that carry the token.
pub(super) const TOKEN: &str = "X-RestSvcSessionId";

/// The API versions a present-day server speaks.
pub(super) const VERSIONS: [&str; 3] = ["v1_5", "v1_6", "v1_7"];

/// One session. Its tasks and mounts end with it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) who: Who,
    /// The user's name in full, also in the session of a tenant.
    pub(super) username: &'static str,
    pub(super) tasks: Tasks,
    pub(super) mounts: Mounts,
    last_seen: Timestamp,
}

/// Sessions by id.
#[derive(Debug, Default)]
pub(super) struct Logons {
    sessions: BTreeMap<Uuid, Session>,
    tasks: usize,
}

impl Logons {
    pub(super) fn open(&mut self, who: Who, username: &'static str, now: Timestamp) -> Uuid {
        let id = Uuid::new_v4();
        let (tasks, mounts) = (Tasks::default(), Mounts::default());
        self.sessions.insert(id, Session { who, username, tasks, mounts, last_seen: now });
        id
    }

    /// Lets the bearer of a live token in, and renews it.
    pub(super) fn admit(
        &mut self,
        token: &str,
        now: Timestamp,
        idle: SignedDuration,
    ) -> Option<Uuid> {
        self.expire(now, idle);
        let (id, session) = self.sessions.iter_mut().find(|(id, _)| self::token(**id) == token)?;
        session.last_seen = now;
        Some(*id)
    }

    pub(super) fn live(&mut self, now: Timestamp, idle: SignedDuration) -> Vec<Uuid> {
        self.expire(now, idle);
        self.sessions.keys().copied().collect()
    }

    pub(super) fn get(&mut self, id: Uuid) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Uuid, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// The number of a new task. They count through all sessions.
    pub(super) fn next_task(&mut self) -> usize {
        self.tasks += 1;
        self.tasks
    }

    pub(super) fn close(&mut self, id: Uuid) -> bool {
        self.sessions.remove(&id).is_some()
    }

    pub(super) fn close_all(&mut self) {
        self.sessions.clear();
    }

    fn expire(&mut self, now: Timestamp, idle: SignedDuration) {
        self.sessions.retain(|_, session| now.duration_since(session.last_seen) < idle);
    }
}

/// The token of a session: the base64 of its id as text.
pub(super) fn token(id: Uuid) -> String {
    STANDARD.encode(id.to_string())
}

/// The token a request bears. The cookie wins over the header.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == TOKEN)
        .map(|(_, value)| value)
        .or_else(|| headers.get(TOKEN)?.to_str().ok())
}

/// The account whose user name and password a request has.
pub(super) fn account_of(
    headers: &HeaderMap,
    installation: Installation,
) -> Option<&'static Account> {
    let basic = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, encoded) =
        basic.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))?;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    accounts::known(name, password, installation)
}

/// What a logon's body asks for.
pub(super) enum Wanted {
    /// No tenant: the body is empty, or names none.
    User,
    Tenant(&'static Tenant),
    /// A tenant that is not known by this password.
    Nobody,
}

/// Reads the body of a logon, a `LoginSpec`.
pub(super) fn wanted(spec: Option<&Node>) -> Wanted {
    let tenant = |organization, username, password| {
        let known = accounts::tenants().iter().find(|tenant| {
            tenant.organization == organization
                && Some(tenant.username) == username
                && Some(tenant.password) == password
        });
        known.map_or(Wanted::Nobody, Wanted::Tenant)
    };
    let Some(spec) = spec else { return Wanted::User };
    if let Some(given) = spec.child("TenantCredentials") {
        return tenant(None, given.text_of("Username"), given.text_of("Password"));
    }
    match spec.child("VCloudOrganizationCredentials") {
        None => Wanted::User,
        Some(given) => {
            // An organization that is not named is none that is known.
            let organization = Some(given.text_of("OrganizationName").unwrap_or_default());
            tenant(organization, given.text_of("Login"), given.text_of("Password"))
        }
    }
}
