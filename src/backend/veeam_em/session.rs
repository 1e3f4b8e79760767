//! The one logon session that all calls share.
//!
//! The vendor ends a session after 15 idle minutes. No clock is kept here to guess when: the 401 that
//! follows has to be understood anyway (servers restart, administrators end sessions), and costs one
//! round trip in 15 idle minutes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_xml::escape::escape;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Answer, Client, Target};
use super::kind::Kind;
use super::wire::{LogonSession, Problem, Sink};
use crate::model::Error;
use crate::upstream;

const TOKEN: &str = "X-RestSvcSessionId";
/// After the first refused logon.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Two attempts an hour lock no account.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// About 65 links in a usual one: 20 KiB.
const LARGEST_LOGON: u64 = 1024 * 1024;

/// An account of a Cloud Connect tenant, to see what the tenant sees.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Name of the tenant account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

/// Whom the gateway logs on as.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: SecretString,
    pub(super) tenant: Option<Tenant>,
}

/// Calls under a logon session that is made when it is first needed.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    credentials: Credentials,
    /// Held during a logon, so that there is one at a time; never while a call is under way.
    slot: Mutex<Slot>,
    /// Logons that have ended. Who waited for one that failed learns of it by this, and shares the
    /// failure: fifty callers with a wrong password are one attempt, not fifty and a locked account.
    ended: AtomicU64,
}

#[derive(Debug)]
enum Slot {
    Empty,
    Live(Arc<Logon>),
    Failed(Failed),
}

/// A logon that brought nothing.
#[derive(Debug)]
struct Failed {
    error: Error,
    /// The vendor is not asked again before.
    again: Instant,
    /// How long that was, to be doubled.
    pause: Duration,
}

impl Failed {
    /// After a refused credential nobody asks for a while, longer each time: directories lock accounts
    /// that fail too often, and a watch asks day and night. What is merely down is asked at once.
    fn new(error: Error, earlier: Option<Duration>) -> Self {
        let pause = match &error {
            Error::CredentialRefused { .. } => {
                earlier.map_or(FIRST_PAUSE, |pause| (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE))
            }
            _ => Duration::ZERO,
        };
        Self { error, again: Instant::now() + pause, pause }
    }
}

/// What a logon brought.
struct Logon {
    /// Opaque, and as good as the password while it lives.
    token: HeaderValue,
    id: Uuid,
    /// What the server has for this account.
    kinds: Vec<Kind>,
}

impl fmt::Debug for Logon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logon(…)")
    }
}

/// A session to make a call under, and whether the call had to log on for it itself.
enum Lease {
    Shared(Arc<Logon>),
    Own(Arc<Logon>),
}

impl Session {
    pub(super) fn new(client: Client, credentials: Credentials) -> Self {
        Self { client, credentials, slot: Mutex::new(Slot::Empty), ended: AtomicU64::new(0) }
    }

