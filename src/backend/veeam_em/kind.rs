//! The kinds of restore points that the gateway serves, as a table: a further kind is one row.
//!
//! A kind whose restore points do not link to their collection, as those of a backup do not, needs code of its own as
//! well: see `job_runs` and `backup_points`.

use super::resource::{
    BACKUP, CLOUD_REPLICA, CLOUD_VM_REPLICA_POINT, LinkTarget, REPLICA, Resource, VM_REPLICA_POINT,
    VM_RESTORE_POINT,
};
use crate::model::VeeamPointKind;

/// A kind of restore point, named by the collection that contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `CloudVmReplicaPoint` in a `CloudReplica`.
    CloudReplica,
    /// `VmReplicaPoint` in a `Replica`.
    Replica,
    /// `VmRestorePoint` in a `Backup`.
    Backup,
}

/// Whether the query service supports the resource types of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuerySupport {
    /// They are in the vendor's list of types that can be queried.
    Documented,
    /// They are missing from that list, although the vendor's reference shows such queries.
    Undocumented,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Definition {
    /// The part of a collection id before the `~`.
    pub(super) prefix: &'static str,
    /// The kind in the gateway's contract.
    pub(super) point_kind: VeeamPointKind,
    /// The paths below `/api/`, in lower case, of which a logon session links to at least one if the server serves
    /// this kind to the account.
    logon_links: &'static [&'static str],
    pub(super) query_support: QuerySupport,
    /// The resource type of the restore points.
    pub(super) point: &'static Resource,
    /// The link from a restore point to its collection, or to the job run between the two.
    pub(super) parent: LinkTarget,
    /// The resource type of the collections.
    pub(super) collection: &'static Resource,
}

static CLOUD_REPLICAS: Definition = Definition {
    prefix: "cloud-replica",
    point_kind: VeeamPointKind::CloudVmReplicaPoint,
    logon_links: &["cloud"],
    query_support: QuerySupport::Undocumented,
    point: &CLOUD_VM_REPLICA_POINT,
    parent: LinkTarget::CloudReplica,
    collection: &CLOUD_REPLICA,
};

static REPLICAS: Definition = Definition {
    prefix: "replica",
    point_kind: VeeamPointKind::VmReplicaPoint,
    logon_links: &["vmreplicapoints", "replicas"],
    query_support: QuerySupport::Documented,
    point: &VM_REPLICA_POINT,
    parent: LinkTarget::Replica,
    collection: &REPLICA,
};

static BACKUPS: Definition = Definition {
    prefix: "backup",
    point_kind: VeeamPointKind::VmRestorePoint,
    logon_links: &["vmrestorepoints", "backups"],
    query_support: QuerySupport::Documented,
    point: &VM_RESTORE_POINT,
    parent: LinkTarget::RestorePoint,
    collection: &BACKUP,
};

impl Kind {
    /// All kinds, in the order in which they are listed.
    pub(super) const ALL: [Self; 3] = [Self::CloudReplica, Self::Replica, Self::Backup];

    /// The row of this kind.
    pub(super) fn definition(self) -> &'static Definition {
        match self {
            Self::CloudReplica => &CLOUD_REPLICAS,
            Self::Replica => &REPLICAS,
            Self::Backup => &BACKUPS,
        }
    }

    /// The kind of the collections whose ids have this prefix, in any case.
    pub(super) fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.definition().prefix.eq_ignore_ascii_case(prefix))
    }

    /// Whether a server whose logon session links to `path` serves this kind.
    pub(super) fn is_served_at(self, path: &str) -> bool {
        self.definition().logon_links.contains(&path)
    }
}
