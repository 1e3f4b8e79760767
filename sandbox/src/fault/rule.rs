//! A rule: a fault with the requests it applies to.

use std::num::NonZeroUsize;

use http::Method;
use percent_encoding::percent_decode_str;

use super::effect::Fault;

/// Which requests a fault applies to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    pub(crate) method: Option<Method>,
    pub(crate) target: String,
    pub(crate) skip: usize,
}

impl Matching {
    /// Requests with `method` whose path and query contain `part`.
    pub fn new(method: Method, part: &str) -> Self {
        Self { method: Some(method), ..Self::path(part) }
    }

    /// Requests with any method whose path and query contain `part`: as sent or percent-decoded, in any
    /// casing.
    pub fn path(part: &str) -> Self {
        Self { method: None, target: part.to_owned(), skip: 0 }
    }

    /// Not the first `skip` of these.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    pub(crate) fn matches(&self, method: &Method, target: &str) -> bool {
        let part = self.target.to_lowercase();
        let decoded = percent_decode_str(target).decode_utf8_lossy();
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && (target.to_lowercase().contains(&part) || decoded.to_lowercase().contains(&part))
    }
}

/// A fault with the requests it applies to. It parses from a line of words or a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<V> {
    /// Which requests it applies to.
    pub matching: Matching,
    /// How many of them; `None` for all until the rule is removed.
    pub times: Option<NonZeroUsize>,
    /// What happens to them.
    pub fault: Fault<V>,
}
