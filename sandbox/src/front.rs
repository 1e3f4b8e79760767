//! What stands in front of a simulated vendor: it counts requests, and has faults happen to them.
//!
//! What a request means, and what its answer says, is the vendor's business.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;

use super::Clock;
use super::fault::{self, Answer, Fault, Outcome, Own, Rule, Script, Unheard};
use super::line::Line;

/// No request of a real client is larger.
const LARGEST_REQUEST: usize = 4 << 20;

/// A simulated vendor behind its front.
pub(super) trait Vendor: Send + Sync + 'static {
    /// What only this vendor can do to a request.
    type Own: Own;

    /// Carries a request out.
    fn answer(&self, request: &Parts, body: Bytes, own: Option<Self::Own>) -> Response;

    /// Refuses a request with `status`, in the words that the vendor has for it.
    fn refuse(&self, request: &Parts, status: StatusCode, retry_after: Option<u32>) -> Response;
}

/// How often what was asked for, by method and path.
pub(super) type Tally = BTreeMap<(String, String), usize>;

/// A vendor and its front.
#[derive(Debug)]
pub(super) struct Front<V: Vendor> {
    pub(super) vendor: Arc<V>,
    /// The vendor's own, by which it dates its answers.
    pub(super) clock: Clock,
    script: Mutex<Script<V::Own>>,
    tally: Mutex<Tally>,
}

impl<V: Vendor> Front<V> {
    pub(super) fn new(vendor: V, clock: Clock) -> Arc<Self> {
        let (script, tally) = (Mutex::default(), Mutex::default());
        Arc::new(Self { vendor: Arc::new(vendor), clock, script, tally })
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script<V::Own>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a fault happen to the next `times` requests that match.
    pub(super) fn order(&self, matching: fault::Matching, times: usize, fault: Fault<V::Own>) {
        if let Ok(times) = times.try_into() {
            self.script().add(Rule { matching, times: Some(times), fault });
        }
    }

    pub(super) fn router(self: &Arc<Self>) -> axum::Router {
        axum::Router::new().fallback(serve::<V>).with_state(Arc::clone(self))
    }

    async fn strike(
        &self,
        fault: Fault<V::Own>,
        request: &Parts,
        body: Bytes,
        line: Line,
    ) -> Response {
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        let (answer, content_type, delivery) = match fault.outcome {
            Outcome::Answered { answer, content_type, delivery } => {
                (answer, content_type, delivery)
            }
            Outcome::Lost(own) => {
                self.vendor.answer(request, body, own);
                line.reset();
                return std::future::pending().await;
            }
            Outcome::Unheard(unheard) => {
                match unheard {
                    Unheard::HungUp => line.close(),
                    Unheard::Reset => line.reset(),
                    Unheard::Silence => {}
                }
                return std::future::pending().await;
            }
        };
        let mut response = match answer {
            Answer::Real => self.vendor.answer(request, body, None),
            Answer::Own(own) => self.vendor.answer(request, body, Some(own)),
            Answer::Refusal { status, retry_after } => {
                let mut refusal = self.vendor.refuse(request, status, retry_after);
                if let Some(seconds) = retry_after {
                    refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                refusal
            }
            Answer::Html(status) => fault::html(status),
            Answer::Canned(canned) => fault::verbatim(canned),
        };
        if let Some(content_type) = content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        fault::deliver(response, delivery, line).await
    }
}

async fn serve<V: Vendor>(
    State(front): State<Arc<Front<V>>>,
    Extension(line): Extension<Line>,
    request: Request,
) -> Response {
    let (request, body) = request.into_parts();
    // Read to its end whatever happens then: a connection that is closed on unread bytes is reset.
    let body = axum::body::to_bytes(body, LARGEST_REQUEST).await.unwrap_or_default();
    let called = (request.method.to_string(), request.uri.path().to_owned());
    *front.tally().entry(called).or_default() += 1;
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let fault = front.script().take(&request.method, target);
    let mut response = match fault {
        None => front.vendor.answer(&request, body, None),
        Some(fault) => front.strike(fault, &request, body, line).await,
    };
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&front.clock.now()).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    response
}
