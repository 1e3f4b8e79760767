//! The server's address in links and headers. Every reply is built with the server's own name; here it is
//! replaced by the name in the request, if the server is set to that.

use http::HeaderMap;
use http::header::HOST;

use crate::veeam_em::settings::Hrefs;

/// The server's own address.
pub(crate) const BASE: &str = "https://localhost:9398/api";

/// Rewrites the addresses in one reply.
#[derive(Debug)]
pub(crate) struct LinkRewriter {
    base: Option<String>,
}

impl LinkRewriter {
    pub(crate) fn new(request: &HeaderMap, hrefs: Hrefs) -> Self {
        let host = request.get(HOST).and_then(|value| value.to_str().ok());
        let base = match hrefs {
            Hrefs::InternalName => None,
            Hrefs::RequestHost => host.map(|host| format!("https://{host}/api")),
        };
        Self { base }
    }

    pub(crate) fn header(&self, value: String) -> String {
        match &self.base {
            None => value,
            Some(base) => value.replace(BASE, base),
        }
    }

    /// A body is always UTF-8.
    pub(crate) fn body(&self, body: Vec<u8>) -> Vec<u8> {
        match &self.base {
            None => body,
            Some(base) => String::from_utf8_lossy(&body).replace(BASE, base).into_bytes(),
        }
    }
}
