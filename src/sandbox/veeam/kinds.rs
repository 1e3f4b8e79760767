//! The kinds of things the server has, as a table: names on the wire, places, relations, and what a
//! query may ask of them.
//!
//! All resources follow one grammar, so a kind is data. Jobs, agents, vApps, CDP and catalogues are
//! not simulated and have no kind.

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    BackupServer,
    CloudReplica,
    CloudVmReplicaPoint,
    Repository,
    Replica,
    VmReplicaPoint,
    Backup,
    BackupFile,
    RestorePoint,
    VmRestorePoint,
}

/// What is known of a kind beforehand.
#[derive(Debug)]
pub(super) struct Shape {
    /// The element, the query `type`, and the middle of the UID.
    pub(super) element: &'static str,
    /// The list of entities.
    pub(super) plural: &'static str,
    /// The path of the collection.
    pub(super) collection: &'static str,
    /// Collections below one entity, by the last segment of their path.
    pub(super) children: &'static [(&'static str, Kind)],
    /// What can be started on one entity: a link's `Rel` and the action's name. Only the links are
    /// simulated, not what they start.
    pub(super) actions: &'static [(&'static str, &'static str)],
    /// The names for filters and sorting, most of them unlike the elements'.
    pub(super) columns: &'static [(&'static str, Column)],
}

