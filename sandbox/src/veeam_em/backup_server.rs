//! What a test does at the backup server, behind Enterprise Manager's back: points come, change and go.
//!
//! When the database hears of it is chosen once, by asking for the server as it is seen
//! [`collected`](super::EnterpriseManager::collected) or not.

use jiff::SignedDuration;
use uuid::Uuid;

use super::backups;
use super::estate::Point;
use super::kinds::Kind;
use super::server::Server;
use super::world::{Event, World};

/// When the database hears of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    AtOnce,
    AtNextCollection,
}

/// The backup server, to be changed.
#[derive(Debug)]
pub struct BackupServer<'a> {
    server: &'a Server,
    seen: Seen,
}

impl<'a> BackupServer<'a> {
    pub(super) fn new(server: &'a Server, seen: Seen) -> Self {
        Self { server, seen }
    }

    /// Makes a `Ready` snapshot of `vm` in a cloud replica, now, and gives its id; nothing when there
    /// is no such replica.
    pub fn add_point(&self, replica: &str, vm: &str) -> Option<String> {
        let (now, settings) = (self.server.settings.clock.now(), &self.server.settings);
        let replica = replica.parse().ok()?;
        self.change(|world| {
            let estate = world.servers(now);
            let replica = estate.find(Kind::CloudReplica, replica)?.id;
            let (id, point_type, state) = (Uuid::new_v4(), "Snapshot", "Ready");
            let point = Point { id, vm, created: now, replica, point_type, state };
            estate.add_point(&point, settings);
            Some(id.to_string())
        })
    }

    /// Gives a cloud point another `State`, known to the vendor or not. False when there is no such
    /// point.
    pub fn set_state(&self, point: &str, state: &str) -> bool {
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| self.change(|world| world.servers(now).set_state(id, state)))
    }

    /// Takes a point of any kind away. False when there is no such point.
    pub fn remove_point(&self, point: &str) -> bool {
        let kinds = [Kind::CloudVmReplicaPoint, Kind::VmReplicaPoint, Kind::VmRestorePoint];
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| {
            self.change(|world| kinds.iter().any(|kind| world.servers(now).remove(*kind, id)))
        })
    }

    /// Starts a run of a backup, in which a `VmRestorePoint` of `vm` is being written, and gives the
    /// point's id; nothing when there is no such backup. The writing ends when the clock has gone on by
    /// `lasting`, or by [`finish_write`](Self::finish_write).
    pub fn begin_write(&self, backup: &str, vm: &str, lasting: SignedDuration) -> Option<String> {
        let (now, settings) = (self.server.settings.clock.now(), &self.server.settings);
        let backup = backup.parse().ok()?;
        self.change(|world| {
            let id = backups::begin_write(world.servers(now), backup, vm, now, settings)?;
            world.plan(now.saturating_add(lasting).ok()?, Event::WriteEnds(id));
            if self.seen == Seen::AtOnce {
                world.plan(now.saturating_add(lasting).ok()?, Event::Collection);
            }
            Some(id.to_string())
        })
    }

    /// Ends the writing of a point before its time. False when it is not being written.
    pub fn finish_write(&self, point: &str) -> bool {
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| self.change(|world| backups::end_write(world.servers(now), id)))
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.server.world();
        let changed = change(&mut world);
        if self.seen == Seen::AtOnce {
            world.collect(self.server.settings.clock.now());
        }
        changed
    }
}
