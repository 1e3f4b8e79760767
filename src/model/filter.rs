//! The `filter` of List: the grammar of AIP-160, parsed by a library, and the fields of a restore point.
//!
//! An unknown field, value or operator is an error that names it: a filter that is silently wider or narrower than the
//! caller believes would lose points.

use aip_160::{Comparable, Comparator, Expression, Restriction, StringMatch, Value};
use jiff::Timestamp;

use super::{Consistency, Error, InvalidKind, RestorePoint, State, Use};

/// The contract's limit, in bytes.
const MAX_FILTER: usize = 4096;
/// The error quotes the filter and travels in headers, so it is cut to so many bytes.
const MAX_PROBLEM: usize = 300;

/// Reads a field that is compared as text.
type ReadText = fn(&RestorePoint) -> String;

const TEXT_FIELDS: &[(&str, ReadText)] = &[
    ("name", |point| point.name.to_string()),
    ("display_name", |point| point.display_name.clone()),
    ("location", |point| point.location.clone()),
    ("source.vm_name", |point| point.source.vm_name.clone()),
    ("source.location", |point| point.source.location.clone()),
    ("source_restore_point", |point| {
        point.source_restore_point.as_ref().map(ToString::to_string).unwrap_or_default()
    }),
];

/// A checked filter.
#[derive(Debug, Clone)]
pub struct Filter {
    predicate: Predicate,
}

#[derive(Debug, Clone)]
enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    State(State),
    Consistency(Consistency),
    Usable,
    UsableFor(Use),
    PointTime(Comparator, Timestamp),
    Text(ReadText, Pattern),
}

#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
}

impl Filter {
    /// Parses the request field `filter`; an empty one matches every point.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `filter` that names what is unknown.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FILTER {
            return Err(invalid(format!("longer than {MAX_FILTER} bytes")));
        }
        let filter = aip_160::parse_filter(text).map_err(|error| invalid(error.to_string()))?;
        let predicate =
            filter.expression.as_ref().map_or(Ok(Predicate::All(Vec::new())), compile)?;
        Ok(Self { predicate })
    }

    /// Whether a point matches.
    pub fn matches(&self, point: &RestorePoint) -> bool {
        self.predicate.matches(point)
    }
}

impl Predicate {
    fn matches(&self, point: &RestorePoint) -> bool {
        match self {
            Self::All(predicates) => predicates.iter().all(|predicate| predicate.matches(point)),
            Self::Any(predicates) => predicates.iter().any(|predicate| predicate.matches(point)),
            Self::Not(predicate) => !predicate.matches(point),
            Self::State(state) => point.state == *state,
            Self::Consistency(consistency) => point.consistency == *consistency,
            Self::Usable => point.state.is_usable(),
            Self::UsableFor(wanted) => point.is_usable_for(*wanted),
            // A point without a time is neither before nor after any time.
            Self::PointTime(comparator, time) => {
                point.point_time.is_some_and(|own| match comparator {
                    Comparator::Equal | Comparator::Has => own == *time,
                    Comparator::NotEqual => own != *time,
                    Comparator::LessThan => own < *time,
                    Comparator::LessThanOrEqual => own <= *time,
                    Comparator::GreaterThan => own > *time,
                    Comparator::GreaterThanOrEqual => own >= *time,
                })
            }
            Self::Text(field, pattern) => pattern.matches(&field(point)),
        }
    }
}

impl Pattern {
    fn new(value: &Value, comparator: Comparator) -> Self {
        match value.string_match() {
            Some(StringMatch::Prefix(text)) => Self::Prefix(text.to_owned()),
            Some(StringMatch::Suffix(text)) => Self::Suffix(text.to_owned()),
            Some(StringMatch::Contains(text)) => Self::Contains(text.to_owned()),
            _ if comparator == Comparator::Has => Self::Contains(value.as_str().to_owned()),
            _ => Self::Exact(value.as_str().to_owned()),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(own) => text == own,
            Self::Prefix(own) => text.starts_with(own.as_str()),
            Self::Suffix(own) => text.ends_with(own.as_str()),
            Self::Contains(own) => text.contains(own.as_str()),
        }
    }
}

