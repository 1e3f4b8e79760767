//! The root element of a document.

use super::problem::Problem;
use super::token::{Sink, Tag, Token};

/// How much of an unexpected name an error quotes, in characters.
const MAX_QUOTED: usize = 40;

/// A document of which only the root element is checked.
#[derive(Debug)]
pub(crate) struct RootElement {
    name: &'static str,
}

impl RootElement {
    /// Expects a root element of this name.
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name }
    }
}

impl Sink for RootElement {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => check_root(tag, self.name),
            _ => Ok(()),
        }
    }
}

/// Checks the name of the root element.
pub(super) fn check_root(tag: &Tag<'_>, expected: &str) -> Result<(), Problem> {
    if tag.name() == expected {
        return Ok(());
    }
    let name: String = tag.name().chars().take(MAX_QUOTED).collect();
    Err(Problem::new(format!("the root element is `{name}`: expected `{expected}`")))
}
