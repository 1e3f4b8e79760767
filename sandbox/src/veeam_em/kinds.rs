//! The kinds of things the server has, and what is to be known of each: names on the wire, places,
//! relations, and what a query may ask of it. The table itself is [`shapes`](super::shapes).
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
    Task,
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
    /// Collections below one entity: a link's `Rel`, if there is a link, and the last segment of their
    /// path.
    pub(super) children: &'static [(Option<&'static str>, &'static str, Kind)],
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

impl Kind {
    /// All that are resources: not tasks, which are a session's own.
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

    /// Whether it is there only with a licence for Cloud Connect.
    pub(super) fn is_cloud(self) -> bool {
        self.shape().collection.starts_with("cloud/")
    }
}
