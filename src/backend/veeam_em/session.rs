//! Reads documents under one logon session that all calls share.
//!
//! The vendor ends a session after 15 idle minutes. The gateway does not track that time: it must handle a 401 anyway,
//! since servers restart and administrators end sessions, and a 401 costs one round trip in 15 idle minutes.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::client::{Client, Reply, Target};
use super::error_response::ErrorResponse;
use super::kind::Kind;
use super::logon::{Credentials, Logon};
use super::xml::{Problem, Sink};
use crate::backend::acquirer::Acquirer;
use crate::model::Error;
use crate::upstream::{self, Intent};

/// How many reads one call may have in flight.
pub(super) const MAX_CONCURRENT_READS: usize = 8;
/// The pause after the first refused logon; each further one doubles it.
const MIN_LOGON_BACKOFF: Duration = Duration::from_secs(60);
/// Two attempts an hour lock no account.
const MAX_LOGON_BACKOFF: Duration = Duration::from_secs(30 * 60);

/// A logon session, created when it is first needed and renewed when the vendor has ended it.
#[derive(Debug)]
pub(super) struct Session {
    client: Arc<Client>,
    credentials: Arc<Credentials>,
    logons: Acquirer<Logon, Error>,
}

/// Only a refused credential delays the next attempt, each time for longer: directories lock accounts after too many
/// failures, and a watch would repeat them day and night.
fn logon_backoff(error: &Error, previous: Option<Duration>) -> Duration {
    match error {
        Error::CredentialRefused { .. } => previous.map_or(MIN_LOGON_BACKOFF, |previous| {
            (previous * 2).clamp(MIN_LOGON_BACKOFF, MAX_LOGON_BACKOFF)
        }),
        _ => Duration::ZERO,
    }
}

/// A logon session for one call.
enum Acquired {
    /// Another call has logged on, perhaps long ago.
    Shared(Arc<Logon>),
    /// This call has waited for the logon.
    New(Arc<Logon>),
}

impl Session {
    pub(super) fn new(client: Client, credentials: Credentials) -> Self {
        let (client, credentials) = (Arc::new(client), Arc::new(credentials));
        Self { client, credentials, logons: Acquirer::new(logon_backoff) }
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
        if let Some(logon) = self.logons.take().await {
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
        self.client
            .retry(Intent::READ, || async {
                let request = logon.authorize(self.client.request(Method::GET, target));
                match self.client.send(Intent::READ, request).await? {
                    Ok(response) if response.status() == StatusCode::OK => {
                        self.client.read_document(response, sink(), target.max_bytes).await.map(Ok)
                    }
                    Ok(response) => {
                        let status = response.status().as_u16();
                        Err(self
                            .invalid(format!("HTTP {status} in response to a GET: expected 200")))
                    }
                    Err(error) => Ok(Err(error)),
                }
            })
            .await
    }

    /// The current session, unless it is `ended`; else a new one, or the error of the attempt that this call has waited
    /// for.
    async fn acquire(&self, ended: Option<&Arc<Logon>>) -> Result<Acquired, Error> {
        // No call waits for a logon that is the probe of a half-open circuit breaker.
        self.client.check_available()?;
        match self.logons.current() {
            Some(logon) if ended.is_none() => Ok(Acquired::Shared(logon)),
            _ => {
                let (client, credentials) =
                    (Arc::clone(&self.client), Arc::clone(&self.credentials));
                let attempt = async move { Logon::new(&client, &credentials).await };
                self.logons.acquire(ended, attempt).await.map(Acquired::New)
            }
        }
    }
}

impl Acquired {
    fn into_logon(self) -> Arc<Logon> {
        let (Self::Shared(logon) | Self::New(logon)) = self;
        logon
    }
}
