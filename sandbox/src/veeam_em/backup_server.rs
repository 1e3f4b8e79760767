//! Changes at the backup server, below Enterprise Manager: tests add, change and remove points.
//!
//! Enterprise Manager's database has a change after the next data collection, or at once for the
//! [collecting](super::EnterpriseManager::collecting_backup_server) handle.

use jiff::SignedDuration;
use uuid::Uuid;

use super::model::backups;
use super::model::inventories::{Event, Inventories};
use super::model::inventory::NewCloudPoint;
use super::model::kind::Kind;
use super::server::Server;
use crate::lock::lock;

/// When the data of a change is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Immediate,
    Periodic,
}

/// A handle to the backup server.
#[derive(Debug)]
pub struct BackupServer<'a> {
    server: &'a Server,
    collection: Collection,
}

impl<'a> BackupServer<'a> {
    pub(crate) fn new(server: &'a Server, collection: Collection) -> Self {
        Self { server, collection }
    }

    /// Adds a `Ready` snapshot of `vm` to a cloud replica, created now, and returns its id; `None` if there is
    /// no such replica.
    pub fn add_point(&self, replica: &str, vm: &str) -> Option<String> {
        let (now, settings) = (self.server.settings.clock.now(), &self.server.settings);
        let replica = replica.parse().ok()?;
        self.change(|inventories| {
            let servers = inventories.servers(now);
            let replica = servers.find(Kind::CloudReplica, replica)?.id;
            let (id, point_type, state) = (Uuid::new_v4(), "Snapshot", "Ready");
            let point = NewCloudPoint { id, vm, created: now, replica, point_type, state };
            servers.add_point(&point, settings);
            Some(id.to_string())
        })
    }

    /// Sets the `State` of a cloud point, to one of the vendor's or any other. Returns false if there is no
    /// such point.
    pub fn set_state(&self, point: &str, state: &str) -> bool {
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| {
            self.change(|inventories| inventories.servers(now).set_state(id, state))
        })
    }

    /// Removes a point of any kind. Returns false if there is no such point.
    pub fn remove_point(&self, point: &str) -> bool {
        let kinds = [Kind::CloudVmReplicaPoint, Kind::VmReplicaPoint, Kind::VmRestorePoint];
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| {
            self.change(|inventories| {
                let servers = inventories.servers(now);
                kinds.iter().any(|kind| servers.remove(*kind, id))
            })
        })
    }

    /// Starts a run of a backup that writes a `VmRestorePoint` of `vm`, and returns the id of the point;
    /// `None` if there is no such backup. The point is complete after `duration`, or after
    /// [`finish_write`](Self::finish_write).
    pub fn begin_write(&self, backup: &str, vm: &str, duration: SignedDuration) -> Option<String> {
        let (now, settings) = (self.server.settings.clock.now(), &self.server.settings);
        let backup = backup.parse().ok()?;
        self.change(|inventories| {
            let id = backups::begin_write(inventories.servers(now), backup, vm, now, settings)?;
            let end = now.saturating_add(duration).ok()?;
            inventories.schedule(end, Event::WriteEnds(id));
            if self.collection == Collection::Immediate {
                inventories.schedule(end, Event::Collection);
            }
            Some(id.to_string())
        })
    }

    /// Completes a point that is being written. Returns false if it is not being written.
    pub fn finish_write(&self, point: &str) -> bool {
        let (now, point) = (self.server.settings.clock.now(), point.parse());
        point.is_ok_and(|id| {
            self.change(|inventories| backups::finish_write(inventories.servers(now), id))
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inventories) -> T) -> T {
        let mut inventories = lock(&self.server.inventories);
        let changed = change(&mut inventories);
        if self.collection == Collection::Immediate {
            inventories.collect(self.server.settings.clock.now());
        }
        changed
    }
}
