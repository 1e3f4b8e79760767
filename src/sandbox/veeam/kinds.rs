//! The kinds of things the server has, as a table: names on the wire, places, relations, and what a
//! query may ask of them.
//!
//! All resources follow one grammar, so a kind is data. Things that are only ever links (catalogues,
//! vApps, agents, CDP) have no kind.

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BackupServer,
    CloudReplica,
    CloudVmReplicaPoint,
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
    /// The names for filters and sorting, most of them unlike the elements'.
    pub(super) columns: &'static [(&'static str, Column)],
}

/// Where the value behind a filter name is found, and how it compares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Uid,
    Name,
    VmDisplayName,
    /// A child element, compared as a time.
    Time(&'static str),
    /// A child element, compared by the order of its enumeration.
    OneOf(&'static str, &'static [&'static str]),
    ParentUid(Kind),
    ParentName(Kind),
}

const STATES: [&str; 5] = ["Unknown", "Ready", "Failover", "Failback", "PermanentFailover"];
const CLOUD_POINT_TYPES: [&str; 5] = ["CDP", "Full", "ReverseIncrement", "Increment", "Snapshot"];
const PLATFORMS: [&str; 3] = ["VMware", "HyperV", "vCloud"];

const CREATION_TIME: (&str, Column) = ("CreationTime", Column::Time("CreationTimeUTC"));
const SERVER_UID: (&str, Column) = ("BackupServerUid", Column::ParentUid(Kind::BackupServer));
const SERVER_NAME: (&str, Column) = ("BackupServerName", Column::ParentName(Kind::BackupServer));

static BACKUP_SERVER: Shape = Shape {
    element: "BackupServer",
    plural: "BackupServers",
    collection: "backupServers",
    children: &[],
    columns: &[("UID", Column::Uid), ("Name", Column::Name)],
};

static CLOUD_REPLICA: Shape = Shape {
    element: "CloudReplica",
    plural: "CloudReplicas",
    collection: "cloud/replicas",
    children: &[("vmReplicaPoints", Kind::CloudVmReplicaPoint)],
    columns: &[
        ("UID", Column::Uid),
        ("Name", Column::Name),
        ("Platform", Column::OneOf("Platform", &PLATFORMS)),
    ],
};

static CLOUD_VM_REPLICA_POINT: Shape = Shape {
    element: "CloudVmReplicaPoint",
    plural: "CloudVmReplicaPoints",
    collection: "cloud/vmReplicaPoints",
    children: &[],
    columns: &[
        ("UID", Column::Uid),
        ("Name", Column::Name),
        CREATION_TIME,
        ("VmName", Column::VmDisplayName),
        ("Type", Column::OneOf("PointType", &CLOUD_POINT_TYPES)),
        ("ReplicaUid", Column::ParentUid(Kind::CloudReplica)),
        ("ReplicaName", Column::ParentName(Kind::CloudReplica)),
        ("VmDisplayName", Column::VmDisplayName),
        SERVER_UID,
        SERVER_NAME,
        ("State", Column::OneOf("State", &STATES)),
    ],
};

impl Kind {
    pub(super) const ALL: [Kind; 3] =
        [Kind::BackupServer, Kind::CloudReplica, Kind::CloudVmReplicaPoint];

    pub(super) fn shape(self) -> &'static Shape {
        match self {
            Kind::BackupServer => &BACKUP_SERVER,
            Kind::CloudReplica => &CLOUD_REPLICA,
            Kind::CloudVmReplicaPoint => &CLOUD_VM_REPLICA_POINT,
        }
    }
}
