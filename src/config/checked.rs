//! What the program runs on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::backend::{self, BackendConfig};
use super::pace;
use super::raw;
use super::secret::{FileRef, SecretRef};
use super::source::{ConfigError, Source};
use crate::model::BackendId;
use crate::server::Drain;
use crate::watch;

const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50051);

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; at least one.
    pub listen: Vec<Address>,
    /// The certificate to listen with.
    pub tls: Option<TlsConfig>,
    /// How long each part of an orderly end may take.
    pub drain: Drain,
    /// How often watched points are read.
    pub watch: watch::Paces,
    /// Where to show figures, in the clear or with the certificate as `listen`; nowhere if absent.
    pub metrics: Option<Address>,
    /// The key that replicas share; without one, tokens die with the process.
    pub token_key: Option<SecretRef>,
    /// How logs are written.
    pub log: LogFormat,
    /// The vendors.
    pub backends: Vec<(BackendId, BackendConfig)>,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// The certificate and key to listen with, PEM.
#[derive(Debug)]
pub struct TlsConfig {
    /// The certificate chain.
    pub cert: FileRef,
    /// Its key.
    pub key: FileRef,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads and checks a file. Neither secrets nor certificates are read yet.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let source = Source::read(path)?;
        let file: raw::File = toml::from_str(source.text()).map_err(|error| {
            let place = source.place(error.span().unwrap_or_default());
            place.error(error.message().to_owned())
        })?;
        Self::check(&source, file)
    }

    fn check(source: &Source, file: raw::File) -> Result<Self, ConfigError> {
        let top = source.place(0..0);
        let tls = file.tls.as_ref().map(|tls| check_tls(source, tls)).transpose()?;
        let open = if tls.is_some() || file.allow_plaintext { Open::Any } else { Open::Local };
        let listen = match &file.listen {
            None => vec![Address::Tcp(DEFAULT_ADDRESS)],
            Some(listen) if listen.is_empty() => {
                return Err(top.error("`listen` is empty; leave it out for 127.0.0.1:50051"));
            }
            Some(listen) => listen
                .iter()
                .map(|text| check_address(source, text, open))
                .collect::<Result<_, _>>()?,
        };
        if file.backends.is_empty() {
            return Err(top.error("there is no backend; add a table `[backends.NAME]`"));
        }
        let (mut backends, mut watch) = (Vec::new(), Vec::new());
        for (id, raw) in &file.backends {
            let (id, backend) = backend::check(source, id, raw)?;
            let own = raw.get_ref().watch.as_ref();
            let pace = pace::check(source, &backend, file.watch.as_ref(), own)?;
            watch.push((id.clone(), pace));
            backends.push((id, backend));
        }
        let token_key =
            SecretRef::either(source, &file.token_key_file, &file.token_key_env, "token_key")?;
        Ok(Self {
            listen,
            tls,
            drain: check_drain(source, file.drain.as_ref())?,
            watch: watch.into_iter().collect(),
            metrics: check_metrics(source, file.metrics.as_ref(), open)?,
            token_key,
            log: match file.log.as_ref().map(|log| (log, log.get_ref().as_str())) {
                None | Some((_, "text")) => LogFormat::Text,
                Some((_, "json")) => LogFormat::Json,
                Some((log, _)) => {
                    return Err(source.at(log).error("`log` is \"text\" or \"json\""));
                }
            },
            backends,
        })
    }
}

/// Who may reach an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Calls are in the clear: only this machine.
    Local,
    /// Anybody.
    Any,
}

fn check_address(
    source: &Source,
    text: &Spanned<String>,
    open: Open,
) -> Result<Address, ConfigError> {
    let place = source.at(text);
    if let Some(path) = text.get_ref().strip_prefix("unix:") {
        return Ok(Address::Unix(place.resolve(path)));
    }
    let address: SocketAddr = text.get_ref().parse().map_err(|_| {
        place.error(format!(
            "`{}` is neither IP:PORT, such as 127.0.0.1:50051, nor unix:PATH",
            text.get_ref()
        ))
    })?;
    if open == Open::Local && !address.ip().is_loopback() {
        return Err(place.error(format!(
            "{address} can be reached from outside and what is said there would be in the clear; add [tls], listen on a \
             loopback address, or set allow_plaintext = true if a mesh encrypts in front"
        )));
    }
    Ok(Address::Tcp(address))
}

fn check_metrics(
    source: &Source,
    metrics: Option<&Spanned<raw::Metrics>>,
    open: Open,
) -> Result<Option<Address>, ConfigError> {
    let Some(metrics) = metrics else { return Ok(None) };
    let listen =
        source.at(metrics).required("listen", &metrics.get_ref().listen, "127.0.0.1:9464")?;
    check_address(source, listen, open).map(Some)
}

fn check_tls(source: &Source, tls: &Spanned<raw::Tls>) -> Result<TlsConfig, ConfigError> {
    let place = source.at(tls);
    let file = |key, value: &Option<Spanned<String>>| match value {
        Some(path) => Ok(FileRef::new(source.at(path), path.get_ref())),
        None => Err(place.error(format!("[tls] needs `{key}`, the path of a PEM file"))),
    };
    Ok(TlsConfig {
        cert: file("cert_file", &tls.get_ref().cert_file)?,
        key: file("key_file", &tls.get_ref().key_file)?,
    })
}

fn check_drain(source: &Source, drain: Option<&raw::Drain>) -> Result<Drain, ConfigError> {
    let mut checked = Drain::default();
    let Some(drain) = drain else { return Ok(checked) };
    if let Some(notice) = source.duration(drain.notice.as_ref())? {
        checked.lame_duck = notice;
    }
    if let Some(grace) = source.duration(drain.grace.as_ref())? {
        checked.grace = grace;
    }
    Ok(checked)
}
