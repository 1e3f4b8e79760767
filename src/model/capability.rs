//! What a backend can do: declared once by each kind of backend, and checked before a call reaches it.

use super::{BackendId, Error, PointRef, Segment};

/// An operation that only some backends support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Create a collection.
    CreateCollection,
    /// Copy a restore point into another collection.
    Copy,
}

impl Capability {
    /// The field of the contract's `Capabilities`, as errors name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateCollection => "create_collection",
            Self::Copy => "copy",
        }
    }
}

/// Whether a kind of backend has a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It has.
    Supported,
    /// It has not; the vendor's limit, as text.
    Unsupported(&'static str),
}

impl Support {
    /// Whether it is [`Support::Supported`].
    pub const fn is_supported(self) -> bool {
        matches!(self, Self::Supported)
    }
}

/// The capabilities of one kind of backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// See [`Capability::CreateCollection`].
    pub create_collection: Support,
    /// See [`Capability::Copy`].
    pub copy: Support,
    /// Whether a point can be addressed as `collections/-/restorePoints/{id}`: ids are unique within the backend.
    pub get_without_collection: bool,
    /// Whether the vendor reports how much of a copy has arrived.
    pub copy_progress: bool,
    /// Whether the vendor reports how consistent a point is.
    pub consistency: bool,
    /// Whether the vendor lists the disks of a point.
    pub disks: bool,
}

impl Capabilities {
    /// Passes if a backend of this kind has the capability.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the vendor's limit.
    pub fn require(&self, capability: Capability, backend: &BackendId) -> Result<(), Error> {
        match self.support(capability) {
            Support::Supported => Ok(()),
            Support::Unsupported(_) => Err(self.unsupported(capability, backend)),
        }
    }

    /// The error of a call that needs the capability.
    pub fn unsupported(&self, capability: Capability, backend: &BackendId) -> Error {
        let reason = match self.support(capability) {
            Support::Supported => "it is not implemented",
            Support::Unsupported(reason) => reason,
        };
        let backend = backend.as_str().to_owned();
        Error::Unsupported { backend, capability: capability.name(), reason }
    }

    const fn support(&self, capability: Capability) -> Support {
        match capability {
            Capability::CreateCollection => self.create_collection,
            Capability::Copy => self.copy,
        }
    }

    /// Passes if the backend can address a point like this.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `name` for a wildcard that the backend does not accept.
    pub fn require_addressable(&self, point: &PointRef) -> Result<(), Error> {
        match point.collection {
            Segment::Any if !self.get_without_collection => point.collection_id().map(drop),
            _ => Ok(()),
        }
    }
}
