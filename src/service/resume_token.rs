//! Resume tokens: what a watcher has received, and the vendors' handles that report why a copy failed.
//!
//! A token records a fingerprint of each point, not the point: vendors have no history to replay, so all that a resumed
//! watch needs is whether what it sees now was already sent.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use prost::Message;

use crate::backend::Operation;
use crate::model::{Error, InvalidKind, PointRef, Purpose, RestorePointName, Sealer, TokenError};
use crate::watch::{Delivered, Start, Target, short_hash};

/// ARM aborts a copy after two weeks; a token outlives it.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The content of a token.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ResumeState {
    /// The fingerprint of each delivered point, or [`GONE`](crate::watch::GONE). Points of a collection are under their
    /// last segments, so that a deleted one can be named. A watched point needs no name, since the request has it: it is
    /// under a hash of it.
    #[prost(btree_map = "string, fixed64", tag = "1")]
    delivered: BTreeMap<String, u64>,
    /// Vendors' handles by the keys of their targets.
    #[prost(btree_map = "string, string", tag = "2")]
    operations: BTreeMap<String, String>,
    /// The version of the fingerprints.
    #[prost(uint32, tag = "3")]
    fingerprint_version: u32,
}

/// Opens the token of a request for `targets`; an empty one begins afresh.
///
/// # Errors
/// INVALID_ARGUMENT on `resume_token` for one that was never valid for these targets.
pub(super) fn open(
    sealer: &Sealer,
    targets: &[Target],
    token: &str,
) -> Result<(Start, ResumeState), Error> {
    if token.is_empty() {
        return Ok((Start::Fresh, ResumeState::default()));
    }
    let invalid = |problem| Error::invalid(InvalidKind::ResumeToken, "resume_token", problem);
    match sealer.open(Purpose::Resume, &binding(targets), token, Timestamp::now(), LIFETIME) {
        Ok(content) => ResumeState::decode(&content[..])
            .map(|state| (Start::Resumed, state))
            .map_err(|_| invalid("the token is of another version of the gateway")),
        Err(TokenError::Expired) => Ok((Start::TokenExpired, ResumeState::default())),
        Err(TokenError::Invalid) => Err(invalid(
            "the token is of no watch, or of one with other targets: watch without a token",
        )),
    }
}

/// Seals the token of a watch.
///
/// # Errors
/// INTERNAL when the system has no randomness.
pub(super) fn seal<'a>(
    sealer: &Sealer,
    targets: impl IntoIterator<Item = &'a Target>,
    state: &ResumeState,
) -> Result<String, Error> {
    sealer.seal(Purpose::Resume, &binding(targets), &state.encode_to_vec(), Timestamp::now())
}

/// The token that a caller of Copy takes to WatchStatus.
///
/// # Errors
/// As [`seal`].
pub(super) fn of_copy(
    sealer: &Sealer,
    point: &RestorePointName,
    operation: Option<&Operation>,
) -> Result<String, Error> {
    let target = Target::Point(PointRef::from(point));
    let mut state = ResumeState::default();
    state.add(&target, &Delivered::nothing(), operation);
    seal(sealer, [&target], &state)
}

impl ResumeState {
    /// Adds what a watcher has received of a target, and the handle of its operation.
    pub(super) fn add(
        &mut self,
        target: &Target,
        delivered: &Delivered,
        operation: Option<&Operation>,
    ) {
        self.fingerprint_version = delivered.version();
        let key = |point: &str| match target {
            Target::Point(_) => hashed_key(target),
            Target::Collection(_) => point.to_owned(),
        };
        let points = delivered.iter().map(|(point, fingerprint)| (key(point), fingerprint));
        self.delivered.extend(points);
        if let Some(operation) = operation {
            self.operations.insert(target.key(), operation.0.clone());
        }
    }

    /// What a watcher has received of a target.
    pub(super) fn delivered(&self, target: &Target) -> Delivered {
        let version = self.fingerprint_version;
        match target {
            Target::Point(_) => {
                let fingerprint = self.delivered.get(&hashed_key(target));
                let points = fingerprint.map(|fingerprint| (Box::default(), *fingerprint));
                Delivered::of_version(version, points)
            }
            Target::Collection(_) => {
                let points = self.delivered.iter();
                let points =
                    points.map(|(point, fingerprint)| (point.as_str().into(), *fingerprint));
                Delivered::of_version(version, points)
            }
        }
    }

    /// The vendor's handle of the operation that creates `target`.
    pub(super) fn operation(&self, target: &Target) -> Option<Operation> {
        self.operations.get(&target.key()).cloned().map(Operation)
    }
}

fn hashed_key(target: &Target) -> String {
    format!("{:x}", short_hash(target.key().as_bytes()))
}

/// A token is bound to its targets, in whatever order and case they are named.
fn binding<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Vec<u8> {
    let mut keys: Vec<_> = targets.into_iter().map(Target::key).collect();
    keys.sort_unstable();
    keys.join("\n").into_bytes()
}