fn compile(expression: &Expression) -> Result<Predicate, Error> {
    let all = |parts: &[Expression]| parts.iter().map(compile).collect::<Result<Vec<_>, _>>();
    match expression {
        Expression::And(parts) | Expression::Sequence(parts) => Ok(Predicate::All(all(parts)?)),
        Expression::Or(parts) => Ok(Predicate::Any(all(parts)?)),
        Expression::Not(part) => Ok(Predicate::Not(Box::new(compile(part)?))),
        Expression::Restriction(restriction) => compile_restriction(restriction),
        Expression::Global(Comparable::Function(_)) => Err(invalid("functions are not supported")),
        Expression::Global(Comparable::Member(_)) => {
            Err(invalid("a bare value is not supported: write `field = value`"))
        }
    }
}

fn compile_restriction(restriction: &Restriction) -> Result<Predicate, Error> {
    let Some(field) = restriction.comparable.field_path() else {
        return Err(invalid("the left side of a comparison must be a field"));
    };
    let Some(value) = restriction.arg.as_value() else {
        return Err(invalid(format!("`{field}` must be compared with one value: quote it")));
    };
    let comparator = restriction.comparator;
    let text = value.as_str();
    let predicate = match field.as_str() {
        "point_time" => {
            let time = text.parse().map_err(|_| {
                invalid(format!(
                    "invalid time `{text}` for `point_time`: expected e.g. \"2026-01-31T00:00:00Z\""
                ))
            })?;
            return Ok(Predicate::PointTime(comparator, time));
        }
        "state" => Predicate::State(
            State::from_name(text)
                .ok_or_else(|| unknown_value("state", text, State::ALL.map(State::name)))?,
        ),
        "consistency" => Predicate::Consistency(Consistency::from_name(text).ok_or_else(|| {
            unknown_value("consistency", text, Consistency::NAMED.map(Consistency::name))
        })?),
        // A repeated field: AIP-160 has only `:` for its elements.
        "usable_for" => {
            let wanted = Use::from_name(text)
                .ok_or_else(|| unknown_value("usable_for", text, Use::ALL.map(Use::name)))?;
            return match comparator {
                Comparator::Has => Ok(Predicate::UsableFor(wanted)),
                _ => Err(invalid("`usable_for` is repeated: write e.g. `usable_for:COPY`")),
            };
        }
        "usable" => match text {
            "true" => Predicate::Usable,
            "false" => Predicate::Not(Box::new(Predicate::Usable)),
            _ => return Err(unknown_value("usable", text, ["true", "false"])),
        },
        _ => match TEXT_FIELDS.iter().find(|(name, _)| *name == field) {
            Some((_, read)) => Predicate::Text(*read, Pattern::new(value, comparator)),
            None => return Err(unknown_field(&field)),
        },
    };
    match comparator {
        Comparator::Equal | Comparator::Has => Ok(predicate),
        Comparator::NotEqual => Ok(Predicate::Not(Box::new(predicate))),
        _ => Err(invalid(format!("`{field}` has no order: compare it with `=`, `!=` or `:`"))),
    }
}

fn unknown_field(field: &str) -> Error {
    let others = TEXT_FIELDS.iter().map(|(name, _)| *name);
    let known: Vec<_> = ["state", "usable", "usable_for", "point_time", "consistency"]
        .into_iter()
        .chain(others)
        .collect();
    let field: String = field.chars().take(60).collect();
    invalid(format!("unknown field `{field}`: expected one of {}", known.join(", ")))
}

fn unknown_value<const N: usize>(field: &str, value: &str, known: [&str; N]) -> Error {
    let value: String = value.chars().take(60).collect();
    invalid(format!("unknown value `{value}` for `{field}`: expected one of {}", known.join(", ")))
}

fn invalid(problem: impl Into<String>) -> Error {
    let mut problem: String = problem.into();
    if problem.len() > MAX_PROBLEM {
        problem.truncate(problem.floor_char_boundary(MAX_PROBLEM));
        problem.push('…');
    }
    Error::invalid(InvalidKind::Filter, "filter", problem)
}
