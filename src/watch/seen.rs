//! A point as watchers are told of it, and the fingerprint that stands for it in their tokens.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use prost::Message;

use crate::convert;
use crate::model::{RestorePoint, State};
use crate::proto;

/// A point as all its watchers will be told of it, converted once.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub message: Arc<proto::RestorePoint>,
    pub state: State,
    /// Of the message: what a resume token remembers of it.
    pub fingerprint: u64,
}

impl Seen {
    pub(super) fn new(point: RestorePoint) -> Self {
        let state = point.state;
        let message = convert::restore_point(point);
        let fingerprint = short_hash(&message.encode_to_vec());
        Self { message: Arc::new(message), state, fingerprint }
    }

    /// Whether nothing but the figures of a copy on its way tells it from `old`.
    pub(super) fn differs_in_copy_figures_only(&self, old: &Self) -> bool {
        let without_figures = |seen: &Self| {
            let mut message = proto::RestorePoint::clone(&seen.message);
            message.copy_progress_percent = None;
            message.disks.iter_mut().for_each(|disk| disk.progress_percent = None);
            message
        };
        let copying = [self, old].iter().all(|seen| seen.state == State::Copying);
        copying && without_figures(self) == without_figures(old)
    }
}

/// A hash that is the same on every replica and in every release.
pub(super) fn short_hash(bytes: &[u8]) -> u64 {
    let hash = digest(&SHA256, bytes);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// A hash that is the same within this process only, and cheap.
pub(super) fn hashed(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
