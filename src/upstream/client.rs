//! The HTTP client of an upstream: every request to a vendor or its authority takes the layers of [`Client::send`], from
//! top to bottom, and what becomes of it follows from its [`Intent`].
//!
//! It follows no redirect: no vendor sends one, and a credential must not reach another host.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;

use super::breaker::CircuitBreaker;
use super::connection::Connection;
use super::error::RequestError;
use super::exchange::Exchange;
use super::intent::{Effect, Intent, Sensitivity};
use super::metrics::{RequestCounter, RequestMetrics, Upstream};
use super::rate_limit::{RateLimit, RateLimited, RateLimiter};
use super::redact::redact_url;
use super::retry;
use super::retry_after::RetryAfter;
use super::retry_budget::RetryBudget;
use super::trust::TrustError;
use crate::model::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a response may pause. ARM gives its own providers 60 s.
const READ_TIMEOUT: Duration = Duration::from_secs(65);
/// How long a response may take that never pauses and never ends. A gigabyte arrives in it at 4 MB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// A client of one upstream. Clones share its limits and counts.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    /// The backend that it belongs to, for traces.
    backend: Arc<str>,
    upstream: Upstream,
    rate_limiter: Arc<RateLimiter>,
    breaker: Arc<CircuitBreaker>,
    retry_after: Arc<RetryAfter>,
    retry_budget: Arc<RetryBudget>,
    counter: Arc<RequestCounter>,
}

impl Client {
    /// The client of a backend's upstream.
    ///
    /// # Errors
    /// When the certificates or the proxy of `connection` cannot be used.
    pub fn new(
        backend: &str,
        upstream: Upstream,
        connection: &Connection,
        limit: RateLimit,
    ) -> Result<Self, TrustError> {
        let inner = build(connection, REQUEST_TIMEOUT)?;
        Ok(Self::over(inner, backend.into(), upstream, limit))
    }

    /// A client of another upstream of the same backend. It shares the connections, and has limits and counts of its own.
    #[must_use]
    pub fn sibling(&self, upstream: Upstream, limit: RateLimit) -> Self {
        Self::over(self.inner.clone(), Arc::clone(&self.backend), upstream, limit)
    }

    fn over(
        inner: reqwest::Client,
        backend: Arc<str>,
        upstream: Upstream,
        limit: RateLimit,
    ) -> Self {
        Self {
            inner,
            backend,
            upstream,
            rate_limiter: Arc::new(RateLimiter::new(limit)),
            breaker: Arc::default(),
            retry_after: Arc::default(),
            retry_budget: Arc::default(),
            counter: Arc::default(),
        }
    }

    /// Passes unless the circuit breaker is open: for callers that would prepare a request at some cost, or wait.
    ///
    /// # Errors
    /// [`RequestError::CircuitOpen`].
    pub fn check_available(&self) -> Result<(), RequestError> {
        self.breaker.check().map_err(RequestError::CircuitOpen)
    }

    /// Lowers the rate limiter to what the vendor reports as remaining.
    pub fn lower_rate_limit(&self, remaining: u32) {
        self.rate_limiter.lower_to(remaining);
    }

    /// The requests of this client and its clones so far.
    pub fn metrics(&self) -> RequestMetrics {
        self.counter.snapshot(self.upstream, Some(self.rate_limiter.state()))
    }

    /// The backend that it belongs to.
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// The client beneath, to build requests with.
    pub fn inner(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Sends a request once, and waits for the head of the response, whatever its status.
    ///
    /// # Errors
    /// When it was not sent, or no response came.
    pub async fn send(
        &self,
        intent: Intent,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, RequestError> {
        let Intent { effect, .. } = intent;
        // The breaker and a Retry-After come first: a request that they refuse does not wait in the queue.
        self.check_available()?;
        self.retry_after.check(effect).map_err(RequestError::HeldBack)?;
        // The rate limit: the vendor throttles all callers when one asks too often.
        self.rate_limiter
            .acquire()
            .await
            .map_err(|RateLimited(wait)| RequestError::RateLimited(wait))?;
        // A Retry-After may have come, and the breaker may have opened, while the request was waiting.
        self.retry_after.check(effect).map_err(RequestError::HeldBack)?;
        let permit = self.breaker.acquire().map_err(RequestError::CircuitOpen)?;
        // What is counted and traced is what is sent.
        let trace = RequestTrace::of(self, intent.sensitivity, &request);
        let in_flight = self.counter.start();
        // The connection with its time limits, and what the breaker learns.
        let response = Exchange::new(self.inner.clone(), request, permit).response().await;
        if let Ok(response) = &response {
            in_flight.finish(response.status());
        }
        trace.finish(response.as_ref().ok());
        response
    }

    /// Makes attempts at a request with this intent: several for a read, one for any other, as the backoff and the retry
    /// budget allow.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn retry<T, F>(&self, intent: Intent, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.retry_budget.deposit();
        retry::retry(&self.retry_budget, intent.effect, attempt).await
    }

    /// Whether a write whose response was lost may be repeated, once the backend has seen that it had no effect.
    pub fn may_repeat(&self, intent: Intent) -> bool {
        intent.effect == Effect::IdempotentWrite && self.retry_budget.withdraw()
    }

    /// Holds requests with this effect back until the Retry-After of `error` has passed.
    pub fn hold(&self, effect: Effect, error: &Error) {
        self.retry_after.hold(effect, error);
    }
}

fn build(connection: &Connection, timeout: Duration) -> Result<reqwest::Client, TrustError> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("restore-point-gateway/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(timeout);
    connection.trust.build(connection.proxy.apply(builder)?)
}

/// What a trace of a request says.
struct RequestTrace {
    backend: Arc<str>,
    upstream: &'static str,
    method: reqwest::Method,
    url: String,
}

impl RequestTrace {
    fn of(client: &Client, sensitivity: Sensitivity, request: &reqwest::Request) -> Self {
        let url = match sensitivity {
            Sensitivity::Ordinary => redact_url(request.url()),
            Sensitivity::Sensitive => request.url().origin().ascii_serialization(),
        };
        let method = request.method().clone();
        Self {
            backend: Arc::clone(&client.backend),
            upstream: client.upstream.label(),
            method,
            url,
        }
    }

