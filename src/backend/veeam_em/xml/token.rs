//! The tokens of an XML document, and the trait of what reads them.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::problem::Problem;

/// Bounds the search for duplicate attributes, which is quadratic. Real tags have up to eight attributes.
const MAX_ATTRIBUTES: usize = 64;

/// Reads the tokens of one document.
pub(crate) trait Sink {
    /// Takes the next token. `depth` is the number of elements around it, 0 for the tags of the root element; `raw` is
    /// the token as it was received.
    ///
    /// # Errors
    /// When the document is not the expected one; no further token follows.
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem>;
}

/// A token.
pub(crate) enum Token<'a> {
    /// An element begins.
    Open(Tag<'a>),
    /// Text with its references resolved. The text between two tags may come in several tokens.
    Text(Cow<'a, str>),
    /// An element ends.
    Close,
}

/// The start tag of an element.
pub(crate) struct Tag<'a>(BytesStart<'a>);

impl<'a> Tag<'a> {
    pub(super) fn new(start: BytesStart<'a>) -> Self {
        Self(start)
    }

    /// The name without its namespace prefix.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The attributes: names without prefixes, values normalized (XML 1.0 §3.3.3).
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Result<(&str, Cow<'_, str>), Problem>> {
        self.0.attributes().enumerate().map(|(count, attribute)| {
            if count == MAX_ATTRIBUTES {
                let problem = format!("an element with more than {MAX_ATTRIBUTES} attributes");
                return Err(Problem::new(problem));
            }
            let attribute = attribute.map_err(|_| Problem::new("a malformed attribute"))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| Problem::new("a malformed attribute value"))?;
            Ok((attribute.key.local_name().into_inner(), value))
        })
    }

    /// The value of one attribute.
    pub(crate) fn attribute(&self, name: &str) -> Result<Option<String>, Problem> {
        for attribute in self.attributes() {
            let (key, value) = attribute?;
            if key == name {
                return Ok(Some(value.into_owned()));
            }
        }
        Ok(None)
    }
}
