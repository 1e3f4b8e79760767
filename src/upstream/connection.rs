//! How a client reaches its upstream: which certificates it accepts, and through which proxy.

use std::fmt;

use reqwest::{ClientBuilder, NoProxy};
use url::Url;

use super::redact::redact_url;
use super::trust::{Trust, TrustError};

/// How a client reaches its upstream.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Which certificates of the server are accepted.
    pub trust: Trust,
    /// Which proxy is used.
    pub proxy: Proxy,
}

/// Which proxy is used.
#[derive(Debug, Clone)]
pub enum Proxy {
    /// That of the variables `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, except for the hosts of `NO_PROXY`.
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, whatever the environment says.
    Through(ProxyUrl),
}

/// A proxy, and the hosts that are reached without it.
#[derive(Clone)]
pub struct ProxyUrl {
    /// Its user information is a secret.
    url: Url,
    /// Host names with their subdomains, IP addresses, and networks.
    except: Vec<String>,
}

impl ProxyUrl {
    /// The proxy at `url`, unless it is not `http://` or `https://` with a host and nothing behind it.
    pub fn parse(url: &str, except: Vec<String>) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        (is_origin && is_http).then_some(Self { url, except })
    }
}

/// Without the credentials.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, except } = self;
        let url = redact_url(url);
        f.debug_struct("ProxyUrl").field("url", &url).field("except", except).finish()
    }
}

impl Proxy {
    pub(super) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, TrustError> {
        Ok(match self {
            Self::Environment => builder,
            Self::Direct => builder.no_proxy(),
            Self::Through(ProxyUrl { url, except }) => {
                let proxy = reqwest::Proxy::all(url.clone())
                    .map_err(|_| TrustError::new("the proxy cannot be used"))?;
                builder.proxy(proxy.no_proxy(NoProxy::from_string(&except.join(","))))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;

    #[test]
    fn credentials_of_a_proxy_are_not_printed() {
        let proxy = ProxyUrl::parse("http://user:SENSITIVE@proxy:3128", Vec::new());
        let text = format!("{:?}", Proxy::Through(proxy.expect("a proxy")));
        assert!(text.contains("http://proxy:3128/") && !text.contains("SENSITIVE"), "{text}");
    }

    #[test]
    fn only_an_http_origin_is_a_proxy() {
        for url in ["proxy:3128", "socks5://proxy", "http://proxy/path", "http://proxy?q", ""] {
            assert!(ProxyUrl::parse(url, Vec::new()).is_none(), "{url}");
        }
    }
}
