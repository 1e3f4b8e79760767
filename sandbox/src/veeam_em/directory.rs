//! The pages that say where things are: the entry point, a session's own page, and the services.
//!
//! A session lists each collection twice, as references and as entities; what belongs to Cloud Connect
//! it leaves to the page of that service.

use uuid::Uuid;

use super::accounts::Who;
use super::document::{Element, link};
use super::kinds::Kind;
use super::logon::{Session, VERSIONS};
use super::settings::Installation;
use super::view::View;
use super::wire::BASE;

/// A collection that is always empty here, as on a server that has nothing of the sort.
#[derive(Debug)]
pub(super) struct Empty {
    pub(super) collection: &'static str,
    pub(super) element: &'static str,
    pub(super) plural: &'static str,
}

const fn empty(collection: &'static str, element: &'static str, plural: &'static str) -> Empty {
    Empty { collection, element, plural }
}

static EMPTY: [Empty; 17] = [
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
    // Singular on the wire; the vendor's pages say otherwise.
    empty("cdpReplica/vms", "CdpReplicaVm", "CdpReplicaVms"),
    empty("cdpReplica/vApps", "VAppCdpReplica", "VAppCdpReplicas"),
    empty("cloud/cloudFailoverPlans", "CloudFailoverPlan", "CloudFailoverPlans"),
    empty("cloud/gateways", "CloudGateway", "CloudGateways"),
    empty("cloud/hardwarePlans", "CloudHardwarePlan", "CloudHardwarePlans"),
    empty("cloud/publicIpAddresses", "CloudPublicIp", "CloudPublicIps"),
];

/// Pages of services. Those of security, vCloud, self-service and NAS are only linked to.
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
pub(super) fn empty_collection(path: &str) -> Option<&'static Empty> {
    EMPTY.iter().find(|empty| empty.collection == path)
}

/// An always empty collection, by what it would hold.
pub(super) fn empty_type(name: &str) -> Option<&'static Empty> {
    EMPTY.iter().find(|empty| empty.element.eq_ignore_ascii_case(name))
}

/// Where anyone starts, without credentials.
pub(super) fn entry_point() -> Element {
    let create = |version: &str| {
        let href = format!("{BASE}/sessionMngr/?v={version}");
        link("Create", Some("LogonSession"), href, None)
    };
    let versions = VERSIONS.map(|version| {
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

/// Where a session is.
pub(super) fn session_href(id: Uuid) -> String {
    format!("{BASE}/logonSessions/{id}")
}

/// One session, with links to all there is for it.
pub(super) fn session(id: Uuid, session: &Session, installation: Installation) -> Element {
    let mut links = vec![link("Up", Some("EnterpriseManager"), format!("{BASE}/"), None)];
    let itself = match session.who {
        Who::Tenant(_) => Some("LogonSession"),
        Who::Account(_) => {
            let own = |path: &str| !path.starts_with("cloud/") && !path.starts_with("agents/");
            links.extend(references(own));
            for (service, path) in SERVICES {
                links.push(link("Down", Some(service), format!("{BASE}/{path}"), None));
            }
            let report = format!("{BASE}/reports/summary");
            links.push(link("Down", Some("Report"), report, Some("Summary")));
            links.extend(entities(own));
            let create = format!("{BASE}/backupServers?action=create");
            links.push(link("Create", None, create, None));
            // Real servers leave out the type here, though not for tenants.
            None
        }
    };
    if installation == Installation::CloudConnect {
        links.push(link("Down", Some("CloudConnectService"), format!("{BASE}/cloud"), None));
    }
    links.push(link("Delete", itself, session_href(id), None));
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

/// The way to the collections of Cloud Connect. A tenant has only three.
pub(super) fn cloud_service(id: Uuid, who: Who) -> Element {
    let tenants = ["cloud/cloudFailoverPlans", "cloud/vmReplicaPoints", "cloud/replicas"];
    let wanted = |path: &str| match who {
        Who::Tenant(_) => tenants.contains(&path),
        Who::Account(_) => path.starts_with("cloud/"),
    };
    service("CloudConnectService", "CloudConnectService", "cloud", id, listed(wanted))
}

/// The way to what agents have saved.
pub(super) fn agents_service(id: Uuid) -> Element {
    let links = listed(|path| path.starts_with("agents/"));
    service("Agents", "AgentsService", "agents", id, links)
}

/// Ready-made queries, fifteen to the page. Cloud points are not among them, although they can be asked
/// for.
pub(super) fn query_service(id: Uuid) -> Element {
    let wanted = |path: &str| path != "cloud/vmReplicaPoints";
    let query = |element: &str, format: &str, list: &str| {
        let href =
            format!("{BASE}/query?type={element}&format={format}&sortAsc=name&pageSize=15&page=1");
        link("Down", Some(&format!("{element}{list}")), href, None)
    };
    let references = all(wanted).map(|(_, name)| query(name, "References", "ReferenceList"));
    let entities = all(wanted).map(|(_, name)| query(name, "Entities", "List"));
    service("QuerySvc", "QueryService", "querySvc", id, references.chain(entities).collect())
}

/// Ways to browse the machines of each hypervisor. What is there is not simulated.
pub(super) fn lookup_service(id: Uuid, view: View<'_>) -> Element {
    let roots = view.all(Kind::HierarchyRoot).map(|root| {
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

/// Paths of collections with what is in them.
fn all(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.shape().collection, kind.shape().element));
    let empty = EMPTY.iter().map(|empty| (empty.collection, empty.element));
    kinds.chain(empty).filter(move |(path, _)| wanted(path))
}

fn references(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Element> {
    all(wanted).map(|(path, element)| {
        let kind = format!("{element}ReferenceList");
        link("Down", Some(&kind), format!("{BASE}/{path}"), None)
    })
}

fn entities(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Element> {
    all(wanted).map(|(path, element)| {
        let kind = format!("{element}List");
        link("Down", Some(&kind), format!("{BASE}/{path}?format=Entity"), None)
    })
}

fn listed(wanted: impl Fn(&str) -> bool + Copy) -> Vec<Element> {
    references(wanted).chain(entities(wanted)).collect()
}
