//! One request on its way, from sending it to the head of its response, and what the circuit breaker learns from it.
//!
//! A caller may give up before the response. Then one such request of each backend goes on, bounded in time, as the
//! witness of whether the vendor still responds.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::breaker::{Permit, Witness};
use super::error::RequestError;

/// A vendor that sends no response for so long to requests that were given up counts as silent.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);

type Head = BoxFuture<'static, Result<Response, RequestError>>;

/// A request on its way.
pub(super) struct Exchange {
    /// None once it has ended.
    in_flight: Option<(Head, Permit)>,
}

impl Exchange {
    /// Sends `request` when it is first polled; `permit` is that of the breaker.
    pub(super) fn new(client: reqwest::Client, request: reqwest::Request, permit: Permit) -> Self {
        let head =
            async move { client.execute(request).await.map_err(|error| RequestError::of(&error)) };
        Self { in_flight: Some((head.boxed(), permit)) }
    }

    /// The head of the response.
    ///
    /// # Errors
    /// When the request was not sent, or no response came.
    pub(super) async fn response(mut self) -> Result<Response, RequestError> {
        let Some((head, _)) = &mut self.in_flight else {
            return Err(RequestError::NotSent("the request was sent before".to_owned()));
        };
        let result = head.await;
        if let Some((_, permit)) = self.in_flight.take() {
            record(permit, &result);
        }
        result
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Some((head, permit)) = self.in_flight.take() else { return };
        if let Some(witness) = permit.give_up()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(watch(head, permit, witness));
        }
    }
}

/// Waits for the response to a request that was given up; the response itself is dropped.
async fn watch(head: Head, permit: Permit, _witness: Arc<Witness>) {
    match timeout(SILENCE_TIMEOUT, head).await {
        Ok(result) => record(permit, &result),
        Err(_) => permit.silence(format!("no response within {} s", SILENCE_TIMEOUT.as_secs())),
    }
}

fn record(permit: Permit, result: &Result<Response, RequestError>) {
    match result {
        Ok(response) if is_from_proxy_of_absent_vendor(response) => {
            permit.failure(format!("HTTP {}", response.status().as_u16()));
        }
        Ok(_) => permit.success(),
        Err(RequestError::NotSent(why) | RequestError::NoResponse(why)) => {
            permit.failure(why.clone());
        }
        // An error of the request itself says nothing about the vendor.
        Err(_) => {}
    }
}

/// Whether a proxy or load balancer reports that the vendor behind it is down. A 503 with Retry-After is the vendor's own.
fn is_from_proxy_of_absent_vendor(response: &Response) -> bool {
    match response.status() {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => true,
        StatusCode::SERVICE_UNAVAILABLE => !response.headers().contains_key(RETRY_AFTER),
        _ => false,
    }
}
