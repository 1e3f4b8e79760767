//! The table of kinds, from the vendor's documentation and XML schema.

use uuid::Uuid;

use super::kind::{Column, Kind, Schema};
use crate::veeam_em::format::links::BASE;

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

/// The defaults of an entry.
const EMPTY: Schema = Schema {
    element: "",
    plural: "",
    collection: "",
    machine: None,
    children: &[],
    mounts: None,
    actions: &[],
    columns: &[],
};

static BACKUP_SERVER: Schema = Schema {
    element: "BackupServer",
    plural: "BackupServers",
    collection: "backupServers",
    children: &[
        (Some("Down"), "jobs", Kind::Job),
        (Some("Down"), "repositories", Kind::Repository),
    ],
    actions: &[("VeeamZip", "veeamzip"), ("QuickBackup", "quickbackup"), ("Start", "collect")],
    columns: &[UID, NAME],
    ..EMPTY
};

static CLOUD_REPLICA: Schema = Schema {
    element: "CloudReplica",
    plural: "CloudReplicas",
    collection: "cloud/replicas",
    children: &[(Some("Down"), "vmReplicaPoints", Kind::CloudVmReplicaPoint)],
    columns: &[UID, NAME, PLATFORM],
    ..EMPTY
};

static CLOUD_VM_REPLICA_POINT: Schema = Schema {
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
    ..EMPTY
};

static REPOSITORY: Schema = Schema {
    element: "Repository",
    plural: "Repositories",
    collection: "repositories",
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
    ..EMPTY
};

static REPLICA: Schema = Schema {
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
    ..EMPTY
};

static VM_REPLICA_POINT: Schema = Schema {
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
    ..EMPTY
};

static BACKUP: Schema = Schema {
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
    ..EMPTY
};

static BACKUP_FILE: Schema = Schema {
    element: "BackupFile",
    plural: "BackupFiles",
    collection: "backupFiles",
    children: &[(Some("Down"), "vmRestorePoints", Kind::VmRestorePoint)],
    columns: &[UID, NAME],
    ..EMPTY
};

static RESTORE_POINT: Schema = Schema {
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
    ..EMPTY
};

static VM_RESTORE_POINT: Schema = Schema {
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
        // Not documented, but used by public clients.
        ("VmName", Column::VmDisplayName),
        ("HierarchyObjRef", Column::Text("HierarchyObjRef")),
    ],
    ..EMPTY
};

static VAPP_RESTORE_POINT: Schema = Schema {
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
    ..EMPTY
};

static VAPP_REPLICA_POINT: Schema = Schema {
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
    ..EMPTY
};

static AGENT_RESTORE_POINT: Schema = Schema {
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
    ..EMPTY
};

static JOB: Schema = Schema {
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
    ..EMPTY
};

static HIERARCHY_ROOT: Schema = Schema {
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
    ..EMPTY
};

static CLOUD_TENANT: Schema = Schema {
    element: "CloudTenant",
    plural: "CloudTenants",
    collection: "cloud/tenants",
    columns: &[UID, NAME, SERVER_UID, SERVER_NAME],
    ..EMPTY
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

static RESTORE_SESSION: Schema = Schema {
    element: "RestoreSession",
    plural: "RestoreSessions",
    collection: "restoreSessions",
    machine: Some("VmDisplayName"),
    columns: &SESSION,
    ..EMPTY
};

static BACKUP_JOB_SESSION: Schema = Schema {
    element: "BackupJobSession",
    plural: "BackupJobSessions",
    collection: "backupSessions",
    columns: &SESSION,
    ..EMPTY
};

/// Tasks have neither id nor name, but can be queried.
static TASK: Schema = Schema {
    element: "Task",
    plural: "Tasks",
    collection: "tasks",
    columns: &[
        ("TaskId", Column::Text("TaskId")),
        ("State", Column::OneOf("State", &TASK_STATES)),
        ("Operation", Column::Text("Operation")),
    ],
    ..EMPTY
};

impl Kind {
    pub(crate) fn schema(self) -> &'static Schema {
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

    /// Whether it exists only with a licence for Cloud Connect.
    pub(crate) fn is_cloud(self) -> bool {
        self.schema().collection.starts_with("cloud/")
    }

    /// The address of the reference to an entity.
    pub(crate) fn href(self, id: Uuid) -> String {
        format!("{BASE}/{}/{id}", self.schema().collection)
    }
}
