//! A running simulator, for the program and for tests.

use std::sync::Arc;

use http::Method;

use super::backup_server::{BackupServer, Collection};
use super::model::principal::{self, Account, Role, Tenant};
use super::model::seed;
use super::server::Server;
use super::settings::Settings;
use super::vendor_fault::{Fault, VendorFault};
use crate::certificates::ServerCertificate;
use crate::fault::{Matching, Rule};
use crate::https_server::HttpsServer;
use crate::interceptor::Interceptor;
use crate::lock::lock;
use crate::simulated_vendor::{CallCounts, TrafficControl};
use crate::start_error::StartError;

/// A running Enterprise Manager; it stops when it is dropped.
#[derive(Debug)]
pub struct EnterpriseManager {
    interceptor: Arc<Interceptor<Server>>,
    https: HttpsServer,
    certificate_der: Vec<u8>,
    certificate_pem: String,
}

impl EnterpriseManager {
    /// Starts a simulator on a free loopback port, inside a tokio runtime. It has a self-signed certificate, as
    /// the installer generates one, and supports HTTP/1.1 only.
    ///
    /// # Errors
    /// When no certificate can be generated or no port can be bound.
    pub fn start(mut settings: Settings) -> Result<Self, StartError> {
        settings.clock = settings.clock.with_own_skew();
        let clock = settings.clock.clone();
        let certificate = ServerCertificate::self_signed(&["http/1.1"])?;
        let certificate_der = certificate.der().to_vec();
        let certificate_pem = certificate.pem().to_owned();
        let inventory = seed::inventory(&settings);
        let interceptor = Interceptor::new(Server::new(settings, inventory), clock);
        let https = HttpsServer::start(interceptor.router(), certificate)?;
        Ok(Self { interceptor, https, certificate_der, certificate_pem })
    }

    /// The base of the API, without a slash at the end. Links in bodies have another host, because the server
    /// does not know the name that its clients use.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/api", self.https.address().port())
    }

    /// The certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The SHA-256 of the certificate, as 64 lower-case hex digits.
    pub fn certificate_sha256(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.certificate_der);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The administrator's name, in the form of this installation.
    pub fn username(&self) -> &str {
        self.account(Role::PortalAdministrator).username(self.server().settings.installation)
    }

    /// The administrator's password.
    pub fn password(&self) -> &str {
        self.account(Role::PortalAdministrator).password
    }

    /// The account with a role.
    pub fn account(&self, role: Role) -> &'static Account {
        principal::with_role(role)
    }

    /// The tenants: a standalone one, then an organization of VMware Cloud Director.
    pub fn tenants(&self) -> &'static [Tenant; 2] {
        principal::tenants()
    }

    /// The requests so far, by method and path (no query).
    pub fn calls(&self) -> CallCounts {
        self.interceptor.call_counts()
    }

    /// The number of requests with this method to paths that contain `part`.
    pub fn count(&self, method: &Method, part: &str) -> usize {
        let calls = self.calls();
        let matching =
            calls.iter().filter(|((m, path), _)| m == method.as_str() && path.contains(part));
        matching.map(|(_, count)| count).sum()
    }

    /// The number of logon sessions that are alive.
    pub fn sessions(&self) -> usize {
        let Settings { clock, idle_timeout, .. } = &self.server().settings;
        lock(&self.server().sessions).count(clock.now(), *idle_timeout)
    }

    /// Ends every logon session: the next request with an old token gets 401.
    pub fn expire_sessions(&self) {
        lock(&self.server().sessions).close_all();
    }

    /// The backup server behind it. Enterprise Manager shows changes after the next data collection.
    pub fn backup_server(&self) -> BackupServer<'_> {
        BackupServer::new(self.server(), Collection::Periodic)
    }

    /// The backup server behind it, with a data collection right after each change.
    pub fn collecting_backup_server(&self) -> BackupServer<'_> {
        BackupServer::new(self.server(), Collection::Immediate)
    }

    /// Sets the `State` of a cloud point, visible at once: see [`BackupServer::set_state`].
    pub fn set_state(&self, point: &str, state: &str) -> bool {
        self.collecting_backup_server().set_state(point, state)
    }

    /// Removes a point, visible at once: see [`BackupServer::remove_point`].
    pub fn remove_point(&self, point: &str) -> bool {
        self.collecting_backup_server().remove_point(point)
    }

    /// Adds a cloud point, visible at once: see [`BackupServer::add_point`].
    pub fn add_point(&self, replica: &str, vm: &str) -> Option<String> {
        self.collecting_backup_server().add_point(replica, vm)
    }

    /// Applies `fault` to the next `times` requests that match.
    pub fn inject(&self, matching: Matching, times: usize, fault: Fault) {
        self.interceptor.inject(matching, times, fault);
    }

    /// Adds a fault with the requests it applies to.
    pub fn add_fault(&self, rule: Rule<VendorFault>) {
        self.interceptor.add_rule(rule);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.interceptor.clear_faults();
    }

    pub(crate) fn interceptor(&self) -> &Interceptor<Server> {
        &self.interceptor
    }

    pub(crate) fn server(&self) -> &Server {
        &self.interceptor.simulator
    }
}
