//! Instant access: points of Premium SSD v2 disks that can be used before their data has been copied
//! out of the disk, for a time.
//!
//! When each of the states begins was never recorded; they follow from the meaning of their names.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::machine::Sku;
use super::point::{Phase, Point};
use super::refusal::Refusal;
use super::replication::{Progress, Replication};
use super::server::Call;
use super::versions;
use super::world::{Collection, World};

/// The first api-version of the compute provider that knows of it.
pub(super) const SINCE: &str = "2025-04-01";

/// In one region of a subscription.
const AT_ONCE: usize = 50;
const DEFAULT: SignedDuration = SignedDuration::from_mins(300);

/// One disk in instant access.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) until: Timestamp,
    /// The copying in the background that ends the need for it.
    pub(super) copying: Replication,
}

impl Lease {
    /// `snapshotAccessState`.
    pub(super) fn state(&self, now: Timestamp, tick: SignedDuration) -> &'static str {
        let copied = self.copying.progress(now, tick) == Progress::Succeeded;
        match (now < self.until, copied) {
            (true, true) => "AvailableWithInstantAccess",
            (true, false) => "InstantAccess",
            (false, true) => "Available",
            (false, false) => "Pending",
        }
    }
}

/// How long the instant access of a new local point of such disks is to last; `None` for an ordinary
/// one.
pub(super) fn lasting(
    world: &World,
    call: &Call,
    collection: &Collection,
    mut disks: impl Iterator<Item = Sku>,
    minutes: Option<i64>,
) -> Result<Option<SignedDuration>, Refusal> {
    let minutes = minutes.filter(|_| versions::knows(&call.version, SINCE));
    if collection.instant_access != Some(true) {
        if minutes.is_some() {
            let message = "The restore point collection does not allow instant access.";
            return Err(Refusal::parameter("instantAccessDurationMinutes", message));
        }
        if disks.any(|disk| disk == Sku::PremiumV2) {
            let message = "Restore points of Premium SSD v2 disks need a restore point collection \
                           with instant access.";
            return Err(Refusal::not_allowed(message));
        }
        return Ok(None);
    }
    let lasting = match minutes {
        None => DEFAULT,
        Some(minutes @ 60..=300) => SignedDuration::from_mins(minutes),
        Some(_) => {
            let message = "The value of instantAccessDurationMinutes must be from 60 to 300.";
            return Err(Refusal::parameter("instantAccessDurationMinutes", message));
        }
    };
    if running(world, &collection.region, call.now) >= AT_ONCE {
        let message = format!(
            "At most {AT_ONCE} restore points with instant access can be created at the same time."
        );
        return Err(Refusal::provider(StatusCode::CONFLICT, "OperationNotAllowed", &message));
    }
    Ok(Some(lasting))
}

/// Whether a point was made with so many minutes, as far as the call knows of them.
pub(super) fn is_of(point: &Point, call: &Call, minutes: i64) -> bool {
    !versions::knows(&call.version, SINCE)
        || point.instant.is_some_and(|lasting| lasting.as_mins() == minutes)
}

fn running(world: &World, region: &str, now: Timestamp) -> usize {
    let here = world.collections.values().filter(|one| one.region == region);
    let creating = |one: &&Point| one.instant.is_some() && one.phase(now) == Phase::Creating;
    here.flat_map(|one| &one.points).filter(creating).count()
}
