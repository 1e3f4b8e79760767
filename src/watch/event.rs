//! What watchers are told, and its bytes.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use prost::Message;

use super::seen::{Seen, hashed};
use crate::convert;
use crate::model::Error;
use crate::proto;
use crate::proto::watch_status_response::Event as Kind;
use crate::status;

/// What gRPC puts in front of a message.
const PREFIX: usize = 5;

/// What happened, to which target.
#[derive(Debug)]
pub(super) enum What {
    /// The state as the watch begins.
    Snapshot(Seen),
    /// All targets have been told.
    Synced,
    /// A change, or a new point of a watched collection.
    Changed(Seen),
    /// Nothing new.
    Heartbeat,
    /// A target, or a point of a watched collection, is not there.
    Deleted(String),
    /// A target cannot be read.
    Degraded(String, Arc<Error>),
    /// A target can be read again.
    Recovered(String),
    /// The token was too old.
    Reset,
    /// The gateway stops.
    Draining,
}

impl What {
    /// What the contract calls it.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Snapshot(_) => Kind::Snapshot,
            Self::Synced => Kind::Synced,
            Self::Changed(_) => Kind::Changed,
            Self::Heartbeat => Kind::Heartbeat,
            Self::Deleted(_) => Kind::Deleted,
            Self::Degraded(..) => Kind::Degraded,
            Self::Recovered(_) => Kind::Recovered,
            Self::Reset => Kind::Reset,
            Self::Draining => Kind::Draining,
        }
    }

    /// What tells it from others of its kind, within this process.
    pub(super) fn about(&self) -> u64 {
        match self {
            Self::Snapshot(seen) | Self::Changed(seen) => seen.fingerprint,
            Self::Deleted(name) | Self::Recovered(name) => hashed(name),
            // All watchers have the one error of an observation.
            Self::Degraded(name, error) => hashed((name, Arc::as_ptr(error))),
            Self::Synced | Self::Heartbeat | Self::Reset | Self::Draining => 0,
        }
    }
}

/// A `WatchStatusResponse` as it goes over the wire: encoded, behind gRPC's mark of a message that is not
/// compressed and its length.
pub(super) fn frame(
    what: &What,
    resume_token: String,
    observed: Option<Timestamp>,
) -> Result<Bytes, Error> {
    let point =
        |seen: &Seen| (seen.message.name.clone(), Some(proto::RestorePoint::clone(&seen.message)));
    let mut error = None;
    let (name, restore_point) = match what {
        What::Snapshot(seen) | What::Changed(seen) => point(seen),
        What::Deleted(name) | What::Recovered(name) => (name.clone(), None),
        What::Degraded(name, trouble) => {
            error = Some(status::embedded(Error::clone(trouble)));
            (name.clone(), None)
        }
        What::Synced | What::Heartbeat | What::Reset | What::Draining => (String::new(), None),
    };
    let message = proto::WatchStatusResponse {
        event: what.kind().into(),
        name,
        restore_point,
        resume_token,
        observe_time: observed.map(convert::timestamp),
        error,
    };
    let problem =
        |problem: &dyn std::fmt::Display| Error::Internal { problem: problem.to_string() };
    let length = u32::try_from(message.encoded_len()).map_err(|error| problem(&error))?;
    let mut frame = BytesMut::with_capacity(PREFIX + message.encoded_len());
    frame.put_u8(0);
    frame.put_u32(length);
    message.encode(&mut frame).map_err(|error| problem(&error))?;
    Ok(frame.freeze())
}
