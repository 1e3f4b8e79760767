//! The table of kinds: one entry each, from what the vendor's pages and schema say of it.

use super::kinds::{Column, Kind, Shape};

const STATES: [&str; 5] = ["Unknown", "Ready", "Failover", "Failback", "PermanentFailover"];
const CLOUD_POINT_TYPES: [&str; 5] = ["CDP", "Full", "ReverseIncrement", "Increment", "Snapshot"];
const POINT_TYPES: [&str; 4] = ["Full", "ReverseIncrement", "Increment", "Snapshot"];
const BACKUP_POINT_TYPES: [&str; 3] = ["Full", "Increment", "ReverseIncrement"];
const ALGORITHMS: [&str; 4] = ["Full", "ReversedIncremental", "Incremental", "SyntheticFull"];
const BACKUP_TYPES: [&str; 3] = ["Standard", "ParentBackup", "ChildBackup"];
const PLATFORMS: [&str; 3] = ["VMware", "HyperV", "vCloud"];
const BACKUP_PLATFORMS: [&str; 6] =
    ["VMware", "HyperV", "vCloud", "AgentForLinux", "AgentForWindows", "CustomPlatform"];
const JOB_TYPES: [&str; 4] = ["Backup", "BackupCopy", "ImmediateBackupCopy", "Replica"];
const TASK_STATES: [&str; 3] = ["Running", "OperationFinished", "Finished"];

const UID: (&str, Column) = ("UID", Column::Uid);
const NAME: (&str, Column) = ("Name", Column::Name);
const VM: (&str, Column) = ("VmDisplayName", Column::VmDisplayName);
const PLATFORM: (&str, Column) = ("Platform", Column::OneOf("Platform", &PLATFORMS));
const TYPE: (&str, Column) = ("Type", Column::OneOf("PointType", &POINT_TYPES));
const BACKUP_TYPE: (&str, Column) = ("Type", Column::OneOf("PointType", &BACKUP_POINT_TYPES));
const ALGORITHM: (&str, Column) = ("Algorithm", Column::OneOf("Algorithm", &ALGORITHMS));
const JOB_UID: (&str, Column) = ("JobUid", Column::ParentUid(Kind::Job));
const JOB_NAME: (&str, Column) = ("JobName", Column::ParentName(Kind::Job));
const REPOSITORY_UID: (&str, Column) = ("RepositoryUid", Column::ParentUid(Kind::Repository));
const REPOSITORY_NAME: (&str, Column) = ("RepositoryName", Column::ParentName(Kind::Repository));
const CREATION_TIME: (&str, Column) = ("CreationTime", Column::Time("CreationTimeUTC"));
const SERVER_UID: (&str, Column) = ("BackupServerUid", Column::ParentUid(Kind::BackupServer));
const SERVER_NAME: (&str, Column) = ("BackupServerName", Column::ParentName(Kind::BackupServer));

/// A kind of which nothing is known.
const BARE: Shape = Shape {
    element: "",
    plural: "",
    collection: "",
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &[],
};

static BACKUP_SERVER: Shape = Shape {
    element: "BackupServer",
    plural: "BackupServers",
    collection: "backupServers",
    children: &[
        (Some("Down"), "jobs", Kind::Job),
        (Some("Down"), "repositories", Kind::Repository),
    ],
    actions: &[("VeeamZip", "veeamzip"), ("QuickBackup", "quickbackup"), ("Start", "collect")],
    columns: &[UID, NAME],
    ..BARE
};

static CLOUD_REPLICA: Shape = Shape {
    element: "CloudReplica",
    plural: "CloudReplicas",
    collection: "cloud/replicas",
    children: &[(Some("Down"), "vmReplicaPoints", Kind::CloudVmReplicaPoint)],
    columns: &[UID, NAME, PLATFORM],
    ..BARE
};

static CLOUD_VM_REPLICA_POINT: Shape = Shape {
    element: "CloudVmReplicaPoint",
    plural: "CloudVmReplicaPoints",
    collection: "cloud/vmReplicaPoints",
    machine: Some("VmDisplayName"),
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
    ..BARE
};

static REPOSITORY: Shape = Shape {
    element: "Repository",
    plural: "Repositories",
    collection: "repositories",
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
    ..BARE
};

