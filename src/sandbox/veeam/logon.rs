//! Logon sessions: who is in, by which token, and until when.
//!
//! One account, with every role. Logging on as a tenant is not simulated.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::document::{Element, link};
use super::kinds::Kind;
use super::wire::BASE;

pub(super) const USERNAME: &str = "SRV12\\Administrator";
/// With a colon, as only the first one in Basic credentials divides.
pub(super) const PASSWORD: &str = "Pa:ss w0rd";

/// The header and the cookie that carry the token.
pub(super) const TOKEN: &str = "X-RestSvcSessionId";

/// The API versions a present-day server speaks.
pub(super) const VERSIONS: [&str; 3] = ["v1_5", "v1_6", "v1_7"];

/// Sessions by id, with the time of the last request.
#[derive(Debug, Default)]
pub(super) struct Logons {
    last_seen: BTreeMap<Uuid, Timestamp>,
}

impl Logons {
    pub(super) fn open(&mut self, now: Timestamp) -> Uuid {
        let id = Uuid::new_v4();
        self.last_seen.insert(id, now);
        id
    }

    /// Lets the bearer of a live token in, and renews it.
    pub(super) fn admit(&mut self, token: &str, now: Timestamp, idle: SignedDuration) -> bool {
        self.expire(now, idle);
        let session = self.last_seen.iter_mut().find(|(id, _)| self::token(**id) == token);
        session.map(|(_, last_seen)| *last_seen = now).is_some()
    }

    pub(super) fn live(&mut self, now: Timestamp, idle: SignedDuration) -> Vec<Uuid> {
        self.expire(now, idle);
        self.last_seen.keys().copied().collect()
    }

    pub(super) fn close(&mut self, id: Uuid) -> bool {
        self.last_seen.remove(&id).is_some()
    }

    pub(super) fn close_all(&mut self) {
        self.last_seen.clear();
    }

    fn expire(&mut self, now: Timestamp, idle: SignedDuration) {
        self.last_seen.retain(|_, last_seen| now.duration_since(*last_seen) < idle);
    }
}

/// The token of a session: the base64 of its id as text.
pub(super) fn token(id: Uuid) -> String {
    STANDARD.encode(id.to_string())
}

/// The token a request bears. The cookie wins over the header.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == TOKEN)
        .map(|(_, value)| value)
        .or_else(|| headers.get(TOKEN)?.to_str().ok())
}

/// Whether a request has the right user name and password.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    basic
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .is_some_and(|pair| pair == format!("{USERNAME}:{PASSWORD}").as_bytes())
}

/// Where anyone starts, without credentials.
pub(super) fn entry_point() -> Element {
    let create = |version: &str| {
        let href = format!("{BASE}/sessionMngr/?v={version}");
        link("Create", Some("LogonSession"), href, None)
    };
    let versions = VERSIONS.map(|version| {
        Element::object("SupportedVersion", vec![Element::list("Links", vec![create(version)])])
            .with("Name", version)
    });
    let sessions = link("Down", Some("LogonSessionList"), format!("{BASE}/logonSessions"), None);
    Element::object(
        "EnterpriseManager",
        vec![
            Element::list("Links", vec![sessions, create("latest")]),
            Element::list("SupportedVersions", versions.to_vec()),
        ],
    )
}

/// Where a session is.
pub(super) fn href(id: Uuid) -> String {
    format!("{BASE}/logonSessions/{id}")
}

/// One session, with links to all there is.
pub(super) fn session(id: Uuid) -> Element {
    let mut links = vec![link("Up", Some("EnterpriseManager"), format!("{BASE}/"), None)];
    links.extend(collections(|kind| !is_cloud(kind)));
    links.push(link("Down", Some("CloudConnectService"), format!("{BASE}/cloud"), None));
    links.push(link("Delete", None, href(id), None));
    Element::object(
        "LogonSession",
        vec![
            Element::list("Links", links),
            Element::value("UserName", USERNAME),
            Element::value("SessionId", id.to_string()),
        ],
    )
    .with("Type", "LogonSession")
    .with("Href", href(id))
}

/// The way to the collections of Cloud Connect, which a session does not link to itself.
pub(super) fn cloud_service() -> Element {
    Element::object("CloudConnectService", vec![Element::list("Links", collections(is_cloud))])
        .with("Type", "CloudConnectService")
        .with("Href", format!("{BASE}/cloud"))
}

fn is_cloud(kind: Kind) -> bool {
    kind.shape().collection.starts_with("cloud/")
}

/// Links to collections, each one twice: as references and as entities.
fn collections(wanted: impl Fn(Kind) -> bool) -> Vec<Element> {
    let both = |kind: Kind| {
        let shape = kind.shape();
        let href = format!("{BASE}/{}", shape.collection);
        let references = format!("{}ReferenceList", shape.element);
        let entities = format!("{}List", shape.element);
        [
            link("Down", Some(&references), href.clone(), None),
            link("Down", Some(&entities), href + "?format=Entity", None),
        ]
    };
    Kind::ALL.into_iter().filter(|kind| wanted(*kind)).flat_map(both).collect()
}
