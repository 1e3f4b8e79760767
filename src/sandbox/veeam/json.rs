//! The tree of a reply as JSON.
//!
//! Lists come out doubled (`"Refs":{"Refs":[…]}`), some objects name all their members with `null`
//! for the absent ones, and the case of names depends on the product release: all three are the
//! vendor's. The order of members is not kept.

use serde_json::{Map, Value};

use super::document::{Content, Element, Scalar};
use super::settings::{ByteOrderMark, Product, Settings};

/// Members that are named even where there is nothing to say.
const ALWAYS_NAMED: [(&str, &[&str]); 4] = [
    ("QueryResult", &["Refs", "Entities", "Resources", "Links", "PagingInfo"]),
    ("Entities", &ENTITY_LISTS),
    ("Error", &["FirstChanceExceptionMessage", "Message", "StackTrace", "Status", "StatusCode"]),
    ("Link", &["Href", "Name", "Type", "Rel"]),
];

/// Every list an `Entities` object names at API version 1.7, the vendor's spelling kept.
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
pub(super) fn to_json(root: &Element, settings: &Settings) -> Vec<u8> {
    let mut body = match settings.byte_order_mark {
        ByteOrderMark::Absent => Vec::new(),
        ByteOrderMark::Present => "\u{feff}".as_bytes().to_vec(),
    };
    body.extend(value(root, settings.product).to_string().into_bytes());
    body
}

fn value(element: &Element, product: Product) -> Value {
    match &element.content {
        Content::Scalar(value) => scalar(value),
        Content::Items(items) => {
            let items = items.iter().map(|item| value(item, product)).collect();
            match element.name {
                "Links" => Value::Array(items),
                "EntityReferences" => doubled("Refs", items, product),
                name => doubled(name, items, product),
            }
        }
        Content::Members(members) => {
            let mut object = Map::new();
            let named = ALWAYS_NAMED.iter().filter(|(name, _)| *name == element.name);
            for name in named.flat_map(|(_, members)| *members) {
                object.insert(cased(name, product), Value::Null);
            }
            for (name, value) in &element.attributes {
                object.insert(cased(name, product), scalar(value));
            }
            for member in members {
                object.insert(cased(member.name, product), value(member, product));
            }
            Value::Object(object)
        }
    }
}

fn doubled(name: &str, items: Vec<Value>, product: Product) -> Value {
    Value::Object(Map::from_iter([(cased(name, product), Value::Array(items))]))
}

fn scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Text(text) => Value::from(text.as_str()),
        Scalar::Number(number) => Value::from(*number),
    }
}

/// Version 13 lowers the leading run of capitals, save the one that begins the next word: `UID` is
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
