//! The HTTP client: how long it waits, and what a call without an answer is called.
//!
//! It follows no redirect: neither vendor sends one, and a credential must not wander off.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;

use super::breaker::{Breaker, Outage};
use super::budget::{Budget, Rate, Spent};
use super::redact::chain;
use super::trust::{Trust, TrustError};
use super::usage::{Meter, Usage};
use crate::model::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a vendor may be silent. ARM itself gives its providers 60 s.
const READ_TIMEOUT: Duration = Duration::from_secs(65);
/// How long an answer may take that never pauses and never ends. A gigabyte arrives in it at 4 MB/s.
const LONGEST_CALL: Duration = Duration::from_secs(300);
/// What a caller is told when the vendor does not say when it will be back.
pub const RETRY_AFTER_OUTAGE: Duration = Duration::from_secs(5);

/// A client of one vendor endpoint.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    budget: Option<Arc<Budget>>,
    meter: Arc<Meter>,
    breaker: Option<Arc<Breaker>>,
}

impl Client {
    /// A client that trusts `trust`.
    ///
    /// # Errors
    /// When the PEM holds no certificate, or TLS cannot be set up.
    pub fn new(trust: &Trust) -> Result<Self, TrustError> {
        Self::with_patience(trust, LONGEST_CALL)
    }

    fn with_patience(trust: &Trust, longest_call: Duration) -> Result<Self, TrustError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("restore-point-gateway/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(longest_call);
        let inner = trust.given_to(builder)?;
        Ok(Self { inner, budget: None, breaker: None, meter: Arc::default() })
    }

    /// The same for calls of one vendor: held to so many requests by all its clones together, and to a rest while
    /// the vendor does not answer.
    #[must_use]
    pub fn within(self, rate: Rate) -> Self {
        let (budget, breaker) = (Arc::new(Budget::new(rate)), Arc::default());
        Self { budget: Some(budget), breaker: Some(breaker), ..self }
    }

    /// Whether the vendor is asked at all at the moment: for whoever would prepare a call at some cost, or wait.
    ///
    /// # Errors
    /// [`Failure::Outage`].
    pub fn look(&self) -> Result<(), Failure> {
        self.breaker.as_ref().map_or(Ok(()), |breaker| breaker.look()).map_err(Failure::Outage)
    }

    /// Believes the vendor that no more than so many requests are left at the moment.
    pub fn at_most(&self, left: u32) {
        if let Some(budget) = &self.budget {
            budget.at_most(left);
        }
    }

    /// What this client and its clones have asked so far, and may ask now.
    pub fn usage(&self) -> Usage {
        self.meter.usage(self.budget.as_ref().map(|budget| budget.allowance()))
    }

    /// The client beneath, to build requests with, and for libraries that take one.
    pub fn inner(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Sends a request when the budget allows it, and waits for the head of the answer, whatever its status.
    ///
    /// # Errors
    /// When it was not sent, or no answer came.
    pub async fn send(&self, request: reqwest::Request) -> Result<reqwest::Response, Failure> {
        // Nobody waits for his turn at a vendor that is not asked.
        self.look()?;
        if let Some(budget) = &self.budget {
            budget.take().await.map_err(|Spent(wait)| Failure::Spent(wait))?;
        }
        let pass = self.breaker.as_ref().map(|breaker| breaker.pass()).transpose();
        let pass = pass.map_err(Failure::Outage)?;
        let asked = self.meter.begin();
        let answer = self.inner.execute(request).await.map_err(|error| Failure::of(&error));
        if let Ok(response) = &answer {
            asked.answered(response.status());
        }
        if let Some(pass) = pass {
            match &answer {
                Ok(response) if is_none(response) => {
                    pass.unanswered(format!("HTTP {}", response.status().as_u16()));
                }
                Ok(_) => pass.answered(),
                Err(Failure::NotSent(why) | Failure::NoReply(why)) => pass.unanswered(why.clone()),
                // What is wrong with the request itself tells nothing.
                Err(_) => {}
            }
        }
        answer
    }
}

/// Whether an answer is as good as none: something says in the vendor's place that it is away. A 503 with a
/// Retry-After is the vendor's own word, and obeyed as such.
fn is_none(response: &reqwest::Response) -> bool {
    match response.status() {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => true,
        StatusCode::SERVICE_UNAVAILABLE => !response.headers().contains_key(RETRY_AFTER),
        _ => false,
    }
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No connection: name, route, refusal, TLS. The request has had no effect.
    NotSent(String),
    /// Not sent: the gateway's own budget for the vendor is spent for so long.
    Spent(Duration),
    /// Not sent: the vendor has left so many calls unanswered that it is not asked for a while.
    Outage(Outage),
    /// Sent, perhaps carried out, but no answer came.
    NoReply(String),
    /// The answer broke off.
    Interrupted(String),
    /// The answer is larger than what the gateway reads.
    TooLarge(u64),
}

impl Failure {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let text = chain(error);
        if error.is_connect() || error.is_builder() {
            Self::NotSent(text)
        } else if error.is_body() || error.is_decode() {
            Self::Interrupted(text)
        } else {
            Self::NoReply(text)
        }
    }

    /// The failure in the words of the house.
    pub fn into_error(self, backend: &str) -> Error {
        let backend = backend.to_owned();
        match self {
            Self::NotSent(detail) | Self::NoReply(detail) => {
                Error::Unavailable { backend, retry_after: RETRY_AFTER_OUTAGE, detail }
            }
            Self::Spent(retry_after) => Error::BudgetSpent { backend, retry_after },
            Self::Outage(Outage { since, again, last }) => {
                Error::Outage { backend, since, retry_after: again, detail: last }
            }
            Self::Interrupted(detail) => Error::Interrupted { backend, detail },
            Self::TooLarge(limit) => Error::ResponseInvalid {
                backend,
                problem: format!("it is larger than {limit} bytes"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_vendor_that_takes_no_connections_is_left_alone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?sig=SENSITIVE", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::new(&Trust::Pinned([0; 32])).unwrap();
        let client = client.within(Rate { per_second: 1e6, burst: 1000 });
        let send = || client.send(client.inner().get(&url).build().unwrap());
        for _ in 0..10 {
            let failure = send().await.unwrap_err();
            assert!(matches!(failure, Failure::NotSent(_)), "{failure:?}");
        }
        let Failure::Outage(outage) = send().await.unwrap_err() else { panic!("it was sent") };
        assert!(
            outage.last.contains("refused") && !outage.last.contains("SENSITIVE"),
            "{outage:?}"
        );
        let error = Failure::Outage(outage).into_error("v").to_string();
        assert!(error.starts_with("backends/v has not answered since 20"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_never_pauses_and_never_ends_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.read_u8().await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n").await.unwrap();
            // A gzip stream of empty blocks: it unfolds into nothing, for ever.
            socket.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]).await.unwrap();
            while socket.write_all(&[0, 0, 0, 0xff, 0xff].repeat(1000)).await.is_ok() {}
        });
        let client =
            Client::with_patience(&Trust::Pinned([0; 32]), Duration::from_millis(200)).unwrap();
        let response = client.send(client.inner().get(url).build().unwrap()).await.unwrap();
        let failure = super::super::collect(response, 1 << 20).await.unwrap_err();
        assert_eq!(failure, Failure::Interrupted("it did not answer in time".to_owned()));
    }
}
