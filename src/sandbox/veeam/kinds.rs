//! The kinds of things the server has, as a table: names on the wire, places, relations, and what a
//! query may ask of them.
//!
//! All resources follow one grammar, so a kind is data. What an installation can have beside these
//! (CDP, catalogues, NAS and more) has no kind: its collections are empty.

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
    VAppRestorePoint,
    VAppReplicaPoint,
    AgentRestorePoint,
    Job,
    HierarchyRoot,
    CloudTenant,
    RestoreSession,
    BackupJobSession,
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
    /// The attribute that names the machine, where there is one.
    pub(super) machine: Option<&'static str>,
    /// Collections below one entity: a link's `Rel` and the last segment of their path.
    pub(super) children: &'static [(&'static str, &'static str, Kind)],
    /// One mount and all of them, for points that can be mounted.
    pub(super) mounts: Option<(&'static str, &'static str)>,
    /// What can be started on one entity: a link's `Rel` and the action's name.
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
    machine: None,
    children: &[("Down", "jobs", Kind::Job), ("Down", "repositories", Kind::Repository)],
    mounts: None,
    actions: &[("VeeamZip", "veeamzip"), ("QuickBackup", "quickbackup"), ("Start", "collect")],
    columns: &[UID, NAME],
};

static CLOUD_REPLICA: Shape = Shape {
    element: "CloudReplica",
    plural: "CloudReplicas",
    collection: "cloud/replicas",
    machine: None,
    children: &[("Down", "vmReplicaPoints", Kind::CloudVmReplicaPoint)],
    mounts: None,
    actions: &[],
    columns: &[UID, NAME, PLATFORM],
};

static CLOUD_VM_REPLICA_POINT: Shape = Shape {
    element: "CloudVmReplicaPoint",
    plural: "CloudVmReplicaPoints",
    collection: "cloud/vmReplicaPoints",
    machine: Some("VmDisplayName"),
    children: &[],
    mounts: None,
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
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
};

static REPLICA: Shape = Shape {
    element: "Replica",
    plural: "Replicas",
    collection: "replicas",
    machine: None,
    children: &[("Down", "vmReplicaPoints", Kind::VmReplicaPoint)],
    mounts: None,
    actions: &[],
    columns: &[
        UID,
        NAME,
        ("JobUid", Column::ParentUid(Kind::Job)),
        ("JobName", Column::ParentName(Kind::Job)),
        REPOSITORY_UID,
        REPOSITORY_NAME,
        SERVER_UID,
        SERVER_NAME,
    ],
};

static VM_REPLICA_POINT: Shape = Shape {
    element: "VmReplicaPoint",
    plural: "VmReplicaPoints",
    collection: "vmReplicaPoints",
    machine: Some("VmDisplayName"),
    children: &[],
    mounts: Some(("VmReplicaPointMount", "VmReplicaPointMounts")),
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
    machine: None,
    children: &[
        ("Down", "restorePoints", Kind::RestorePoint),
        ("Down", "backupFiles", Kind::BackupFile),
    ],
    mounts: None,
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
    machine: None,
    children: &[("Down", "vmRestorePoints", Kind::VmRestorePoint)],
    mounts: None,
    actions: &[],
    columns: &[UID, NAME],
};

