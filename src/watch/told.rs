//! What one watcher knows of one target.

use std::collections::HashMap;

use super::seen::hashed;

/// In place of a fingerprint: the watcher knows that the target is not there.
pub(super) const GONE: u64 = 0;

/// What a watcher has been told of one target: the fingerprint of each point, by its last segment. What is
/// told of a watched point, or of the target as a whole, stands under the empty word.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    points: HashMap<Box<str>, u64>,
    sum: u64,
}

impl Told {
    /// What has been told of this point.
    pub(super) fn get(&self, word: &str) -> Option<u64> {
        self.points.get(word).copied()
    }

    /// All that has been told: words and fingerprints.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.points.iter().map(|(word, fingerprint)| (&**word, *fingerprint))
    }

    pub(super) fn set(&mut self, word: Box<str>, fingerprint: u64) {
        self.remove(&word);
        self.sum = self.sum.wrapping_add(hashed((&*word, fingerprint)));
        self.points.insert(word, fingerprint);
    }

    pub(super) fn remove(&mut self, word: &str) {
        if let Some(fingerprint) = self.points.remove(word) {
            self.sum = self.sum.wrapping_sub(hashed((word, fingerprint)));
        }
    }

    /// The same for all in this process who have been told the same, and for nobody else.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }
}

impl FromIterator<(Box<str>, u64)> for Told {
    fn from_iter<I: IntoIterator<Item = (Box<str>, u64)>>(told: I) -> Self {
        let mut all = Self::default();
        told.into_iter().for_each(|(word, fingerprint)| all.set(word, fingerprint));
        all
    }
}
