//! What one watcher has received of one target.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fingerprint::FINGERPRINT_VERSION;

/// In place of a fingerprint: the watcher knows that the target does not exist.
pub const GONE: u64 = 0;

/// The fingerprint of each point as a watcher last received it, by the last segment of the point's name. What is known
/// of a watched point, or of the target as a whole, is under the empty key.
#[derive(Debug, Clone)]
pub struct Delivered {
    version: u32,
    fingerprints: HashMap<Box<str>, u64>,
    /// Of all entries, whatever their order; it is kept up to date so that comparing two watchers costs nothing.
    digest: u64,
}

impl Delivered {
    /// Nothing, by the present fingerprints.
    pub fn nothing() -> Self {
        Self::of_version(FINGERPRINT_VERSION, [])
    }

    /// What a resume token records, by fingerprints of the version that made it.
    pub fn of_version(version: u32, points: impl IntoIterator<Item = (Box<str>, u64)>) -> Self {
        let mut delivered = Self { version, fingerprints: HashMap::new(), digest: 0 };
        points.into_iter().for_each(|(key, fingerprint)| delivered.set(key, fingerprint));
        delivered
    }

    /// The version of its fingerprints.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All keys and fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.fingerprints.iter().map(|(key, fingerprint)| (&**key, *fingerprint))
    }

    pub(super) fn get(&self, key: &str) -> Option<u64> {
        self.fingerprints.get(key).copied()
    }

    pub(super) fn set(&mut self, key: Box<str>, fingerprint: u64) {
        self.remove(&key);
        self.digest = self.digest.wrapping_add(hash((&*key, fingerprint)));
        self.fingerprints.insert(key, fingerprint);
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(fingerprint) = self.fingerprints.remove(key) {
            self.digest = self.digest.wrapping_sub(hash((key, fingerprint)));
        }
    }

    /// Every entry has been compared by the present fingerprints.
    pub(super) fn upgrade(&mut self) {
        self.version = FINGERPRINT_VERSION;
    }

    /// Equal for watchers in this process that have received the same, and in practice only for these.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }
}

/// A hash that is the same within this process only, and cheap.
pub(super) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
