//! The filter language of the query service: comparisons joined by `;` (and) and `,` (or), with
//! parentheses.
//!
//! White space outside quotes is ignored, a quote inside quotes is doubled, and there is no `like` and no `in`.
//! It is assumed that `;` takes precedence over `,`, and that text compares without case: the vendor documents
//! neither.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::veeam_em::format::document::Scalar;
use crate::veeam_em::model::inventory::{Entity, Field, Inventory};
use crate::veeam_em::model::kind::{Column, Kind};

/// Deeper nesting of parentheses is rejected, to protect the stack.
const MAX_DEPTH: usize = 50;

/// What is wrong with a query: the text of the error reply.
pub(crate) type InvalidQuery = String;

/// A filter for one kind.
#[derive(Debug)]
pub(crate) enum Filter {
    Compare(Column, Operator, Key),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value in the form in which it is compared and sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Text(String),
    Time(Timestamp),
    /// The position in an enumeration; other values come last.
    Rank(usize),
}

impl Filter {
    /// Parses a filter for entities of `kind`.
    ///
    /// # Errors
    /// When it is malformed, names an unknown field, or compares a field with an invalid value.
    pub(crate) fn parse(text: &str, kind: Kind) -> Result<Filter, InvalidQuery> {
        let mut parser = Parser { rest: text.chars().peekable(), kind, depth: 0 };
        let filter = parser.any()?;
        match parser.peek() {
            None => Ok(filter),
            Some(left) => Err(format!("Unexpected '{left}' in filter.")),
        }
    }

    pub(crate) fn matches(&self, entity: &Entity, inventory: &Inventory) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(entity, inventory)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(entity, inventory)),
            Filter::Compare(column, operator, operand) => {
                let order = column.key(entity, inventory).cmp(operand);
                match operator {
                    Operator::Equal => order == Ordering::Equal,
                    Operator::NotEqual => order != Ordering::Equal,
                    Operator::Less => order == Ordering::Less,
                    Operator::LessOrEqual => order != Ordering::Greater,
                    Operator::Greater => order == Ordering::Greater,
                    Operator::GreaterOrEqual => order != Ordering::Less,
                }
            }
        }
    }
}

/// The column of a kind by its filter name, in any case.
///
/// # Errors
/// When there is none.
pub(crate) fn column(kind: Kind, name: &str) -> Result<Column, InvalidQuery> {
    let schema = kind.schema();
    let known = schema.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known
        .map(|(_, column)| *column)
        .ok_or_else(|| format!("Property '{name}' is not defined for type '{}'.", schema.element))
}

impl Column {
    /// The entity's value in this column.
    pub(crate) fn key(self, entity: &Entity, inventory: &Inventory) -> Key {
        let parent = |kind| inventory.all_parents(entity).find(|parent| parent.kind == kind);
        match self {
            Column::Uid => text(&entity.uid()),
            Column::Name => text(&entity.name),
            Column::VmDisplayName => text(entity.vm.as_deref().unwrap_or_default()),
            Column::ParentUid(kind) => text(&parent(kind).map(Entity::uid).unwrap_or_default()),
            Column::ParentName(kind) => text(parent(kind).map_or("", |parent| &parent.name)),
            Column::Text(element) => text(&plain(entity, element)),
            Column::OneOf(element, order) => {
                Key::Rank(rank(order, &plain(entity, element)).unwrap_or(order.len()))
            }
            Column::Time(element) => match entity.field(element) {
                Some(Field::Time(time)) => Key::Time(*time),
                _ => Key::Time(Timestamp::MIN),
            },
        }
    }

    fn operand(self, literal: &str) -> Result<Key, InvalidQuery> {
        match self {
            Column::Time(_) => Ok(Key::Time(time(literal)?)),
            Column::OneOf(_, order) => rank(order, literal)
                .map(Key::Rank)
                .ok_or_else(|| format!("Requested value '{literal}' was not found.")),
            _ => Ok(text(literal)),
        }
    }
}

fn text(value: &str) -> Key {
    Key::Text(value.to_lowercase())
}

fn plain(entity: &Entity, element: &str) -> String {
    match entity.field(element) {
        Some(Field::Plain(Scalar::Text(text))) => text.clone(),
        Some(Field::Plain(Scalar::Bool(value))) => value.to_string(),
        _ => String::new(),
    }
}

fn rank(order: &[&str], value: &str) -> Option<usize> {
    order.iter().position(|known| known.eq_ignore_ascii_case(value))
}

/// A time with `T` or a blank in the middle, and with or without an offset; UTC without.
fn time(literal: &str) -> Result<Timestamp, InvalidQuery> {
    let utc = || TimeZone::UTC.to_timestamp(literal.parse::<DateTime>()?);
    literal
        .parse::<Timestamp>()
        .or_else(|_| utc())
        .map_err(|_| format!("String '{literal}' was not recognized as a valid DateTime."))
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    kind: Kind,
    /// The number of open parentheses.
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter, InvalidQuery> {
        let mut parts = vec![self.all()?];
        while self.take(',') {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, InvalidQuery> {
        let mut parts = vec![self.term()?];
        while self.take(';') {
            parts.push(self.term()?);
        }
        Ok(Filter::All(parts))
    }

    fn term(&mut self) -> Result<Filter, InvalidQuery> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("Parentheses are nested too deep in filter.".to_owned());
            }
            let inner = self.any()?;
            self.depth -= 1;
            return match self.take(')') {
                true => Ok(inner),
                false => Err("A parenthesis is not closed in filter.".to_owned()),
            };
        }
        let name = self.word("=!<>");
        let column = column(self.kind, &name)?;
        let operator = self.operator()?;
        let literal = if self.take('"') { self.quoted()? } else { self.word("\"") };
        Ok(Filter::Compare(column, operator, column.operand(&literal)?))
    }

    fn operator(&mut self) -> Result<Operator, InvalidQuery> {
        let first = self.peek();
        self.rest.next();
        let equals = self.rest.next_if_eq(&'=').is_some();
        match (first, equals) {
            (Some('='), true) => Ok(Operator::Equal),
            (Some('!'), true) => Ok(Operator::NotEqual),
            (Some('<'), true) => Ok(Operator::LessOrEqual),
            (Some('<'), false) => Ok(Operator::Less),
            (Some('>'), true) => Ok(Operator::GreaterOrEqual),
            (Some('>'), false) => Ok(Operator::Greater),
            _ => Err("An operator is expected in filter.".to_owned()),
        }
    }

    /// The text after an opening quote. Consumes the closing one.
    fn quoted(&mut self) -> Result<String, InvalidQuery> {
        let mut text = String::new();
        while let Some(next) = self.rest.next() {
            if next != '"' {
                text.push(next);
            } else if self.rest.next_if_eq(&'"').is_some() {
                text.push('"');
            } else {
                return Ok(text);
            }
        }
        Err("A quote is not closed in filter.".to_owned())
    }

    /// An unquoted word, which ends at punctuation or at one of `stops`. White space in it is dropped.
    fn word(&mut self, stops: &str) -> String {
        let mut word = String::new();
        while let Some(next) = self.rest.next_if(|c| !",;()".contains(*c) && !stops.contains(*c)) {
            if !next.is_whitespace() {
                word.push(next);
            }
        }
        word
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest.next();
        }
        found
    }

    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
        self.rest.peek().copied()
    }
}
