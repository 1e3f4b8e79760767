//! The resource types of Enterprise Manager's REST API that the gateway reads, as constants: what each is called in
//! XML, in queries and in paths.
//!
//! Names and paths are those of the vendor's REST API reference, "Resources and Methods".

use uuid::Uuid;

/// A resource type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The element of an entity, its `Type`, the `type` of a query, and the type in its UID.
    pub(super) entity: &'static str,
    /// The `Type` of a reference to it.
    pub(super) reference: &'static str,
    /// The element around a list of entities.
    pub(super) list: &'static str,
    /// The path of the collection, below `/api/`.
    pub(super) path: &'static str,
    /// The order that queries request.
    pub(super) order: Order,
    /// The links of an entity that are read.
    pub(super) links: &'static [LinkTarget],
}

/// The order of a query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By creation time, descending.
    NewestFirst,
    /// By UID, for resources without a creation time. UIDs are unique, so the order is the same for every page.
    ByUid,
}

/// The type of the entity that a link leads to. Several links with `Rel="Up"` are usual and their order has no meaning,
/// so a link is identified by its `Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkTarget {
    BackupServer,
    CloudReplica,
    Replica,
    Backup,
    BackupFile,
    RestorePoint,
}

/// A restore point of a replica that a Cloud Connect tenant keeps with a service provider.
pub(super) static CLOUD_VM_REPLICA_POINT: Resource = Resource {
    entity: "CloudVmReplicaPoint",
    reference: "CloudVmReplicaPointReference",
    list: "CloudVmReplicaPoints",
    path: "cloud/vmReplicaPoints",
    order: Order::NewestFirst,
    links: &[LinkTarget::BackupServer, LinkTarget::CloudReplica],
};

/// A replica that a Cloud Connect tenant keeps with a service provider.
pub(super) static CLOUD_REPLICA: Resource = Resource {
    entity: "CloudReplica",
    reference: "CloudReplicaReference",
    list: "CloudReplicas",
    path: "cloud/replicas",
    order: Order::ByUid,
    links: &[],
};

/// A restore point of a replica.
pub(super) static VM_REPLICA_POINT: Resource = Resource {
    entity: "VmReplicaPoint",
    reference: "VmReplicaPointReference",
    list: "VmReplicaPoints",
    path: "vmReplicaPoints",
    order: Order::NewestFirst,
    links: &[LinkTarget::BackupServer, LinkTarget::Replica],
};

/// A replica of a virtual machine.
pub(super) static REPLICA: Resource = Resource {
    entity: "Replica",
    reference: "ReplicaReference",
    list: "Replicas",
    path: "replicas",
    order: Order::ByUid,
    links: &[],
};

/// A restore point of a virtual machine in a backup.
pub(super) static VM_RESTORE_POINT: Resource = Resource {
    entity: "VmRestorePoint",
    reference: "VmRestorePointReference",
    list: "VmRestorePoints",
    path: "vmRestorePoints",
    order: Order::NewestFirst,
    links: &[LinkTarget::BackupServer, LinkTarget::RestorePoint, LinkTarget::BackupFile],
};

/// A backup.
pub(super) static BACKUP: Resource = Resource {
    entity: "Backup",
    reference: "BackupReference",
    list: "Backups",
    path: "backups",
    order: Order::ByUid,
    links: &[],
};

/// A run of a backup job, which creates one `VmRestorePoint` of each virtual machine in the job. The vendor calls it
/// `RestorePoint`; the gateway calls it a job run.
pub(super) static JOB_RUN: Resource = Resource {
    entity: "RestorePoint",
    reference: "RestorePointReference",
    list: "RestorePoints",
    path: "restorePoints",
    order: Order::NewestFirst,
    links: &[LinkTarget::Backup],
};

impl Resource {
    /// The UID of an entity of this type.
    pub(super) fn uid(&self, id: Uuid) -> String {
        uid(self.entity, id)
    }
}

impl Order {
    /// The parameter of a query and its value.
    pub(super) fn parameter(self) -> (&'static str, &'static str) {
        match self {
            Self::NewestFirst => ("sortDesc", "CreationTime"),
            Self::ByUid => ("sortAsc", "UID"),
        }
    }
}

impl LinkTarget {
    /// The `Type` of the entity. The `Type` of a reference to it has the suffix `Reference`.
    pub(super) fn entity(self) -> &'static str {
        match self {
            Self::BackupServer => "BackupServer",
            Self::CloudReplica => "CloudReplica",
            Self::Replica => "Replica",
            Self::Backup => "Backup",
            Self::BackupFile => "BackupFile",
            Self::RestorePoint => "RestorePoint",
        }
    }

    /// The UID of an entity of this type.
    pub(super) fn uid(self, id: Uuid) -> String {
        uid(self.entity(), id)
    }
}

fn uid(entity: &str, id: Uuid) -> String {
    format!("urn:veeam:{entity}:{id}")
}
