//! A table of the file, read key by key or into a struct, with errors that name the line, the key and what is expected.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::source::{ConfigError, Location, SourceFile};

/// Keys of earlier releases: the table, `*` for any name, the key, and its successor.
const RENAMED: [(&[&str], &str, &str); 10] = [
    (&["drain"], "notice", "lame_duck"),
    (&["watch"], "quickest", "min_interval"),
    (&["watch"], "slowest", "max_interval"),
    (&["watch"], "progress", "progress_interval"),
    (&["watch"], "linger", "idle_ttl"),
    (&["backends", "*", "watch"], "quickest", "min_interval"),
    (&["backends", "*", "watch"], "slowest", "max_interval"),
    (&["backends", "*", "watch"], "progress", "progress_interval"),
    (&["backends", "*", "watch"], "linger", "idle_ttl"),
    (&["backends", "*"], "requests_at_once", "request_burst"),
];

/// A table and where it is.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) source: &'a SourceFile,
    span: Range<usize>,
    values: DeTable<'a>,
    /// The keys that were taken one by one: an error that lists the valid keys lists these too.
    taken: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn parse(source: &'a SourceFile) -> Result<Self, ConfigError> {
        let root = DeTable::parse(source.text()).map_err(|error| located(source, &error, 0..0))?;
        let span = root.span();
        let values = root.into_inner();
        refuse_renamed(source, &values, &mut Vec::new())?;
        Ok(Self { source, span, values, taken: Vec::new() })
    }

    /// Where the table begins.
    pub(crate) fn location(&self) -> Location {
        self.source.location(self.span.clone())
    }

    /// Removes a key and returns its value.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Spanned<T>>, ConfigError> {
        self.taken.push(key);
        let Some(value) = self.values.remove(key) else { return Ok(None) };
        let span = value.span();
        Spanned::<T>::deserialize(ValueDeserializer::from(value))
            .map(Some)
            .map_err(|error| located(self.source, &error, span))
    }

    /// Removes a key whose value is a table of tables, and returns these with their names.
    pub(super) fn take_tables(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<(Spanned<String>, Self)>, ConfigError> {
        self.taken.push(key);
        let Some(value) = self.values.remove(key) else { return Ok(Vec::new()) };
        let location = self.source.at(&value);
        let DeValue::Table(tables) = value.into_inner() else {
            return Err(location.error(format!("`{key}` must hold tables: [{key}.NAME]")));
        };
        let table = |(name, value): (Spanned<Cow<'a, str>>, Spanned<DeValue<'a>>)| {
            // The span of a table's key is that of its header.
            let span = name.span();
            let name = Spanned::new(span.clone(), name.into_inner().into_owned());
            match value.into_inner() {
                DeValue::Table(values) => {
                    Ok((name, Self { source: self.source, span, values, taken: Vec::new() }))
                }
                _ => {
                    let problem = format!("`{key}.{}` must be a table", name.get_ref());
                    Err(self.source.location(span).error(problem))
                }
            }
        };
        tables.into_iter().map(table).collect()
    }

    /// Reads all keys that are left into a struct that denies unknown ones.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        let Self { source, span, values, taken } = self;
        T::deserialize(Deserializer::from(Spanned::new(span.clone(), values))).map_err(|error| {
            let mut error = located(source, &error, span);
            if !taken.is_empty() && error.is_about_an_unknown_key() {
                error.add_valid_keys(&taken);
            }
            error
        })
    }
}

fn located(source: &SourceFile, error: &toml::de::Error, fallback: Range<usize>) -> ConfigError {
    source.location(error.span().unwrap_or(fallback)).error(error.message().to_owned())
}

/// Refuses the keys of earlier releases by their successors, which a list of valid keys would not explain.
fn refuse_renamed<'t>(
    source: &SourceFile,
    table: &'t DeTable<'_>,
    path: &mut Vec<&'t str>,
) -> Result<(), ConfigError> {
    let is_here = |pattern: &[&str]| {
        pattern.len() == path.len()
            && pattern.iter().zip(path.iter()).all(|(name, own)| *name == "*" || name == own)
    };
    for (pattern, old, new) in RENAMED {
        if is_here(pattern)
            && let Some(value) = table.get(old)
        {
            let problem = format!("`{old}` is now called `{new}`: rename the key");
            return Err(source.at(value).error(problem));
        }
    }
    for (name, value) in table {
        if let DeValue::Table(inner) = value.get_ref() {
            path.push(name.get_ref());
            refuse_renamed(source, inner, path)?;
            path.pop();
        }
    }
    Ok(())
}
