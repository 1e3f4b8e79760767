//! A small memory of what cannot change, so that it is not asked for again.
//!
//! It is bounded and lives in this process only: whoever finds nothing in it asks the vendor.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// At most so many entries, the oldest forgotten first.
pub(super) struct Memory<K, V> {
    capacity: usize,
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    values: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Eq + Hash + Clone, V: Clone> Memory<K, V> {
    /// An empty memory.
    pub(super) fn new(capacity: usize) -> Self {
        let kept = Kept { values: HashMap::new(), order: VecDeque::new() };
        Self { capacity, kept: Mutex::new(kept) }
    }

    /// What is known of `key`.
    pub(super) fn recall(&self, key: &K) -> Option<V> {
        self.lock().values.get(key).cloned()
    }

    /// Keeps `value`, in the place of what was known before.
    pub(super) fn keep(&self, key: K, value: V) {
        let mut kept = self.lock();
        if kept.values.insert(key.clone(), value).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > self.capacity
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.values.remove(&oldest);
        }
    }

    /// Forgets `key`.
    pub(super) fn forget(&self, key: &K) {
        let mut kept = self.lock();
        if kept.values.remove(key).is_some() {
            kept.order.retain(|other| other != key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Memory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let memory = Memory::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            memory.keep(key, value);
        }
        assert_eq!(memory.recall(&"a"), None);
        assert_eq!(memory.recall(&"b"), Some(2));
        memory.forget(&"b");
        memory.keep("d", 5);
        assert_eq!(memory.recall(&"c"), Some(4));
        assert_eq!(memory.recall(&"d"), Some(5));
    }
}
