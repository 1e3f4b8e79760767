//! The frames that were made of one observation, for all watchers who are told the same and have been told the
//! same before: they differ in nothing, not even in their tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use super::event::What;
use super::told::Told;
use crate::model::Error;

/// How many bytes of frames are kept of one observation. Beyond it each watcher makes his own: a collection of
/// many points has long tokens.
const MOST: usize = 1 << 20;

/// Frames by what tells them apart. Watchers of one target, and of that alone, share one of these.
#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    frames: HashMap<Key, Bytes>,
    size: usize,
}

/// What determines a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    event: i32,
    about: u64,
    observed: Option<Timestamp>,
    told: u64,
}

impl Key {
    /// Of an event, and of what a watcher has been told with it.
    pub(super) fn new(what: &What, observed: Option<Timestamp>, told: &Told) -> Self {
        Self { event: what.kind().into(), about: what.about(), observed, told: told.sum() }
    }
}

impl Frames {
    /// The frame for `key`, made by the first who needs it.
    ///
    /// # Errors
    /// Those of making it.
    pub(super) fn get_or_make(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Bytes, Error>,
    ) -> Result<Bytes, Error> {
        if let Some(frame) = self.kept().frames.get(&key) {
            return Ok(frame.clone());
        }
        // Not under the lock: it takes its time, and that two make one does no harm.
        let frame = make()?;
        let mut kept = self.kept();
        if kept.size + frame.len() <= MOST {
            kept.size += frame.len();
            return Ok(kept.frames.entry(key).or_insert(frame).clone());
        }
        Ok(frame)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
