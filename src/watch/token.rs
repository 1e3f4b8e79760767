//! Resume tokens: what a watcher has been told, and the vendor's handles that tell why a copy failed.
//!
//! A token remembers a fingerprint of each point, not the point: a vendor has no history to replay, so all
//! that a resumed watch must know is whether what it sees now was already told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use prost::Message;

use super::seen::short_hash;
use super::target::Target;
use super::told::Told;
use crate::backend::Operation;
use crate::model::{Error, Invalid, Purpose, Sealer, Unopened};

/// ARM cuts a copy off after two weeks; a token outlives it.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a token holds.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Resume {
    /// Fingerprint of each point told, or [`GONE`](super::told::GONE). Those of a collection stand under their last segments,
    /// so that one which vanished meanwhile can be named. A watched point needs no name, the request has
    /// it: it stands under a hash of it.
    #[prost(btree_map = "string, fixed64", tag = "1")]
    told: BTreeMap<String, u64>,
    /// Vendor's handles by the keys of their targets.
    #[prost(btree_map = "string, string", tag = "2")]
    operations: BTreeMap<String, String>,
}

/// A token that was once valid.
#[derive(Debug)]
pub(super) enum Opened {
    Valid(Resume),
    TooOld,
}

impl Resume {
    /// Opens the token of a request for `targets`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `resume_token` for one that was never valid for these targets.
    pub(super) fn open(sealer: &Sealer, targets: &[Target], token: &str) -> Result<Opened, Error> {
        let refuse = |problem| Error::invalid(Invalid::ResumeToken, "resume_token", problem);
        match sealer.open(Purpose::Resume, &binding(targets), token, Timestamp::now(), LIFE) {
            Ok(content) => Self::decode(&content[..])
                .map(Opened::Valid)
                .map_err(|_| refuse("it is of another version of the gateway")),
            Err(Unopened::Expired) => Ok(Opened::TooOld),
            Err(Unopened::Foreign) => Err(refuse(
                "it belongs to no watch, or to one of other targets; watch without a token",
            )),
        }
    }

    /// Adds what has been told of a target.
    pub(super) fn tell(&mut self, target: &Target, told: &Told) {
        let key = |word: &str| match target {
            Target::Point(_) => hashed(target),
            Target::Collection(_) => word.to_owned(),
        };
        self.told.extend(told.iter().map(|(word, fingerprint)| (key(word), fingerprint)));
    }

    /// What has been told of a target.
    pub(super) fn told(&self, target: &Target) -> Told {
        match target {
            Target::Point(_) => {
                let told = self.told.get(&hashed(target));
                told.map(|told| (Box::default(), *told)).into_iter().collect()
            }
            Target::Collection(_) => {
                self.told.iter().map(|(word, told)| (word.as_str().into(), *told)).collect()
            }
        }
    }

    /// Carries a vendor's handle on.
    pub(super) fn carry(&mut self, target: &Target, operation: &Operation) {
        self.operations.insert(target.key(), operation.0.clone());
    }

    /// The vendor's handle of the operation that makes `target`.
    pub(super) fn operation(&self, target: &Target) -> Option<Operation> {
        self.operations.get(&target.key()).cloned().map(Operation)
    }

    /// Seals it for a watch of `targets`.
    ///
    /// # Errors
    /// INTERNAL when the system gives no randomness.
    pub(super) fn seal<'a>(
        &self,
        sealer: &Sealer,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Result<String, Error> {
        sealer
            .seal(Purpose::Resume, &binding(targets), &self.encode_to_vec(), Timestamp::now())
            .map_err(|problem| Error::Internal { problem })
    }
}

fn hashed(target: &Target) -> String {
    format!("{:x}", short_hash(target.key().as_bytes()))
}

/// A token is bound to its targets, in whatever order and case they are named.
fn binding<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Vec<u8> {
    let mut keys: Vec<_> = targets.into_iter().map(Target::key).collect();
    keys.sort_unstable();
    keys.join("\n").into_bytes()
}
