//! ARM ids, and the segments of the gateway's names that stand for them.
//!
//! ARM compares resource groups and names without regard to case, and spells them inconsistently (ListAll returns
//! resource groups in upper case), so ids are never compared byte by byte. Ids of disk restore points are opaque to the
//! gateway and not parsed.

use crate::model::{BackendId, CollectionName, Error, InvalidKind, PointRef, RestorePointName};

const PROVIDER: &str = "Microsoft.Compute";
const COLLECTIONS: &str = "restorePointCollections";
const POINTS: &str = "restorePoints";
const DISK_POINTS: &str = "diskRestorePoints";

/// In characters, by ARM's rules for resource groups.
pub(super) const MAX_GROUP_NAME: usize = 90;
/// In characters. ARM documents no limit for collections and points; disk restore points, which are named after their
/// disks, have this one.
pub(super) const MAX_NAME: usize = 260;
/// In characters: an id in an error may be anything that a client sends.
const MAX_QUOTED: usize = 120;

/// The backend and its subscription: ids are read and written within them.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) backend: BackendId,
    pub(super) subscription: String,
}

impl Scope {
    /// The URL path, as unescaped segments, that lists the collections of the subscription.
    pub(super) fn collections_path(&self) -> Vec<&str> {
        vec!["subscriptions", &self.subscription, "providers", PROVIDER, COLLECTIONS]
    }
}

/// A restore point collection of the configured subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectionId {
    /// The resource group, in lower case.
    pub(super) group: String,
    /// The name as the caller or ARM spells it.
    pub(super) name: String,
}

/// Equal for all spellings of one collection; also the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CollectionKey {
    /// The resource group, in lower case.
    pub(super) group: String,
    /// The name, in lower case.
    pub(super) name: String,
}

impl CollectionId {
    /// A collection by its resource group and name.
    pub(super) fn new(group: &str, name: &str) -> Self {
        Self { group: group.to_lowercase(), name: name.to_owned() }
    }

    /// Parses `{resource_group}~{collection}`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `field` that shows the pattern.
    pub(super) fn parse(segment: &str, field: &str) -> Result<Self, Error> {
        match segment.split_once('~') {
            Some((group, name)) if is_segment(group) && is_segment(name) => {
                Ok(Self::new(group, name))
            }
            _ => {
                let id = quoted(segment);
                let problem =
                    format!("invalid id {id}: expected `{{resource_group}}~{{collection}}`");
                Err(Error::invalid(InvalidKind::Name, field, problem))
            }
        }
    }

    /// The last segment of its name in the gateway: `{resource_group}~{collection}`.
    pub(super) fn segment(&self) -> String {
        format!("{}~{}", self.group, self.name)
    }

    /// Its name in the gateway.
    pub(super) fn to_name(&self, scope: &Scope) -> CollectionName {
        CollectionName { backend: scope.backend.clone(), collection: self.segment() }
    }

    /// Its key.
    pub(super) fn key(&self) -> CollectionKey {
        CollectionKey { group: self.group.clone(), name: self.name.to_lowercase() }
    }

    /// Its URL path, as unescaped segments.
    pub(super) fn path<'a>(&'a self, scope: &'a Scope) -> Vec<&'a str> {
        let group = ["subscriptions", &scope.subscription, "resourceGroups", &self.group];
        [&group[..], &["providers", PROVIDER, COLLECTIONS, &self.name]].concat()
    }

    /// Its ARM id.
    pub(super) fn to_arm_id(&self, scope: &Scope) -> String {
        format!("/{}", self.path(scope).join("/"))
    }
}

/// A restore point of the configured subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PointId {
    /// Its collection.
    pub(super) collection: CollectionId,
    /// The name as the caller or ARM spells it.
    pub(super) name: String,
}

impl PointId {
    /// The id of a point that a caller addresses.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `name` for the wildcard, since ARM's points are unique only within their collection, and for
    /// an id of another form.
    pub(super) fn parse(point: &PointRef) -> Result<Self, Error> {
        let collection = CollectionId::parse(point.collection_id()?, "name")?;
        Ok(Self { collection, name: point.restore_point.clone() })
    }

    /// Its name in the gateway.
    pub(super) fn to_name(&self, scope: &Scope) -> RestorePointName {
        RestorePointName {
            collection: self.collection.to_name(scope),
            restore_point: self.name.clone(),
        }
    }

    /// Its URL path, as unescaped segments.
    pub(super) fn path<'a>(&'a self, scope: &'a Scope) -> Vec<&'a str> {
        [self.collection.path(scope).as_slice(), &[POINTS, &self.name]].concat()
    }

    /// The URL path of its disk restore points, as unescaped segments.
    pub(super) fn disks_path<'a>(&'a self, scope: &'a Scope) -> Vec<&'a str> {
        [self.path(scope).as_slice(), &[DISK_POINTS]].concat()
    }

    /// Its ARM id.
    pub(super) fn to_arm_id(&self, scope: &Scope) -> String {
        format!("/{}", self.path(scope).join("/"))
    }

    /// Whether both are spellings of one point.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.collection.key() == other.collection.key() && eq_ignore_case(&self.name, &other.name)
    }
}

/// An ARM id, parsed as far as the gateway needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArmId {
    /// A virtual machine of any subscription, by its name.
    VirtualMachine(String),
    /// A collection of the configured subscription.
    Collection(CollectionId),
    /// A point of the configured subscription.
    Point(PointId),
    /// A collection of another subscription.
    ForeignCollection,
    /// A disk encryption set of any subscription.
    DiskEncryptionSet,
    /// Anything else.
    Other,
}

