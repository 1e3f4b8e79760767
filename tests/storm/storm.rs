//! One storm from its beginning to the checks after it.

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use jiff::SignedDuration;
use restore_point_gateway::proto::{GetRequest, ListRequest, RestorePoint};
use restore_point_sandbox::azure::Seeded;
use restore_point_test_support::fixture::Client;
use restore_point_test_support::names::{EVERYTHING, SRV39_COLLECTION, azure_point};
use restore_point_test_support::wait::{eventually, in_time};
use tonic::Response;

use crate::clients::{self, Ledger, check_point, new_target};
use crate::gateways::Gateway;
use crate::plan::{Call, Event, GATEWAYS, Plan, REGIONS};
use crate::tally::Tally;
use crate::vendors::{Vendors, is_known_kind};
use crate::watchers::{SlowReader, Watcher};

/// More than any pause of a circuit breaker, a Retry-After or a token endpoint that failed.
const CALM: Duration = Duration::from_secs(120);

/// More than Veeam keeps a session that is not used.
const SESSION_EXPIRY: SignedDuration = SignedDuration::from_mins(16);

/// As many as a long storm may add up to. A short one has fewer.
const MAX_VEEAM_POINTS: usize = 60;

/// A storm.
pub(crate) struct Storm {
    pub(crate) plan: Plan,
    pub(crate) vendors: Vendors,
    pub(crate) ledger: RefCell<Ledger>,
    /// The names of the collections that take copies, by region.
    pub(crate) targets: Vec<String>,
    gateways: RefCell<Vec<Gateway>>,
    pub(crate) tally: Rc<Tally>,
}

/// Runs a storm: `clients` make their calls while `events` happen, each after so many calls of all clients. Panics when
/// an invariant is violated.
pub(crate) async fn run<C: Iterator<Item = Call>>(
    plan: Plan,
    clients: Vec<C>,
    events: impl Iterator<Item = (usize, Event)>,
    tally: Rc<Tally>,
) {
    let mut storm = Storm::start(plan, tally).await;
    for region in 0..REGIONS.len() {
        let mut client = storm.gateway(0).client.clone();
        let target = client.create_collection(new_target(&storm, region)).await.unwrap();
        storm.targets.push(target.into_inner().name);
    }
    let watchers: Vec<Watcher> =
        storm.plan.watches.iter().map(|watch| Watcher::new(&storm, *watch)).collect();
    let watching = watchers.iter().enumerate().map(|(index, one)| one.run(&storm, index));
    let rest = async {
        let slow = (0..storm.plan.slow_readers).map(|index| SlowReader::open(&storm, index));
        let slow = join_all(slow).await;
        let clients = clients.into_iter().map(|calls| clients::run(&storm, calls));
        join(join_all(clients), storm.happen(events)).await;
        storm.calm_down().await;
        let truth = storm.vendors.truth();
        join_all(watchers.iter().map(|watcher| watcher.learn(&truth))).await;
        drop(slow);
        storm.check_lists().await;
        storm.check_copies().await;
    };
    tokio::select! {
        _ = join_all(watching) => {}
        () = rest => {}
    }
    storm.assert_nothing_is_left().await;
}

impl Storm {
    async fn start(plan: Plan, tally: Rc<Tally>) -> Self {
        let vendors = Vendors::start();
        let gateways = (0..GATEWAYS).map(|_| Gateway::start(Arc::clone(&vendors.simulators)));
        let gateways = RefCell::new(join_all(gateways).await);
        let (ledger, targets) = (RefCell::default(), Vec::new());
        Self { plan, vendors, ledger, targets, gateways, tally }
    }

