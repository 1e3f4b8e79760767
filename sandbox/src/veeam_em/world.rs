//! Two pictures of one world: what the backup servers have, and what Enterprise Manager's database
//! last heard of it.
//!
//! The database asks the servers every 15 minutes, or when told to, and answers from what it has in
//! between: new points come late, and points long gone linger. What is to happen later stands in an
//! agenda, and all of it happens when somebody next looks, in the order in which it was due.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::backups;
use super::estate::{Estate, truncated};
use super::kinds::Kind;
use super::sessions;
use super::settings::Settings;

/// Both pictures, and what is still to come.
#[derive(Debug)]
pub(super) struct World {
    servers: Arc<Estate>,
    database: Arc<Estate>,
    /// The last collection by the timetable.
    collected: Timestamp,
    interval: SignedDuration,
    /// How many fraction digits of a time are kept.
    precision: u8,
    agenda: Vec<(Timestamp, Event)>,
}

/// What happens by itself when its time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The last byte of this point is written.
    WriteEnds(Uuid),
    /// A restore or a backup is done.
    SessionEnds(Kind, Uuid),
    /// A collection beside the timetable.
    Collection,
}

impl World {
    /// A world that the database knows all of.
    pub(super) fn new(estate: Estate, settings: &Settings) -> Self {
        let servers = Arc::new(estate);
        let database = Arc::clone(&servers);
        let (collected, interval) = (settings.clock.now(), settings.collection_interval);
        let (precision, agenda) = (settings.fraction_digits, Vec::new());
        Self { servers, database, collected, interval, precision, agenda }
    }

    /// What Enterprise Manager knows.
    pub(super) fn database(&mut self, now: Timestamp) -> &Estate {
        self.catch_up(now);
        &self.database
    }

    /// What the backup servers have.
    pub(super) fn servers(&mut self, now: Timestamp) -> &mut Estate {
        self.catch_up(now);
        Arc::make_mut(&mut self.servers)
    }

    /// Whether a backup server still has an entity.
    pub(super) fn is_real(&mut self, kind: Kind, id: Uuid, now: Timestamp) -> bool {
        self.catch_up(now);
        self.servers.find(kind, id).is_some()
    }

    /// Has the database ask the servers now; the timetable stays as it is.
    pub(super) fn collect(&mut self, now: Timestamp) {
        self.catch_up(now);
        self.database = Arc::clone(&self.servers);
    }

    /// Writes something into the agenda. Of two things at one time the first written is first.
    pub(super) fn plan(&mut self, when: Timestamp, event: Event) {
        let place = self.agenda.partition_point(|(earlier, _)| *earlier <= when);
        self.agenda.insert(place, (when, event));
    }

    fn catch_up(&mut self, now: Timestamp) {
        let due = self.agenda.partition_point(|(when, _)| *when <= now);
        for (when, event) in self.agenda.drain(..due).collect::<Vec<_>>() {
            self.collect_by_timetable(when);
            match event {
                Event::WriteEnds(point) => {
                    backups::end_write(Arc::make_mut(&mut self.servers), point);
                }
                Event::SessionEnds(kind, session) => {
                    let time = truncated(when, self.precision);
                    sessions::end(Arc::make_mut(&mut self.servers), kind, session, time);
                }
                Event::Collection => self.database = Arc::clone(&self.servers),
            }
        }
        self.collect_by_timetable(now);
    }

    /// Nothing changes between two events, so only the last collection before a time matters.
    fn collect_by_timetable(&mut self, until: Timestamp) {
        let (passed, interval) = (until.duration_since(self.collected), self.interval);
        let rest = passed.as_nanos().checked_rem(interval.as_nanos()).unwrap_or(0);
        if passed >= interval {
            self.collected = until - SignedDuration::from_nanos_i128(rest);
            self.database = Arc::clone(&self.servers);
        }
    }
}
