//! The HTTP client of a backend: timeouts, and what becomes of a request without a response.
//!
//! It follows no redirect: no vendor sends one, and a credential must not reach another host.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::redirect::Policy;

use super::breaker::CircuitBreaker;
use super::error::RequestError;
use super::exchange::Exchange;
use super::metrics::{RequestCounter, RequestMetrics};
use super::rate_limit::{RateLimit, RateLimited, RateLimiter};
use super::retry_after::RetryAfter;
use super::trust::{Trust, TrustError};
use crate::model::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a response may pause. ARM gives its own providers 60 s.
const READ_TIMEOUT: Duration = Duration::from_secs(65);
/// How long a response may take that never pauses and never ends. A gigabyte arrives in it at 4 MB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// A client of one vendor endpoint. Clones share its limits and counts.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    rate_limiter: Option<Arc<RateLimiter>>,
    breaker: Option<Arc<CircuitBreaker>>,
    retry_after: Arc<RetryAfter>,
    counter: Arc<RequestCounter>,
}

impl Client {
    /// A client that accepts the certificates of `trust`, without limits.
    ///
    /// # Errors
    /// When the PEM holds no certificate, or TLS cannot be set up.
    pub fn new(trust: &Trust) -> Result<Self, TrustError> {
        Self::with_timeout(trust, REQUEST_TIMEOUT)
    }

    fn with_timeout(trust: &Trust, request_timeout: Duration) -> Result<Self, TrustError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("restore-point-gateway/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(request_timeout);
        let inner = trust.build(builder)?;
        Ok(Self {
            inner,
            rate_limiter: None,
            breaker: None,
            retry_after: Arc::default(),
            counter: Arc::default(),
        })
    }

    /// The same client with a rate limit and a circuit breaker.
    #[must_use]
    pub fn with_limits(self, limit: RateLimit) -> Self {
        let (rate_limiter, breaker) = (Arc::new(RateLimiter::new(limit)), Arc::default());
        Self { rate_limiter: Some(rate_limiter), breaker: Some(breaker), ..self }
    }

    /// Passes unless the circuit breaker is open: for callers that would prepare a request at some cost, or wait.
    ///
    /// # Errors
    /// [`RequestError::CircuitOpen`].
    pub fn check_available(&self) -> Result<(), RequestError> {
        let breaker = self.breaker.as_ref();
        breaker.map_or(Ok(()), |breaker| breaker.check()).map_err(RequestError::CircuitOpen)
    }

    /// Lowers the rate limiter to what the vendor reports as remaining.
    pub fn lower_rate_limit(&self, remaining: u32) {
        if let Some(rate_limiter) = &self.rate_limiter {
            rate_limiter.lower_to(remaining);
        }
    }

    /// The requests of this client and its clones so far.
    pub fn metrics(&self) -> RequestMetrics {
        self.counter.snapshot(self.rate_limiter.as_ref().map(|limiter| limiter.state()))
    }

    /// The client beneath, to build requests with, and for libraries that take one.
    pub fn inner(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Sends a request when the rate limit allows it, and waits for the head of the response, whatever its status.
    ///
    /// # Errors
    /// When it was not sent, or no response came.
    pub async fn send(&self, request: reqwest::Request) -> Result<reqwest::Response, RequestError> {
        // A request that the breaker or a Retry-After refuses does not wait in the queue first.
        self.check_available()?;
        self.check_retry_after(&request)?;
        if let Some(rate_limiter) = &self.rate_limiter {
            rate_limiter
                .acquire()
                .await
                .map_err(|RateLimited(wait)| RequestError::RateLimited(wait))?;
        }
        self.check_retry_after(&request)?;
        let permit = self.breaker.as_ref().map(|breaker| breaker.acquire()).transpose();
        let permit = permit.map_err(RequestError::CircuitOpen)?;
        let in_flight = self.counter.start();
        let response = Exchange::new(self.inner.clone(), request, permit).response().await;
        if let Ok(response) = &response {
            in_flight.finish(response.status());
        }
        response
    }

    /// Holds requests with this method back until the Retry-After of `error` has passed.
    pub fn hold(&self, method: &Method, error: &Error) {
        self.retry_after.hold(method, error);
    }

    fn check_retry_after(&self, request: &reqwest::Request) -> Result<(), RequestError> {
        self.retry_after.check(request.method()).map_err(RequestError::HeldBack)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn connection_refusals_open_the_circuit_breaker() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?sig=SENSITIVE", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::new(&Trust::Pinned([0; 32])).unwrap();
        let client = client.with_limits(RateLimit { per_second: 1e6, burst: 1000 });
        let send = || client.send(client.inner().get(&url).build().unwrap());
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
        let client = Client::new(&Trust::Pinned([0; 32])).unwrap();
        let client = client.with_limits(RateLimit { per_second: 1e6, burst: 1000 });
        for _ in 0..10 {
            let send = client.send(client.inner().get(&url).build().unwrap());
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
        let client = Client::new(&Trust::Pinned([0; 32])).unwrap();
        let throttled = |seconds| Error::Throttled {
            backend: "v".to_owned(),
            retry_after: Duration::from_secs(seconds),
            detail: "HTTP 429".to_owned(),
        };
        client.hold(&Method::GET, &throttled(3600));
        let send = || client.send(client.inner().get(&url).build().unwrap());
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
        let client =
            Client::with_timeout(&Trust::Pinned([0; 32]), Duration::from_millis(200)).unwrap();
        let response = client.send(client.inner().get(url).build().unwrap()).await.unwrap();
        let error = super::super::collect(response, 1 << 20).await.unwrap_err();
        assert_eq!(error, RequestError::Interrupted("timed out".to_owned()));
    }
}
