//! Two inventories: that of the backup servers, and the copy in Enterprise Manager's database.
//!
//! The database collects the servers' data every 15 minutes or on request, and replies come from the database:
//! new points appear late, and removed ones stay listed. Scheduled events are applied on the next access, in
//! the order in which they were due.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::inventory::{Inventory, truncated};
use super::kind::Kind;
use super::{backups, job_sessions};
use crate::veeam_em::settings::Settings;

#[derive(Debug)]
pub(crate) struct Inventories {
    servers: Arc<Inventory>,
    database: Arc<Inventory>,
    /// The last periodic collection.
    last_collection: Timestamp,
    interval: SignedDuration,
    /// The number of fraction digits of a time in the database.
    fraction_digits: u8,
    /// Sorted by time.
    scheduled: Vec<(Timestamp, Event)>,
}

/// What happens at a scheduled time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The last byte of this point is written.
    WriteEnds(Uuid),
    /// A restore or a backup ends.
    SessionEnds(Kind, Uuid),
    /// A data collection in addition to the periodic ones.
    Collection,
}

impl Inventories {
    /// Both with the same content.
    pub(crate) fn new(inventory: Inventory, settings: &Settings) -> Self {
        let servers = Arc::new(inventory);
        Self {
            database: Arc::clone(&servers),
            servers,
            last_collection: settings.clock.now(),
            interval: settings.collection_interval,
            fraction_digits: settings.fraction_digits,
            scheduled: Vec::new(),
        }
    }

    /// The inventory of Enterprise Manager's database.
    pub(crate) fn database(&mut self, now: Timestamp) -> &Inventory {
        self.advance_to(now);
        &self.database
    }

    /// The inventory of the backup servers.
    pub(crate) fn servers(&mut self, now: Timestamp) -> &mut Inventory {
        self.advance_to(now);
        Arc::make_mut(&mut self.servers)
    }

    /// Whether a backup server still has an entity.
    pub(crate) fn exists_at_server(&mut self, kind: Kind, id: Uuid, now: Timestamp) -> bool {
        self.advance_to(now);
        self.servers.find(kind, id).is_some()
    }

    /// Collects the servers' data now. The periodic collections go on as before.
    pub(crate) fn collect(&mut self, now: Timestamp) {
        self.advance_to(now);
        self.database = Arc::clone(&self.servers);
    }

    /// Schedules an event. Events at the same time are applied in the order of scheduling.
    pub(crate) fn schedule(&mut self, when: Timestamp, event: Event) {
        let position = self.scheduled.partition_point(|(earlier, _)| *earlier <= when);
        self.scheduled.insert(position, (when, event));
    }

    fn advance_to(&mut self, now: Timestamp) {
        let due = self.scheduled.partition_point(|(when, _)| *when <= now);
        for (when, event) in self.scheduled.drain(..due).collect::<Vec<_>>() {
            self.collect_periodically(when);
            match event {
                Event::WriteEnds(point) => {
                    backups::finish_write(Arc::make_mut(&mut self.servers), point);
                }
                Event::SessionEnds(kind, session) => {
                    let time = truncated(when, self.fraction_digits);
                    job_sessions::end(Arc::make_mut(&mut self.servers), kind, session, time);
                }
                Event::Collection => self.database = Arc::clone(&self.servers),
            }
        }
        self.collect_periodically(now);
    }

    /// Nothing changes between two events, so only the last collection before a time has an effect.
    fn collect_periodically(&mut self, until: Timestamp) {
        let (passed, interval) = (until.duration_since(self.last_collection), self.interval);
        let since_last = passed.as_nanos().checked_rem(interval.as_nanos()).unwrap_or(0);
        if passed >= interval {
            self.last_collection = until - SignedDuration::from_nanos_i128(since_last);
            self.database = Arc::clone(&self.servers);
        }
    }
}
