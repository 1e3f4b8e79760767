//! The `filter` of List: AIP-160's grammar by a library, and what its fields mean for a restore point.
//!
//! Everything that is not understood is refused by name: a filter that is silently wider or narrower than
//! the caller believes would lose points.

use aip_160::{Comparable, Comparator, Expression, Restriction, StringMatch, Value};
use jiff::Timestamp;

use super::{Consistency, Error, Invalid, RestorePoint, State};

const LONGEST: usize = 4096;
const LONGEST_PROBLEM: usize = 300;
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
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    State(State),
    Consistency(Consistency),
    Usable,
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
    /// Parses the request field `filter`; an empty one lets everything pass.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `filter` that names what is not understood.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(refuse(format!("it is longer than {LONGEST} bytes")));
        }
        let filter = aip_160::parse_filter(text).map_err(|error| refuse(error.to_string()))?;
        let test = filter.expression.as_ref().map_or(Ok(Test::All(Vec::new())), compile)?;
        Ok(Self { test })
    }

    /// Whether a point passes.
    pub fn matches(&self, point: &RestorePoint) -> bool {
        self.test.holds(point)
    }
}

impl Test {
    fn holds(&self, point: &RestorePoint) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(point)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(point)),
            Self::Not(test) => !test.holds(point),
            Self::State(state) => point.state == *state,
            Self::Consistency(consistency) => point.consistency == *consistency,
            Self::Usable => point.state.is_usable(),
            // A point whose time the vendor does not tell is neither before nor after anything.
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
            Self::Text(field, pattern) => pattern.fits(&field(point)),
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

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(own) => text == own,
            Self::Prefix(own) => text.starts_with(own.as_str()),
            Self::Suffix(own) => text.ends_with(own.as_str()),
            Self::Contains(own) => text.contains(own.as_str()),
        }
    }
}

fn compile(expression: &Expression) -> Result<Test, Error> {
    let all = |parts: &[Expression]| parts.iter().map(compile).collect::<Result<Vec<_>, _>>();
    match expression {
        Expression::And(parts) | Expression::Sequence(parts) => Ok(Test::All(all(parts)?)),
        Expression::Or(parts) => Ok(Test::Any(all(parts)?)),
        Expression::Not(part) => Ok(Test::Not(Box::new(compile(part)?))),
        Expression::Restriction(restriction) => compile_restriction(restriction),
        Expression::Global(Comparable::Function(_)) => Err(refuse("functions are not taken")),
        Expression::Global(Comparable::Member(_)) => {
            Err(refuse("a value alone says nothing; write `field = value`"))
        }
    }
}

fn compile_restriction(restriction: &Restriction) -> Result<Test, Error> {
    let Some(field) = restriction.comparable.field_path() else {
        return Err(refuse("the left side of a comparison must be a field"));
    };
    let Some(value) = restriction.arg.as_value() else {
        return Err(refuse(format!("`{field}` must be compared with one value; quote it")));
    };
    let comparator = restriction.comparator;
    let text = value.as_str();
    let test = match field.as_str() {
        "point_time" => {
            let time = text.parse().map_err(|_| {
                refuse(format!("`{text}` is no time; write \"2026-01-31T00:00:00Z\""))
            })?;
            return Ok(Test::PointTime(comparator, time));
        }
        "state" => Test::State(
            State::from_name(text).ok_or_else(|| refuse(format!("`{text}` is no state")))?,
        ),
        "consistency" => Test::Consistency(
            Consistency::from_name(text)
                .ok_or_else(|| refuse(format!("`{text}` is no consistency")))?,
        ),
        "usable" => match text {
            "true" => Test::Usable,
            "false" => Test::Not(Box::new(Test::Usable)),
            _ => return Err(refuse("`usable` is `true` or `false`")),
        },
        _ => match TEXT_FIELDS.iter().find(|(name, _)| *name == field) {
            Some((_, read)) => Test::Text(*read, Pattern::new(value, comparator)),
            None => return Err(refuse(format!("there is no field `{field}` to filter by"))),
        },
    };
    match comparator {
        Comparator::Equal | Comparator::Has => Ok(test),
        Comparator::NotEqual => Ok(Test::Not(Box::new(test))),
        _ => Err(refuse(format!("`{field}` has no order; compare it with `=`, `!=` or `:`"))),
    }
}

/// What is wrong, at no great length: a part of the filter is quoted in it, and an error travels in headers.
fn refuse(problem: impl Into<String>) -> Error {
    let mut problem: String = problem.into();
    if problem.len() > LONGEST_PROBLEM {
        problem.truncate(problem.floor_char_boundary(LONGEST_PROBLEM));
        problem.push('…');
    }
    Error::invalid(Invalid::Filter, "filter", problem)
}
