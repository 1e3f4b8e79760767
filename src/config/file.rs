//! The gateway's own settings, checked: a [`Config`] cannot be wrong in form. Secrets and certificates are not read yet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::backend::BackendTable;
use super::limits::{self, LimitsConfig, LimitsKeys};
use super::poll::WatchKeys;
use super::secret::{FileRef, SecretRef};
use super::source::{ConfigError, Location, SourceFile};
use super::table::Table;
use super::token_keys::{self, TokenKeyKeys};

const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50051);

/// A checked configuration; `B` is what becomes of a backend's table.
#[derive(Debug)]
pub struct Config<B> {
    /// Where to listen; at least one address, and no two that exclude each other.
    pub listen: Vec<Address>,
    /// The certificate to listen with.
    pub tls: Option<TlsConfig>,
    /// How long each part of an orderly shutdown may take.
    pub drain: DrainConfig,
    /// What clients may take of the gateway.
    pub limits: LimitsConfig,
    /// Where to serve metrics, with TLS as on `listen`; nowhere if absent.
    pub metrics: Option<Address>,
    /// The keys that replicas share, the current one first; without any, tokens are valid in this process only.
    pub token_keys: Vec<SecretRef>,
    /// The format of log lines.
    pub log: LogFormat,
    /// The backends.
    pub backends: Vec<B>,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The certificate and key to listen with, PEM.
#[derive(Debug)]
pub struct TlsConfig {
    /// The certificate chain.
    pub cert: FileRef,
    /// Its key.
    pub key: FileRef,
}

/// How long each part of an orderly shutdown may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainConfig {
    /// How long health reports NOT_SERVING while new calls are still accepted.
    pub lame_duck: Duration,
    /// How long everything after that may take: calls in flight, and closing the backends.
    pub grace: Duration,
}

impl Default for DrainConfig {
    fn default() -> Self {
        Self { lame_duck: Duration::ZERO, grace: Duration::from_secs(10) }
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The file's keys, without `backends`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    listen: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    allow_plaintext: bool,
    tls: Option<Spanned<TlsKeys>>,
    drain: Option<DrainKeys>,
    limits: Option<LimitsKeys>,
    metrics: Option<Spanned<MetricsKeys>>,
    token_keys: Option<Spanned<Vec<Spanned<TokenKeyKeys>>>>,
    token_key_file: Option<Spanned<String>>,
    token_key_env: Option<Spanned<String>>,
    log: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsKeys {
    cert_file: Option<Spanned<String>>,
    key_file: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrainKeys {
    lame_duck: Option<Spanned<String>>,
    grace: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsKeys {
    listen: Option<Spanned<String>>,
}

impl<B> Config<B> {
    /// Reads and checks a file. `read_backend` reads the table of each backend, in the order of their names.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(
        path: &Path,
        read_backend: impl Fn(BackendTable<'_>) -> Result<B, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let source = SourceFile::read(path)?;
        let mut table = Table::parse(&source)?;
        let backend_tables = table.take_tables("backends")?;
        let watch = table.take::<WatchKeys>("watch")?.map(Spanned::into_inner).unwrap_or_default();
        let keys: Keys = table.read()?;

        let tls = keys.tls.as_ref().map(|tls| check_tls(&source, tls)).transpose()?;
        let exposure = match tls.is_some() || keys.allow_plaintext {
            true => Exposure::Any,
            false => Exposure::Local,
        };
        let mut bound = Vec::new();
        let listen = check_listen(&source, keys.listen.as_deref(), exposure, &mut bound)?;
        let metrics = check_metrics(&source, keys.metrics.as_ref(), exposure, &mut bound)?;
        if backend_tables.is_empty() {
            let problem = "no backend is configured: expected a table `[backends.NAME]`";
            return Err(source.location(0..0).error(problem));
        }
        let backends = backend_tables
            .into_iter()
            .map(|(name, table)| read_backend(BackendTable::new(&name, table, &watch)?))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            listen,
            tls,
            drain: check_drain(&source, keys.drain.as_ref())?,
            limits: limits::check(&source, keys.limits.as_ref())?,
            metrics,
            token_keys: token_keys::check(
                &source,
                &keys.token_keys,
                &keys.token_key_file,
                &keys.token_key_env,
            )?,
            log: check_log(&source, keys.log.as_ref())?,
            backends,
        })
    }

    /// The settings that differ in `other` and take effect only at a start, by their keys.
    pub fn needing_restart<O>(&self, other: &Config<O>) -> Vec<&'static str> {
        let changes = [
            ("listen", self.listen != other.listen),
            ("tls", self.tls.is_some() != other.tls.is_some()),
            ("drain", self.drain != other.drain),
            ("limits", self.limits != other.limits),
            ("metrics", self.metrics != other.metrics),
            ("token_keys", self.token_keys.is_empty() != other.token_keys.is_empty()),
            ("log", self.log != other.log),
        ];
        changes.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }
}

/// From where an address may be reachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exposure {
    /// Calls are in plaintext: only this machine.
    Local,
    /// Anywhere.
    Any,
}

