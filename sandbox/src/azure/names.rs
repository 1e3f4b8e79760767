//! Resource identifiers: what a path or an id in a body points at, and how an id is written.
//!
//! Types and names compare without regard to case, and the casing first given is kept. Whether the
//! thing exists is no concern of this file.

use percent_encoding::percent_decode_str;

use super::discovery::{Directory, Signpost};

/// A restore point collection by its names, in the casing they were given.
#[derive(Debug, Clone)]
pub(super) struct CollectionName {
    pub(super) group: String,
    pub(super) name: String,
}

impl CollectionName {
    /// What collections compare and sort by.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.group, self.name).to_lowercase()
    }

    pub(super) fn id(&self, subscription: &str) -> String {
        let Self { group, name } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}\
             /providers/Microsoft.Compute/restorePointCollections/{name}"
        )
    }
}

/// A restore point by its names.
#[derive(Debug, Clone)]
pub(super) struct PointName {
    pub(super) collection: CollectionName,
    pub(super) name: String,
}

impl PointName {
    /// What points compare by.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.collection.key(), self.name.to_lowercase())
    }
}

/// The two resource providers that answer under one tree of URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Compute,
    Disk,
}

/// What can be done to a disk restore point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Begin,
    End,
}

/// What an id names.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Token { tenant: String },
    Signpost(Signpost),
    Directory(Directory),
    AllCollections,
    GroupCollections { group: String },
    Collection(CollectionName),
    Point(PointName),
    DiskPoints(PointName),
    DiskPoint(PointName, String),
    DiskAccess(PointName, String, Access),
    EncryptionSet { group: String, name: String },
    Machine { group: String, name: String },
    Operation { id: String, by: Provider },
    Elsewhere,
}

/// An id taken apart. There is no operation that lists the restore points of a collection, hence no
/// place for it either.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) subscription: Option<String>,
    pub(super) place: Place,
}

impl Address {
    pub(super) fn parse(path: &str) -> Self {
        let given: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let lower: Vec<String> = given.iter().map(|part| part.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let at = |index: usize| given[index].clone();
        let collection = || CollectionName { group: at(3), name: at(7) };
        let operation = |by| Place::Operation { id: at(7), by };
        let point = || PointName { collection: collection(), name: at(9) };

        let place = match lower.as_slice() {
            [_, "oauth2", "v2.0", "token"] => {
                return Self { subscription: None, place: Place::Token { tenant: at(0) } };
            }
            ["subscriptions", _, "providers", "microsoft.compute", rest @ ..] => match rest {
                ["restorepointcollections"] => Place::AllCollections,
                ["locations", _, "operations", _] => operation(Provider::Compute),
                ["locations", _, "diskoperations", _] => operation(Provider::Disk),
                _ => Place::Elsewhere,
            },
            [
                "subscriptions",
                _,
                "resourcegroups",
                _,
                "providers",
                "microsoft.compute",
                rest @ ..,
            ] => match rest {
                ["virtualmachines", _] => Place::Machine { group: at(3), name: at(7) },
                ["diskencryptionsets", _] => Place::EncryptionSet { group: at(3), name: at(7) },
                ["restorepointcollections"] => Place::GroupCollections { group: at(3) },
                ["restorepointcollections", _] => Place::Collection(collection()),
                ["restorepointcollections", _, "restorepoints", _] => Place::Point(point()),
                ["restorepointcollections", _, "restorepoints", _, "diskrestorepoints"] => {
                    Place::DiskPoints(point())
                }
                ["restorepointcollections", _, "restorepoints", _, "diskrestorepoints", _] => {
                    Place::DiskPoint(point(), at(11))
                }
                [
                    "restorepointcollections",
                    _,
                    "restorepoints",
                    _,
                    "diskrestorepoints",
                    _,
                    verb,
                ] => match *verb {
                    "begingetaccess" => Place::DiskAccess(point(), at(11), Access::Begin),
                    "endgetaccess" => Place::DiskAccess(point(), at(11), Access::End),
                    _ => Place::Elsewhere,
                },
                _ => Place::Elsewhere,
            },
            path => Signpost::parse(path)
                .map(Place::Signpost)
                .or_else(|| Directory::parse(path, &given).map(Place::Directory))
                .unwrap_or(Place::Elsewhere),
        };
        let subscription = (lower[0] == "subscriptions").then(|| given.get(1).cloned()).flatten();
        Self { subscription, place }
    }
}

/// A region as ids and collections show it: `East US 2 EUAP` is `eastus2euap`.
pub(super) fn plain_region(given: &str) -> String {
    given.chars().filter(|sign| !sign.is_whitespace()).collect::<String>().to_lowercase()
}

/// A region as the compute provider spells it; only canary regions differ from the plain form.
pub(super) fn provider_region(plain: &str) -> &str {
    match plain {
        "eastus2euap" => "EastUS2EUAP",
        "centraluseuap" => "CentralUSEUAP",
        other => other,
    }
}
