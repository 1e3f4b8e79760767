//! The documents that link to the resources: the entry point, a logon session, and the services.
//!
//! A session links to each collection twice, as references and as entities; the collections of Cloud Connect
//! are in the document of that service.

use uuid::Uuid;

use crate::veeam_em::format::document::{Element, link};
use crate::veeam_em::format::links::BASE;
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::model::logon_sessions::{API_VERSIONS, LogonSession};
use crate::veeam_em::model::principal::Principal;
use crate::veeam_em::model::visible_inventory::VisibleInventory;
use crate::veeam_em::settings::Installation;

/// A collection that is always empty, as on a server without such resources.
#[derive(Debug)]
pub(crate) struct EmptyCollection {
    pub(crate) collection: &'static str,
    pub(crate) element: &'static str,
    pub(crate) plural: &'static str,
}

const fn empty(
    collection: &'static str,
    element: &'static str,
    plural: &'static str,
) -> EmptyCollection {
    EmptyCollection { collection, element, plural }
}

static EMPTY: [EmptyCollection; 17] = [
    empty("managedServers", "ManagedServer", "ManagedServers"),
    empty("failoverPlans", "FailoverPlan", "FailoverPlans"),
    empty("catalog/vms", "CatalogVm", "CatalogVms"),
    empty("replicaSessions", "ReplicaJobSession", "ReplicaJobSessions"),
    empty("backupTaskSessions", "BackupTaskSession", "BackupTaskSessions"),
    empty("replicaTaskSessions", "ReplicaTaskSession", "ReplicaTaskSessions"),
    empty("wanAccelerators", "WanAccelerator", "WanAccelerators"),
    empty("externalRepositories", "ExternalRepository", "ExternalRepositories"),
    empty("cdpPolicies", "CdpPolicy", "CdpPolicies"),
    empty("cdpReplicaSessions", "CdpReplicaSession", "CdpReplicaSessions"),
    empty("cdpReplicaTaskSessions", "CdpReplicaTaskSession", "CdpReplicaTaskSessions"),
    // Singular on the wire; the vendor's documentation has the plural.
    empty("cdpReplica/vms", "CdpReplicaVm", "CdpReplicaVms"),
    empty("cdpReplica/vApps", "VAppCdpReplica", "VAppCdpReplicas"),
    empty("cloud/cloudFailoverPlans", "CloudFailoverPlan", "CloudFailoverPlans"),
    empty("cloud/gateways", "CloudGateway", "CloudGateways"),
    empty("cloud/hardwarePlans", "CloudHardwarePlan", "CloudHardwarePlans"),
    empty("cloud/publicIpAddresses", "CloudPublicIp", "CloudPublicIps"),
];

/// The services. Those for security, vCloud, self-service and NAS have a link only.
const SERVICES: [(&str, &str); 8] = [
    ("EnterpriseSecuritySettings", "security"),
    ("TaskList", "tasks"),
    ("QueryService", "querySvc"),
    ("LookupService", "lookupSvc"),
    ("VCloudService", "vCloud"),
    ("AgentsService", "agents"),
    ("VSphereSelfService", "selfService/vSphere"),
    ("NasService", "nas"),
];

/// An always empty collection, by its path.
pub(crate) fn empty_collection(path: &str) -> Option<&'static EmptyCollection> {
    EMPTY.iter().find(|empty| empty.collection == path)
}

/// An always empty collection, by the kind of its entities.
pub(crate) fn empty_type(name: &str) -> Option<&'static EmptyCollection> {
    EMPTY.iter().find(|empty| empty.element.eq_ignore_ascii_case(name))
}

/// The entry point, which needs no credentials.
pub(crate) fn entry_point() -> Element {
    let create = |version: &str| {
        let href = format!("{BASE}/sessionMngr/?v={version}");
        link("Create", Some("LogonSession"), href, None)
    };
    let versions = API_VERSIONS.map(|version| {
        Element::object("SupportedVersion", vec![Element::list("Links", vec![create(version)])])
            .with("Name", version)
    });
    let sessions = link("Down", Some("LogonSessionList"), format!("{BASE}/logonSessions"), None);
    Element::object(
        "EnterpriseManager",
        vec![
            Element::list("Links", vec![sessions, create("latest")]),
            Element::list("SupportedVersions", versions.to_vec()),
        ],
    )
}

/// The address of a session.
pub(crate) fn session_href(id: Uuid) -> String {
    format!("{BASE}/logonSessions/{id}")
}

