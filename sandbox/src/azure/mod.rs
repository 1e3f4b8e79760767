//! The simulated Azure Resource Manager, as far as restore point collections and restore points go,
//! with the login service beside it.
//!
//! It answers with the vendor's bytes, headers and delays. It restores nothing and stores no data: the
//! signed URLs that it gives out lead nowhere.

mod access;
mod assertion;
mod calls;
mod collections;
mod consistency;
mod copying;
mod dice;
mod discovery;
mod disk_points;
mod encryption;
mod identity;
mod instant;
mod limits;
mod lists;
mod locks;
mod login;
mod machine;
mod making;
mod names;
mod operation;
mod planting;
mod point;
mod points;
mod refusal;
mod replication;
mod reply;
mod script;
mod seed;
mod server;
mod settings;
mod size;
mod taking;
mod versions;
mod wire;
mod world;

use std::sync::{Arc, Mutex};

use crate::admin::Desk;
use crate::fault::Rule;
use crate::front::Front;
use crate::{Authority, Listening, StartError};

pub use super::fault::{Canned, Matching};
pub use calls::{Calls, Kind};
pub use identity::{Host, IdentityHost};
pub use limits::Throttling;
pub use script::{Fault, Own};
pub use seed::Seeded;
pub use settings::{Quirks, Settings};

use login::Login;
use names::{Address, Place};
use server::{Server, lock};

/// A running simulator; it stops when this is dropped.
#[derive(Debug)]
pub struct Azure {
    listening: Listening,
    front: Arc<Front<Server>>,
    seeded: Seeded,
    subscription: String,
}

impl Azure {
    /// Starts one with its seeded subscription, inside a tokio runtime.
    ///
    /// # Errors
    /// When no certificate can be made or no port can be bound.
    pub fn start(mut settings: Settings, authority: &Authority) -> Result<Self, StartError> {
        settings.clock = settings.clock.elsewhere();
        let clock = settings.clock.clone();
        let login = Login::new(settings.seed, settings.token_lifetime);
        let (world, seeded) = seed::world(settings);
        let subscription = world.subscription.clone();
        let front = Front::new(Server { login, world: Mutex::new(world) }, clock);
        let listening = Listening::start(front.router(), authority.issue(&["h2", "http/1.1"])?)?;
        Ok(Self { listening, front, seeded, subscription })
    }

    /// Where the resource manager is: what `https://management.azure.com` is in the public cloud.
    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.listening.address().port())
    }

    /// Where tokens come from: what `https://login.microsoftonline.com` is in the public cloud.
    pub fn authority_host(&self) -> String {
        self.endpoint()
    }

    /// The one subscription there is.
    pub fn subscription_id(&self) -> &str {
        &self.subscription
    }

    /// The tenant that the token endpoint knows.
    pub fn tenant_id(&self) -> &str {
        &self.front.vendor.login.tenant
    }

    /// The client that the token endpoint knows.
    pub fn client_id(&self) -> &str {
        &self.front.vendor.login.client
    }

    /// The secret of that client.
    pub fn client_secret(&self) -> &str {
        &self.front.vendor.login.secret
    }

    /// A new certificate of that client with its key, PEM; the token endpoint knows it from now on.
    ///
    /// # Errors
    /// When none can be made.
    pub fn client_certificate(&self) -> Result<String, StartError> {
        Ok(lock(&self.front.vendor.login.assertions).new_certificate()?)
    }

    /// Lets the token endpoint take this token of a federated service account, in the place of the one
    /// before.
    pub fn federate(&self, token: &str) {
        lock(&self.front.vendor.login.assertions).federate(token);
    }

    /// Takes back every bearer issued so far, before its time.
    pub fn revoke_tokens(&self) {
        self.front.vendor.login.revoke();
    }

    /// Starts what gives out tokens inside Azure, for that same client.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn identity_host(&self, host: Host) -> Result<IdentityHost, StartError> {
        IdentityHost::start(host, Arc::clone(&self.front.vendor), self.endpoint())
    }

    /// A bearer that is always accepted.
    pub fn static_token(&self) -> String {
        self.front.vendor.login.static_token.clone()
    }

    /// What the subscription started with.
    pub fn seeded(&self) -> &Seeded {
        &self.seeded
    }

    /// How often it was asked for what so far.
    pub fn calls(&self) -> Calls {
        Calls::of(&self.front.tally())
    }

    /// Lets `fault` happen to the next `times` requests that match.
    pub fn script(&self, matching: Matching, times: usize, fault: Fault) {
        self.front.order(matching, times, fault);
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

    /// Locks `scope`, the id of a resource or a resource group, and all in it against deletion.
    pub fn lock_against_deletion(&self, scope: &str) {
        lock(&self.front.vendor.world).locks.push(scope.trim_end_matches('/').to_owned());
    }

    /// Fails the replication of one disk of a copy from now on, and with it the whole copy. Answers
    /// whether there is such a disk in such a copy.
    pub fn fail_replication(&self, copy_id: &str, disk_name: &str) -> bool {
        let Place::Point(name) = Address::parse(copy_id).place else { return false };
        let mut world = lock(&self.front.vendor.world);
        let now = world.settings.clock.now();
        let point = world
            .collection_mut(&name.collection)
            .and_then(|collection| collection.point_mut(&name.name));
        let Some(point) = point else { return false };
        let disks = &point.machine.disks;
        let hit = point
            .disks
            .iter_mut()
            .filter(|disk| disks[disk.disk].name.eq_ignore_ascii_case(disk_name))
            .find_map(|disk| disk.arrival_mut());
        hit.map(|arrival| arrival.replication.failed = Some(now)).is_some()
    }
}
