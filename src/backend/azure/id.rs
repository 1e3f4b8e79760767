//! ARM ids and the segments of our names that stand for them.
//!
//! ARM compares resource groups and names without regard to case and disagrees with itself on how it
//! spells them (ListAll answers resource groups in upper case), so nothing in here is ever compared as
//! it stands. Ids of disk restore points are opaque to the gateway and not read here.

use crate::model::{BackendId, CollectionName, Error, InvalidKind, RestorePointName};

const PROVIDER: &str = "microsoft.compute";
const COLLECTIONS: &str = "restorePointCollections";
const POINTS: &str = "restorePoints";

/// A restore point collection of the configured subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectionId {
    /// The resource group, in lower case.
    pub(super) group: String,
    /// The name, spelled as whoever named it.
    pub(super) name: String,
}

impl CollectionId {
    /// A collection by its two halves.
    pub(super) fn new(group: &str, name: &str) -> Self {
        Self { group: group.to_lowercase(), name: name.to_owned() }
    }

    /// Reads `{resource_group}~{collection}`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `field` that shows the pattern.
    pub(super) fn parse(segment: &str, field: &str) -> Result<Self, Error> {
        match segment.split_once('~') {
            Some((group, name)) if is_name(group) && is_name(name) => Ok(Self::new(group, name)),
            _ => {
                let shown: String = segment.chars().take(120).collect();
                Err(Error::invalid(
                    InvalidKind::Name,
                    field,
                    format!("`{shown}` is not `{{resource_group}}~{{collection}}`"),
                ))
            }
        }
    }

    /// The last segment of its name: `{resource_group}~{collection}`.
    pub(super) fn segment(&self) -> String {
        format!("{}~{}", self.group, self.name)
    }

    /// Its name.
    pub(super) fn collection_name(&self, backend: &BackendId) -> CollectionName {
        CollectionName { backend: backend.clone(), collection: self.segment() }
    }

    /// What two spellings of one collection have in common; also the order of lists.
    pub(super) fn key(&self) -> (String, String) {
        (self.group.clone(), self.name.to_lowercase())
    }

    /// The path segments of its URL, unescaped.
    pub(super) fn path<'a>(&'a self, subscription: &'a str) -> Vec<&'a str> {
        let (group, name) = (self.group.as_str(), self.name.as_str());
        let provider = ["providers", "Microsoft.Compute", COLLECTIONS, name];
        [&["subscriptions", subscription, "resourceGroups", group][..], &provider].concat()
    }

    /// Its ARM id.
    pub(super) fn arm(&self, subscription: &str) -> String {
        format!("/{}", self.path(subscription).join("/"))
    }
}

/// A restore point of the configured subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PointId {
    /// Its collection.
    pub(super) collection: CollectionId,
    /// The name, spelled as whoever named it.
    pub(super) name: String,
}

impl PointId {
    /// Its name.
    pub(super) fn point_name(&self, backend: &BackendId) -> RestorePointName {
        RestorePointName {
            collection: self.collection.collection_name(backend),
            restore_point: self.name.clone(),
        }
    }

    /// The path segments of its URL, unescaped.
    pub(super) fn path<'a>(&'a self, subscription: &'a str) -> Vec<&'a str> {
        [self.collection.path(subscription).as_slice(), &[POINTS, &self.name]].concat()
    }

    /// Its ARM id.
    pub(super) fn arm(&self, subscription: &str) -> String {
        format!("/{}", self.path(subscription).join("/"))
    }

    /// What two spellings of one point have in common.
    pub(super) fn key(&self) -> ((String, String), String) {
        (self.collection.key(), self.name.to_lowercase())
    }
}

/// What an ARM id names, as far as the gateway cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArmId {
    /// A virtual machine, with its name.
    Machine(String),
    /// A collection of the configured subscription.
    Collection(CollectionId),
    /// A point of the configured subscription.
    Point(PointId),
    /// A collection of another subscription.
    ForeignCollection,
    /// Anything else.
    Other,
}

