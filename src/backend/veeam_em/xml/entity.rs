//! An entity or a reference to one: the attributes, elements and links that the gateway uses.
//!
//! One type serves restore points, collections, job runs, and references to all of them. `map` checks what a kind must
//! have in addition to a UID and a name.

use jiff::Timestamp;
use uuid::Uuid;

use crate::backend::veeam_em::resource::LinkTarget;

/// An entity or a reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entity {
    /// The GUID at the end of the UID.
    pub(crate) id: Uuid,
    /// Attribute `UID` as it was received.
    pub(crate) uid: String,
    /// Attribute `Name`.
    pub(crate) name: String,
    /// Attribute `VmDisplayName`.
    pub(crate) vm_display_name: Option<String>,
    /// Element `VmName`: mandatory in the schema, absent from many samples.
    pub(crate) vm_name: Option<String>,
    /// Element `CreationTimeUTC`, of a job run `BackupDateUTC`.
    pub(crate) created: Option<Timestamp>,
    /// Element `PointType`.
    pub(crate) point_type: Option<String>,
    /// Element `Algorithm`.
    pub(crate) algorithm: Option<String>,
    /// Element `State`.
    pub(crate) state: Option<String>,
    /// Element `Platform`.
    pub(crate) platform: Option<String>,
    /// Element `HierarchyObjRef`: the virtual machine as its hypervisor's server identifies it.
    pub(crate) hierarchy_ref: Option<String>,
    /// The links that the resource is read for, at most one to each target.
    pub(crate) links: Vec<Link>,
    /// The whole element as it was received, without comments and without data of the guest; only with [`Keep::Raw`].
    ///
    /// [`Keep::Raw`]: super::Keep::Raw
    pub(crate) raw: Option<String>,
}

/// A link to another entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The type of the other entity, from the attribute `Type`.
    pub(crate) target: LinkTarget,
    /// Attribute `Rel`: `Up` to a parent.
    pub(crate) rel: String,
    /// The GUID at the end of the path of `Href`. The rest of `Href` is not used: its host may be a name that only the
    /// vendor's own network resolves.
    pub(crate) id: Uuid,
    /// Attribute `Name`.
    pub(crate) name: String,
}

impl Entity {
    /// The link to an entity of this type.
    pub(crate) fn link(&self, target: LinkTarget) -> Option<&Link> {
        self.links.iter().find(|link| link.target == target)
    }
}
