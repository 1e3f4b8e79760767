//! The rules of one simulator. At most one applies to a request: the oldest that is not used up.

use http::Method;
use serde_json::{Value, json};

use super::effect::Fault;
use super::rule::Rule;
use super::vendor_fault::VendorFault;

/// Oldest first. Used-up rules stay in the list until they are removed, so that their hits can be read.
#[derive(Debug)]
pub(crate) struct RuleList<V> {
    entries: Vec<RuleEntry<V>>,
    last_id: u64,
}

/// A rule with its counters.
#[derive(Debug, Clone)]
pub(crate) struct RuleEntry<V> {
    id: u64,
    rule: Rule<V>,
    hits: usize,
    skipped: usize,
}

impl<V> RuleEntry<V> {
    /// How many more requests it applies to; `None` if unlimited.
    fn remaining(&self) -> Option<usize> {
        self.rule.times.map(|times| times.get().saturating_sub(self.hits))
    }
}

impl<V: VendorFault> RuleEntry<V> {
    pub(crate) fn to_json(&self) -> Value {
        let Self { id, rule, hits, .. } = self;
        json!({ "id": id, "fault": rule.words(), "hits": hits, "left": self.remaining() })
    }
}

impl<V> Default for RuleList<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), last_id: 0 }
    }
}

impl<V: Clone> RuleList<V> {
    pub(crate) fn add(&mut self, rule: Rule<V>) -> &RuleEntry<V> {
        self.last_id += 1;
        let at = self.entries.len();
        self.entries.push(RuleEntry { id: self.last_id, rule, hits: 0, skipped: 0 });
        &self.entries[at]
    }

    pub(crate) fn entries(&self) -> &[RuleEntry<V>] {
        &self.entries
    }

    /// Removes a rule. Returns false if there is none with this id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Removes all rules and returns their number.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.entries).len()
    }

    /// The fault that applies to a request for `target` (path and query). Counts the hit.
    pub(crate) fn take(&mut self, method: &Method, target: &str) -> Option<Fault<V>> {
        for entry in &mut self.entries {
            let Rule { matching, fault, .. } = &entry.rule;
            if entry.remaining() == Some(0) || !matching.matches(method, target) {
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
