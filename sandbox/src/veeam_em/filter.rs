//! The filter language of the query service: comparisons joined by `;` (and) and `,` (or), with
//! parentheses.
//!
//! Blanks outside quotes are ignored, a quote inside quotes is doubled, and there is no `like` and no
//! `in`. That `;` binds tighter than `,`, and that text compares without case, is assumed: the
//! vendor does not say.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::document::Scalar;
use super::estate::{Entity, Estate, Field};
use super::kinds::{Column, Kind};

/// More open parentheses than this are refused, to spare the stack.
const DEEPEST: usize = 50;

/// What is wrong with a query, in the words of the error that answers it.
pub(super) type Complaint = String;

/// A filter, checked against the kind it is for.
#[derive(Debug)]
pub(super) enum Filter {
    Compare(Column, Operator, Key),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value in the form in which it is compared and sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Text(String),
    Time(Timestamp),
    /// The place in an enumeration; a value outside it comes last.
    Rank(usize),
}

impl Filter {
    /// Reads a filter for entities of `kind`.
    ///
    /// # Errors
    /// When it is malformed, names an unknown field, or compares one with what it cannot be.
    pub(super) fn parse(text: &str, kind: Kind) -> Result<Filter, Complaint> {
        let mut parser = Parser { rest: text.chars().peekable(), kind, depth: 0 };
        let filter = parser.any()?;
        match parser.peek() {
            None => Ok(filter),
            Some(left) => Err(format!("Unexpected '{left}' in filter.")),
        }
    }

    pub(super) fn matches(&self, entity: &Entity, estate: &Estate) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(entity, estate)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(entity, estate)),
            Filter::Compare(column, operator, operand) => {
                let order = column.key(entity, estate).cmp(operand);
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
pub(super) fn column(kind: Kind, name: &str) -> Result<Column, Complaint> {
    let shape = kind.shape();
    let known = shape.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known
        .map(|(_, column)| *column)
        .ok_or_else(|| format!("Property '{name}' is not defined for type '{}'.", shape.element))
}

impl Column {
    /// The entity's value in this column.
    pub(super) fn key(self, entity: &Entity, estate: &Estate) -> Key {
        let parent = |kind| estate.above(entity).find(|parent| parent.kind == kind);
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

    fn operand(self, literal: &str) -> Result<Key, Complaint> {
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
        Some(Field::Plain(Scalar::Flag(flag))) => flag.to_string(),
        _ => String::new(),
    }
}

fn rank(order: &[&str], value: &str) -> Option<usize> {
    order.iter().position(|known| known.eq_ignore_ascii_case(value))
}

/// Times come with `T` or a blank in the middle, and with or without an offset; UTC if without.
fn time(literal: &str) -> Result<Timestamp, Complaint> {
    let utc = || TimeZone::UTC.to_timestamp(literal.parse::<DateTime>()?);
    literal
        .parse::<Timestamp>()
        .or_else(|_| utc())
        .map_err(|_| format!("String '{literal}' was not recognized as a valid DateTime."))
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    kind: Kind,
    /// How many parentheses are open.
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter, Complaint> {
        let mut parts = vec![self.all()?];
        while self.take(',') {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, Complaint> {
        let mut parts = vec![self.term()?];
        while self.take(';') {
            parts.push(self.term()?);
        }
        Ok(Filter::All(parts))
    }

    fn term(&mut self) -> Result<Filter, Complaint> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
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

    fn operator(&mut self) -> Result<Operator, Complaint> {
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

    /// What follows an opening quote, up to and with the closing one.
    fn quoted(&mut self) -> Result<String, Complaint> {
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

    /// A bare word, which ends at punctuation or at one of `stops`; blanks in it are dropped.
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