    pub(crate) fn gateway(&self, index: usize) -> Ref<'_, Gateway> {
        Ref::map(self.gateways.borrow(), |gateways| &gateways[index % GATEWAYS])
    }

    pub(crate) fn seeded(&self) -> &Seeded {
        self.vendors.simulators.azure.seeded()
    }

    /// Lets each event happen in its time.
    async fn happen(&self, events: impl Iterator<Item = (usize, Event)>) {
        for (after, event) in events {
            in_time(self.tally.calls_reach(after)).await;
            self.happens(&event).await;
            self.tally.event_happened();
        }
    }

    async fn happens(&self, event: &Event) {
        let vendors = &self.vendors;
        match event {
            Event::Fault(vendor, fault) => vendors.add_fault(vendor, fault),
            Event::VendorClock(by) => vendors.advance(*by),
            Event::GatewayClock(gateway, by) => self.advance(*gateway, *by).await,
            Event::Kill(gateway) => {
                let next = Gateway::start(Arc::clone(&vendors.simulators)).await;
                let killed = std::mem::replace(&mut self.gateways.borrow_mut()[*gateway], next);
                killed.kill();
            }
            Event::SetState(index, state) => vendors.change_veeam(|veeam, points| {
                veeam.set_state(&points[index % points.len()].id, state);
            }),
            Event::AddVeeamPoint => vendors.change_veeam(|veeam, points| {
                if points.len() < MAX_VEEAM_POINTS {
                    veeam.add_point(&points[0].replica, "srv39").expect("a replica");
                }
            }),
            // A point that is watched by its name must not vanish.
            Event::RemoveVeeamPoint(index) => vendors.change_veeam(|veeam, points| {
                if let Some(others) = points.len().checked_sub(1).filter(|others| *others > 0) {
                    veeam.remove_point(&points[1 + index % others].id);
                }
            }),
            Event::ExpireSessions => vendors.simulators.veeam.expire_sessions(),
            Event::RevokeTokens => vendors.simulators.azure.revoke_tokens(),
            Event::FailReplication(index) => vendors.fail_replication(*index),
            Event::DeletePoint(index) => vendors.delete_point(*index).await,
        }
    }

    /// Ends all faults, and waits until each gateway uses each vendor again.
    async fn calm_down(&self) {
        self.vendors.clear_faults();
        // So that what is being deleted is gone.
        self.vendors.advance(SignedDuration::from_mins(1));
        for gateway in 0..GATEWAYS {
            self.advance(gateway, CALM).await;
            let mut client = self.gateway(gateway).client.clone();
            let azure = azure_point(&self.seeded().points[0]);
            let veeam = self.vendors.truth().usable.into_keys();
            let veeam = veeam.filter(|name| name.starts_with(SRV39_COLLECTION)).take(1);
            for name in [azure].into_iter().chain(veeam) {
                let request = GetRequest { name, view: 0 };
                in_time(async {
                    while let Err(status) = client.get(request.clone()).await {
                        assert!(clients::is_transient(&status), "{status:?}");
                        self.advance(gateway, CALM).await;
                    }
                })
                .await;
            }
        }
    }

    async fn advance(&self, gateway: usize, by: Duration) {
        let advanced = self.gateway(gateway).advance(by);
        advanced.await;
    }

    /// Each gateway lists each point once, with its true state.
    async fn check_lists(&self) {
        let truth = self.vendors.truth();
        for gateway in 0..GATEWAYS {
            let client = self.gateway(gateway).client.clone();
            let points = list_all(client, 7).await;
            let mut names: Vec<&String> =
                points.iter().map(|point| &point.name).filter(|name| is_known_kind(name)).collect();
            names.sort_unstable();
            assert_eq!(names, truth.usable.keys().collect::<Vec<_>>());
            points.iter().for_each(|point| check_point(&truth, &truth, point));
        }
    }

    /// Each accepted Copy has one effect, and still returns it; nothing else was copied.
    async fn check_copies(&self) {
        let copies = self.vendors.copies();
        let mut accounted = 0;
        for (index, copy) in self.plan.copies.iter().enumerate() {
            let source = &self.seeded().points[copy.source];
            let target = &self.targets[copy.region];
            let effects = copies.iter().filter(|one| {
                let from = one.copied_from.as_deref().unwrap_or_default();
                from.eq_ignore_ascii_case(source) && azure_point(&one.id).starts_with(target)
            });
            let effects: Vec<_> = effects.collect();
            accounted += effects.len();
            let (accepted, begun) = {
                let mut ledger = self.ledger.borrow_mut();
                let calls = ledger.of(index);
                (calls.accepted.clone(), calls.begun.clone())
            };
            let names: Vec<String> = effects.iter().map(|one| azure_point(&one.id)).collect();
            match &accepted {
                Some(name) => {
                    assert_eq!(names, std::slice::from_ref(name), "an accepted Copy has one effect")
                }
                None => assert!(names.len() <= usize::from(!begun.is_empty()), "{names:?}"),
            }
            // A call that begins after the copy was created finds it, and does not write.
            for writes in effects.iter().map(|one| &one.writes) {
                let [created] = writes.created[..] else { panic!("{names:?}: {writes:?}") };
                let writers = begun.iter().filter(|begun| **begun <= created).count();
                let repeated = writes.repeated;
                assert!(
                    repeated < writers,
                    "{names:?}: {writers} calls repeated it {repeated} times"
                );
            }
            for gateway in (0..GATEWAYS).filter(|_| accepted.is_some()) {
                let mut client = self.gateway(gateway).client.clone();
                in_time(clients::copy(self, &mut client, index, None)).await.unwrap();
            }
        }
        let in_targets = copies.iter().filter(|one| {
            let name = azure_point(&one.id);
            self.targets.iter().any(|target| name.starts_with(target))
        });
        assert_eq!(in_targets.count(), accounted, "some copies were not requested");
    }

    /// No target, task, session or connection is left.
    async fn assert_nothing_is_left(self) {
        let Self { vendors, gateways, .. } = self;
        let gateways = gateways.into_inner();
        for gateway in &gateways {
            eventually(|| gateway.hub.target_count() == 0).await;
        }
        // Those of gateways that were killed, and of logons whose responses were lost.
        vendors.advance(SESSION_EXPIRY);
        for gateway in &gateways {
            let parent = SRV39_COLLECTION.to_owned();
            let request = ListRequest { parent, ..Default::default() };
            gateway.client.clone().list(request).await.unwrap();
        }
        assert_eq!(vendors.simulators.veeam.sessions(), gateways.len(), "one for each gateway");
        for gateway in gateways {
            gateway.stop().await;
        }
        vendors.assert_idle().await;
    }
}

async fn list_all(mut client: Client, page_size: i32) -> Vec<RestorePoint> {
    let parent = EVERYTHING.to_owned();
    let mut request = ListRequest { parent, page_size, ..Default::default() };
    let mut points = Vec::new();
    loop {
        let page = in_time(client.list(request.clone())).await.map(Response::into_inner).unwrap();
        assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
        points.extend(page.restore_points);
        if page.next_page_token.is_empty() {
            return points;
        }
        request.page_token = page.next_page_token;
    }
}
