//! From a request to an answer: who may ask, with which api-version, and who answers.
//!
//! One lock holds the world; no request ever waits inside it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::discovery::Directory;
use super::login::Login;
use super::names::{Access, Address, Place, Provider};
use super::point::Failure;
use super::refusal::Refusal;
use super::reply::{self, Correlation, Reply};
use super::script::{Own, refusal};
use super::world::World;
use super::{access, collections, disk_points, limits, lists, locks, points, size, versions, wire};
use crate::fault::{self, Canned};
use crate::front::Vendor;

/// Everything behind the listener.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) login: Login,
    pub(super) world: Mutex<World>,
}

/// What the handlers need to know of a request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) now: Timestamp,
    /// `https://{host}/subscriptions/{subscription}`, by the host that was asked for.
    pub(super) root: String,
    pub(super) version: String,
    pub(super) expand: Option<String>,
    pub(super) skip: Option<String>,
    pub(super) request_id: Uuid,
    pub(super) tenant: String,
    /// How a creation is to fail.
    pub(super) doom: Option<Failure>,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        // Through a map, since a body that is an array would pass for a structure.
        serde_json::from_slice(&self.body)
            .and_then(|members: serde_json::Map<_, _>| serde_json::from_value(members.into()))
            .map_err(|error| Refusal::unreadable(&error))
    }

    /// Whether `$expand` was given; each read knows only one value.
    pub(super) fn expand_only(&self, known: &str) -> Result<bool, Refusal> {
        match &self.expand {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case(known) => Ok(true),
            Some(value) => {
                let message = format!("The value '{value}' of parameter $expand is invalid.");
                Err(Refusal::parameter("$expand", &message))
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// Paths are compared without regard to case, which no router does.
impl Vendor for Server {
    type Own = Own;

    fn answer(&self, parts: &Parts, body: Bytes, own: Option<Own>) -> Response {
        let address = Address::parse(parts.uri.path());
        if let Place::Token { tenant } = &address.place {
            let (status, body) = self.login.grant(tenant, host(parts), &body);
            return token_reply(status, body);
        }
        if let Place::Signpost(signpost) = &address.place {
            let origin = format!("https://{}", host(parts));
            let (status, body) = signpost.answer(&self.login, &origin);
            return json_reply(status, wire::compact(&body));
        }
        let doom = own.map(Own::doom);
        self.manage(parts, &address.place, body, doom, |world, call| {
            self.pass(world, parts, &address, call)?;
            limits::charge(world, call, &parts.method, &address.place)?;
            locks::check(world, &parts.method, &address.place)?;
            let query = parts.uri.query().unwrap_or_default();
            handle(world, call, &parts.method, &address.place, query)
        })
    }

    fn refuse(&self, parts: &Parts, status: StatusCode, retry_after: Option<u32>) -> Response {
        let (path, client) = (parts.uri.path(), &self.login.client);
        let place = Address::parse(path).place;
        if let Place::Token { .. } = place {
            return token_reply(status, Login::refusal(status));
        }
        let action = action(&parts.method, &place);
        self.manage(parts, &place, Bytes::new(), None, |_, _| {
            Err(refusal(status, retry_after, client, &action, path))
        })
    }
}

impl Server {
    /// Has `decide` what is answered, and dresses it.
    fn manage(
        &self,
        parts: &Parts,
        place: &Place,
        body: Bytes,
        doom: Option<Failure>,
        decide: impl FnOnce(&mut World, &Call) -> Result<Reply, Refusal>,
    ) -> Response {
        let mut world = lock(&self.world);
        let now = world.settings.clock.now();
        world.settle(now);
        let query = parts.uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.into_owned())
        };
        let call = Call {
            now,
            root: format!("https://{}/subscriptions/{}", host(parts), world.subscription),
            version: parameter("api-version").unwrap_or_default(),
            expand: parameter("$expand"),
            skip: parameter("$skiptoken"),
            request_id: world.dice.guid(),
            tenant: self.login.tenant.clone(),
            doom,
            body,
        };
        let mut reply = decide(&mut world, &call)
            .and_then(|reply| size::within(&world, &call, reply))
            .unwrap_or_else(Reply::from);
        reply.headers.extend(limits::headers(&world, &call, &parts.method, place, reply.voice));
        let correlation = self.correlation(parts, &call);
        drop(world);
        let mut response = Response::new(Body::from(reply.body.clone()));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply::dress(&reply, &correlation);
        response
    }

    /// What the gateway checks before it asks a provider.
    fn pass(
        &self,
        world: &World,
        parts: &Parts,
        address: &Address,
        call: &Call,
    ) -> Result<(), Refusal> {
        self.login.admit(header(parts, "authorization"))?;
        let given = address.subscription.as_deref().unwrap_or_default();
        let everybodys = matches!(
            address.place,
            Place::Directory(Directory::Tenants | Directory::Subscriptions)
        );
        if !everybodys && !given.eq_ignore_ascii_case(&world.subscription) {
            let message = format!("The subscription '{given}' could not be found.");
            let status = StatusCode::NOT_FOUND;
            return Err(Refusal::gateway(status, "SubscriptionNotFound", &message));
        }
        versions::check(&address.place, &call.version)
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

fn handle(
    world: &mut World,
    call: &Call,
    method: &Method,
    place: &Place,
    query: &str,
) -> Result<Reply, Refusal> {
    match (method, place) {
        (&Method::GET, Place::Directory(directory)) => directory.answer(world, call),
        (&Method::GET, Place::AllCollections) => lists::all(world, call),
        (&Method::GET, Place::GroupCollections { group }) => lists::by_group(world, call, group),
        (&Method::GET, Place::Collection(name)) => collections::get(world, call, name),
        (&Method::PUT, Place::Collection(name)) => collections::put(world, call, name),
        (&Method::PATCH, Place::Collection(name)) => collections::patch(world, call, name),
        (&Method::DELETE, Place::Collection(name)) => collections::delete(world, call, name),
        (&Method::GET, Place::Point(name)) => points::get(world, call, name),
        (&Method::PUT, Place::Point(name)) => points::put(world, call, name),
        (&Method::DELETE, Place::Point(name)) => points::delete(world, call, name),
        (&Method::GET, Place::DiskPoints(name)) => disk_points::list(world, call, name),
        (&Method::GET, Place::DiskPoint(name, disk)) => disk_points::get(world, call, name, disk),
        (&Method::POST, Place::DiskAccess(name, disk, Access::Begin)) => {
            access::begin(world, call, name, disk)
        }
        (&Method::POST, Place::DiskAccess(name, disk, Access::End)) => {
            access::end(world, call, name, disk)
        }
        (&Method::GET, Place::Operation { id, by }) => {
            let operation = world.operations.get(&id.to_lowercase());
            let operation = operation.filter(|operation| operation.by == *by);
            operation.ok_or_else(Refusal::entity_not_found)?.read(query, call.now)
        }
        (_, Place::Elsewhere) => Err(Refusal::unknown_type(&call.version)),
        _ => {
            let message =
                format!("The requested resource does not support http method '{method}'.");
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Err(Refusal::provider(status, "HttpMethodNotSupported", &message))
        }
    }
}

/// The right that a request needs, as it is named in role definitions.
fn action(method: &Method, place: &Place) -> String {
    let kind = match place {
        Place::Point(_) => "restorePointCollections/restorePoints",
        Place::DiskPoints(_) | Place::DiskPoint(..) => {
            "restorePointCollections/restorePoints/diskRestorePoints"
        }
        Place::DiskAccess(_, _, Access::Begin) => {
            "restorePointCollections/restorePoints/diskRestorePoints/beginGetAccess"
        }
        Place::DiskAccess(_, _, Access::End) => {
            "restorePointCollections/restorePoints/diskRestorePoints/endGetAccess"
        }
        Place::Operation { by: Provider::Compute, .. } => "locations/operations",
        Place::Operation { by: Provider::Disk, .. } => "locations/DiskOperations",
        _ => "restorePointCollections",
    };
    let verb = match *method {
        Method::GET => "read",
        Method::DELETE => "delete",
        Method::POST => "action",
        _ => "write",
    };
    format!("Microsoft.Compute/{kind}/{verb}")
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// HTTP/2 has the host in the URI, HTTP/1.1 in a header.
fn host(parts: &Parts) -> &str {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| header(parts, "host")).unwrap_or("localhost")
}

fn token_reply(status: StatusCode, body: String) -> Response {
    let mut reply = json_reply(status, body);
    let uncached = HeaderValue::from_static("no-store, no-cache");
    reply.headers_mut().insert(header::CACHE_CONTROL, uncached);
    reply
}

fn json_reply(status: StatusCode, body: String) -> Response {
    let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
    fault::verbatim(Canned { status: status.as_u16(), headers, body: body.into() })
}
