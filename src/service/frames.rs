//! Events as they go over the wire, encoded once for all watchers that receive the same bytes, resume token included.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use lru::LruCache;
use prost::Message;

use super::response;
use super::resume_token::{self, ResumeState};
use crate::convert;
use crate::model::{Error, Sealer};
use crate::response_budget::ConnectionBudget;
use crate::watch::{Event, ShareKey, Watcher};

/// The prefix of a message: a byte that says whether it is compressed, and its length (gRPC over HTTP/2,
/// Length-Prefixed-Message).
const PREFIX_LENGTH: usize = 5;
/// Shared frames of all targets together. Watchers of one target receive a frame within milliseconds of each other, so
/// an old one is of no use.
const MAX_FRAMES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// In bytes. A frame of a collection with thousands of points has a large token.
const MAX_BYTES: usize = 16 << 20;
/// A larger frame is encoded for each watcher, so that it does not evict all others.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// A larger frame needs memory of the budget. Those of single points are smaller, and there is one for each stream at most.
const MAX_UNRESERVED_BYTES: u32 = 16 << 10;

/// Encodes events. Clones share their frames.
#[derive(Debug, Clone)]
pub(super) struct FrameEncoder {
    sealer: Arc<Sealer>,
    frames: Arc<Mutex<SharedFrames>>,
}

#[derive(Debug)]
struct SharedFrames {
    frames: LruCache<ShareKey, Bytes>,
    bytes: usize,
}

impl FrameEncoder {
    pub(super) fn new(sealer: Arc<Sealer>) -> Self {
        let frames = SharedFrames { frames: LruCache::new(MAX_FRAMES), bytes: 0 };
        Self { sealer, frames: Arc::new(Mutex::new(frames)) }
    }

    /// The frame of the event that `watcher` has just delivered, with the token that resumes after it.
    ///
    /// # Errors
    /// INTERNAL when it cannot be encoded or sealed; [`Error::Overloaded`] when there is no memory for a large one. A shared
    /// frame is charged to the budget of the first watcher that it is encoded for.
    pub(super) fn encode(
        &self,
        watcher: &Watcher,
        event: Event,
        budget: Option<&ConnectionBudget>,
    ) -> Result<Bytes, Error> {
        let Some(key) = event.share_key else {
            return hold(self.encode_one(watcher, event)?, budget);
        };
        if let Some(frame) = self.frames().frames.get(&key) {
            return Ok(frame.clone());
        }
        // Not under the lock: it takes time, and that two watchers encode the same does no harm.
        let frame = self.encode_one(watcher, event)?;
        let held = hold(frame.clone(), budget)?;
        // Not the held one: the shared frames have a limit of their own, and would charge the connection for as long as
        // they are kept.
        self.frames().insert(key, frame);
        Ok(held)
    }

    fn encode_one(&self, watcher: &Watcher, event: Event) -> Result<Bytes, Error> {
        let mut state = ResumeState::default();
        for (target, delivered, operation) in watcher.resume_state() {
            state.add(target, delivered, operation.as_deref());
        }
        let token = resume_token::seal(&self.sealer, watcher.targets(), &state)?;
        let message = convert::watch_event(event, token);
        response::check_size(&message)?;
        let internal = |problem: &dyn Display| Error::Internal { problem: problem.to_string() };
        let length = u32::try_from(message.encoded_len()).map_err(|error| internal(&error))?;
        let mut frame = BytesMut::with_capacity(PREFIX_LENGTH + message.encoded_len());
        // Not compressed: most of an event is a sealed token, and a frame for one client could not be shared.
        frame.put_u8(0);
        frame.put_u32(length);
        message.encode(&mut frame).map_err(|error| internal(&error))?;
        Ok(frame.freeze())
    }

    fn frames(&self) -> MutexGuard<'_, SharedFrames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The frame, in memory of the budget if it is large.
fn hold(frame: Bytes, budget: Option<&ConnectionBudget>) -> Result<Bytes, Error> {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    match budget {
        Some(budget) if length > MAX_UNRESERVED_BYTES => {
            Ok(budget.reserve_now(length)?.hold(frame))
        }
        _ => Ok(frame),
    }
}

impl SharedFrames {
    fn insert(&mut self, key: ShareKey, frame: Bytes) {
        if frame.len() > MAX_FRAME_BYTES {
            return;
        }
        self.bytes += frame.len();
        if let Some((_, replaced)) = self.frames.push(key, frame) {
            self.bytes -= replaced.len();
        }
        while self.bytes > MAX_BYTES {
            let Some((_, evicted)) = self.frames.pop_lru() else { return };
            self.bytes -= evicted.len();
        }
    }
}
