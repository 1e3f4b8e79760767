//! Which requests a fault hits, and the faults that wait for theirs.
//!
//! A request is hit by one fault at most: the oldest that is not used up.

use std::num::NonZeroUsize;

use http::Method;
use percent_encoding::percent_decode_str;

use super::Fault;

/// Which requests a fault hits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    pub(super) method: Option<Method>,
    pub(super) target: String,
    pub(super) skip: usize,
}

impl Matching {
    /// Requests by `method` whose path and query contain `part`.
    pub fn new(method: Method, part: &str) -> Self {
        Self { method: Some(method), ..Self::path(part) }
    }

    /// Requests by any method whose path and query contain `part`: as it was sent or with its percent
    /// escapes undone, in any casing.
    pub fn path(part: &str) -> Self {
        Self { method: None, target: part.to_owned(), skip: 0 }
    }

    /// Not the first `skip` of these.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    fn hits(&self, method: &Method, target: &str) -> bool {
        let part = self.target.to_lowercase();
        let decoded = percent_decode_str(target).decode_utf8_lossy();
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && (target.to_lowercase().contains(&part) || decoded.to_lowercase().contains(&part))
    }
}

/// A fault with the requests it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<O> {
    /// Which requests it hits.
    pub matching: Matching,
    /// How many of them; without a number, all until it is cleared.
    pub times: Option<NonZeroUsize>,
    /// What happens to them.
    pub fault: Fault<O>,
}

/// All rules, the oldest first. Those that are used up stay until they are cleared, so that one can see
/// what they hit.
#[derive(Debug)]
pub(crate) struct Script<O> {
    entries: Vec<Entry<O>>,
    added: u64,
}

/// A rule and what became of it so far.
#[derive(Debug, Clone)]
pub(crate) struct Entry<O> {
    pub(crate) id: u64,
    pub(crate) rule: Rule<O>,
    pub(crate) hits: usize,
    skipped: usize,
}

impl<O> Entry<O> {
    /// How many requests it will still hit; nothing when there is no end to it.
    pub(crate) fn left(&self) -> Option<usize> {
        self.rule.times.map(|times| times.get().saturating_sub(self.hits))
    }
}

impl<O> Default for Script<O> {
    fn default() -> Self {
        Self { entries: Vec::new(), added: 0 }
    }
}

impl<O: Clone> Script<O> {
    /// Adds a rule and gives its number, by which it can be cleared.
    pub(crate) fn add(&mut self, rule: Rule<O>) -> u64 {
        self.added += 1;
        self.entries.push(Entry { id: self.added, rule, hits: 0, skipped: 0 });
        self.added
    }

    pub(crate) fn entries(&self) -> &[Entry<O>] {
        &self.entries
    }

    /// Takes a rule away; false when there is none with this number.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Takes all rules away, and says how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.entries).len()
    }

    /// What happens to a request for `target` (path and query).
    pub(crate) fn take(&mut self, method: &Method, target: &str) -> Option<Fault<O>> {
        for entry in &mut self.entries {
            let Rule { matching, fault, .. } = &entry.rule;
            if entry.left() == Some(0) || !matching.hits(method, target) {
                continue;
            }
            if entry.skipped < matching.skip {
                entry.skipped += 1;
                continue;
            }
            entry.hits += 1;
            return Some(fault.clone());
        }
        None
    }
}