    fn finish(&self, response: Option<&reqwest::Response>) {
        let Self { backend, upstream, method, url } = self;
        let status = response.map(|response| response.status().as_u16());
        tracing::debug!(%backend, upstream, %method, url, status, "upstream request");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::upstream::{Proxy, Trust};

    fn connection() -> Connection {
        Connection { trust: Trust::Pinned([0; 32]), proxy: Proxy::Direct }
    }

    fn client() -> Client {
        let limit = RateLimit { per_second: 1e6, burst: 1000 };
        Client::new("v", Upstream::Vendor, &connection(), limit).unwrap()
    }

    #[tokio::test]
    async fn connection_refusals_open_the_circuit_breaker() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?sig=SENSITIVE", listener.local_addr().unwrap());
        drop(listener);
        let client = client();
        let send = || client.send(Intent::READ, client.inner().get(&url).build().unwrap());
        for _ in 0..10 {
            let error = send().await.unwrap_err();
            assert!(matches!(error, RequestError::NotSent(_)), "{error:?}");
        }
        let RequestError::CircuitOpen(open) = send().await.unwrap_err() else {
            panic!("it was sent")
        };
        assert!(
            open.last_error.contains("refused") && !open.last_error.contains("SENSITIVE"),
            "{open:?}"
        );
        let error = RequestError::CircuitOpen(open).into_error("v").to_string();
        assert!(error.starts_with("backends/v has not responded since 20"), "{error}");
    }

    /// Advances the clock while real sockets are idle.
    async fn advance(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_silent_vendor_opens_the_circuit_breaker_although_every_caller_gives_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = client();
        for _ in 0..10 {
            let send = client.send(Intent::READ, client.inner().get(&url).build().unwrap());
            let request = async {
                let (mut socket, _) = listener.accept().await.unwrap();
                socket.read_u8().await.unwrap();
                socket
            };
            tokio::select! {
                socket = request => std::mem::forget(socket),
                response = send => panic!("{response:?}"),
            }
        }
        assert_eq!(client.check_available(), Ok(()));
        advance(Duration::from_secs(11)).await;
        while client.check_available().is_ok() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn requests_during_a_retry_after_are_not_sent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = client();
        let throttled = |seconds| Error::Throttled {
            backend: "v".to_owned(),
            retry_after: Duration::from_secs(seconds),
            detail: "HTTP 429".to_owned(),
        };
        client.hold(Effect::Read, &throttled(3600));
        let send = || client.send(Intent::READ, client.inner().get(&url).build().unwrap());
        let error = send().await.unwrap_err().into_error("v");
        assert!(error.is_transient() && error.retry_after() > Some(Duration::from_secs(3000)));
        drop(listener);
        advance(Duration::from_secs(3601)).await;
        let error = send().await.unwrap_err();
        assert!(matches!(error, RequestError::NotSent(_)), "it was sent: {error:?}");
    }

    #[tokio::test]
    async fn a_response_that_never_pauses_and_never_ends_times_out() {
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
        let inner = build(&connection(), Duration::from_millis(200)).unwrap();
        let client = Client { inner, ..client() };
        let response =
            client.send(Intent::READ, client.inner().get(url).build().unwrap()).await.unwrap();
        let error = super::super::collect(response, 1 << 20).await.unwrap_err();
        assert_eq!(error, RequestError::Interrupted("timed out".to_owned()));
    }
}