/// Where the value behind a filter name is found, and how it compares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Uid,
    Name,
    VmDisplayName,
    /// A child element, compared as text.
    Text(&'static str),
    /// A child element, compared as a time.
    Time(&'static str),
    /// A child element, compared by the order of its enumeration.
    OneOf(&'static str, &'static [&'static str]),
    ParentUid(Kind),
    ParentName(Kind),
}

const STATES: [&str; 5] = ["Unknown", "Ready", "Failover", "Failback", "PermanentFailover"];
const CLOUD_POINT_TYPES: [&str; 5] = ["CDP", "Full", "ReverseIncrement", "Increment", "Snapshot"];
const POINT_TYPES: [&str; 4] = ["Full", "ReverseIncrement", "Increment", "Snapshot"];
const ALGORITHMS: [&str; 4] = ["Full", "ReversedIncremental", "Incremental", "SyntheticFull"];
const BACKUP_TYPES: [&str; 3] = ["Standard", "ParentBackup", "ChildBackup"];
const PLATFORMS: [&str; 3] = ["VMware", "HyperV", "vCloud"];

const UID: (&str, Column) = ("UID", Column::Uid);
const NAME: (&str, Column) = ("Name", Column::Name);
const VM: (&str, Column) = ("VmDisplayName", Column::VmDisplayName);
const PLATFORM: (&str, Column) = ("Platform", Column::OneOf("Platform", &PLATFORMS));
const TYPE: (&str, Column) = ("Type", Column::OneOf("PointType", &POINT_TYPES));
const ALGORITHM: (&str, Column) = ("Algorithm", Column::OneOf("Algorithm", &ALGORITHMS));
const REPOSITORY_UID: (&str, Column) = ("RepositoryUid", Column::ParentUid(Kind::Repository));
const REPOSITORY_NAME: (&str, Column) = ("RepositoryName", Column::ParentName(Kind::Repository));
const CREATION_TIME: (&str, Column) = ("CreationTime", Column::Time("CreationTimeUTC"));
const SERVER_UID: (&str, Column) = ("BackupServerUid", Column::ParentUid(Kind::BackupServer));
const SERVER_NAME: (&str, Column) = ("BackupServerName", Column::ParentName(Kind::BackupServer));

static BACKUP_SERVER: Shape = Shape {
    element: "BackupServer",
    plural: "BackupServers",
    collection: "backupServers",
    children: &[],
    actions: &[],
    columns: &[UID, NAME],
};

static CLOUD_REPLICA: Shape = Shape {
    element: "CloudReplica",
    plural: "CloudReplicas",
    collection: "cloud/replicas",
    children: &[("vmReplicaPoints", Kind::CloudVmReplicaPoint)],
    actions: &[],
    columns: &[UID, NAME, PLATFORM],
};

static CLOUD_VM_REPLICA_POINT: Shape = Shape {
    element: "CloudVmReplicaPoint",
    plural: "CloudVmReplicaPoints",
    collection: "cloud/vmReplicaPoints",
    children: &[],
    actions: &[],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        ("VmName", Column::VmDisplayName),
        ("Type", Column::OneOf("PointType", &CLOUD_POINT_TYPES)),
        ("ReplicaUid", Column::ParentUid(Kind::CloudReplica)),
        ("ReplicaName", Column::ParentName(Kind::CloudReplica)),
        VM,
        SERVER_UID,
        SERVER_NAME,
        ("State", Column::OneOf("State", &STATES)),
    ],
};

static REPOSITORY: Shape = Shape {
    element: "Repository",
    plural: "Repositories",
    collection: "repositories",
    children: &[],
    actions: &[],
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
};

static REPLICA: Shape = Shape {
    element: "Replica",
    plural: "Replicas",
    collection: "replicas",
    children: &[("vmReplicaPoints", Kind::VmReplicaPoint)],
    actions: &[],
    columns: &[UID, NAME, REPOSITORY_UID, REPOSITORY_NAME, SERVER_UID, SERVER_NAME],
};

static VM_REPLICA_POINT: Shape = Shape {
    element: "VmReplicaPoint",
    plural: "VmReplicaPoints",
    collection: "vmReplicaPoints",
    children: &[],
    actions: &[("Failover", "failover")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        TYPE,
        ALGORITHM,
        ("ReplicaUid", Column::ParentUid(Kind::Replica)),
        ("ReplicaName", Column::ParentName(Kind::Replica)),
        VM,
        SERVER_UID,
        SERVER_NAME,
    ],
};

static BACKUP: Shape = Shape {
    element: "Backup",
    plural: "Backups",
    collection: "backups",
    children: &[("restorePoints", Kind::RestorePoint), ("backupFiles", Kind::BackupFile)],
    actions: &[],
    columns: &[
        UID,
        NAME,
        PLATFORM,
        ("BackupType", Column::OneOf("BackupType", &BACKUP_TYPES)),
        REPOSITORY_UID,
        REPOSITORY_NAME,
        SERVER_UID,
        SERVER_NAME,
    ],
};

static BACKUP_FILE: Shape = Shape {
    element: "BackupFile",
    plural: "BackupFiles",
    collection: "backupFiles",
    children: &[("vmRestorePoints", Kind::VmRestorePoint)],
    actions: &[],
    columns: &[UID, NAME],
};

static RESTORE_POINT: Shape = Shape {
    element: "RestorePoint",
    plural: "RestorePoints",
    collection: "restorePoints",
    children: &[("vmRestorePoints", Kind::VmRestorePoint)],
    actions: &[],
    columns: &[
        UID,
        NAME,
        ("CreationTime", Column::Time("BackupDateUTC")),
        ("BackupUid", Column::ParentUid(Kind::Backup)),
        ("BackupName", Column::ParentName(Kind::Backup)),
        SERVER_UID,
        SERVER_NAME,
    ],
};

static VM_RESTORE_POINT: Shape = Shape {
    element: "VmRestorePoint",
    plural: "VmRestorePoints",
    collection: "vmRestorePoints",
    children: &[],
    actions: &[("Restore", "restore")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        TYPE,
        ALGORITHM,
        ("RestorePointId", Column::ParentUid(Kind::RestorePoint)),
        ("RestorePointName", Column::ParentName(Kind::RestorePoint)),
        VM,
        SERVER_UID,
        SERVER_NAME,
        // Not documented, but used in the field.
        ("VmName", Column::VmDisplayName),
        ("HierarchyObjRef", Column::Text("HierarchyObjRef")),
    ],
};

impl Kind {
    pub(super) const ALL: [Kind; 10] = [
        Kind::BackupServer,
        Kind::CloudReplica,
        Kind::CloudVmReplicaPoint,
        Kind::Repository,
        Kind::Replica,
        Kind::VmReplicaPoint,
        Kind::Backup,
        Kind::BackupFile,
        Kind::RestorePoint,
        Kind::VmRestorePoint,
    ];

    pub(super) fn shape(self) -> &'static Shape {
        match self {
            Kind::BackupServer => &BACKUP_SERVER,
            Kind::CloudReplica => &CLOUD_REPLICA,
            Kind::CloudVmReplicaPoint => &CLOUD_VM_REPLICA_POINT,
            Kind::Repository => &REPOSITORY,
            Kind::Replica => &REPLICA,
            Kind::VmReplicaPoint => &VM_REPLICA_POINT,
            Kind::Backup => &BACKUP,
            Kind::BackupFile => &BACKUP_FILE,
            Kind::RestorePoint => &RESTORE_POINT,
            Kind::VmRestorePoint => &VM_RESTORE_POINT,
        }
    }
}