static RESTORE_POINT: Shape = Shape {
    element: "RestorePoint",
    plural: "RestorePoints",
    collection: "restorePoints",
    machine: None,
    children: &[
        ("Down", "vmRestorePoints", Kind::VmRestorePoint),
        ("Down", "vAppRestorePoints", Kind::VAppRestorePoint),
        ("Related", "backupFiles", Kind::BackupFile),
    ],
    mounts: None,
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
    machine: Some("VmDisplayName"),
    children: &[],
    mounts: Some(("VmRestorePointMount", "VmRestorePointMounts")),
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

static VAPP_RESTORE_POINT: Shape = Shape {
    element: "VAppRestorePoint",
    plural: "VAppRestorePoints",
    collection: "vAppRestorePoints",
    machine: Some("VAppDisplayName"),
    children: &[],
    mounts: None,
    actions: &[("Restore", "restore")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        TYPE,
        ALGORITHM,
        ("RestorePointId", Column::ParentUid(Kind::RestorePoint)),
        ("RestorePointName", Column::ParentName(Kind::RestorePoint)),
        ("VAppDisplayName", Column::VmDisplayName),
        SERVER_UID,
        SERVER_NAME,
    ],
};

static VAPP_REPLICA_POINT: Shape = Shape {
    element: "VAppReplicaPoint",
    plural: "VAppReplicaPoints",
    collection: "vAppReplicaPoints",
    machine: Some("VAppDisplayName"),
    children: &[],
    mounts: None,
    actions: &[("Failover", "failover")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        TYPE,
        ALGORITHM,
        ("ReplicaUid", Column::ParentUid(Kind::Replica)),
        ("ReplicaName", Column::ParentName(Kind::Replica)),
        ("VAppDisplayName", Column::VmDisplayName),
        ("VAppName", Column::VmDisplayName),
        SERVER_UID,
        SERVER_NAME,
    ],
};

static AGENT_RESTORE_POINT: Shape = Shape {
    element: "AgentRestorePoint",
    plural: "AgentRestorePoints",
    collection: "agents/agentRestorePoints",
    machine: None,
    children: &[],
    mounts: Some(("AgentRestorePointMount", "AgentRestorePointMounts")),
    actions: &[],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        TYPE,
        ALGORITHM,
        ("RestorePointId", Column::ParentUid(Kind::RestorePoint)),
        ("RestorePointName", Column::ParentName(Kind::RestorePoint)),
        ("ComputerName", Column::VmDisplayName),
        ("BackupFileUid", Column::ParentUid(Kind::BackupFile)),
        ("BackupFileName", Column::ParentName(Kind::BackupFile)),
        SERVER_UID,
        SERVER_NAME,
    ],
};

static JOB: Shape = Shape {
    element: "Job",
    plural: "Jobs",
    collection: "jobs",
    machine: None,
    children: &[("Down", "backupSessions", Kind::BackupJobSession)],
    mounts: None,
    actions: &[("Start", "start"), ("Stop", "stop"), ("Retry", "retry"), ("Clone", "clone")],
    columns: &[
        UID,
        NAME,
        PLATFORM,
        ("JobType", Column::Text("JobType")),
        ("ScheduleEnabled", Column::Text("ScheduleEnabled")),
        SERVER_UID,
        SERVER_NAME,
    ],
};

static HIERARCHY_ROOT: Shape = Shape {
    element: "HierarchyRoot",
    plural: "HierarchyRoots",
    collection: "hierarchyRoots",
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &[UID, NAME, ("HostType", Column::Text("HostType")), SERVER_UID, SERVER_NAME],
};

static CLOUD_TENANT: Shape = Shape {
    element: "CloudTenant",
    plural: "CloudTenants",
    collection: "cloud/tenants",
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
};

const SESSION: [(&str, Column); 7] = [
    UID,
    NAME,
    ("JobType", Column::Text("JobType")),
    CREATION_TIME,
    ("State", Column::Text("State")),
    SERVER_UID,
    SERVER_NAME,
];

static RESTORE_SESSION: Shape = Shape {
    element: "RestoreSession",
    plural: "RestoreSessions",
    collection: "restoreSessions",
    machine: Some("VmDisplayName"),
    children: &[],
    mounts: None,
    actions: &[],
    columns: &SESSION,
};

static BACKUP_JOB_SESSION: Shape = Shape {
    element: "BackupJobSession",
    plural: "BackupJobSessions",
    collection: "backupSessions",
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &SESSION,
};

impl Kind {
    pub(super) const ALL: [Kind; 18] = [
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
        Kind::VAppRestorePoint,
        Kind::VAppReplicaPoint,
        Kind::AgentRestorePoint,
        Kind::Job,
        Kind::HierarchyRoot,
        Kind::CloudTenant,
        Kind::RestoreSession,
        Kind::BackupJobSession,
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
            Kind::VAppRestorePoint => &VAPP_RESTORE_POINT,
            Kind::VAppReplicaPoint => &VAPP_REPLICA_POINT,
            Kind::AgentRestorePoint => &AGENT_RESTORE_POINT,
            Kind::Job => &JOB,
            Kind::HierarchyRoot => &HIERARCHY_ROOT,
            Kind::CloudTenant => &CLOUD_TENANT,
            Kind::RestoreSession => &RESTORE_SESSION,
            Kind::BackupJobSession => &BACKUP_JOB_SESSION,
        }
    }

    /// Whether it is there only with a licence for Cloud Connect.
    pub(super) fn is_cloud(self) -> bool {
        self.shape().collection.starts_with("cloud/")
    }
}
