//! `order_by`: the orders that both vendors' points can be sorted in.

use std::cmp::Ordering;

use super::{Error, Invalid, RestorePoint};

/// A parsed `order_by`; the name always comes last, so that no two points are equal.
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

/// Where a point stands in an order; small enough for a page token.
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
    /// Parses `point_time desc, name`; an empty text asks for the vendors' own order.
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
                _ => return Err(refuse(term)),
            };
            let direction = match words.next() {
                None => Direction::Ascending,
                Some("desc") => Direction::Descending,
                Some(_) => return Err(refuse(term)),
            };
            if words.next().is_some() || terms.iter().any(|(seen, _)| *seen == field) {
                return Err(refuse(term));
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

fn refuse(term: &str) -> Error {
    let shown: String = term.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    Error::invalid(
        Invalid::Filter,
        "order_by",
        format!(
            "`{shown}` is not one of `point_time` and `name`, each once, with ` desc` or without"
        ),
    )
}
