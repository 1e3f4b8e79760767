//! What is true in the subscription, whatever its responses said: for tests that judge a client by it.

use super::model::collection::Collection;
use super::model::instant_access::AccessState;
use super::model::point::{Point, ProvisioningState};
use super::model::point_writes::PointWrites;
use super::model::replication::Progress;
use super::simulator::Azure;

/// A restore point, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePoint {
    /// Its ARM id.
    pub id: String,
    /// The ARM id of the point that it is a copy of, as the client wrote it.
    pub copied_from: Option<String>,
    /// How far it is.
    pub state: TrueState,
    /// What clients have written.
    pub writes: PointWrites,
}

/// How far a restore point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrueState {
    /// The operation that creates it runs.
    Creating,
    /// Data of its disks is not there yet.
    Replicating,
    /// A restore can start.
    Complete,
    /// It will never be complete.
    Failed,
    /// It is being deleted.
    Deleting,
}

impl Azure {
    /// All restore points, by collection.
    pub fn true_points(&self) -> Vec<TruePoint> {
        let mut subscription = self.subscription();
        let now = subscription.settings.clock.now();
        subscription.advance_to(now);
        let tick = subscription.settings.progress_tick;
        let (id, writes) = (&subscription.id, &subscription.point_writes);
        let truth = |collection: &Collection, point: &Point| {
            let name = collection.name_of(point);
            TruePoint {
                id: name.id(id),
                copied_from: point.copied_from.clone(),
                state: state(point, now, tick),
                writes: writes.get(&name.id(id).to_lowercase()).cloned().unwrap_or_default(),
            }
        };
        let collections = subscription.collections.values();
        collections.flat_map(|one| one.points.iter().map(|point| truth(one, point))).collect()
    }
}

fn state(point: &Point, now: jiff::Timestamp, tick: jiff::SignedDuration) -> TrueState {
    match point.provisioning_state(now) {
        ProvisioningState::Creating => TrueState::Creating,
        ProvisioningState::Failed => TrueState::Failed,
        ProvisioningState::Deleting => TrueState::Deleting,
        ProvisioningState::Succeeded => match point.progress(now, tick) {
            Some(Progress::Failed) => TrueState::Failed,
            Some(Progress::Replicating(_)) => TrueState::Replicating,
            Some(Progress::Succeeded) | None => {
                let pending = AccessState::Pending;
                let waits = point.disks.iter().any(|disk| disk.access_state(now, tick) == pending);
                if waits { TrueState::Replicating } else { TrueState::Complete }
            }
        },
    }
}
