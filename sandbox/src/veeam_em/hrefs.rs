//! By which name the server calls itself in what it sends: every address in a body or a header is made
//! of its own name first, and put right here for those who asked for it by another.

use http::HeaderMap;
use http::header::HOST;

use super::settings::Hrefs;
use super::wire::BASE;

/// The base of all addresses in one reply.
#[derive(Debug)]
pub(super) struct Naming {
    base: Option<String>,
}

impl Naming {
    pub(super) fn of(request: &HeaderMap, hrefs: Hrefs) -> Self {
        let host = request.get(HOST).and_then(|value| value.to_str().ok());
        let base = match hrefs {
            Hrefs::InternalName => None,
            Hrefs::AsAsked => host.map(|host| format!("https://{host}/api")),
        };
        Self { base }
    }

    pub(super) fn header(&self, value: String) -> String {
        match &self.base {
            None => value,
            Some(base) => value.replace(BASE, base),
        }
    }

    /// A body is always UTF-8.
    pub(super) fn body(&self, body: Vec<u8>) -> Vec<u8> {
        match &self.base {
            None => body,
            Some(base) => String::from_utf8_lossy(&body).replace(BASE, base).into_bytes(),
        }
    }
}
