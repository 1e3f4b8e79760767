//! The file's text, and errors that point into it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;

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

/// A file and its text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    path: Arc<Path>,
    text: Arc<str>,
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.into(), text: text.into() }),
            Err(error) => Err(ConfigError {
                file: path.to_owned(),
                line: None,
                problem: format!("it cannot be read: {error}; name a readable file with --config"),
            }),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        Place { path: Arc::clone(&self.path), line: 1 + before.matches('\n').count() }
    }

    pub(super) fn at<T>(&self, spanned: &Spanned<T>) -> Place {
        self.place(spanned.span())
    }

    /// A duration, if there is one.
    pub(super) fn duration(
        &self,
        text: Option<&Spanned<String>>,
    ) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        let parsed = text.get_ref().parse::<SignedDuration>().ok();
        match parsed.and_then(|duration| Duration::try_from(duration).ok()) {
            Some(duration) => Ok(Some(duration)),
            None => Err(self.at(text).error("it is no duration; write \"10s\" or \"2m\"")),
        }
    }
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    path: Arc<Path>,
    line: usize,
}

impl Place {
    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.path.to_path_buf(),
            line: Some(self.line),
            problem: problem.into(),
        }
    }

    /// A key that must be there, in the table that begins here.
    pub(super) fn required<'a>(
        &self,
        key: &str,
        value: &'a Option<Spanned<String>>,
        example: &str,
    ) -> Result<&'a Spanned<String>, ConfigError> {
        match value {
            Some(text) if !text.get_ref().trim().is_empty() => Ok(text),
            _ => Err(self.error(format!("`{key}` is missing; write {key} = \"{example}\""))),
        }
    }

    /// A path in the file is meant from the file's folder.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}
