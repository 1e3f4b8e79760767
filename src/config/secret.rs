//! Where a secret, or a file's content, is to be had. Reading it is a step of its own: the form of a
//! configuration can be checked on a machine that holds no secrets.

use std::path::PathBuf;

use secrecy::SecretString;
use toml::Spanned;

use super::source::{ConfigError, Place, Source};

/// A secret in a file or in an environment variable.
#[derive(Debug, Clone)]
pub struct SecretRef {
    place: Place,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    File(PathBuf),
    Variable(String),
}

impl SecretRef {
    /// The secret that one of two keys points to, if one of them is there.
    pub(super) fn either(
        source: &Source,
        file: &Option<Spanned<String>>,
        variable: &Option<Spanned<String>>,
        what: &str,
    ) -> Result<Option<Self>, ConfigError> {
        let (place, origin) = match (file, variable) {
            (None, None) => return Ok(None),
            (Some(file), None) => {
                let place = source.at(file);
                let path = place.resolve(file.get_ref());
                (place, Origin::File(path))
            }
            (None, Some(name)) => (source.at(name), Origin::Variable(name.get_ref().clone())),
            (Some(_), Some(name)) => {
                let problem = format!("give `{what}_file` or `{what}_env`, not both");
                return Err(source.at(name).error(problem));
            }
        };
        Ok(Some(Self { place, origin }))
    }

    /// Reads the secret; the line end that editors leave behind is no part of it.
    ///
    /// # Errors
    /// When it is not there, or empty.
    pub fn read(&self) -> Result<SecretString, ConfigError> {
        let (text, whence) = match &self.origin {
            Origin::File(path) => {
                let whence = format!("the file {}", path.display());
                (std::fs::read_to_string(path).map_err(|error| error.to_string()), whence)
            }
            Origin::Variable(name) => {
                let whence = format!("the environment variable {name}");
                (std::env::var(name).map_err(|error| error.to_string()), whence)
            }
        };
        match text {
            Ok(text) if !text.trim().is_empty() => {
                Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
            }
            Ok(_) => Err(self.place.error(format!("{whence} is empty; put the secret in it"))),
            Err(error) => Err(self
                .place
                .error(format!("{whence} gives no secret ({error}); create it or name another"))),
        }
    }
}

/// A file that is read when the program starts.
#[derive(Debug, Clone)]
pub struct FileRef {
    place: Place,
    path: PathBuf,
}

impl FileRef {
    pub(super) fn new(place: Place, path: &str) -> Self {
        let path = place.resolve(path);
        Self { place, path }
    }

    /// Where the file is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, ConfigError> {
        std::fs::read(&self.path).map_err(|error| self.error(&error.to_string()))
    }

    /// An error about the file's content, pointing to the line that names it.
    pub fn error(&self, problem: &str) -> ConfigError {
        self.place.error(format!("{}: {problem}", self.path.display()))
    }
}
