//! Lists over several backends of which some are silent or slow: each has the time until the deadline, and none takes
//! it from the others.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use restore_point_gateway::backend::azure::Azure;
use restore_point_gateway::backend::veeam_em::VeeamEm;
use restore_point_gateway::backend::{Backend, Backends, Registry, decorated};
use restore_point_gateway::model::BackendId;
use restore_point_gateway::proto::{ListCollectionsRequest, ListRequest};
use restore_point_sandbox::azure::Azure as SimulatedAzure;
use restore_point_sandbox::veeam_em::EnterpriseManager;
use restore_point_sandbox::{CertificateAuthority, azure, veeam_em};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{
    Client, Replica, azure_backend, manual_clock, veeam_backend,
};
use restore_point_test_support::gated_backend::GatedBackend;
use restore_point_test_support::names::EVERYTHING;
use restore_point_test_support::wait::{advance, eventually, in_time};

/// The deadline of the calls: so long that the time which a test really takes does not matter.
const DEADLINE: Duration = Duration::from_secs(100);
/// Long enough for the gateway to notice that a backend is silent.
const PATIENCE: Duration = Duration::from_millis(1100);
/// More than any page of the simulators has.
const NO_LIMIT: usize = 1000;

/// The points and collections that each simulator has.
const AZURE_POINTS: usize = 10;
const VEEAM_POINTS: usize = 12;

#[derive(Clone, Copy)]
enum Vendor {
    Azure,
    Veeam,
}

/// A gateway with gated backends, named `a`, `b` and so on.
struct Gateway {
    gates: Vec<Arc<GatedBackend>>,
    client: Client,
    _vendors: (SimulatedAzure, EnterpriseManager),
    _replica: Replica,
}

impl Gateway {
    async fn start(backends: &[(Vendor, usize)]) -> Self {
        let clock = manual_clock();
        let authority = CertificateAuthority::generate().unwrap();
        let settings = azure::Settings { clock: clock.clone(), ..azure::Settings::default() };
        let azure = SimulatedAzure::start(settings, &authority).unwrap();
        let veeam = EnterpriseManager::start(veeam_em::Settings::new(clock)).unwrap();
        let (mut gates, mut registry) = (Vec::new(), Backends::new());
        for ((vendor, page_limit), id) in backends.iter().zip(["a", "b", "c", "d"]) {
            let backend: Arc<dyn Backend> = match vendor {
                Vendor::Azure => {
                    Arc::new(Azure::new(azure_backend(id, &azure, &authority)).unwrap())
                }
                Vendor::Veeam => Arc::new(VeeamEm::new(veeam_backend(id, &veeam)).unwrap()),
            };
            let gate = GatedBackend::new(decorated(backend), *page_limit);
            gates.push(Arc::clone(&gate));
            registry.insert(BackendId::new(id).unwrap(), gate);
        }
        let replica = Replica::start(Registry::new(registry)).await;
        let client = replica.client.clone();
        Self { gates, client, _vendors: (azure, veeam), _replica: replica }
    }

    /// Begins a call with the deadline.
    fn call(&self, call: &Call) -> JoinHandle<Result<Response, Status>> {
        let (mut client, call) = (self.client.clone(), call.clone());
        tokio::spawn(async move {
            match call {
                Call::Points(list) => {
                    let page = client.list(with_deadline(list)).await?.into_inner();
                    let names = page.restore_points.into_iter().map(|point| point.name);
                    let (names, unreachable) = (names.collect(), page.unreachable);
                    Ok(Response { names, token: page.next_page_token, unreachable })
                }
                Call::Collections(list) => {
                    let page = client.list_collections(with_deadline(list)).await?.into_inner();
                    let names = page.collections.into_iter().map(|collection| collection.name);
                    let (names, unreachable) = (names.collect(), page.unreachable);
                    Ok(Response { names, token: page.next_page_token, unreachable })
                }
            }
        })
    }

    /// The result of a call to a gateway all of whose backends respond.
    async fn result(&self, call: &Call) -> Response {
        in_time(self.call(call)).await.unwrap().unwrap()
    }

    /// The page sizes that the backends have been asked for.
    fn sizes(&self) -> Vec<Vec<usize>> {
        self.gates.iter().map(|gate| gate.sizes()).collect()
    }
}

#[derive(Clone)]
enum Call {
    Points(ListRequest),
    Collections(ListCollectionsRequest),
}

#[derive(Debug, Clone, PartialEq)]
struct Response {
    names: Vec<String>,
    token: String,
    unreachable: Vec<String>,
}

impl Response {
    /// The names that are of the backend `id`.
    fn of(&self, id: &str) -> Vec<&String> {
        let prefix = format!("backends/{id}/");
        self.names.iter().filter(|name| name.starts_with(&prefix)).collect()
    }
}

