//! The ids of collections and restore points in the gateway's names.

use std::fmt;

use uuid::Uuid;

use super::kind::Kind;
use super::xml::parse_guid;
use crate::model::{Error, InvalidKind, Segment};

/// The id of a collection: `{prefix}~{guid}` in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CollectionId {
    pub(super) kind: Kind,
    pub(super) guid: Uuid,
}

impl CollectionId {
    /// Parses an id, in upper or lower case.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `field`.
    pub(super) fn parse(id: &str, field: &str) -> Result<Self, Error> {
        Self::parse_parts(id).ok_or_else(|| {
            let problem = format!(
                "invalid collection id `{id}`: expected `cloud-replica~{{guid}}`, `replica~{{guid}}` or \
                 `backup~{{guid}}`"
            );
            Error::invalid(InvalidKind::Name, field, problem)
        })
    }

    /// The id in a name, unless it is the wildcard or malformed.
    pub(super) fn from_segment(collection: &Segment) -> Option<Self> {
        match collection {
            Segment::Any => None,
            Segment::Id(id) => Self::parse_parts(id),
        }
    }

    /// The vendor's UID of the collection, as queries expect it.
    pub(super) fn uid(self) -> String {
        self.kind.definition().collection.uid(self.guid)
    }

    fn parse_parts(id: &str) -> Option<Self> {
        let (prefix, guid) = id.split_once('~')?;
        Some(Self { kind: Kind::from_prefix(prefix)?, guid: parse_guid(guid)? })
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.kind.definition().prefix, self.guid)
    }
}

/// Parses the id of a restore point, which is the GUID of its UID.
///
/// # Errors
/// INVALID_ARGUMENT on `name`.
pub(super) fn parse_restore_point_id(id: &str) -> Result<Uuid, Error> {
    parse_guid(id).ok_or_else(|| {
        let problem = format!(
            "invalid restore point id `{id}`: expected a GUID such as `93081441-6e3c-4584-b47a-08dc1ce24f84`"
        );
        Error::invalid(InvalidKind::Name, "name", problem)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_collection_id_has_one_canonical_spelling_and_is_parsed_in_any_case() {
        for kind in Kind::ALL {
            let id = CollectionId { kind, guid: Uuid::from_u128(0xabc) };
            assert_eq!(CollectionId::parse(&id.to_string(), "name").unwrap(), id);
            assert_eq!(CollectionId::parse(&id.to_string().to_uppercase(), "name").unwrap(), id);
        }
        for id in ["backup", "backup~", "backup~1", "tape~00000000-0000-0000-0000-000000000001"] {
            assert!(CollectionId::parse(id, "name").is_err(), "{id}");
        }
    }
}
