//! The text of the configuration file, and errors that point into it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;
use url::Url;

/// What is wrong with a configuration: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(super) fn is_about_an_unknown_key(&self) -> bool {
        self.problem.starts_with("unknown field")
    }

    /// Completes the list of valid keys that ends the text.
    pub(super) fn add_valid_keys(&mut self, keys: &[&str]) {
        for key in keys {
            self.problem.push_str(&format!(", `{key}`"));
        }
    }
}

/// A file and its text.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    path: Arc<Path>,
    text: Arc<str>,
}

impl SourceFile {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.into(), text: text.into() }),
            Err(error) => Err(ConfigError {
                file: path.to_owned(),
                line: None,
                problem: format!("cannot read the file: {error}; name a readable file by --config"),
            }),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line on which `span` begins.
    pub(super) fn location(&self, span: Range<usize>) -> Location {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        Location { path: Arc::clone(&self.path), line: 1 + before.matches('\n').count() }
    }

    /// The line of a value.
    pub(crate) fn at<T>(&self, value: &Spanned<T>) -> Location {
        self.location(value.span())
    }

    /// The value of `key` as a duration, if it is there.
    pub(crate) fn duration(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
    ) -> Result<Option<Duration>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        let text = value.get_ref();
        let parsed = text.parse::<SignedDuration>().ok();
        match parsed.and_then(|duration| Duration::try_from(duration).ok()) {
            Some(duration) => Ok(Some(duration)),
            None => Err(self.at(value).error(format!(
                "invalid duration `{text}` for `{key}`: expected e.g. \"10s\" or \"2m\""
            ))),
        }
    }

    /// The value of `key` as a URL of a vendor. A credential never travels without TLS.
    pub(crate) fn https_url(&self, key: &str, value: &Spanned<String>) -> Result<Url, ConfigError> {
        match Url::parse(value.get_ref()) {
            Ok(url) if url.scheme() == "https" && url.has_host() && url.username().is_empty() => {
                Ok(url)
            }
            _ => Err(self.at(value).error(format!(
                "invalid URL for `{key}`: expected https://HOST without user information"
            ))),
        }
    }
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    path: Arc<Path>,
    line: usize,
}

impl Location {
    pub(crate) fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.path.to_path_buf(),
            line: Some(self.line),
            problem: problem.into(),
        }
    }

    /// The value of a key that the table at this location must have.
    pub(crate) fn required<'a>(
        &self,
        key: &str,
        value: &'a Option<Spanned<String>>,
        example: &str,
    ) -> Result<&'a Spanned<String>, ConfigError> {
        match value {
            Some(text) if !text.get_ref().trim().is_empty() => Ok(text),
            _ => {
                Err(self.error(format!("missing key `{key}`: expected e.g. {key} = \"{example}\"")))
            }
        }
    }

    /// A path in the file is relative to the file's folder.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }
}