fn with_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

fn points(page_size: i32) -> ListRequest {
    ListRequest { parent: EVERYTHING.to_owned(), page_size, ..Default::default() }
}

fn ordered() -> ListRequest {
    ListRequest { order_by: "point_time desc".to_owned(), ..points(1000) }
}

/// The calls that read all backends.
fn calls() -> [Call; 3] {
    let collections = ListCollectionsRequest {
        parent: "backends/-".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    [Call::Points(points(1000)), Call::Points(ordered()), Call::Collections(collections)]
}

/// Waits until a backend has been asked for a page.
async fn asked(backend: &GatedBackend, count: usize) {
    eventually(|| backend.sizes().len() >= count).await;
}

/// Waits until a backend has returned all pages that it has been asked for. The next is asked for at once.
async fn settled(backend: &GatedBackend) {
    eventually(|| backend.returned() > 0 && backend.returned() == backend.sizes().len()).await;
}

#[tokio::test]
async fn a_vendor_that_needs_most_of_the_time_is_listed_beside_a_silent_one() {
    for call in calls() {
        for (silent, slow) in [(0, 1), (1, 0)] {
            let gateway =
                Gateway::start(&[(Vendor::Azure, NO_LIMIT), (Vendor::Veeam, NO_LIMIT)]).await;
            let running = gateway.call(&call);
            asked(&gateway.gates[0], 1).await;
            advance(PATIENCE).await;
            asked(&gateway.gates[1], 1).await;
            advance(Duration::from_secs(60)).await;
            gateway.gates[slow].open();
            settled(&gateway.gates[slow]).await;
            advance(Duration::from_secs(30)).await;
            let response = in_time(running).await.unwrap().unwrap();
            let ids = ["a", "b"];
            assert_eq!(response.unreachable, [format!("backends/{}", ids[silent])]);
            assert!(response.names.len() > 3, "{response:?}");
            assert_eq!(response.of(ids[slow]).len(), response.names.len());
            assert_eq!(response.token, "");
        }
    }
}

#[tokio::test]
async fn three_silent_vendors_do_not_cost_the_points_of_a_fourth() {
    for call in calls() {
        let vendors = [Vendor::Veeam, Vendor::Azure, Vendor::Veeam, Vendor::Azure];
        let gateway = Gateway::start(&vendors.map(|vendor| (vendor, NO_LIMIT))).await;
        let healthy = &gateway.gates[3];
        let running = gateway.call(&call);
        for gate in &gateway.gates[..3] {
            asked(gate, 1).await;
            advance(PATIENCE).await;
        }
        asked(healthy, 1).await;
        advance(Duration::from_secs(60)).await;
        healthy.open();
        settled(healthy).await;
        advance(Duration::from_secs(28)).await;
        let response = in_time(running).await.unwrap().unwrap();
        assert_eq!(response.unreachable, ["backends/a", "backends/b", "backends/c"]);
        assert!(response.names.len() > 3, "{response:?}");
        assert_eq!(response.of("d").len(), response.names.len());
        assert_eq!(response.token, "");
    }
}

#[tokio::test]
async fn a_list_whose_vendors_are_all_silent_fails_before_its_deadline() {
    for call in calls() {
        let gateway = Gateway::start(&[(Vendor::Azure, NO_LIMIT), (Vendor::Veeam, NO_LIMIT)]).await;
        let running = gateway.call(&call);
        asked(&gateway.gates[0], 1).await;
        advance(PATIENCE).await;
        asked(&gateway.gates[1], 1).await;
        advance(Duration::from_secs(90)).await;
        let status = in_time(running).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "BACKEND_UNAVAILABLE");
        assert!(details.retry_info().is_some());
    }
}

#[tokio::test]
async fn vendors_that_respond_are_read_one_after_the_other_and_each_page_once() {
    let gateway = Gateway::start(&[(Vendor::Azure, 4), (Vendor::Veeam, NO_LIMIT)]).await;
    gateway.gates.iter().for_each(|gate| gate.open());
    let mut list = points(6);
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = gateway.result(&Call::Points(list.clone())).await;
        sizes.push(gateway.sizes());
        names.extend(page.names);
        assert!(page.unreachable.is_empty());
        if page.token.is_empty() {
            break;
        }
        list.page_token = page.token;
    }
    let distinct: HashSet<_> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (AZURE_POINTS + VEEAM_POINTS, names.len()));
    assert_eq!(
        sizes,
        [
            // Pages of 4 that are filled from the next, and pages of single kinds of points.
            [vec![6, 2], vec![]],
            [vec![6, 2, 6, 2], vec![2]],
            [vec![6, 2, 6, 2], vec![2, 6, 4, 2]],
            [vec![6, 2, 6, 2], vec![2, 6, 4, 2, 6, 5]],
        ]
    );
}

