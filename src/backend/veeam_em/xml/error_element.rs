//! The body of an error response: `Error` with its attribute `Message`. Its stack trace is not read.

use super::problem::Problem;
use super::root_element::check_root;
use super::token::{Sink, Token};

/// The element `Error`.
#[derive(Debug, Default)]
pub(crate) struct ErrorElement {
    /// Attribute `Message`, empty if it is absent.
    pub(crate) message: String,
}

impl Sink for ErrorElement {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        if let (Token::Open(tag), 0) = (token, depth) {
            check_root(tag, "Error")?;
            self.message = tag.attribute("Message")?.unwrap_or_default();
        }
        Ok(())
    }
}
