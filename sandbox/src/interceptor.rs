//! Stands in front of every simulator: counts requests, and applies faults to them.
//!
//! The simulator decides what a request means and what its response contains.

use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use crate::clock::Clock;
use crate::connection::ConnectionHandle;
use crate::fault::{
    Content, Effect, Fault, Fields, InvalidField, Matching, NoResponse, Rule, RuleList,
    VendorFault, canned_response, deliver, html_page,
};
use crate::lock::lock;
use crate::simulated_vendor::{CallCounts, TrafficControl};

/// Above the request sizes of real clients.
const MAX_REQUEST_BYTES: usize = 4 << 20;

/// The part of a simulated vendor that serves requests.
pub(crate) trait Simulator: Send + Sync + 'static {
    /// The faults that only this vendor has.
    type Fault: VendorFault;

    /// Executes a request.
    fn respond(&self, request: &Parts, body: Bytes, fault: Option<Self::Fault>) -> Response;

    /// The vendor's error response with `status`, without executing the request.
    fn error(&self, request: &Parts, status: StatusCode, retry_after: Option<u32>) -> Response;
}

/// A simulator with its faults and call counts.
#[derive(Debug)]
pub(crate) struct Interceptor<S: Simulator> {
    pub(crate) simulator: S,
    /// The vendor's clock, for the `Date` header.
    clock: Clock,
    rules: Mutex<RuleList<S::Fault>>,
    calls: Mutex<CallCounts>,
}

impl<S: Simulator> Interceptor<S> {
    pub(crate) fn new(simulator: S, clock: Clock) -> Arc<Self> {
        Arc::new(Self { simulator, clock, rules: Mutex::default(), calls: Mutex::default() })
    }

    pub(crate) fn router(self: &Arc<Self>) -> axum::Router {
        axum::Router::new().fallback(serve::<S>).with_state(Arc::clone(self))
    }

    /// Applies a fault to the next `times` requests that match.
    pub(crate) fn inject(&self, matching: Matching, times: usize, fault: Fault<S::Fault>) {
        if let Ok(times) = times.try_into() {
            self.add_rule(Rule { matching, times: Some(times), fault });
        }
    }

    pub(crate) fn add_rule(&self, rule: Rule<S::Fault>) {
        lock(&self.rules).add(rule);
    }

    async fn apply(
        &self,
        fault: Fault<S::Fault>,
        request: &Parts,
        body: Bytes,
        connection: ConnectionHandle,
    ) -> Response {
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        let (content, content_type, delivery) = match fault.effect {
            Effect::Response { content, content_type, delivery } => {
                (content, content_type, delivery)
            }
            Effect::ReplyLost(fault) => {
                self.simulator.respond(request, body, fault);
                connection.reset();
                return std::future::pending().await;
            }
            Effect::NoResponse(reason) => {
                match reason {
                    NoResponse::Closed => connection.close(),
                    NoResponse::Reset => connection.reset(),
                    NoResponse::Silence => {}
                }
                return std::future::pending().await;
            }
        };
        let mut response = match content {
            Content::Real => self.simulator.respond(request, body, None),
            Content::VendorFault(fault) => self.simulator.respond(request, body, Some(fault)),
            Content::Error { status, retry_after } => {
                let mut error = self.simulator.error(request, status, retry_after);
                if let Some(seconds) = retry_after {
                    error.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                error
            }
            Content::Html(status) => html_page(status),
            Content::Canned(canned) => canned_response(canned),
        };
        if let Some(content_type) = content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        deliver(response, delivery, connection).await
    }
}

async fn serve<S: Simulator>(
    State(interceptor): State<Arc<Interceptor<S>>>,
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
) -> Response {
    let (request, body) = request.into_parts();
    // Always read to the end: closing a connection with unread bytes resets it.
    let body = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
    let call = (request.method.to_string(), request.uri.path().to_owned());
    *lock(&interceptor.calls).entry(call).or_default() += 1;
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let fault = lock(&interceptor.rules).take(&request.method, target);
    let mut response = match fault {
        None => interceptor.simulator.respond(&request, body, None),
        Some(fault) => interceptor.apply(fault, &request, body, connection).await,
    };
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&interceptor.clock.now()).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    response
}

impl<S: Simulator> TrafficControl for Interceptor<S> {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn add_fault(&self, fields: Fields) -> Result<Value, InvalidField> {
        let rule = Rule::parse(fields)?;
        Ok(lock(&self.rules).add(rule).to_json())
    }

    fn faults(&self) -> Vec<Value> {
        lock(&self.rules).entries().iter().map(|entry| entry.to_json()).collect()
    }

    fn remove_fault(&self, id: u64) -> bool {
        lock(&self.rules).remove(id)
    }

    fn clear_faults(&self) -> usize {
        lock(&self.rules).clear()
    }

    fn call_counts(&self) -> CallCounts {
        lock(&self.calls).clone()
    }

    fn reset_call_counts(&self) {
        lock(&self.calls).clear();
    }
}
