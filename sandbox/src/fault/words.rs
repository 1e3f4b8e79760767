//! The words that faults are ordered in, from a command line or as JSON: names with values, whatever they
//! mean.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

/// What is wrong with an order, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The name of the field.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to give instead.
    pub remedy: String,
}

impl Complaint {
    pub(crate) fn new(field: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.problem, self.remedy)
    }
}

impl std::error::Error for Complaint {}

/// Names with values, each of which is asked for once.
#[derive(Debug, Default)]
pub struct Fields {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

/// The value of a field that is there or not.
const FLAG: &str = "true";

impl Fields {
    /// A JSON object, or a line such as `GET /query skip=1 status=401`.
    pub(crate) fn parse(text: &str) -> Result<Self, Complaint> {
        if text.trim_start().starts_with('{') { Self::json(text) } else { Self::line(text) }
    }

    /// `GET /query skip=1 body="two words" chunked`: a word in capitals is the method, one that begins
    /// with a slash the target, one without `=` a flag. In quotes a backslash takes the next character
    /// as it is.
    pub(crate) fn line(text: &str) -> Result<Self, Complaint> {
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

    fn json(text: &str) -> Result<Self, Complaint> {
        let object: serde_json::Map<String, Value> = serde_json::from_str(text).map_err(|e| {
            Complaint::new("body", format!("it is no JSON object: {e}"), "give names with values")
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
                        let remedy = "give a text, a number, true, or a list of texts";
                        return Err(Complaint::new(&name, "it is no plain value", remedy));
                    }
                };
                fields.given.push((name.clone(), value));
            }
        }
        Ok(fields)
    }

    /// All values of a field that may be given more than once.
    pub(crate) fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (taken, rest) =
            std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of a field.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Complaint> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Complaint::new(name, "it is given more than once", "give it once")),
        }
    }

    /// The value of a field read as a `T`.
    pub(crate) fn read<T: FromStr>(
        &mut self,
        name: &'static str,
        remedy: &str,
    ) -> Result<Option<T>, Complaint> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = text.parse().map_err(|_| {
            Complaint::new(name, format!("'{text}' cannot be taken"), format!("give {remedy}"))
        })?;
        Ok(Some(value))
    }

    /// Whether a flag is given.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Complaint> {
        match self.text(name)?.as_deref() {
            None => Ok(false),
            Some(FLAG) => Ok(true),
            Some(other) => {
                let problem = format!("'{other}' cannot be taken");
                Err(Complaint::new(name, problem, "give the word alone, in JSON true"))
            }
        }
    }

    /// A field that must be given.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        remedy: &str,
    ) -> Result<String, Complaint> {
        let missing = || Complaint::new(name, "it is missing", format!("give {remedy}"));
        self.text(name)?.ok_or_else(missing)
    }

    /// Nothing is left over.
    pub(crate) fn finish(self) -> Result<(), Complaint> {
        let Some((name, _)) = self.given.first() else { return Ok(()) };
        let remedy = format!("there are {}", self.known.join(", "));
        Err(Complaint::new(name, "there is no such field", remedy))
    }
}

/// Words between blanks, of which quotes keep some together.
fn split(text: &str) -> Result<Vec<String>, Complaint> {
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
        return Err(Complaint::new("fault", "a quote is not closed", remedy));
    }
    Ok(words)
}