static REPLICA: Shape = Shape {
    element: "Replica",
    plural: "Replicas",
    collection: "replicas",
    children: &[(Some("Down"), "vmReplicaPoints", Kind::VmReplicaPoint)],
    columns: &[
        UID,
        NAME,
        JOB_UID,
        JOB_NAME,
        REPOSITORY_UID,
        REPOSITORY_NAME,
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static VM_REPLICA_POINT: Shape = Shape {
    element: "VmReplicaPoint",
    plural: "VmReplicaPoints",
    collection: "vmReplicaPoints",
    machine: Some("VmDisplayName"),
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
    ..BARE
};

static BACKUP: Shape = Shape {
    element: "Backup",
    plural: "Backups",
    collection: "backups",
    children: &[
        (Some("Down"), "restorePoints", Kind::RestorePoint),
        (Some("Down"), "backupFiles", Kind::BackupFile),
    ],
    columns: &[
        UID,
        NAME,
        ("Platform", Column::OneOf("Platform", &BACKUP_PLATFORMS)),
        ("BackupType", Column::OneOf("BackupType", &BACKUP_TYPES)),
        JOB_UID,
        JOB_NAME,
        REPOSITORY_UID,
        REPOSITORY_NAME,
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static BACKUP_FILE: Shape = Shape {
    element: "BackupFile",
    plural: "BackupFiles",
    collection: "backupFiles",
    children: &[(Some("Down"), "vmRestorePoints", Kind::VmRestorePoint)],
    columns: &[UID, NAME],
    ..BARE
};

static RESTORE_POINT: Shape = Shape {
    element: "RestorePoint",
    plural: "RestorePoints",
    collection: "restorePoints",
    children: &[
        (Some("Down"), "vmRestorePoints", Kind::VmRestorePoint),
        (Some("Down"), "vAppRestorePoints", Kind::VAppRestorePoint),
        (Some("Related"), "backupFiles", Kind::BackupFile),
        (None, "agentRestorePoints", Kind::AgentRestorePoint),
    ],
    columns: &[
        UID,
        NAME,
        ("CreationTime", Column::Time("BackupDateUTC")),
        ("BackupUid", Column::ParentUid(Kind::Backup)),
        ("BackupName", Column::ParentName(Kind::Backup)),
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static VM_RESTORE_POINT: Shape = Shape {
    element: "VmRestorePoint",
    plural: "VmRestorePoints",
    collection: "vmRestorePoints",
    machine: Some("VmDisplayName"),
    mounts: Some(("VmRestorePointMount", "VmRestorePointMounts")),
    actions: &[("Restore", "restore")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        BACKUP_TYPE,
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
    ..BARE
};

static VAPP_RESTORE_POINT: Shape = Shape {
    element: "VAppRestorePoint",
    plural: "VAppRestorePoints",
    collection: "vAppRestorePoints",
    machine: Some("VAppDisplayName"),
    actions: &[("Restore", "restore")],
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        BACKUP_TYPE,
        ALGORITHM,
        ("RestorePointId", Column::ParentUid(Kind::RestorePoint)),
        ("RestorePointName", Column::ParentName(Kind::RestorePoint)),
        ("VAppDisplayName", Column::VmDisplayName),
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static VAPP_REPLICA_POINT: Shape = Shape {
    element: "VAppReplicaPoint",
    plural: "VAppReplicaPoints",
    collection: "vAppReplicaPoints",
    machine: Some("VAppDisplayName"),
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
    ..BARE
};

static AGENT_RESTORE_POINT: Shape = Shape {
    element: "AgentRestorePoint",
    plural: "AgentRestorePoints",
    collection: "agents/agentRestorePoints",
    mounts: Some(("AgentRestorePointMount", "AgentRestorePointMounts")),
    columns: &[
        UID,
        NAME,
        CREATION_TIME,
        BACKUP_TYPE,
        ALGORITHM,
        ("RestorePointId", Column::ParentUid(Kind::RestorePoint)),
        ("RestorePointName", Column::ParentName(Kind::RestorePoint)),
        ("ComputerName", Column::VmDisplayName),
        ("BackupUid", Column::ParentUid(Kind::Backup)),
        ("BackupName", Column::ParentName(Kind::Backup)),
        ("BackupFileUid", Column::ParentUid(Kind::BackupFile)),
        ("BackupFileName", Column::ParentName(Kind::BackupFile)),
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static JOB: Shape = Shape {
    element: "Job",
    plural: "Jobs",
    collection: "jobs",
    children: &[(Some("Down"), "backupSessions", Kind::BackupJobSession)],
    actions: &[("Start", "start"), ("Stop", "stop"), ("Retry", "retry"), ("Clone", "clone")],
    columns: &[
        UID,
        NAME,
        PLATFORM,
        ("JobType", Column::OneOf("JobType", &JOB_TYPES)),
        ("ScheduleEnabled", Column::Text("ScheduleEnabled")),
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static HIERARCHY_ROOT: Shape = Shape {
    element: "HierarchyRoot",
    plural: "HierarchyRoots",
    collection: "hierarchyRoots",
    columns: &[
        UID,
        NAME,
        ("UniqueId", Column::Text("UniqueId")),
        ("HostType", Column::Text("HostType")),
        SERVER_UID,
        SERVER_NAME,
    ],
    ..BARE
};

static CLOUD_TENANT: Shape = Shape {
    element: "CloudTenant",
    plural: "CloudTenants",
    collection: "cloud/tenants",
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
    ..BARE
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
    columns: &SESSION,
    ..BARE
};

static BACKUP_JOB_SESSION: Shape = Shape {
    element: "BackupJobSession",
    plural: "BackupJobSessions",
    collection: "backupSessions",
    columns: &SESSION,
    ..BARE
};

/// A session's tasks, which have neither id nor name and can yet be asked for.
static TASK: Shape = Shape {
    element: "Task",
    plural: "Tasks",
    collection: "tasks",
    columns: &[
        ("TaskId", Column::Text("TaskId")),
        ("State", Column::OneOf("State", &TASK_STATES)),
        ("Operation", Column::Text("Operation")),
    ],
    ..BARE
};

impl Kind {
    /// The entry of a kind.
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
            Kind::Task => &TASK,
        }
    }
}
