//! The tree of a reply as JSON.
//!
//! Lists are doubled (`"Refs":{"Refs":[…]}`), some objects have all their members, `null` if absent, and the
//! case of names depends on the product release: all three are the vendor's behaviour, and so is the order
//! of the members of a query result.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::document::{Content, Element, Scalar};
use crate::veeam_em::settings::{ByteOrderMark, Product, Settings};

/// Members that are present even without a value.
const ALWAYS_PRESENT: [(&str, &[&str]); 7] = [
    ("QueryResult", &["Refs", "Entities", "Resources", "Links", "PagingInfo"]),
    ("Entities", &ENTITY_LISTS),
    ("Error", &["FirstChanceExceptionMessage", "Message", "StackTrace", "Status", "StatusCode"]),
    ("Link", &["Href", "Name", "Type", "Rel"]),
    ("Task", &["Result"]),
    ("CloudVmReplicaPoint", &["VmName"]),
    ("VmRestorePoint", &["HierarchyObjRef", "SqlInfo"]),
];

/// Every list in an `Entities` object at API version 1.7, in the vendor's spelling.
const ENTITY_LISTS: [&str; 50] = [
    "Jobs",
    "FailoverPlans",
    "Backups",
    "Replicas",
    "Repositories",
    "RestorePoints",
    "VmRestorePoints",
    "VAppRestorePoints",
    "VmReplicaPoints",
    "BackupJobSessions",
    "ReplicaJobSessions",
    "ReplicaTaskSessions",
    "RestoreSessions",
    "HierarchyRoots",
    "BackupTaskSessions",
    "BackupServers",
    "ManagedServers",
    "EnterpiseRoles",
    "EnterpiseAccounts",
    "WanAccelerators",
    "CloudGateways",
    "CloudTenants",
    "CloudReplicas",
    "VCloudOrganizationConfigs",
    "BackupFiles",
    "VSphereSelfServiceConfigs",
    "CloudPublicIps",
    "CloudHardwarePlans",
    "CloudVmReplicaPoints",
    "AgentRestorePoints",
    "AgentBackupJob",
    "CloudGatewayPools",
    "CloudFailoverPlans",
    "ExternalRepositories",
    "VlanConfigurations",
    "CloudFailoverSessions",
    "AgentProtectionGroups",
    "DiscoveredComputers",
    "FileServers",
    "NASJobs",
    "CdpReplicas",
    "CdpReplicaVms",
    "CdpPolicies",
    "CdpReplicaSessions",
    "CdpReplicaTaskSessions",
    "VAppReplicaPoints",
    "VmCdpReplicas",
    "VAppCdpReplicas",
    "VAppCdpReplicaVms",
    "SystemSessions",
];

/// The whole body in JSON.
pub(crate) fn to_json(root: &Element, settings: &Settings) -> Vec<u8> {
    let mut body = match settings.byte_order_mark {
        ByteOrderMark::Absent => Vec::new(),
        ByteOrderMark::Present => "\u{feff}".as_bytes().to_vec(),
    };
    // Serializing cannot fail: all names are strings.
    body.extend(serde_json::to_vec(&value(root, settings.product)).unwrap_or_default());
    body
}

/// A value that keeps its members in order.
enum Json<'a> {
    Null,
    Scalar(&'a Scalar),
    List(Vec<Json<'a>>),
    Object(Vec<(String, Json<'a>)>),
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Scalar(Scalar::Text(text)) => serializer.serialize_str(text),
            Json::Scalar(Scalar::Number(number)) => serializer.serialize_i64(*number),
            Json::Scalar(Scalar::Bool(value)) => serializer.serialize_bool(*value),
            Json::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Json::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

fn value(element: &Element, product: Product) -> Json<'_> {
    match &element.content {
        Content::Scalar(value) => Json::Scalar(value),
        Content::Items(items) => {
            let items = Json::List(items.iter().map(|item| value(item, product)).collect());
            match element.name {
                "Links" => items,
                "EntityReferences" => Json::Object(vec![(cased("Refs", product), items)]),
                name => Json::Object(vec![(cased(name, product), items)]),
            }
        }
        Content::Members(members) => Json::Object(object(element, members, product)),
    }
}

/// Elements before attributes, and before both the members that are always present, in their own order.
fn object<'a>(
    element: &'a Element,
    members: &'a [Element],
    product: Product,
) -> Vec<(String, Json<'a>)> {
    let always = ALWAYS_PRESENT.iter().filter(|(name, _)| *name == element.name);
    let always = always.flat_map(|(_, members)| *members);
    let mut object: Vec<_> = always.map(|name| (cased(name, product), Json::Null)).collect();
    let elements = members.iter().map(|member| (member.name, value(member, product)));
    let attributes = element.attributes.iter().map(|(name, value)| (*name, Json::Scalar(value)));
    for (name, value) in elements.chain(attributes) {
        let name = cased(name, product);
        match object.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = value,
            None => object.push((name, value)),
        }
    }
    object
}

/// Version 13 lower-cases the leading capitals, except the one that begins the next word: `UID` is
/// `uid`, `NASJobs` is `nasJobs` and `VCloudTenant` is `vCloudTenant`.
fn cased(name: &str, product: Product) -> String {
    if product == Product::V12 {
        return name.to_owned();
    }
    let capitals = name.chars().take_while(char::is_ascii_uppercase).count();
    let lowered = match capitals {
        0 | 1 => capitals,
        all if all == name.len() => all,
        run => run - 1,
    };
    let (head, tail) = name.split_at(lowered);
    head.to_ascii_lowercase() + tail
}
