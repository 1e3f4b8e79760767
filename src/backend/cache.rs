//! A bounded cache of facts that do not change at the vendor, so that they are read once.
//!
//! It lives in this process only: a miss is a read of the vendor.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// At most so many entries; the least recently used is evicted first.
pub(super) struct Cache<K, V>(Mutex<LruCache<K, V>>);

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache.
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(capacity)))
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.lock().get(key).cloned()
    }

    /// Puts `value` in the place of the one before, if there is one.
    pub(super) fn insert(&self, key: K, value: V) {
        self.lock().put(key, value);
    }

    /// Removes `key`.
    pub(super) fn remove(&self, key: &K) {
        self.lock().pop(key);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_least_recently_used_entry_is_evicted() {
        let cache = Cache::new(NonZeroUsize::new(2).unwrap());
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            cache.insert(key, value);
        }
        assert_eq!([cache.get(&"a"), cache.get(&"b"), cache.get(&"c")], [Some(3), None, Some(4)]);
        cache.remove(&"a");
        cache.insert("d", 5);
        assert_eq!([cache.get(&"c"), cache.get(&"d")], [Some(4), Some(5)]);
    }
}
