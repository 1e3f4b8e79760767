//! Reads documents under one logon session that all calls share.
//!
//! The vendor ends a session after 15 idle minutes. The gateway does not track that time: it must handle a 401 anyway,
//! since servers restart and administrators end sessions, and a 401 costs one round trip in 15 idle minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::{Client, Reply, Target};
use super::error_response::ErrorResponse;
use super::kind::Kind;
use super::logon::{Credentials, Logon};
use super::xml::{Problem, Sink};
use crate::model::Error;
use crate::upstream;

/// How many reads one call may have in flight.
pub(super) const MAX_CONCURRENT_READS: usize = 8;
/// The pause after the first refused logon; each further one doubles it.
const MIN_LOGON_BACKOFF: Duration = Duration::from_secs(60);
/// Two attempts an hour lock no account.
const MAX_LOGON_BACKOFF: Duration = Duration::from_secs(30 * 60);

/// A logon session, created when it is first needed and renewed when the vendor has ended it.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    credentials: Credentials,
    /// Locked during a logon, so that there is one at a time, and never during any other request.
    state: Mutex<State>,
    /// Completed attempts to log on. A call that has waited for a failed attempt shares its error: fifty calls with a
    /// wrong password make one attempt, and do not lock the account.
    attempts: AtomicU64,
}

#[derive(Debug)]
enum State {
    LoggedOff,
    LoggedOn(Arc<Logon>),
    Failed(FailedLogon),
}

#[derive(Debug)]
struct FailedLogon {
    error: Error,
    /// When the next attempt is allowed.
    retry_at: Instant,
    backoff: Duration,
}

impl FailedLogon {
    /// Only a refused credential delays the next attempt, each time for longer: directories lock accounts after too many
    /// failures, and a watch would repeat them day and night.
    fn new(error: Error, previous_backoff: Option<Duration>) -> Self {
        let backoff = match &error {
            Error::CredentialRefused { .. } => previous_backoff
                .map_or(MIN_LOGON_BACKOFF, |previous| {
                    (previous * 2).clamp(MIN_LOGON_BACKOFF, MAX_LOGON_BACKOFF)
                }),
            _ => Duration::ZERO,
        };
        Self { error, retry_at: Instant::now() + backoff, backoff }
    }
}

/// A logon session for one call.
enum Acquired {
    /// Another call has logged on, perhaps long ago.
    Shared(Arc<Logon>),
    /// This call has logged on.
    New(Arc<Logon>),
}

impl Session {
    pub(super) fn new(client: Client, credentials: Credentials) -> Self {
        Self {
            client,
            credentials,
            state: Mutex::new(State::LoggedOff),
            attempts: AtomicU64::new(0),
        }
    }

    /// Reads a document, with retries of transient errors. A session that has ended is renewed once.
    ///
    /// # Errors
    /// [`Error::CredentialRefused`] when the logon, or a request under a new session, is refused; the transient errors of
    /// [`Client::send`]; [`Error::Interrupted`] and [`Error::InvalidResponse`].
    pub(super) async fn read<S: Sink + Send>(
        &self,
        target: &Target,
        sink: impl Fn() -> S + Sync,
    ) -> Result<Reply<S>, Error> {
        let reply = match self.acquire(None).await? {
            Acquired::New(logon) => self.read_under(&logon, target, &sink).await?,
            Acquired::Shared(logon) => match self.read_under(&logon, target, &sink).await? {
                Err(error) if error.status == StatusCode::UNAUTHORIZED => {
                    let renewed = self.acquire(Some(&logon)).await?.into_logon();
                    self.read_under(&renewed, target, &sink).await?
                }
                reply => reply,
            },
        };
        match reply {
            Err(error) if error.status == StatusCode::UNAUTHORIZED => Err(self.error(error)),
            reply => Ok(reply),
        }
    }

    /// The kinds of restore points that the server serves to this account, of which there is at least one.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] when the session links to none; the errors of a logon.
    pub(super) async fn kinds(&self) -> Result<Vec<Kind>, Error> {
        let logon = self.acquire(None).await?.into_logon();
        if logon.kinds.is_empty() {
            return Err(self.invalid("a logon session that links to no restore points"));
        }
        Ok(logon.kinds.clone())
    }

    /// Passes unless the circuit breaker is open.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`].
    pub(super) fn check_available(&self) -> Result<(), Error> {
        self.client.check_available()
    }

    /// The requests sent so far.
    pub(super) fn request_metrics(&self) -> upstream::RequestMetrics {
        self.client.metrics()
    }

    /// Logs off, if logged on.
    pub(super) async fn log_off(&self) {
        let state = std::mem::replace(&mut *self.state.lock().await, State::LoggedOff);
        if let State::LoggedOn(logon) = state {
            logon.end(&self.client).await;
        }
    }

    /// The bare id of the backend, as errors name it.
    pub(super) fn backend(&self) -> &str {
        &self.client.backend
    }

    /// The gateway's error for an error response that has no meaning specific to the request.
    pub(super) fn error(&self, response: ErrorResponse) -> Error {
        response.into_error(&self.client.backend)
    }

    /// The error for a response that is not what the API defines.
    pub(super) fn invalid(&self, problem: impl Into<Problem>) -> Error {
        self.client.invalid(problem)
    }

    async fn read_under<S: Sink + Send>(
        &self,
        logon: &Logon,
        target: &Target,
        sink: &(impl Fn() -> S + Sync),
    ) -> Result<Reply<S>, Error> {
        upstream::retry_reads(|| async {
            let request = self.client.request(Method::GET, target);
            match self.client.send(logon.authorize(request)).await? {
                Ok(response) if response.status() == StatusCode::OK => {
                    self.client.read_document(response, sink(), target.max_bytes).await.map(Ok)
                }
                Ok(response) => {
                    let status = response.status().as_u16();
                    Err(self.invalid(format!("HTTP {status} in response to a GET: expected 200")))
                }
                Err(error) => Ok(Err(error)),
            }
        })
        .await
    }

    /// The current session, unless it is `ended`; else a new one, or the error of the attempt that this call has waited
    /// for.
    async fn acquire(&self, ended: Option<&Arc<Logon>>) -> Result<Acquired, Error> {
        let attempts = self.attempts.load(Ordering::Acquire);
        // No call waits for a logon that is the probe of a half-open circuit breaker.
        self.client.check_available()?;
        let mut state = self.state.lock().await;
        let has_waited = self.attempts.load(Ordering::Acquire) != attempts;
        let mut previous_backoff = None;
        match &*state {
            State::LoggedOn(logon) if !ended.is_some_and(|ended| Arc::ptr_eq(ended, logon)) => {
                return Ok(Acquired::Shared(Arc::clone(logon)));
            }
            State::Failed(failed) if has_waited || Instant::now() < failed.retry_at => {
                return Err(failed.error.clone());
            }
            State::Failed(failed) => previous_backoff = Some(failed.backoff),
            State::LoggedOff | State::LoggedOn(_) => {}
        }
        // If this call is cancelled during the logon, the next one logs on.
        *state = State::LoggedOff;
        let result = Logon::new(&self.client, &self.credentials).await.map(Arc::new);
        *state = match &result {
            Ok(logon) => State::LoggedOn(Arc::clone(logon)),
            Err(error) => State::Failed(FailedLogon::new(error.clone(), previous_backoff)),
        };
        self.attempts.fetch_add(1, Ordering::Release);
        result.map(Acquired::New)
    }
}

impl Acquired {
    fn into_logon(self) -> Arc<Logon> {
        let (Self::Shared(logon) | Self::New(logon)) = self;
        logon
    }
}
