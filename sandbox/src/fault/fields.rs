//! The syntax of faults, on the command line and in JSON: named values.
//!
//! The parser of faults and the admin routes decide what the names mean.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

/// A field that is wrong, with the problem and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvalidField {
    /// The name of the field.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to give instead.
    pub remedy: String,
}

impl InvalidField {
    pub(crate) fn new(field: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.problem, self.remedy)
    }
}

impl std::error::Error for InvalidField {}

/// Named values. Each read removes a field, so that the unknown ones are left at the end.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

/// The value of a flag.
const FLAG: &str = "true";

impl Fields {
    /// Parses a JSON object, or a line such as `GET /query skip=1 status=401`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        if text.trim_start().starts_with('{') { Self::json(text) } else { Self::line(text) }
    }

    /// `GET /query skip=1 body="two words" chunked`: a word in capitals is the method, one that begins
    /// with a slash the target, one without `=` a flag. Inside quotes a backslash escapes the next
    /// character.
    fn line(text: &str) -> Result<Self, InvalidField> {
        let mut fields = Self::default();
        for word in split(text)? {
            let (name, value) = match word.split_once('=') {
                _ if word.starts_with('/') => ("target", word.as_str()),
                Some((name, value)) => (name, value),
                None if word.chars().all(|c| c.is_ascii_uppercase()) => ("method", word.as_str()),
                None => (word.as_str(), FLAG),
            };
            fields.given.push((name.to_owned(), value.to_owned()));
        }
        Ok(fields)
    }

    fn json(text: &str) -> Result<Self, InvalidField> {
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|error| {
                let problem = format!("it is not a JSON object: {error}");
                InvalidField::new("body", problem, "give an object of names and values")
            })?;
        let mut fields = Self::default();
        for (name, value) in object {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                let value = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(true) => FLAG.to_owned(),
                    Value::Bool(false) | Value::Null => continue,
                    Value::Array(_) | Value::Object(_) => {
                        let remedy = "give a string, a number, true, or an array of strings";
                        return Err(InvalidField::new(&name, "it is not a simple value", remedy));
                    }
                };
                fields.given.push((name.clone(), value));
            }
        }
        Ok(fields)
    }

    /// All values of a field that may be repeated.
    pub(crate) fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (taken, rest) =
            std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of a field.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, InvalidField> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(InvalidField::new(name, "it is given more than once", "give it once")),
        }
    }

    /// The value of a field, parsed as a `T`.
    pub(crate) fn read<T: FromStr>(
        &mut self,
        name: &'static str,
        valid: &str,
    ) -> Result<Option<T>, InvalidField> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value =
            text.parse().map_err(|_| InvalidField::new(name, invalid(&text), give(valid)))?;
        Ok(Some(value))
    }

    /// Whether a flag is given.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, InvalidField> {
        match self.text(name)?.as_deref() {
            None => Ok(false),
            Some(FLAG) => Ok(true),
            Some(other) => {
                let remedy = "give the word without a value, in JSON true";
                Err(InvalidField::new(name, invalid(other), remedy))
            }
        }
    }

    /// The value of a required field.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        valid: &str,
    ) -> Result<String, InvalidField> {
        let missing = || InvalidField::new(name, "it is missing", give(valid));
        self.text(name)?.ok_or_else(missing)
    }

    /// Rejects the first field that was not read.
    pub(crate) fn finish(self) -> Result<(), InvalidField> {
        let Some((name, _)) = self.given.first() else { return Ok(()) };
        let remedy = format!("the fields are {}", self.known.join(", "));
        Err(InvalidField::new(name, "there is no such field", remedy))
    }
}

/// The problem of a value that cannot be parsed.
pub(crate) fn invalid(value: &str) -> String {
    format!("'{value}' is invalid")
}

/// The remedy for it.
pub(crate) fn give(valid: &str) -> String {
    format!("give {valid}")
}

/// Splits a line at white space outside quotes.
fn split(text: &str) -> Result<Vec<String>, InvalidField> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(characters.next()),
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if quoted {
        let remedy = "close it, and write a quote inside as \\\"";
        return Err(InvalidField::new("fault", "a quote is not closed", remedy));
    }
    Ok(words)
}