/// One session, with links to everything that it can read.
pub(crate) fn session(id: Uuid, session: &LogonSession, installation: Installation) -> Element {
    let mut links = vec![link("Up", Some("EnterpriseManager"), format!("{BASE}/"), None)];
    let own_type = match session.principal {
        Principal::Tenant(_) => Some("LogonSession"),
        Principal::Account(_) => {
            let is_listed =
                |path: &str| !path.starts_with("cloud/") && !path.starts_with("agents/");
            links.extend(references(is_listed));
            for (service, path) in SERVICES {
                links.push(link("Down", Some(service), format!("{BASE}/{path}"), None));
            }
            let report = format!("{BASE}/reports/summary");
            links.push(link("Down", Some("Report"), report, Some("Summary")));
            links.extend(entities(is_listed));
            let create = format!("{BASE}/backupServers?action=create");
            links.push(link("Create", None, create, None));
            // Real servers leave out the type, except for tenants.
            None
        }
    };
    if installation == Installation::CloudConnect {
        links.push(link("Down", Some("CloudConnectService"), format!("{BASE}/cloud"), None));
    }
    links.push(link("Delete", own_type, session_href(id), None));
    Element::object(
        "LogonSession",
        vec![
            Element::list("Links", links),
            Element::value("UserName", session.username),
            Element::value("SessionId", id.to_string()),
        ],
    )
    .with("Type", "LogonSession")
    .with("Href", session_href(id))
}

/// Links to the collections of Cloud Connect. A tenant has only three.
pub(crate) fn cloud_service(id: Uuid, principal: Principal) -> Element {
    let tenants = ["cloud/cloudFailoverPlans", "cloud/vmReplicaPoints", "cloud/replicas"];
    let is_listed = |path: &str| match principal {
        Principal::Tenant(_) => tenants.contains(&path),
        Principal::Account(_) => path.starts_with("cloud/"),
    };
    service("CloudConnectService", "CloudConnectService", "cloud", id, listed(is_listed))
}

/// Links to the collections of agents.
pub(crate) fn agents_service(id: Uuid) -> Element {
    let links = listed(|path| path.starts_with("agents/"));
    service("Agents", "AgentsService", "agents", id, links)
}

/// Predefined queries with 15 entities a page. There is none for cloud points, although these can be queried.
pub(crate) fn query_service(id: Uuid) -> Element {
    let is_listed = |path: &str| path != "cloud/vmReplicaPoints";
    let query = |element: &str, format: &str, list: &str| {
        let href =
            format!("{BASE}/query?type={element}&format={format}&sortAsc=name&pageSize=15&page=1");
        link("Down", Some(&format!("{element}{list}")), href, None)
    };
    let references = all(is_listed).map(|(_, name)| query(name, "References", "ReferenceList"));
    let entities = all(is_listed).map(|(_, name)| query(name, "Entities", "List"));
    service("QuerySvc", "QueryService", "querySvc", id, references.chain(entities).collect())
}

/// Links to the machines of each hypervisor, which are not simulated.
pub(crate) fn lookup_service(id: Uuid, visible: VisibleInventory<'_>) -> Element {
    let roots = visible.all(Kind::HierarchyRoot).map(|root| {
        let href = format!("{BASE}/lookup?host={}&name=*&type=Vm", root.uid());
        link("Down", Some("HierarchyItemList"), href, None)
    });
    service("LookupSvc", "LookupService", "lookupSvc", id, roots.collect())
}

fn service(
    name: &'static str,
    kind: &str,
    path: &str,
    session: Uuid,
    mut below: Vec<Element>,
) -> Element {
    below.insert(0, link("Up", Some("LogonSession"), session_href(session), None));
    Element::object(name, vec![Element::list("Links", below)])
        .with("Type", kind)
        .with("Href", format!("{BASE}/{path}"))
}

/// The paths of collections, with the kind of their entities.
fn all(is_listed: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.schema().collection, kind.schema().element));
    let empty = EMPTY.iter().map(|empty| (empty.collection, empty.element));
    kinds.chain(empty).filter(move |(path, _)| is_listed(path))
}

fn references(is_listed: impl Fn(&str) -> bool) -> impl Iterator<Item = Element> {
    all(is_listed).map(|(path, element)| {
        let kind = format!("{element}ReferenceList");
        link("Down", Some(&kind), format!("{BASE}/{path}"), None)
    })
}

fn entities(is_listed: impl Fn(&str) -> bool) -> impl Iterator<Item = Element> {
    all(is_listed).map(|(path, element)| {
        let kind = format!("{element}List");
        link("Down", Some(&kind), format!("{BASE}/{path}?format=Entity"), None)
    })
}

fn listed(is_listed: impl Fn(&str) -> bool + Copy) -> Vec<Element> {
    references(is_listed).chain(entities(is_listed)).collect()
}
