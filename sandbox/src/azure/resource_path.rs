//! Resource ids and request paths: what one names, and how an id is written.
//!
//! Types and names compare without regard to case, and the casing first given is kept. Whether the
//! resource exists is not decided here.

use percent_encoding::percent_decode_str;

/// A restore point collection by its names, in the casing they were given.
#[derive(Debug, Clone)]
pub(crate) struct CollectionName {
    pub(crate) group: String,
    pub(crate) name: String,
}

impl CollectionName {
    /// The key that collections compare and sort by.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.group, self.name).to_lowercase()
    }

    pub(crate) fn id(&self, subscription: &str) -> String {
        let Self { group, name } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}\
             /providers/Microsoft.Compute/restorePointCollections/{name}"
        )
    }
}

/// A restore point by its names.
#[derive(Debug, Clone)]
pub(crate) struct PointName {
    pub(crate) collection: CollectionName,
    pub(crate) name: String,
}

impl PointName {
    /// The key that restore points compare by.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.collection.key(), self.name.to_lowercase())
    }

    pub(crate) fn id(&self, subscription: &str) -> String {
        format!("{}/restorePoints/{}", self.collection.id(subscription), self.name)
    }
}

/// The two resource providers that answer under one tree of URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Compute,
    Disk,
}

/// The actions on a disk restore point: `beginGetAccess` and `endGetAccess`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessAction {
    Begin,
    End,
}

/// Documents that are served without a token: a client reads them before it can log on.
#[derive(Debug, Clone)]
pub(crate) enum MetadataDocument {
    /// The OpenID metadata of a tenant.
    OpenId { tenant: String },
    /// The endpoints of the cloud that this resource manager belongs to.
    CloudEndpoints,
}

/// The gateway's own resources above the restore point collections.
#[derive(Debug, Clone)]
pub(crate) enum DirectoryResource {
    Tenants,
    Subscriptions,
    Subscription,
    Groups,
    Group { name: String },
}

/// What a path names. No operation lists the restore points of a collection, so there is no route for it.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    Token { tenant: String },
    Metadata(MetadataDocument),
    Directory(DirectoryResource),
    AllCollections,
    GroupCollections { group: String },
    Collection(CollectionName),
    Point(PointName),
    DiskPoints(PointName),
    DiskPoint(PointName, String),
    DiskAccess(PointName, String, AccessAction),
    EncryptionSet { group: String, name: String },
    VirtualMachine { group: String, name: String },
    Operation { id: String, provider: Provider },
    Unknown,
}

/// A path or an id, parsed.
#[derive(Debug, Clone)]
pub(crate) struct ResourcePath {
    pub(crate) subscription: Option<String>,
    pub(crate) route: Route,
}

impl ResourcePath {
    pub(crate) fn parse(path: &str) -> Self {
        let given: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let lower: Vec<String> = given.iter().map(|part| part.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let at = |index: usize| given[index].clone();
        let collection = || CollectionName { group: at(3), name: at(7) };
        let operation = |provider| Route::Operation { id: at(7), provider };
        let point = || PointName { collection: collection(), name: at(9) };

        let route = match lower.as_slice() {
            [_, "oauth2", "v2.0", "token"] => {
                return Self { subscription: None, route: Route::Token { tenant: at(0) } };
            }
            ["subscriptions", _, "providers", "microsoft.compute", rest @ ..] => match rest {
                ["restorepointcollections"] => Route::AllCollections,
                ["locations", _, "operations", _] => operation(Provider::Compute),
                ["locations", _, "diskoperations", _] => operation(Provider::Disk),
                _ => Route::Unknown,
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
                ["virtualmachines", _] => Route::VirtualMachine { group: at(3), name: at(7) },
                ["diskencryptionsets", _] => Route::EncryptionSet { group: at(3), name: at(7) },
                ["restorepointcollections"] => Route::GroupCollections { group: at(3) },
                ["restorepointcollections", _] => Route::Collection(collection()),
                ["restorepointcollections", _, "restorepoints", _] => Route::Point(point()),
                ["restorepointcollections", _, "restorepoints", _, "diskrestorepoints"] => {
                    Route::DiskPoints(point())
                }
                ["restorepointcollections", _, "restorepoints", _, "diskrestorepoints", _] => {
                    Route::DiskPoint(point(), at(11))
                }
                [
                    "restorepointcollections",
                    _,
                    "restorepoints",
                    _,
                    "diskrestorepoints",
                    _,
                    action,
                ] => match *action {
                    "begingetaccess" => Route::DiskAccess(point(), at(11), AccessAction::Begin),
                    "endgetaccess" => Route::DiskAccess(point(), at(11), AccessAction::End),
                    _ => Route::Unknown,
                },
                _ => Route::Unknown,
            },
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                let tenant = (*tenant).to_owned();
                Route::Metadata(MetadataDocument::OpenId { tenant })
            }
            ["metadata", "endpoints"] => Route::Metadata(MetadataDocument::CloudEndpoints),
            ["tenants"] => Route::Directory(DirectoryResource::Tenants),
            ["subscriptions"] => Route::Directory(DirectoryResource::Subscriptions),
            ["subscriptions", _] => Route::Directory(DirectoryResource::Subscription),
            ["subscriptions", _, "resourcegroups"] => Route::Directory(DirectoryResource::Groups),
            ["subscriptions", _, "resourcegroups", _] => {
                Route::Directory(DirectoryResource::Group { name: at(3) })
            }
            _ => Route::Unknown,
        };
        let subscription = (lower[0] == "subscriptions").then(|| given.get(1).cloned()).flatten();
        Self { subscription, route }
    }
}

/// A region as ids and collections show it: `East US 2 EUAP` is `eastus2euap`.
pub(crate) fn plain_region(given: &str) -> String {
    given.chars().filter(|sign| !sign.is_whitespace()).collect::<String>().to_lowercase()
}

/// A region as the compute provider spells it; only canary regions differ from the plain form.
pub(crate) fn provider_region(plain: &str) -> &str {
    match plain {
        "eastus2euap" => "EastUS2EUAP",
        "centraluseuap" => "CentralUSEUAP",
        other => other,
    }
}