#[tokio::test]
async fn pages_that_are_read_ahead_are_used_as_far_as_they_fit() {
    // Pages of 10, 6, 3 and 3 points. What does not fit is read again, by the next call.
    for (page_size, first, read_again) in [(22, 22, 0), (18, 16, 2), (12, 10, 3)] {
        let gateway = Gateway::start(&[(Vendor::Azure, NO_LIMIT), (Vendor::Veeam, NO_LIMIT)]).await;
        let running = gateway.call(&Call::Points(points(page_size)));
        asked(&gateway.gates[0], 1).await;
        advance(PATIENCE).await;
        gateway.gates[1].open();
        settled(&gateway.gates[1]).await;
        let read_ahead = gateway.gates[1].returned();
        gateway.gates[0].open();
        let page = in_time(running).await.unwrap().unwrap();
        assert_eq!(page.names.len(), first, "{page_size}");
        let (mut names, mut page_token) = (page.names, page.token);
        while !page_token.is_empty() {
            let next = ListRequest { page_token, ..points(page_size) };
            let next = gateway.result(&Call::Points(next)).await;
            names.extend(next.names);
            page_token = next.token;
        }
        let distinct: HashSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (AZURE_POINTS + VEEAM_POINTS, names.len()));
        assert_eq!(gateway.gates[1].returned() - read_ahead, read_again, "{page_size}");
    }
}

#[tokio::test]
async fn all_pages_of_a_vendor_are_read_beside_a_silent_one() {
    for filter in ["", "state = READY"] {
        let gateway = Gateway::start(&[(Vendor::Veeam, NO_LIMIT), (Vendor::Azure, 3)]).await;
        let list = ListRequest { filter: filter.to_owned(), ..points(1000) };
        let running = gateway.call(&Call::Points(list));
        asked(&gateway.gates[0], 1).await;
        advance(PATIENCE).await;
        gateway.gates[1].open();
        settled(&gateway.gates[1]).await;
        advance(Duration::from_secs(90)).await;
        let response = in_time(running).await.unwrap().unwrap();
        assert_eq!(response.unreachable, ["backends/a"]);
        let expected = if filter.is_empty() { AZURE_POINTS } else { AZURE_POINTS - 2 };
        assert_eq!(response.names.len(), expected, "{response:?}");
        assert_eq!(response.token, "");
    }
}

#[tokio::test]
async fn a_vendor_that_becomes_silent_between_two_pages_is_unreachable() {
    for list in [points(1000), ordered()] {
        let gateway = Gateway::start(&[(Vendor::Azure, 4), (Vendor::Veeam, NO_LIMIT)]).await;
        gateway.gates[0].let_through(1);
        gateway.gates[1].open();
        let running = gateway.call(&Call::Points(list));
        asked(&gateway.gates[0], 2).await;
        advance(PATIENCE).await;
        settled(&gateway.gates[1]).await;
        advance(Duration::from_secs(90)).await;
        let response = in_time(running).await.unwrap().unwrap();
        assert_eq!(response.unreachable, ["backends/a"]);
        assert_eq!((response.of("a").len(), response.of("b").len()), (4, VEEAM_POINTS));
    }
}

#[tokio::test]
async fn a_vendor_that_is_slow_but_not_silent_is_continued_by_the_next_call() {
    let gateway = Gateway::start(&[(Vendor::Azure, 4), (Vendor::Veeam, NO_LIMIT)]).await;
    let running = gateway.call(&Call::Points(points(1000)));
    asked(&gateway.gates[0], 1).await;
    advance(Duration::from_secs(60)).await;
    gateway.gates[0].let_through(1);
    asked(&gateway.gates[0], 2).await;
    advance(Duration::from_secs(31)).await;
    let page = in_time(running).await.unwrap().unwrap();
    assert!(page.unreachable.is_empty(), "{page:?}");
    assert_eq!(page.names.len(), 4);
    gateway.gates.iter().for_each(|gate| gate.open());
    let next = ListRequest { page_token: page.token, ..points(1000) };
    let rest = gateway.result(&Call::Points(next)).await;
    assert_eq!((rest.of("a").len(), rest.of("b").len()), (AZURE_POINTS - 4, VEEAM_POINTS));
}

#[tokio::test]
async fn a_cancelled_call_ends_all_its_reads() {
    for call in calls() {
        let gateway = Gateway::start(&[(Vendor::Azure, NO_LIMIT), (Vendor::Veeam, NO_LIMIT)]).await;
        let running = gateway.call(&call);
        asked(&gateway.gates[0], 1).await;
        advance(PATIENCE).await;
        asked(&gateway.gates[1], 1).await;
        running.abort();
        eventually(|| gateway.gates.iter().all(|gate| gate.in_flight() == 0)).await;
    }
}