impl ArmId {
    /// Reads an id as ARM or a caller spells it.
    pub(super) fn parse(id: &str, subscription: &str) -> Self {
        let parts: Vec<&str> = id.split('/').collect();
        let ["", subscriptions, sub, groups, group, providers, provider, kind, name, rest @ ..] =
            parts.as_slice()
        else {
            return Self::Other;
        };
        let ours = same(subscriptions, "subscriptions")
            && same(groups, "resourceGroups")
            && same(providers, "providers")
            && same(provider, PROVIDER);
        if !ours || ![sub, group, name].iter().all(|part| is_name(part)) {
            return Self::Other;
        }
        let here = same(sub, subscription);
        match rest {
            [] if same(kind, "virtualMachines") => Self::Machine((*name).to_owned()),
            [] if same(kind, COLLECTIONS) && here => {
                Self::Collection(CollectionId::new(group, name))
            }
            [] if same(kind, COLLECTIONS) => Self::ForeignCollection,
            [points, point]
                if same(kind, COLLECTIONS) && same(points, POINTS) && here && is_name(point) =>
            {
                let collection = CollectionId::new(group, name);
                Self::Point(PointId { collection, name: (*point).to_owned() })
            }
            _ => Self::Other,
        }
    }
}

/// Whether two ids or names are one to ARM.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// A region as ARM answers it for collections whatever was sent: lower case, without spaces
/// (`East US 2` is `eastus2`).
pub(super) fn region(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

fn is_name(text: &str) -> bool {
    let legal = |c: char| !c.is_control() && !"/\\?#%".contains(c);
    !matches!(text, "" | "." | "..") && text.chars().all(legal)
}

/// Whether this can be the name of something new: at most `longest` characters, no `~`, which separates
/// the halves of our ids, no space, and no full stop at the end.
pub(super) fn is_new_name(text: &str, longest: usize) -> bool {
    is_name(text)
        && !text.contains(['~', ' '])
        && !text.ends_with('.')
        && text.chars().count() <= longest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    const SUB: &str = "00000000-0000-0000-0000-00000000000a";

    proptest! {
        #[test]
        fn a_collection_survives_the_way_there_and_back(
            group in "[-A-Za-z0-9_().]{1,40}[A-Za-z0-9]", name in "[-\\w .~+]{1,40}[A-Za-z0-9]"
        ) {
            let id = CollectionId::new(&group, &name);
            prop_assert_eq!(&CollectionId::parse(&id.segment(), "name").unwrap(), &id);
            prop_assert_eq!(ArmId::parse(&id.arm(SUB), SUB), ArmId::Collection(id.clone()));
            match ArmId::parse(&id.arm(SUB).to_uppercase(), SUB) {
                ArmId::Collection(upper) if name.is_ascii() => prop_assert_eq!(upper.key(), id.key()),
                ArmId::Collection(_) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn a_point_survives_the_way_there_and_back(name in "[-\\w .~+]{1,40}[A-Za-z0-9]") {
            let id = PointId { collection: CollectionId::new("rg", "c"), name };
            prop_assert_eq!(ArmId::parse(&id.arm(SUB), SUB), ArmId::Point(id));
        }

        #[test]
        fn no_text_is_a_panic(text in ".{0,200}") {
            drop(CollectionId::parse(&text, "name"));
            drop(ArmId::parse(&text, SUB));
        }
    }

    #[test]
    fn what_is_no_collection_id_is_refused() {
        for id in ["", "rg", "rg~", "~c", "rg~..", "cloud-replica"] {
            let error = CollectionId::parse(id, "name").unwrap_err();
            assert!(
                matches!(error, Error::InvalidArgument { kind: InvalidKind::Name, .. }),
                "{id}"
            );
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let base = format!("/subscriptions/{SUB}/resourceGroups/RG/providers");
        let parse = |rest: &str| ArmId::parse(&format!("{base}/{rest}"), SUB);
        assert_eq!(
            parse("Microsoft.Compute/virtualMachines/vm1"),
            ArmId::Machine("vm1".to_owned())
        );
        assert_eq!(
            parse("microsoft.compute/restorePointCollections/C"),
            ArmId::Collection(CollectionId::new("rg", "C"))
        );
        assert_eq!(parse("Microsoft.Storage/restorePointCollections/C"), ArmId::Other);
        assert_eq!(
            ArmId::parse(&format!("{base}/Microsoft.Compute/restorePointCollections/C"), "other"),
            ArmId::ForeignCollection
        );
    }

    #[test]
    fn regions_are_spelled_one_way() {
        assert_eq!(region("EastUS2EUAP"), "eastus2euap");
        assert_eq!(region("West Europe"), "westeurope");
    }
}
