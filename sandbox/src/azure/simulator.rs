//! A running simulator, for the program and for tests.

use std::sync::{Arc, Mutex, MutexGuard};

use super::call_counts::Calls;
use super::login::identity_endpoint::{Host, IdentityEndpoint};
use super::login::service::LoginService;
use super::model::seed::{self, Seeded};
use super::model::subscription::Subscription;
use super::resource_path::{ResourcePath, Route};
use super::server::Server;
use super::settings::Settings;
use super::vendor_fault::{Fault, VendorFault};
use crate::certificates::CertificateAuthority;
use crate::fault::{Matching, Rule};
use crate::https_server::HttpsServer;
use crate::interceptor::Interceptor;
use crate::lock::lock;
use crate::simulated_vendor::TrafficControl;
use crate::start_error::StartError;

/// A running simulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Azure {
    https: HttpsServer,
    interceptor: Arc<Interceptor<Server>>,
    seeded: Seeded,
    subscription_id: String,
    ca_pem: String,
}

impl Azure {
    /// Starts a simulator with its seeded subscription, inside a tokio runtime. `ca` issues its certificate.
    ///
    /// # Errors
    /// When no certificate can be generated or no port can be bound.
    pub fn start(mut settings: Settings, ca: &CertificateAuthority) -> Result<Self, StartError> {
        settings.clock = settings.clock.with_own_skew();
        let clock = settings.clock.clone();
        let login = Arc::new(LoginService::new(settings.seed, settings.token_lifetime));
        let (subscription, seeded) = seed::subscription(settings);
        let subscription_id = subscription.id.clone();
        let server = Server { login, subscription: Mutex::new(subscription) };
        let interceptor = Interceptor::new(server, clock);
        let certificate = ca.issue(&["h2", "http/1.1"])?;
        let https = HttpsServer::start(interceptor.router(), certificate)?;
        Ok(Self { https, interceptor, seeded, subscription_id, ca_pem: ca.pem() })
    }

    /// The resource manager: the counterpart of `https://management.azure.com` in the public cloud.
    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.https.address().port())
    }

    /// The login service: the counterpart of `https://login.microsoftonline.com` in the public cloud.
    pub fn authority_host(&self) -> String {
        self.endpoint()
    }

    /// The id of the only subscription.
    pub fn subscription_id(&self) -> &str {
        &self.subscription_id
    }

    /// The tenant of the login service.
    pub fn tenant_id(&self) -> &str {
        &self.login().tenant
    }

    /// The client that may log on.
    pub fn client_id(&self) -> &str {
        &self.login().client
    }

    /// The secret of that client.
    pub fn client_secret(&self) -> &str {
        &self.login().secret
    }

    /// Registers a new certificate of that client and returns it with its key, PEM.
    ///
    /// # Errors
    /// When it cannot be generated.
    pub fn client_certificate(&self) -> Result<String, StartError> {
        Ok(lock(&self.login().assertions).new_certificate()?)
    }

    /// Makes the token endpoint accept this token of a federated service account, instead of the previous
    /// one.
    pub fn federate(&self, token: &str) {
        lock(&self.login().assertions).federate(token);
    }

    /// Invalidates every issued token before its expiry.
    pub fn revoke_tokens(&self) {
        self.login().revoke_all();
    }

    /// Starts an endpoint that issues tokens inside Azure, for the same client.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn identity_endpoint(&self, host: Host) -> Result<IdentityEndpoint, StartError> {
        IdentityEndpoint::start(host, Arc::clone(self.login()), self.endpoint())
    }

    /// A bearer token that is always valid.
    pub fn static_token(&self) -> String {
        self.login().static_token.clone()
    }

    /// The certificate of the authority that issued the server's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The initial content of the subscription.
    pub fn seeded(&self) -> &Seeded {
        &self.seeded
    }

    /// The requests so far, by method and kind.
    pub fn calls(&self) -> Calls {
        Calls::of(&self.interceptor.call_counts())
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

    /// Locks `scope`, the id of a resource or a resource group, and everything in it against deletion.
    pub fn lock_against_deletion(&self, scope: &str) {
        let scope = scope.trim_end_matches('/').to_owned();
        lock(&self.interceptor.simulator.subscription).locks.push(scope);
    }

    /// Makes the replication of one disk of a copy fail from now on, and with it the whole copy. Returns
    /// false if there is no such disk in such a copy.
    pub fn fail_replication(&self, copy_id: &str, disk_name: &str) -> bool {
        let Route::Point(name) = ResourcePath::parse(copy_id).route else { return false };
        let mut subscription = lock(&self.interceptor.simulator.subscription);
        let now = subscription.settings.clock.now();
        let point = subscription
            .collection_mut(&name.collection)
            .and_then(|collection| collection.point_mut(&name.name));
        let Some(point) = point else { return false };
        let disks = &point.machine.disks;
        let copy = point
            .disks
            .iter_mut()
            .filter(|disk| disks[disk.disk].name.eq_ignore_ascii_case(disk_name))
            .find_map(|disk| disk.copy_mut());
        copy.map(|copy| copy.replication.failed_at = Some(now)).is_some()
    }

    pub(crate) fn interceptor(&self) -> &Interceptor<Server> {
        &self.interceptor
    }

    pub(crate) fn subscription(&self) -> MutexGuard<'_, Subscription> {
        lock(&self.interceptor.simulator.subscription)
    }

    fn login(&self) -> &Arc<LoginService> {
        &self.interceptor.simulator.login
    }
}
