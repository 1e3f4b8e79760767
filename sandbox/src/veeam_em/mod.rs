//! The simulated Veeam Backup Enterprise Manager: its REST API as far as cloud replica points need it.
//!
//! It answers as a Windows server with Cloud Connect does, on one self-signed TLS port, and holds the
//! points of the vendor's own pages beside any number of drawn ones, of backups and plain replicas too.
//! Restores, failovers and backups are started as tasks, and nothing is restored by them; jobs cannot be
//! started, and CDP, NAS and catalogues are empty.

mod accounts;
mod actions;
mod answer;
mod backup_server;
mod backups;
mod chain;
mod directory;
mod document;
mod estate;
mod filter;
mod hrefs;
mod json;
mod kinds;
mod logon;
mod mounts;
mod query;
mod resources;
mod script;
mod seed;
mod server;
mod sessions;
mod settings;
mod shapes;
mod spec;
mod surroundings;
mod tasks;
mod view;
mod visit;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;

use self::backup_server::Seen;
use self::server::Server;
use crate::admin::Desk;
use crate::fault::Rule;
use crate::front::Front;
use crate::{Identity, Listening, StartError};

pub use self::accounts::{Account, Role, Tenant};
pub use self::backup_server::BackupServer;
pub use self::script::{Fault, Own};
pub use self::settings::{
    Ampersands, AttributeOrder, ByteOrderMark, CloudQuery, ErrorDetail, HierarchyRoots, Hrefs,
    Installation, ListItem, NameStyle, Product, ReplicaListItem, RequestBodies, Settings,
    UnfinishedLink, Vanished, VmName,
};
pub use super::fault::{Canned, Matching};

/// A running Enterprise Manager; it stops when this is dropped.
#[derive(Debug)]
pub struct EnterpriseManager {
    front: Arc<Front<Server>>,
    listening: Listening,
    certificate: Vec<u8>,
}

impl EnterpriseManager {
    /// Starts one on a free loopback port, with a certificate of its own making as the installer
    /// does. It speaks HTTP/1.1 only.
    ///
    /// # Errors
    /// When no certificate can be made or no port bound.
    pub fn start(mut settings: Settings) -> Result<Self, StartError> {
        settings.clock = settings.clock.elsewhere();
        let clock = settings.clock.clone();
        let identity = Identity::self_signed(&["http/1.1"])?;
        let certificate = identity.der().to_vec();
        let estate = seed::estate(&settings);
        let front = Front::new(Server::new(settings, estate), clock);
        Ok(Self { listening: Listening::start(front.router(), identity)?, front, certificate })
    }

    /// The base of the API, without a slash at the end. Bodies name another host: the server does
    /// not know by which name it is reached.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/api", self.listening.address().port())
    }

    /// The certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The SHA-256 of the certificate, as 64 lower-case hex digits.
    pub fn certificate_sha256(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.certificate);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The administrator's name, in the form that this installation wants.
    pub fn username(&self) -> &str {
        self.account(Role::PortalAdministrator).username(self.front.vendor.settings.installation)
    }

    /// The administrator's password.
    pub fn password(&self) -> &str {
        self.account(Role::PortalAdministrator).password
    }

    /// The account with a role.
    pub fn account(&self, role: Role) -> &'static Account {
        accounts::with_role(role)
    }

    /// The tenants: a standalone one, then an organization of VMware Cloud Director.
    pub fn tenants(&self) -> &'static [Tenant; 2] {
        accounts::tenants()
    }

    /// How many requests came, by method and path (no query).
    pub fn calls(&self) -> BTreeMap<(String, String), usize> {
        self.front.tally().clone()
    }

    /// How many requests came with this method to paths that contain `part`.
    pub fn count(&self, method: &Method, part: &str) -> usize {
        let calls = self.front.tally();
        let matching =
            calls.iter().filter(|((m, path), _)| m == method.as_str() && path.contains(part));
        matching.map(|(_, count)| count).sum()
    }

    /// How many logon sessions are alive.
    pub fn sessions(&self) -> usize {
        self.front.vendor.sessions().len()
    }

    /// Ends every logon session: the next request with an old token gets 401.
    pub fn expire_sessions(&self) {
        self.front.vendor.logons().close_all();
    }

    /// The backup server behind it: what is changed there is seen after the next data collection.
    pub fn backup_server(&self) -> BackupServer<'_> {
        BackupServer::new(&self.front.vendor, Seen::AtNextCollection)
    }

    /// The same, with a data collection right after each change: it is seen at once.
    pub fn collected(&self) -> BackupServer<'_> {
        BackupServer::new(&self.front.vendor, Seen::AtOnce)
    }

    /// Gives a cloud point another `State`, seen at once: see [`BackupServer::set_state`].
    pub fn set_state(&self, point: &str, state: &str) -> bool {
        self.collected().set_state(point, state)
    }

    /// Takes a cloud point away, seen at once: see [`BackupServer::remove_point`].
    pub fn remove_point(&self, point: &str) -> bool {
        self.collected().remove_point(point)
    }

    /// Makes a cloud point, seen at once: see [`BackupServer::add_point`].
    pub fn add_point(&self, replica: &str, vm: &str) -> Option<String> {
        self.collected().add_point(replica, vm)
    }

    /// Has `fault` happen to the next `times` requests with this method whose path and query contain
    /// `part`. Orders are worked off in the order they are given.
    pub fn answer_next(&self, times: usize, method: Method, part: &str, fault: Fault) {
        self.front.order(Matching::new(method, part), times, fault);
    }

    /// Has a fault happen until it is used up.
    pub fn add_fault(&self, rule: Rule<Own>) {
        self.front.script().add(rule);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.front.script().clear();
    }

    pub(super) fn desk(&self) -> Arc<dyn Desk> {
        Arc::<Front<Server>>::clone(&self.front)
    }
}
