//! The kinds of resources, and how a kind is described: names on the wire, paths, relations, and the fields of
//! queries. The table is in [`schemas`](super::schemas).
//!
//! All resources follow one grammar, so a kind is data. The other kinds of a real installation (CDP, catalogs,
//! NAS and more) are missing: their collections are empty.

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
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

/// The description of a kind.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The name of the element, the `type` in queries, and the middle of the UID.
    pub(crate) element: &'static str,
    /// The name of a list of entities.
    pub(crate) plural: &'static str,
    /// The path of the collection.
    pub(crate) collection: &'static str,
    /// The attribute with the name of the machine, if there is one.
    pub(crate) machine: Option<&'static str>,
    /// Collections below one entity: the `Rel` of a link, if there is a link, and the last segment of the
    /// path.
    pub(crate) children: &'static [(Option<&'static str>, &'static str, Kind)],
    /// The elements of one mount and of all mounts, for points that can be mounted.
    pub(crate) mounts: Option<(&'static str, &'static str)>,
    /// The actions on one entity: the `Rel` of a link and the name of the action.
    pub(crate) actions: &'static [(&'static str, &'static str)],
    /// The names for filters and sorting. Most differ from the names of the elements.
    pub(crate) columns: &'static [(&'static str, Column)],
}

/// Where the value of a filter name comes from, and how it compares.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
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
    /// All kinds of shared resources. Tasks belong to a logon session.
    pub(crate) const ALL: [Kind; 18] = [
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
}
