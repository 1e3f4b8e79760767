//! A table `[backends.NAME]`: the keys that every kind of backend has. The keys of one kind are read in that vendor's
//! folder.

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::poll::{self, PollPolicy, WatchKeys};
use super::secret::FileRef;
use super::source::{ConfigError, Location, SourceFile};
use super::table::Table;
use crate::model::BackendId;
use crate::upstream::{Proxy, ProxyUrl, RateLimit, Trust};

/// A backend's table, whose kind has been read.
#[derive(Debug)]
pub struct BackendTable<'a> {
    /// The backend.
    pub id: BackendId,
    /// The kind as the file names it.
    pub(crate) kind: Spanned<String>,
    table: Table<'a>,
    general_watch: &'a WatchKeys,
}

/// Which certificates are accepted. Reading the file is a separate step.
#[derive(Debug)]
pub(crate) enum TrustConfig {
    /// The platform's roots.
    Platform,
    /// These as well, PEM.
    CaFile(FileRef),
    /// The one certificate with this SHA-256.
    Pinned([u8; 32]),
}

impl<'a> BackendTable<'a> {
    pub(super) fn new(
        name: &Spanned<String>,
        mut table: Table<'a>,
        general_watch: &'a WatchKeys,
    ) -> Result<Self, ConfigError> {
        let location = table.source.at(name);
        let id = BackendId::new(name.get_ref()).map_err(|problem| location.error(problem))?;
        let kind = table.take("kind")?;
        let kind = location.required("kind", &kind, "azure")?.clone();
        Ok(Self { id, kind, table, general_watch })
    }

    /// The file.
    pub(crate) fn source(&self) -> &'a SourceFile {
        self.table.source
    }

    /// Where the table begins.
    pub(crate) fn location(&self) -> Location {
        self.table.location()
    }

    /// `[watch]` and `[backends.NAME.watch]` over the default of the kind.
    pub(crate) fn take_poll_policy(
        &mut self,
        default: PollPolicy,
    ) -> Result<PollPolicy, ConfigError> {
        let own = self.table.take::<WatchKeys>("watch")?.map(Spanned::into_inner);
        let own = own.unwrap_or_default();
        poll::policy(self.table.source, default, &[self.general_watch, &own])
    }

    /// `requests_per_second` and `request_burst` over the default of the kind.
    pub(crate) fn take_rate_limit(&mut self, default: RateLimit) -> Result<RateLimit, ConfigError> {
        let source = self.table.source;
        let per_second: Option<Spanned<f64>> = self.table.take("requests_per_second")?;
        let burst: Option<Spanned<u32>> = self.table.take("request_burst")?;
        let is_valid = |rate: f64| rate.is_finite() && rate >= 0.01;
        if let Some(given) = per_second.as_ref().filter(|given| !is_valid(*given.get_ref())) {
            let problem = format!(
                "invalid value `{}` for `requests_per_second`: expected 0.01 or more",
                given.get_ref()
            );
            return Err(source.at(given).error(problem));
        }
        if let Some(given) = burst.as_ref().filter(|given| *given.get_ref() == 0) {
            let problem = "invalid value `0` for `request_burst`: expected 1 or more";
            return Err(source.at(given).error(problem));
        }
        Ok(RateLimit {
            per_second: per_second.map_or(default.per_second, Spanned::into_inner),
            burst: burst.map_or(default.burst, Spanned::into_inner),
        })
    }

    /// `ca_file`.
    pub(crate) fn take_ca_file(&mut self) -> Result<TrustConfig, ConfigError> {
        let path: Option<Spanned<String>> = self.table.take("ca_file")?;
        Ok(path.map_or(TrustConfig::Platform, |path| {
            TrustConfig::CaFile(FileRef::new(self.table.source, &path))
        }))
    }

    /// `proxy` and `no_proxy`. No error repeats the value, which may hold a password.
    pub(crate) fn take_proxy(&mut self) -> Result<Proxy, ConfigError> {
        let source = self.table.source;
        let proxy: Option<Spanned<String>> = self.table.take("proxy")?;
        let except: Option<Spanned<Vec<String>>> = self.table.take("no_proxy")?;
        match (proxy, except) {
            (None, None) => Ok(Proxy::Environment),
            (Some(proxy), except) if proxy.get_ref() != "none" => {
                let except = except.map(Spanned::into_inner).unwrap_or_default();
                ProxyUrl::parse(proxy.get_ref(), except).map(Proxy::Through).ok_or_else(|| {
                    source.at(&proxy).error(
                        "invalid value for `proxy`: expected e.g. \"http://proxy.example:3128\", or \"none\"",
                    )
                })
            }
            (_, Some(except)) => Err(source.at(&except).error(
                "`no_proxy` is set without the URL of a `proxy` that it makes exceptions to",
            )),
            (Some(_), None) => Ok(Proxy::Direct),
        }
    }

    /// `ca_file` or `certificate_sha256`.
    pub(crate) fn take_trust(&mut self) -> Result<TrustConfig, ConfigError> {
        let ca_file = self.take_ca_file()?;
        let pin: Option<Spanned<String>> = self.table.take("certificate_sha256")?;
        let Some(pin) = pin else { return Ok(ca_file) };
        let location = self.table.source.at(&pin);
        if let TrustConfig::CaFile(_) = ca_file {
            return Err(location
                .error("both `ca_file` and `certificate_sha256` are set: expected one of them"));
        }
        parse_sha256(pin.get_ref()).map(TrustConfig::Pinned).ok_or_else(|| {
            location.error(
                "invalid SHA-256 for `certificate_sha256`: expected 64 hexadecimal digits as printed by \
                 `openssl x509 -noout -fingerprint -sha256`",
            )
        })
    }

    /// Reads the keys of the kind, which are all that are left.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        self.table.read()
    }
}

impl TrustConfig {
    /// Reads the file, if there is one.
    pub(crate) fn read(&self) -> Result<Trust, ConfigError> {
        match self {
            Self::Platform => Ok(Trust::Platform),
            Self::Pinned(sha256) => Ok(Trust::Pinned(*sha256)),
            Self::CaFile(file) => {
                let pem = file.read()?;
                match reqwest::Certificate::from_pem_bundle(&pem) {
                    Ok(certificates) if !certificates.is_empty() => Ok(Trust::PlatformAnd(pem)),
                    _ => Err(file.error("no PEM certificate found")),
                }
            }
        }
    }
}

/// 64 hexadecimal digits, with colons or without.
fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok().filter(|_| rest.is_empty())
}
