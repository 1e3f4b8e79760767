//! The `order_by` of List (AIP-132), over the fields that every vendor reports.

use std::cmp::Ordering;

use super::{Error, InvalidKind, RestorePoint};

/// A parsed `order_by`. The name is always the last term, so that no two points are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    terms: Vec<(Field, Direction)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    PointTime,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

/// The position of a point in an order, small enough for a page token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// `point_time` in nanoseconds; points without a time come first.
    pub time: Option<i128>,
    /// The name.
    pub name: String,
}

impl SortKey {
    /// The key of a point.
    pub fn of(point: &RestorePoint) -> Self {
        let time = point.point_time.map(|time| time.as_nanosecond());
        Self { time, name: point.name.to_string() }
    }
}

impl OrderBy {
    /// Parses, for example, `point_time desc, name`; an empty text means the vendors' own order.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `order_by`.
    pub fn parse(text: &str) -> Result<Option<Self>, Error> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let mut terms = Vec::new();
        for term in text.split(',') {
            let mut words = term.split_whitespace();
            let field = match words.next() {
                Some("point_time") => Field::PointTime,
                Some("name") => Field::Name,
                _ => return Err(invalid(term)),
            };
            let direction = match words.next() {
                None => Direction::Ascending,
                Some("desc") => Direction::Descending,
                Some(_) => return Err(invalid(term)),
            };
            if words.next().is_some() || terms.iter().any(|(seen, _)| *seen == field) {
                return Err(invalid(term));
            }
            terms.push((field, direction));
        }
        if !terms.iter().any(|(field, _)| *field == Field::Name) {
            terms.push((Field::Name, Direction::Ascending));
        }
        Ok(Some(Self { terms }))
    }

    /// Compares two points by their keys.
    pub fn compare(&self, a: &SortKey, b: &SortKey) -> Ordering {
        self.terms
            .iter()
            .map(|(field, direction)| {
                let ordering = match field {
                    Field::PointTime => a.time.cmp(&b.time),
                    Field::Name => a.name.cmp(&b.name),
                };
                match direction {
                    Direction::Ascending => ordering,
                    Direction::Descending => ordering.reverse(),
                }
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn invalid(term: &str) -> Error {
    let shown: String = term.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    Error::invalid(
        InvalidKind::Filter,
        "order_by",
        format!(
            "invalid term `{shown}`: expected `point_time` or `name`, each once, optionally followed by ` desc`"
        ),
    )
}