    /// Reads a document, repeating what fails for a passing reason. A session that has ended is renewed
    /// once.
    ///
    /// # Errors
    /// [`Error::CredentialRefused`] when the logon is refused, or a call under a new session; and why the
    /// document cannot be had.
    pub(super) async fn read<S: Sink + Send>(
        &self,
        target: &Target,
        sink: impl Fn() -> S + Sync,
    ) -> Result<Answer<S>, Error> {
        let (logon, renewable) = match self.lease(None).await? {
            Lease::Shared(logon) => (logon, true),
            Lease::Own(logon) => (logon, false),
        };
        let answer = self.read_under(&logon, target, &sink).await?;
        let answer = match answer {
            Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED && renewable => {
                let (Lease::Shared(logon) | Lease::Own(logon)) = self.lease(Some(&logon)).await?;
                self.read_under(&logon, target, &sink).await?
            }
            answer => answer,
        };
        match answer {
            Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
                Err(refusal.into_error(&self.client.backend))
            }
            answer => Ok(answer),
        }
    }

    /// The kinds of points that the server has for this account, by the links of its logon: without
    /// Cloud Connect there is none to `/cloud`, and a tenant's session has no other.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] when there is none at all; and why there is no session.
    pub(super) async fn kinds(&self) -> Result<Vec<Kind>, Error> {
        let (Lease::Shared(logon) | Lease::Own(logon)) = self.lease(None).await?;
        if logon.kinds.is_empty() {
            let problem = Problem::new("a logon that leads to no restore points of any kind");
            return Err(self.client.invalid(problem));
        }
        Ok(logon.kinds.clone())
    }

    async fn read_under<S: Sink + Send>(
        &self,
        logon: &Logon,
        target: &Target,
        sink: &(impl Fn() -> S + Sync),
    ) -> Result<Answer<S>, Error> {
        upstream::retry_reads(|| async {
            let request = self.client.request(Method::GET, target);
            match self.client.send(request.header(TOKEN, &logon.token)).await? {
                Ok(response) if response.status() == StatusCode::OK => {
                    self.client.document(response, sink(), target.largest).await.map(Ok)
                }
                Ok(response) => Err(self.client.invalid(Problem::new(format!(
                    "HTTP {} to a read",
                    response.status().as_u16()
                )))),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
        .await
    }

    /// The session that lives, unless it is `dead`; else a new one, or the failure of the attempt that
    /// was under way.
    async fn lease(&self, dead: Option<&Arc<Logon>>) -> Result<Lease, Error> {
        let ended = self.ended.load(Ordering::Acquire);
        // Nobody waits for a logon that tries whether the vendor is there again.
        self.client.check_available()?;
        let mut slot = self.slot.lock().await;
        let waited = self.ended.load(Ordering::Acquire) != ended;
        match &*slot {
            Slot::Live(logon) if !dead.is_some_and(|dead| Arc::ptr_eq(dead, logon)) => {
                return Ok(Lease::Shared(Arc::clone(logon)));
            }
            Slot::Failed(failed) if waited || Instant::now() < failed.again => {
                return Err(failed.error.clone());
            }
            _ => {}
        }
        let earlier = match &*slot {
            Slot::Failed(failed) => Some(failed.pause),
            Slot::Empty | Slot::Live(_) => None,
        };
        // A caller who goes away in the middle leaves this behind, and the next one logs on.
        *slot = Slot::Empty;
        let outcome = self.log_on().await.map(Arc::new);
        *slot = match &outcome {
            Ok(logon) => Slot::Live(Arc::clone(logon)),
            Err(error) => Slot::Failed(Failed::new(error.clone(), earlier)),
        };
        self.ended.fetch_add(1, Ordering::Release);
        outcome.map(Lease::Own)
    }

    /// Logs on, once: a POST is not repeated.
    async fn log_on(&self) -> Result<Logon, Error> {
        let Credentials { username, password, tenant } = &self.credentials;
        let target = Target {
            path: "sessionMngr/".to_owned(),
            query: vec![("v", "latest".to_owned())],
            largest: LARGEST_LOGON,
        };
        let request = self
            .client
            .request(Method::POST, &target)
            .basic_auth(username, Some(password.expose_secret()));
        let request = match tenant {
            // Without a length the server refuses a POST.
            None => request.header(CONTENT_LENGTH, HeaderValue::from_static("0")),
            Some(tenant) => request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/xml"))
                .body(tenant.login_spec()),
        };
        let backend = &self.client.backend;
        let response =
            self.client.send(request).await?.map_err(|refusal| refusal.into_error(backend))?;
        let mut token =
            response.headers().get(TOKEN).cloned().ok_or_else(|| {
                self.client.invalid(Problem::new("a logon without a session header"))
            })?;
        token.set_sensitive(true);
        let body = self.client.document(response, LogonSession::default(), target.largest).await?;
        let (id, places) = body.finish().map_err(|problem| self.client.invalid(problem))?;
        let has = |kind: &Kind| places.iter().any(|place| kind.is_linked_by(place));
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(has).collect();
        tracing::debug!(backend, ?kinds, "logged on");
        Ok(Logon { token, id, kinds })
    }

    /// Ends the session at the vendor. If that fails, the vendor ends it after 15 minutes.
    pub(super) async fn log_off(&self) {
        let Slot::Live(logon) = std::mem::replace(&mut *self.slot.lock().await, Slot::Empty) else {
            return;
        };
        let target =
            Target { path: format!("logonSessions/{}", logon.id), query: Vec::new(), largest: 0 };
        let request = self.client.request(Method::DELETE, &target).header(TOKEN, &logon.token);
        let backend = &self.client.backend;
        match self.client.send(request).await {
            Ok(Ok(_)) => tracing::debug!(backend, "logged off"),
            Ok(Err(refusal)) => tracing::debug!(backend, %refusal, "not logged off"),
            Err(error) => tracing::debug!(backend, %error, "not logged off"),
        }
    }
}

impl Tenant {
    /// The body of a logon as a tenant. It goes beside the Basic credentials, not in their place.
    fn login_spec(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <LoginSpec xmlns=\"http://www.veeam.com/ent/v1.0\"><TenantCredentials>\
             <Username>{}</Username><Password>{}</Password></TenantCredentials></LoginSpec>",
            escape(self.username.as_str()),
            escape(self.password.expose_secret()),
        )
    }
}
