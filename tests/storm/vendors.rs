//! Both simulated vendors, what happens to them, and what is true of their points: the oracle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use http::Method;
use jiff::SignedDuration;
use restore_point_sandbox::azure::{TruePoint, TrueState};
use restore_point_sandbox::{CertificateAuthority, Clock, SimulatedVendor, azure, veeam_em};
use restore_point_test_support::fixture::manual_clock;
use restore_point_test_support::names::azure_point;
use restore_point_test_support::wait::eventually;
use tokio::runtime::{Builder, Runtime};

/// The API version of the requests of [`Vendors`].
const ARM_API_VERSION: &str = "2024-11-01";

/// How many points Azure has beside the well-known ones, in one collection.
const GENERATED_POINTS: usize = 20;

/// After so many faults of a long storm, the records of the simulators are cleared. A short one has fewer.
const MAX_FAULTS: usize = 50;

/// What gateways connect to.
pub(crate) struct Simulators {
    pub(crate) azure: azure::Azure,
    pub(crate) veeam: veeam_em::EnterpriseManager,
    pub(crate) authority: CertificateAuthority,
    pub(crate) clock: Clock,
}

/// The vendors of a storm.
pub(crate) struct Vendors {
    pub(crate) simulators: Arc<Simulators>,
    /// How often points of Veeam have been changed: unlike those of Azure, they can change back.
    veeam_changes: AtomicU64,
    faults: AtomicUsize,
    arm: reqwest::Client,
    runtime: Runtime,
}

/// Whether each point can be restored from, by its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Truth {
    pub(crate) usable: BTreeMap<String, bool>,
    veeam_changes: u64,
}

impl Vendors {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let authority = CertificateAuthority::generate().unwrap();
        let clock = manual_clock();
        let azure = azure::Settings {
            clock: clock.clone(),
            points: GENERATED_POINTS,
            // The clock stands still between jumps, and so would the refill of the buckets.
            bucket_percent: 1_000_000,
            ..azure::Settings::default()
        };
        let running = runtime.enter();
        let azure = azure::Azure::start(azure, &authority).unwrap();
        let veeam = veeam_em::Settings::new(clock.clone());
        let veeam = veeam_em::EnterpriseManager::start(veeam).unwrap();
        drop(running);
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let arm = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let simulators = Arc::new(Simulators { azure, veeam, authority, clock });
        let (veeam_changes, faults) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { simulators, veeam_changes, faults, arm, runtime }
    }

    /// What is true now.
    pub(crate) fn truth(&self) -> Truth {
        let Simulators { azure, veeam, .. } = &*self.simulators;
        let veeam_changes = self.veeam_changes.load(Ordering::SeqCst);
        let azure = azure.true_points().into_iter();
        let azure = azure.map(|one| (azure_point(&one.id), one.state == TrueState::Complete));
        let veeam = veeam.true_points().into_iter().map(|one| (veeam_name(&one), is_ready(&one)));
        Truth { usable: azure.chain(veeam).collect(), veeam_changes }
    }

    /// The points of Azure that are copies, by the name of their collection.
    pub(crate) fn copies(&self) -> Vec<TruePoint> {
        let points = self.simulators.azure.true_points().into_iter();
        points.filter(|point| point.copied_from.is_some()).collect()
    }

    /// Adds a fault. Now and then it removes all others, since those that are used up stay in the simulators, and
    /// clears the counts of requests, of which there is one for each path.
    pub(crate) fn add_fault(&self, vendor: &str, fault: &str) {
        let Simulators { azure, veeam, .. } = &*self.simulators;
        if self.faults.fetch_add(1, Ordering::Relaxed) % MAX_FAULTS == MAX_FAULTS - 1 {
            self.clear_faults();
            azure.traffic().reset_call_counts();
            veeam.traffic().reset_call_counts();
        }
        match vendor {
            "azure" => azure.add_fault(fault.parse().unwrap()),
            _ => veeam.add_fault(fault.parse().unwrap()),
        }
    }

    pub(crate) fn clear_faults(&self) {
        self.simulators.azure.clear_faults();
        self.simulators.veeam.clear_faults();
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.simulators.clock.advance(by);
    }

    /// Changes the cloud points of Veeam, of which there are these.
    pub(crate) fn change_veeam(
        &self,
        change: impl FnOnce(&veeam_em::EnterpriseManager, &[veeam_em::TruePoint]),
    ) {
        // Before and after: who sees the same number twice has seen no part of a change.
        self.veeam_changes.fetch_add(1, Ordering::SeqCst);
        let veeam = &self.simulators.veeam;
        change(veeam, &veeam.true_points());
        self.veeam_changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Makes a copy that is under way fail, if there is one.
    pub(crate) fn fail_replication(&self, index: usize) {
        let azure = &self.simulators.azure;
        let mut copies = self.copies();
        copies.retain(|copy| copy.state == TrueState::Replicating);
        if !copies.is_empty() {
            let copy = &copies[index % copies.len()].id;
            azure.fail_replication(copy, &azure.seeded().failed_disk);
        }
    }

    /// Deletes a generated point at Azure. A fault may keep it from being deleted.
    pub(crate) async fn delete_point(&self, index: usize) {
        let azure = &self.simulators.azure;
        let mut points = azure.true_points();
        points.retain(|point| point.id.contains("rpc-fleet-"));
        if points.is_empty() {
            return;
        }
        let id = &points[index % points.len()].id;
        let url = format!("{}{id}?api-version={ARM_API_VERSION}", azure.endpoint());
        let request = self.arm.request(Method::DELETE, url).bearer_auth(azure.static_token());
        request.timeout(std::time::Duration::from_secs(1)).send().await.ok();
    }

    /// Panics unless the vendors become idle: no connection is left, and no session of Veeam.
    pub(crate) async fn assert_idle(self) {
        drop(self.arm);
        let sessions = self.simulators.veeam.sessions();
        assert_eq!(sessions, 0, "sessions are left at the vendor");
        let tasks = self.runtime.metrics();
        // Each waits for connections.
        eventually(|| tasks.num_alive_tasks() == 2).await;
        drop(self.simulators);
        self.runtime.shutdown_background();
    }
}

impl Truth {
    /// Whether the vendors say the same of this point as in `other`, and have in between.
    pub(crate) fn is_steady(&self, other: &Self, name: &str) -> bool {
        let may_change_back = name.starts_with("backends/veeam/");
        let changed = may_change_back && self.veeam_changes != other.veeam_changes;
        !changed && self.usable.get(name) == other.usable.get(name)
    }
}

/// Whether the oracle knows the points of this collection.
pub(crate) fn is_known_kind(name: &str) -> bool {
    name.starts_with("backends/azure/") || name.contains("/cloud-replica~")
}

fn veeam_name(point: &veeam_em::TruePoint) -> String {
    let veeam_em::TruePoint { id, replica, .. } = point;
    format!("backends/veeam/collections/cloud-replica~{replica}/restorePoints/{id}")
}

fn is_ready(point: &veeam_em::TruePoint) -> bool {
    point.state == "Ready"
}