impl ArmId {
    /// Parses an id in any casing.
    pub(super) fn parse(id: &str, scope: &Scope) -> Self {
        let parts: Vec<&str> = id.split('/').collect();
        let [
            "",
            subscriptions,
            subscription,
            groups,
            group,
            providers,
            provider,
            kind,
            name,
            rest @ ..,
        ] = parts.as_slice()
        else {
            return Self::Other;
        };
        let is_compute = eq_ignore_case(subscriptions, "subscriptions")
            && eq_ignore_case(groups, "resourceGroups")
            && eq_ignore_case(providers, "providers")
            && eq_ignore_case(provider, PROVIDER);
        if !is_compute || ![subscription, group, name].iter().all(|part| is_segment(part)) {
            return Self::Other;
        }
        let in_scope = eq_ignore_case(subscription, &scope.subscription);
        let is_collection = eq_ignore_case(kind, COLLECTIONS);
        match rest {
            [] if eq_ignore_case(kind, "virtualMachines") => {
                Self::VirtualMachine((*name).to_owned())
            }
            [] if eq_ignore_case(kind, "diskEncryptionSets") => Self::DiskEncryptionSet,
            [] if is_collection && in_scope => Self::Collection(CollectionId::new(group, name)),
            [] if is_collection => Self::ForeignCollection,
            [points, point]
                if is_collection
                    && in_scope
                    && eq_ignore_case(points, POINTS)
                    && is_segment(point) =>
            {
                let collection = CollectionId::new(group, name);
                Self::Point(PointId { collection, name: (*point).to_owned() })
            }
            _ => Self::Other,
        }
    }
}

/// Whether ARM takes two ids, names or codes for the same.
pub(super) fn eq_ignore_case(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// A region as ARM returns it for collections, whatever was sent: lower case, without spaces (`East US 2` is `eastus2`).
pub(super) fn normalized_region(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

/// A caller's text for an error message: in backquotes and of bounded length.
pub(super) fn quoted(text: &str) -> String {
    let text: String = text.chars().take(MAX_QUOTED).collect();
    format!("`{text}`")
}

/// Whether this can be one segment of an id.
fn is_segment(text: &str) -> bool {
    let is_legal = |c: char| !c.is_control() && !"/\\?#%".contains(c);
    !matches!(text, "" | "." | "..") && text.chars().all(is_legal)
}

/// Whether this can be the name of a new resource: at most `max_length` characters, no `~`, which separates the parts of
/// the gateway's ids, no space, and no full stop at the end.
pub(super) fn is_new_name(text: &str, max_length: usize) -> bool {
    is_segment(text)
        && !text.contains(['~', ' '])
        && !text.ends_with('.')
        && text.chars().count() <= max_length
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

    fn scope() -> Scope {
        Scope { backend: BackendId::new("az").unwrap(), subscription: SUBSCRIPTION.to_owned() }
    }

    proptest! {
        #[test]
        fn a_collection_id_survives_a_round_trip(
            group in "[-A-Za-z0-9_().]{1,40}[A-Za-z0-9]", name in "[-\\w .~+]{1,40}[A-Za-z0-9]"
        ) {
            let (scope, id) = (scope(), CollectionId::new(&group, &name));
            prop_assert_eq!(&CollectionId::parse(&id.segment(), "name").unwrap(), &id);
            let arm_id = id.to_arm_id(&scope);
            prop_assert_eq!(ArmId::parse(&arm_id, &scope), ArmId::Collection(id.clone()));
            match ArmId::parse(&arm_id.to_uppercase(), &scope) {
                ArmId::Collection(upper) if name.is_ascii() => prop_assert_eq!(upper.key(), id.key()),
                ArmId::Collection(_) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn a_point_id_survives_a_round_trip(name in "[-\\w .~+]{1,40}[A-Za-z0-9]") {
            let id = PointId { collection: CollectionId::new("rg", "c"), name };
            prop_assert_eq!(ArmId::parse(&id.to_arm_id(&scope()), &scope()), ArmId::Point(id));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,200}") {
            drop(CollectionId::parse(&text, "name"));
            drop(ArmId::parse(&text, &scope()));
        }
    }

    #[test]
    fn invalid_collection_ids_are_rejected() {
        for id in ["", "rg", "rg~", "~c", "rg~..", "cloud-replica"] {
            let error = CollectionId::parse(id, "name").unwrap_err();
            assert!(
                matches!(error, Error::InvalidArgument { kind: InvalidKind::Name, .. }),
                "{id}"
            );
        }
    }

    #[test]
    fn the_resource_type_decides_the_kind_of_id() {
        let base = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers");
        let parse = |rest: &str| ArmId::parse(&format!("{base}/{rest}"), &scope());
        assert_eq!(
            parse("Microsoft.Compute/virtualMachines/vm1"),
            ArmId::VirtualMachine("vm1".to_owned())
        );
        assert_eq!(
            parse("microsoft.compute/restorePointCollections/C"),
            ArmId::Collection(CollectionId::new("rg", "C"))
        );
        assert_eq!(parse("Microsoft.Storage/restorePointCollections/C"), ArmId::Other);
        let other = Scope { subscription: "other".to_owned(), ..scope() };
        assert_eq!(
            ArmId::parse(&format!("{base}/Microsoft.Compute/restorePointCollections/C"), &other),
            ArmId::ForeignCollection
        );
    }

    #[test]
    fn regions_are_normalized() {
        assert_eq!(normalized_region("EastUS2EUAP"), "eastus2euap");
        assert_eq!(normalized_region("West Europe"), "westeurope");
    }
}
