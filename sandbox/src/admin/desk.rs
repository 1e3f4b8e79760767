//! One vendor as the admin path sees it, whichever it is.

use serde_json::{Value, json};

use crate::Clock;
use crate::fault::{Complaint, Entry, Fields, Own, Rule};
use crate::front::{Front, Tally, Vendor};

/// The front of a vendor.
pub(crate) trait Desk: Send + Sync {
    /// Adds a fault, and shows it.
    fn add(&self, fields: Fields) -> Result<Value, Complaint>;

    /// All faults, the oldest first.
    fn faults(&self) -> Vec<Value>;

    /// Takes one away; false when there is none with this number.
    fn remove(&self, id: u64) -> bool;

    /// Takes all away, and says how many there were.
    fn clear(&self) -> usize;

    /// What was asked for so far, and forgets it if it is to.
    fn calls(&self) -> Tally;

    /// Counts calls from nothing.
    fn forget_calls(&self);

    /// The vendor's own clock.
    fn clock(&self) -> &Clock;
}

impl<V: Vendor> Desk for Front<V> {
    fn add(&self, fields: Fields) -> Result<Value, Complaint> {
        let rule = Rule::read(fields)?;
        let mut script = self.script();
        let id = script.add(rule);
        Ok(script.entries().iter().find(|entry| entry.id == id).map(show).unwrap_or_default())
    }

    fn faults(&self) -> Vec<Value> {
        self.script().entries().iter().map(show).collect()
    }

    fn remove(&self, id: u64) -> bool {
        self.script().remove(id)
    }

    fn clear(&self) -> usize {
        self.script().clear()
    }

    fn calls(&self) -> Tally {
        self.tally().clone()
    }

    fn forget_calls(&self) {
        self.tally().clear();
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// `left` is null when there is no end to it.
fn show<O: Own>(entry: &Entry<O>) -> Value {
    let Entry { id, rule, hits, .. } = entry;
    json!({ "id": id, "fault": rule.words(), "hits": hits, "left": entry.left() })
}
