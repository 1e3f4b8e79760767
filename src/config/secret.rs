//! Where a secret or the content of a file is found. Reading it is a separate step: the form of a configuration can be
//! checked on a machine that has no secrets.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use toml::Spanned;

use super::source::{ConfigError, Location, SourceFile};

/// A secret in a file or in an environment variable.
#[derive(Debug, Clone)]
pub struct SecretRef {
    location: Location,
    origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    File(PathBuf),
    Variable(String),
}

/// Two references are equal if they name the same file or variable, on whatever line.
impl PartialEq for SecretRef {
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin
    }
}

impl SecretRef {
    /// The secret that `{what}_file` or `{what}_env` names, if one of them is there.
    pub(crate) fn either(
        source: &SourceFile,
        file: &Option<Spanned<String>>,
        variable: &Option<Spanned<String>>,
        what: &str,
    ) -> Result<Option<Self>, ConfigError> {
        match (file, variable) {
            (None, None) => Ok(None),
            (Some(file), None) => Ok(Some(Self::file(source, file))),
            (None, Some(name)) => Ok(Some(Self::variable(source, name))),
            (Some(_), Some(name)) => {
                let problem =
                    format!("both `{what}_file` and `{what}_env` are set: expected one of them");
                Err(source.at(name).error(problem))
            }
        }
    }

    /// The secret in the file at this path.
    pub(super) fn file(source: &SourceFile, path: &Spanned<String>) -> Self {
        let location = source.at(path);
        let origin = Origin::File(location.resolve(path.get_ref()));
        Self { location, origin }
    }

    /// The secret in the environment variable of this name.
    pub(super) fn variable(source: &SourceFile, name: &Spanned<String>) -> Self {
        Self { location: source.at(name), origin: Origin::Variable(name.get_ref().clone()) }
    }

    /// The same, for a secret that the table at `table` must have.
    pub(crate) fn required(
        source: &SourceFile,
        table: &Location,
        file: &Option<Spanned<String>>,
        variable: &Option<Spanned<String>>,
        what: &str,
    ) -> Result<Self, ConfigError> {
        Self::either(source, file, variable, what)?.ok_or_else(|| {
            table.error(format!(
                "missing key `{what}_file` or `{what}_env`: a secret never stands in this file itself"
            ))
        })
    }

    /// Reads the secret, without the line end that editors append.
    ///
    /// # Errors
    /// When it is absent or empty.
    pub fn read(&self) -> Result<SecretString, ConfigError> {
        let (text, origin, remedy) = match &self.origin {
            Origin::File(path) => (
                std::fs::read_to_string(path).map_err(|error| error.to_string()),
                format!("the file {}", path.display()),
                "create it, readable by the user that the gateway runs as",
            ),
            Origin::Variable(name) => (
                std::env::var(name).map_err(|error| error.to_string()),
                format!("the environment variable {name}"),
                "set it before the gateway starts",
            ),
        };
        match text {
            Ok(text) if !text.trim().is_empty() => {
                Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
            }
            Ok(_) => Err(self.error(format!("{origin} is empty: expected a secret"))),
            Err(error) => {
                Err(self.error(format!("cannot read a secret from {origin}: {error}: {remedy}")))
            }
        }
    }

    /// An error about the secret, on the line that names it.
    pub fn error(&self, problem: impl Into<String>) -> ConfigError {
        self.location.error(problem)
    }
}

/// A file whose content is read when the program starts or reloads.
#[derive(Debug, Clone)]
pub struct FileRef {
    location: Location,
    path: PathBuf,
}

impl FileRef {
    pub(crate) fn new(source: &SourceFile, path: &Spanned<String>) -> Self {
        let location = source.at(path);
        let path = location.resolve(path.get_ref());
        Self { location, path }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, ConfigError> {
        std::fs::read(&self.path).map_err(|error| self.error(&error.to_string()))
    }

    /// An error about the file's content, on the line that names the file.
    pub fn error(&self, problem: &str) -> ConfigError {
        self.location.error(format!("{}: {problem}", self.path.display()))
    }
}