fn check_listen(
    source: &SourceFile,
    listen: Option<&[Spanned<String>]>,
    exposure: Exposure,
    bound: &mut Vec<(Address, Location)>,
) -> Result<Vec<Address>, ConfigError> {
    match listen {
        None => {
            let default = Address::Tcp(DEFAULT_ADDRESS);
            bound.push((default.clone(), source.location(0..0)));
            Ok(vec![default])
        }
        Some([]) => {
            let problem = format!("`listen` is empty: leave it out for {DEFAULT_ADDRESS}");
            Err(source.location(0..0).error(problem))
        }
        Some(listen) => {
            listen.iter().map(|text| check_address(source, text, exposure, bound)).collect()
        }
    }
}

fn check_address(
    source: &SourceFile,
    text: &Spanned<String>,
    exposure: Exposure,
    bound: &mut Vec<(Address, Location)>,
) -> Result<Address, ConfigError> {
    let location = source.at(text);
    let address = match text.get_ref().strip_prefix("unix:") {
        Some(path) => Address::Unix(location.resolve(path)),
        None => Address::Tcp(text.get_ref().parse().map_err(|_| {
            location.error(format!(
                "invalid address `{}`: expected IP:PORT, e.g. 127.0.0.1:50051, or unix:PATH",
                text.get_ref()
            ))
        })?),
    };
    if let (Exposure::Local, Address::Tcp(tcp)) = (exposure, &address)
        && !tcp.ip().is_loopback()
    {
        return Err(location.error(format!(
            "{tcp} is reachable from other machines and would serve plaintext: add [tls], listen on a loopback \
             address, or set allow_plaintext = true if a mesh encrypts in front"
        )));
    }
    if let Some((other, line)) = bound.iter().find(|(other, _)| excludes(other, &address)) {
        let problem =
            format!("{address} excludes {other} of line {}: use another port", line.line());
        return Err(location.error(problem));
    }
    bound.push((address.clone(), location));
    Ok(address)
}

/// Whether two addresses cannot be bound at the same time.
fn excludes(a: &Address, b: &Address) -> bool {
    match (a, b) {
        (Address::Unix(a), Address::Unix(b)) => a == b,
        (Address::Tcp(a), Address::Tcp(b)) => {
            let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
            a.port() == b.port() && a.port() != 0 && overlap
        }
        _ => false,
    }
}

fn check_metrics(
    source: &SourceFile,
    metrics: Option<&Spanned<MetricsKeys>>,
    exposure: Exposure,
    bound: &mut Vec<(Address, Location)>,
) -> Result<Option<Address>, ConfigError> {
    let Some(metrics) = metrics else { return Ok(None) };
    let location = source.at(metrics);
    let listen = location.required("listen", &metrics.get_ref().listen, "127.0.0.1:9464")?;
    check_address(source, listen, exposure, bound).map(Some)
}

fn check_tls(source: &SourceFile, tls: &Spanned<TlsKeys>) -> Result<TlsConfig, ConfigError> {
    let location = source.at(tls);
    let file = |key, value: &Option<Spanned<String>>| {
        let path = location.required(key, value, "/path/to/file.pem")?;
        Ok(FileRef::new(source, path))
    };
    let TlsKeys { cert_file, key_file } = tls.get_ref();
    Ok(TlsConfig { cert: file("cert_file", cert_file)?, key: file("key_file", key_file)? })
}

fn check_drain(source: &SourceFile, drain: Option<&DrainKeys>) -> Result<DrainConfig, ConfigError> {
    let default = DrainConfig::default();
    let Some(DrainKeys { lame_duck, grace }) = drain else { return Ok(default) };
    let duration = |key, value: &Option<_>| source.duration(key, value.as_ref());
    Ok(DrainConfig {
        lame_duck: duration("lame_duck", lame_duck)?.unwrap_or(default.lame_duck),
        grace: duration("grace", grace)?.unwrap_or(default.grace),
    })
}

fn check_log(source: &SourceFile, log: Option<&Spanned<String>>) -> Result<LogFormat, ConfigError> {
    let Some(log) = log else { return Ok(LogFormat::Text) };
    match log.get_ref().as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => {
            let problem =
                format!("unknown value `{other}` for `log`: expected \"text\" or \"json\"");
            Err(source.at(log).error(problem))
        }
    }
}
