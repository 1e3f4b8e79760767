//! The kinds of restore points that are served, as a table: what each is called on the wire, what it is
//! kept in, and what that is called in names.
//!
//! A further kind is a row here; only what is two steps from its collection needs a room of its own.

use std::fmt;

use uuid::Uuid;

use super::wire::{Resource, To, guid};
use crate::model::{Error, InvalidKind, VeeamPointKind};

/// A kind of restore point, by what it is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `CloudVmReplicaPoint` in a `CloudReplica`: what tenants of Cloud Connect replicate to a provider.
    CloudReplica,
    /// `VmReplicaPoint` in a `Replica`: the provider's or company's own replicas.
    Replica,
    /// `VmRestorePoint` in a `Backup`, by way of the `RestorePoint` that is a run of the job.
    Backup,
}

/// What is known of a kind.
#[derive(Debug)]
pub(super) struct Shape {
    /// The word before `~` in the id of a collection.
    prefix: &'static str,
    /// The kind of its points.
    pub(super) point_kind: VeeamPointKind,
    /// Where the answer to a logon leads if the server has the kind: to any of these below `/api/`, in
    /// lower case.
    linked: &'static [&'static str],
    pub(super) point: Resource,
    /// What leads from a point to the collection, or to what lies between them.
    pub(super) parent: To,
    pub(super) collection: Resource,
}

const NEWEST_FIRST: (&str, &str) = ("sortDesc", "CreationTime");
/// Unique, so that the order is the same for every page.
const BY_UID: (&str, &str) = ("sortAsc", "UID");

static CLOUD_REPLICA: Shape = Shape {
    prefix: "cloud-replica",
    point_kind: VeeamPointKind::CloudVmReplicaPoint,
    linked: &["cloud"],
    point: Resource {
        entity: "CloudVmReplicaPoint",
        reference: "CloudVmReplicaPointReference",
        list: "CloudVmReplicaPoints",
        path: "cloud/vmReplicaPoints",
        order: NEWEST_FIRST,
        links: &[To::BackupServer, To::CloudReplica],
    },
    parent: To::CloudReplica,
    collection: Resource {
        entity: "CloudReplica",
        reference: "CloudReplicaReference",
        list: "CloudReplicas",
        path: "cloud/replicas",
        order: BY_UID,
        links: &[],
    },
};

static REPLICA: Shape = Shape {
    prefix: "replica",
    point_kind: VeeamPointKind::VmReplicaPoint,
    linked: &["vmreplicapoints", "replicas"],
    point: Resource {
        entity: "VmReplicaPoint",
        reference: "VmReplicaPointReference",
        list: "VmReplicaPoints",
        path: "vmReplicaPoints",
        order: NEWEST_FIRST,
        links: &[To::BackupServer, To::Replica],
    },
    parent: To::Replica,
    collection: Resource {
        entity: "Replica",
        reference: "ReplicaReference",
        list: "Replicas",
        path: "replicas",
        order: BY_UID,
        links: &[],
    },
};

static BACKUP: Shape = Shape {
    prefix: "backup",
    point_kind: VeeamPointKind::VmRestorePoint,
    linked: &["vmrestorepoints", "backups"],
    point: Resource {
        entity: "VmRestorePoint",
        reference: "VmRestorePointReference",
        list: "VmRestorePoints",
        path: "vmRestorePoints",
        order: NEWEST_FIRST,
        links: &[To::BackupServer, To::RestorePoint, To::BackupFile],
    },
    parent: To::RestorePoint,
    collection: Resource {
        entity: "Backup",
        reference: "BackupReference",
        list: "Backups",
        path: "backups",
        order: BY_UID,
        links: &[],
    },
};

/// A run of a backup job, which holds one point of each machine in the job.
pub(super) static RUN: Resource = Resource {
    entity: "RestorePoint",
    reference: "RestorePointReference",
    list: "RestorePoints",
    path: "restorePoints",
    order: NEWEST_FIRST,
    links: &[To::Backup],
};

impl Kind {
    /// In the order in which they are listed.
    pub(super) const ALL: [Self; 3] = [Self::CloudReplica, Self::Replica, Self::Backup];

    pub(super) fn shape(self) -> &'static Shape {
        match self {
            Self::CloudReplica => &CLOUD_REPLICA,
            Self::Replica => &REPLICA,
            Self::Backup => &BACKUP,
        }
    }

    /// The kind whose collections' ids begin so.
    pub(super) fn of_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.shape().prefix.eq_ignore_ascii_case(prefix))
    }

    pub(super) fn prefix(self) -> &'static str {
        self.shape().prefix
    }

    /// Whether a server has the kind whose logon leads there.
    pub(super) fn is_linked_by(self, place: &str) -> bool {
        self.shape().linked.contains(&place)
    }
}

/// A collection: `{prefix}~{guid}` in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
}

impl Place {
    /// Reads the id of a collection, in any case.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `field`.
    pub(super) fn parse(collection: &str, field: &str) -> Result<Self, Error> {
        collection
            .split_once('~')
            .and_then(|(prefix, id)| Some(Self { kind: Kind::of_prefix(prefix)?, id: guid(id)? }))
            .ok_or_else(|| {
                let problem = "a collection of this backend is `cloud-replica~{guid}`, \
                               `replica~{guid}` or `backup~{guid}`";
                Error::invalid(InvalidKind::Name, field, problem)
            })
    }

    /// The vendor's id of it, as queries want it.
    pub(super) fn uid(self) -> String {
        self.kind.shape().collection.uid(self.id)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.kind.prefix(), self.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_collection_has_one_spelling_and_is_taken_in_any() {
        for kind in Kind::ALL {
            let place = Place { kind, id: Uuid::from_u128(0xabc) };
            assert_eq!(Place::parse(&place.to_string(), "name").unwrap(), place);
            assert_eq!(Place::parse(&place.to_string().to_uppercase(), "name").unwrap(), place);
        }
        for id in ["backup", "backup~", "backup~1", "tape~00000000-0000-0000-0000-000000000001"] {
            assert!(Place::parse(id, "name").is_err(), "{id}");
        }
    }
}
