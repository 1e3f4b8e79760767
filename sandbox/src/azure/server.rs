//! From a request to its response: authentication, api-version, throttling, then the handler of the route.
//!
//! One lock holds the subscription; no request waits while it holds the lock.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::call::Call;
use super::dto::format;
use super::error_response::ErrorResponse;
use super::handlers::{locks, metadata, response_size};
use super::login::service::LoginService;
use super::model::subscription::Subscription;
use super::operation_error::OperationError;
use super::reply::{self, Correlation, Reply};
use super::resource_path::{DirectoryResource, ResourcePath, Route};
use super::router::{action, dispatch};
use super::vendor_fault::VendorFault;
use super::{api_version, injected_error, throttling};
use crate::fault::{self, Canned};
use crate::interceptor::Simulator;
use crate::lock::lock;

/// The resource manager and the login service, without the socket.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) login: Arc<LoginService>,
    pub(crate) subscription: Mutex<Subscription>,
}

// Paths compare without regard to case, which axum's router does not support.
impl Simulator for Server {
    type Fault = VendorFault;

    fn respond(&self, parts: &Parts, body: Bytes, fault: Option<VendorFault>) -> Response {
        let path = ResourcePath::parse(parts.uri.path());
        if let Route::Token { tenant } = &path.route {
            let (status, body) = self.login.token(tenant, host(parts), &body);
            return token_response(status, body);
        }
        if let Route::Metadata(document) = &path.route {
            let origin = format!("https://{}", host(parts));
            let (status, body) = metadata::get(document, &self.login.tenant, &origin);
            return json_response(status, format::compact(&body));
        }
        let planned_failure = fault.map(VendorFault::operation_error);
        self.respond_with(parts, &path.route, body, planned_failure, |subscription, call| {
            self.check(subscription, parts, &path, call)?;
            throttling::charge(subscription, call, &parts.method, &path.route)?;
            locks::check(subscription, &parts.method, &path.route)?;
            let query = parts.uri.query().unwrap_or_default();
            dispatch(subscription, call, &parts.method, &path.route, query)
        })
    }

    fn error(&self, parts: &Parts, status: StatusCode, retry_after: Option<u32>) -> Response {
        let (path, client) = (parts.uri.path(), &self.login.client);
        let route = ResourcePath::parse(path).route;
        if let Route::Token { .. } = route {
            return token_response(status, LoginService::injected_error(status));
        }
        let action = action(&parts.method, &route);
        self.respond_with(parts, &route, Bytes::new(), None, |_, _| {
            Err(injected_error::error(status, retry_after, client, &action, path))
        })
    }
}

impl Server {
    /// The response of `handle`, with all headers.
    fn respond_with(
        &self,
        parts: &Parts,
        route: &Route,
        body: Bytes,
        planned_failure: Option<OperationError>,
        handle: impl FnOnce(&mut Subscription, &Call) -> Result<Reply, ErrorResponse>,
    ) -> Response {
        let mut subscription = lock(&self.subscription);
        let now = subscription.settings.clock.now();
        subscription.advance_to(now);
        let query = parts.uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.into_owned())
        };
        let call = Call {
            now,
            subscription_url: format!("https://{}/subscriptions/{}", host(parts), subscription.id),
            api_version: parameter("api-version").unwrap_or_default(),
            expand: parameter("$expand"),
            skip_token: parameter("$skiptoken"),
            request_id: subscription.rng.guid(),
            tenant: self.login.tenant.clone(),
            planned_failure,
            body,
        };
        let mut reply = handle(&mut subscription, &call)
            .and_then(|reply| response_size::check(&subscription, &call, reply))
            .unwrap_or_else(Reply::from);
        let responder = reply.responder;
        let remaining = throttling::headers(&subscription, &call, &parts.method, route, responder);
        reply.headers.extend(remaining);
        let correlation = self.correlation(parts, &call);
        drop(subscription);
        let mut response = Response::new(Body::from(reply.body.clone()));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply::headers(&reply, &correlation);
        response
    }

    /// The gateway's checks before it forwards a request to a provider.
    fn check(
        &self,
        subscription: &Subscription,
        parts: &Parts,
        path: &ResourcePath,
        call: &Call,
    ) -> Result<(), ErrorResponse> {
        self.login.authenticate(header(parts, "authorization"))?;
        let given = path.subscription.as_deref().unwrap_or_default();
        let has_no_subscription = matches!(
            path.route,
            Route::Directory(DirectoryResource::Tenants | DirectoryResource::Subscriptions)
        );
        if !has_no_subscription && !given.eq_ignore_ascii_case(&subscription.id) {
            let message = format!("The subscription '{given}' could not be found.");
            let status = StatusCode::NOT_FOUND;
            return Err(ErrorResponse::gateway(status, "SubscriptionNotFound", &message));
        }
        api_version::check(&path.route, &call.api_version)
    }

    fn correlation(&self, parts: &Parts, call: &Call) -> Correlation {
        let wants_echo = header(parts, "x-ms-return-client-request-id")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Correlation {
            request_id: call.request_id,
            correlation_id: header(parts, "x-ms-correlation-request-id")
                .map_or_else(|| call.request_id.to_string(), str::to_owned),
            client_request_id: header(parts, "x-ms-client-request-id")
                .filter(|_| wants_echo)
                .map(str::to_owned),
            tenant: self.login.tenant.clone(),
            time: call.now,
        }
    }
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// HTTP/2 has the host in the URI, HTTP/1.1 in a header.
fn host(parts: &Parts) -> &str {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| header(parts, "host")).unwrap_or("localhost")
}

fn token_response(status: StatusCode, body: String) -> Response {
    let mut response = json_response(status, body);
    let no_store = HeaderValue::from_static("no-store, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

fn json_response(status: StatusCode, body: String) -> Response {
    let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
    fault::canned_response(Canned { status: status.as_u16(), headers, body: body.into() })
}
