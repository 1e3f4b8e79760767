//! The Azure adapter against the simulated resource manager, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use restore_point_gateway::backend::Writer;
use restore_point_gateway::backend::azure::{Azure, Credential, DEFAULT_API_VERSION, Settings};
use restore_point_gateway::backend::{
    Backend, CopyOrder, CopyStarted, Cursor, Operation, Page, Write,
};
use restore_point_gateway::http::Trust;
use restore_point_gateway::model::{
    BackendId, Collection, Error, NewCollection, PointRef, RestorePoint, RestorePointName, Segment,
    State, Vendor, View,
};
use restore_point_gateway::sandbox::azure::{
    Azure as Simulator, Canned, Fault, Kind, Matching, Settings as World,
};
use restore_point_gateway::sandbox::{Authority, Clock};

struct Bench {
    azure: Azure,
    vendor: Simulator,
    clock: Clock,
    pem: String,
}

fn bench(change: impl FnOnce(&mut World)) -> Bench {
    bench_with(change, |vendor| Credential::StaticToken(vendor.static_token().into()))
}

fn bench_with(
    change: impl FnOnce(&mut World),
    credential: impl FnOnce(&Simulator) -> Credential,
) -> Bench {
    let clock = Clock::by_hand("2026-03-01T12:00:00Z".parse().unwrap());
    let mut world = World { clock: clock.clone(), ..World::default() };
    change(&mut world);
    let authority = Authority::generate().unwrap();
    let vendor = Simulator::start(world, &authority).unwrap();
    let pem = authority.pem();
    let credential = credential(&vendor);
    let azure = Azure::new(settings(&vendor, &pem, credential)).unwrap();
    Bench { azure, vendor, clock, pem }
}

fn settings(vendor: &Simulator, pem: &str, credential: Credential) -> Settings {
    Settings {
        id: BackendId::new("az").unwrap(),
        subscription_id: vendor.subscription_id().to_owned(),
        endpoint: vendor.endpoint().parse().unwrap(),
        authority: vendor.authority_host().parse().unwrap(),
        api_version: DEFAULT_API_VERSION.to_owned(),
        credential,
        trust: Trust::PlatformAnd(pem.as_bytes().to_vec()),
    }
}

impl Bench {
    /// Another replica: it remembers nothing.
    fn replica(&self) -> Azure {
        let credential = Credential::StaticToken(self.vendor.static_token().into());
        Azure::new(settings(&self.vendor, &self.pem, credential)).unwrap()
    }

    fn fault(&self, method: Method, part: &str, times: usize, fault: Fault) {
        self.vendor.script(Matching::new(method, part), times, fault);
    }

    async fn get(&self, point: &PointRef) -> RestorePoint {
        self.azure.get(point, View::Full).await.unwrap()
    }

    async fn copy(&self, source: &str, target: &str) -> Result<CopyStarted, Error> {
        self.azure.copy(&order(source, target), Write::Commit).await
    }

    async fn create(&self, new: &NewCollection) -> Result<Collection, Error> {
        self.azure.create_collection(new, Write::Commit).await
    }

    /// A collection in northeurope, in which nothing is yet, and its id.
    async fn fresh_target(&self) -> String {
        self.create(&target("rg-prod~fresh", "northeurope")).await.unwrap();
        "rg-prod~fresh".to_owned()
    }

    fn puts(&self) -> usize {
        self.vendor.calls().count(&Method::PUT, Kind::Point)
    }
}

fn point(name: &str) -> PointRef {
    PointRef::parse(&format!("backends/az/collections/{name}"), "name").unwrap()
}

fn order(source: &str, target: &str) -> CopyOrder {
    let target = point(target);
    let Segment::Id(collection) = target.collection else { panic!() };
    CopyOrder {
        source: point(source),
        target: RestorePointName {
            collection: restore_point_gateway::model::CollectionName {
                backend: target.backend,
                collection,
            },
            restore_point: target.restore_point,
        },
        request_id: Some(uuid::Uuid::from_u128(7)),
    }
}

fn target(id: &str, location: &str) -> NewCollection {
    NewCollection {
        id: id.to_owned(),
        location: location.to_owned(),
        source: "backends/az/collections/RG-PROD~rpc-db01".to_owned(),
        labels: BTreeMap::from([("team".to_owned(), "db".to_owned())]),
        request_id: None,
    }
}

async fn walk(azure: &Azure, parent: &Segment, size: usize) -> Vec<RestorePoint> {
    let mut all = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = azure.list(parent, View::Basic, cursor.as_ref(), size).await.unwrap();
        assert!(page.items.len() <= size);
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn rule(error: &Error) -> &'static str {
    match error {
        Error::FailedPrecondition { rule, .. } => rule,
        other => panic!("{other:?}"),
    }
}

const DAY1: &str = "rg-prod~rpc-db01/restorePoints/db01-day1";
const DAY2: &str = "rg-prod~rpc-db01/restorePoints/db01-day2";
const DAY3: &str = "rg-prod~rpc-db01/restorePoints/db01-day3";
const DONE: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day1-copy";
const RUNNING: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day2-copy";
const FAILED: &str = "rg-prod~rpc-db01-centralus/restorePoints/db01-day1-failed";

#[tokio::test]
async fn every_point_is_listed_once_whatever_the_page() {
    let bench = bench(|world| {
        world.points = 110;
        world.page_size = 3;
    });
    let whole = walk(&bench.azure, &Segment::Any, 1000).await;
    assert_eq!(whole.len(), 110 + 6 + 3 + 1);
    let names: BTreeSet<String> = whole.iter().map(|point| point.name.to_string()).collect();
    assert_eq!(names.len(), whole.len());
    for size in [1, 7, 50, 60] {
        let parts = walk(&bench.azure, &Segment::Any, size).await;
        assert_eq!(parts, whole, "{size}");
    }
}

#[tokio::test]
async fn a_list_tells_the_true_state_and_asks_for_it_once() {
    let bench = bench(|_| {});
    let west = Segment::Id("RG-Prod~RPC-db01-westus".to_owned());
    let states = |points: &[RestorePoint]| -> Vec<(String, State)> {
        points.iter().map(|point| (point.display_name.clone(), point.state)).collect()
    };
    let told = walk(&bench.azure, &west, 100).await;
    let expected = [("db01-day1-copy", State::Ready), ("db01-day2-copy", State::Copying)];
    assert_eq!(states(&told), expected.map(|(name, state)| (name.to_owned(), state)));
    assert!(told[1].copy_progress_percent.is_some());

    let before = bench.vendor.calls().count(&Method::GET, Kind::Point);
    let again = walk(&bench.azure, &west, 100).await;
    assert_eq!(again, told);
    let after = bench.vendor.calls().count(&Method::GET, Kind::Point);
    assert_eq!(after - before, 1, "the finished copy is remembered, the running one is asked for");
}

#[tokio::test]
async fn a_list_tells_what_a_get_tells() {
    let bench = bench(|_| {});
    for _ in 0..2 {
        let page = bench.azure.list(&Segment::Any, View::Full, None, 100).await.unwrap();
        for listed in &page.items {
            assert_eq!(
                &bench.replica().get(&(&listed.name).into(), View::Full).await.unwrap(),
                listed
            );
        }
    }
}

#[tokio::test]
async fn a_point_has_one_name_however_it_is_asked_for() {
    let bench = bench(|_| {});
    let listed = walk(&bench.azure, &Segment::Any, 1000).await;
    let day1 = listed.iter().find(|point| point.display_name == "db01-day1").unwrap();
    let odd = point("RG-PROD~RPC-DB01/restorePoints/DB01-DAY1");
    let got = bench.azure.get(&odd, View::Basic).await.unwrap();
    assert_eq!(&got, day1);
    assert_eq!(got.source.vm_name, "vm-db01");
    assert_eq!((got.location.as_str(), got.source.location.as_str()), ("eastus", "eastus"));
    assert_eq!(got.disks.len(), 3);
    let Vendor::Azure(azure) = &got.vendor else { panic!() };
    assert_eq!(azure.provisioning_state, "Succeeded");
}

#[tokio::test]
async fn a_copy_lies_where_its_collection_is() {
    let bench = bench(|_| {});
    let copy = bench.get(&point(DONE)).await;
    assert_eq!((copy.state, copy.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!((copy.location.as_str(), copy.source.location.as_str()), ("westus", "eastus"));
    assert_eq!(
        copy.source_restore_point.unwrap().to_string(),
        format!("backends/az/collections/{DAY1}")
    );
    assert_eq!(copy.point_time, bench.get(&point(DAY1)).await.point_time);
    let failed = bench.get(&point(FAILED)).await;
    assert_eq!(failed.state, State::Failed);
    let failure = failed.failure.unwrap();
    assert!(failure.message.contains(&bench.vendor.seeded().failed_disk), "{}", failure.message);
}

#[tokio::test]
async fn no_secret_is_in_any_view() {
    let bench = bench(|_| {});
    for view in [View::Basic, View::Full, View::Raw] {
        for name in [DAY1, RUNNING] {
            let told = bench.azure.get(&point(name), view).await.unwrap();
            assert!(!format!("{told:?}").contains("SENSITIVE"), "{told:?}");
            assert_eq!(told.raw.is_some(), view == View::Raw);
        }
        let page = bench.azure.list(&Segment::Any, view, None, 100).await.unwrap();
        assert!(!format!("{page:?}").contains("SENSITIVE"));
        assert!(page.items.iter().all(|point| point.raw.is_some() == (view == View::Raw)));
    }
    let raw = bench.azure.get(&point(DAY1), View::Raw).await.unwrap().raw.unwrap();
    assert!(raw.body.contains("storageProfile") && !raw.body.contains("osProfile"));
    assert!(!format!("{:?}", bench.azure).contains("SENSITIVE"));
}

#[tokio::test]
async fn what_is_absent_is_not_found_by_its_name() {
    let bench = bench(|_| {});
    for name in [
        "rg-prod~rpc-db01/restorePoints/none",
        "rg-prod~none/restorePoints/db01-day1",
        "none~rpc-db01/restorePoints/db01-day1",
    ] {
        match bench.azure.get(&point(name), View::Full).await {
            Err(Error::NotFound { name: told, .. }) => {
                assert!(format!("backends/az/collections/{name}").starts_with(&told), "{told}");
            }
            other => panic!("{other:?}"),
        }
    }
    let none = Segment::Id("rg-prod~none".to_owned());
    let error = bench.azure.list(&none, View::Basic, None, 5).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    for odd in ["cloud-replica", "-"] {
        let odd = point(&format!("{odd}/restorePoints/x"));
        let error = bench.azure.get(&odd, View::Full).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn collections_are_listed_and_made_once() {
    let bench = bench(|world| world.page_size = 2);
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let Page { items, next } = bench.azure.list_collections(cursor.as_ref(), 1).await.unwrap();
        names.extend(items.into_iter().map(|collection| collection.name.collection));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 5);
    assert!(names.contains(&"rg-prod~rpc-db01".to_owned()), "{names:?}");
    let home = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(
        (home.source.as_str(), home.location.as_str()),
        (bench.vendor.seeded().vm.as_str(), "eastus")
    );

    let new = target("RG-Prod~fresh", "North Europe");
    let would_be = bench.azure.create_collection(&new, Write::Check).await.unwrap();
    let calls = bench.vendor.calls();
    assert_eq!(calls.count(&Method::PUT, Kind::Collection), 0);
    let made = bench.create(&new).await.unwrap();
    assert_eq!(made.name, would_be.name);
    assert_eq!(
        (made.location.as_str(), made.source.as_str()),
        ("northeurope", "backends/az/collections/rg-prod~rpc-db01")
    );
    assert_eq!(bench.create(&new).await.unwrap().uid, made.uid);
    assert_eq!(bench.vendor.calls().count(&Method::PUT, Kind::Collection), 1);

    let elsewhere = NewCollection { location: "uksouth".to_owned(), ..new.clone() };
    let other = NewCollection { source: bench.vendor.seeded().vm.clone(), ..new.clone() };
    let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    for differs in [elsewhere, other, NewCollection { labels, ..new }] {
        let error = bench.create(&differs).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_collection_that_cannot_be_is_refused() {
    let bench = bench(|_| {});
    let good = target("rg-prod~fresh", "northeurope");
    let with = |change: fn(&mut NewCollection)| {
        let mut new = good.clone();
        change(&mut new);
        new
    };
    for (new, field) in [
        (with(|new| new.id = "fresh".to_owned()), "collection_id"),
        (with(|new| new.id = "rg-prod~a~b".to_owned()), "collection_id"),
        (with(|new| new.location = " ".to_owned()), "collection.location"),
        (with(|new| new.source = String::new()), "collection.source"),
        (with(|new| new.source = "/subscriptions/x".to_owned()), "collection.source"),
        (with(|new| new.source = "backends/b/collections/a~b".to_owned()), "collection.source"),
    ] {
        match bench.create(&new).await {
            Err(Error::InvalidArgument { field: told, .. }) => assert_eq!(told, field),
            other => panic!("{other:?}"),
        }
    }
    let error = bench.create(&target("rg-prod~fresh", "East US")).await.unwrap_err();
    assert_eq!(rule(&error), "SAME_REGION");
    let error = bench.create(&target("no-such-group~fresh", "northeurope")).await.unwrap_err();
    assert_eq!(rule(&error), "RESOURCE_GROUP_NOT_FOUND");
    let absent = with(|new| new.source = "backends/az/collections/rg-prod~none".to_owned());
    let error = bench.create(&absent).await.unwrap_err();
    assert!(
        matches!(error, Error::NotFound { field: Some(field), .. } if field == "collection.source")
    );
    assert_eq!(bench.vendor.calls().count(&Method::PUT, Kind::Collection), 0);
}

#[tokio::test]
async fn a_copy_goes_from_creating_over_copying_to_ready() {
    let bench = bench(|_| {});
    let fresh = bench.fresh_target().await;
    let name = format!("{fresh}/restorePoints/c");
    let checked = bench.azure.copy(&order(DAY1, &name), Write::Check).await.unwrap();
    assert_eq!(bench.puts(), 0);
    let started = bench.copy(DAY1, &name).await.unwrap();
    assert_eq!(started.point.name, checked.point.name);
    assert_eq!(started.point.uid, checked.point.uid);
    assert_eq!(started.point.point_time, checked.point.point_time);
    assert_eq!(started.point.location, checked.point.location);
    assert_eq!(started.point.state, State::Creating);
    assert!(started.operation.as_ref().unwrap().0.len() > 2000);

    let copy = point(&name);
    bench.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(bench.get(&copy).await.state, State::Copying);
    bench.clock.advance(SignedDuration::from_mins(20));
    let running = bench.get(&copy).await;
    let percent = running.copy_progress_percent.unwrap();
    assert!(running.state == State::Copying && (1..100).contains(&percent), "{running:?}");
    assert!(running.disks.iter().any(|disk| disk.progress_percent.is_some()));
    bench.clock.advance(SignedDuration::from_hours(1));
    let ready = bench.azure.get(&copy, View::Basic).await.unwrap();
    assert_eq!((ready.state, ready.copy_progress_percent), (State::Ready, Some(100)));
}

#[tokio::test]
async fn a_copy_is_made_once() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let first = bench.copy(DAY1, &name).await.unwrap();
    let again = bench.copy(DAY1, &name).await.unwrap();
    assert_eq!((&again.point.uid, &again.operation), (&first.point.uid, &first.operation));
    let elsewhere = bench.replica().copy(&order(DAY1, &name), Write::Commit).await.unwrap();
    assert_eq!((&elsewhere.point.uid, &elsewhere.operation), (&first.point.uid, &None));
    assert_eq!(bench.puts(), 1);
    for source in [DAY2, "rg-prod~none/restorePoints/x"] {
        let error = bench.copy(source, &name).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn each_rule_is_refused_by_its_name_before_anything_is_written() {
    let bench = bench(|_| {});
    let fresh = bench.fresh_target().await;
    let into = |collection: &str| format!("{collection}/restorePoints/new");
    let west = into("rg-prod~rpc-db01-westus");
    let rule_of =
        async |source: &str, target: &str| rule(&bench.copy(source, target).await.unwrap_err());
    assert_eq!(rule_of(DONE, &into(&fresh)).await, "COPY_OF_COPY");
    assert_eq!(rule_of(DAY1, &into("rg-prod~rpc-empty")).await, "WRONG_DESTINATION");
    assert_eq!(rule_of(DAY1, &west).await, "ALREADY_COPIED");
    let error = bench.copy(DAY3, &west).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    bench.clock.advance(SignedDuration::from_hours(2));
    bench.copy(DAY3, &into(&fresh)).await.unwrap();
    let puts = bench.puts();
    let late = format!("{fresh}/restorePoints/late");
    let error = bench.copy(DAY2, &late).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    bench.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(rule_of(DAY2, &late).await, "COPY_ORDER");

    let not_found =
        async |source: &str, target: &str| match bench.copy(source, target).await.unwrap_err() {
            Error::NotFound { field, .. } => field.unwrap(),
            other => panic!("{other:?}"),
        };
    assert_eq!(not_found("rg-prod~rpc-db01/restorePoints/none", &late).await, "source");
    assert_eq!(not_found(DAY1, &into("rg-prod~none")).await, "destination");
    assert_eq!(bench.puts(), puts);
}

#[tokio::test]
async fn a_failed_disk_fails_the_copy() {
    let bench = bench(|_| {});
    assert_eq!(bench.get(&point(RUNNING)).await.state, State::Copying);
    let id = &bench.vendor.seeded().running_copy;
    assert!(bench.vendor.fail_replication(id, &bench.vendor.seeded().failed_disk));
    let failed = bench.get(&point(RUNNING)).await;
    assert_eq!((failed.state, failed.copy_progress_percent), (State::Failed, None));
    assert!(failed.failure.unwrap().message.contains("delete"));
    let west = Segment::Id("rg-prod~rpc-db01-westus".to_owned());
    assert_eq!(walk(&bench.azure, &west, 9).await[1].state, State::Failed);
}

#[tokio::test]
async fn the_operation_tells_why_a_copy_failed() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let (code, message) = ("VMRestorePointInternalError".to_owned(), "it broke".to_owned());
    bench.fault(Method::PUT, "restorepoints/c", 1, Fault::FailCreation { code, message });
    let operation = bench.copy(DAY1, &name).await.unwrap().operation.unwrap();
    bench.clock.advance(SignedDuration::from_mins(1));

    let copy = point(&name);
    let here = bench.get(&copy).await.failure.unwrap();
    assert_eq!(
        (here.code.as_str(), here.message.as_str()),
        ("VMRestorePointInternalError", "it broke")
    );
    let replica = bench.replica();
    let there = replica.observe(&copy, Some(&operation)).await.unwrap();
    assert_eq!((there.state, there.failure), (State::Failed, Some(here)));
    let unknown = replica.observe(&copy, None).await.unwrap().failure.unwrap();
    assert!(unknown.code.is_empty() && unknown.message.contains("operation"), "{unknown:?}");

    let foreign = Operation(operation.0.replacen("localhost", "127.0.0.1", 1));
    let before = bench.vendor.calls().count(&Method::GET, Kind::Operation);
    let refused = replica.observe(&copy, Some(&foreign)).await.unwrap().failure.unwrap();
    assert!(refused.code.is_empty());
    assert_eq!(bench.vendor.calls().count(&Method::GET, Kind::Operation), before);

    bench.fault(Method::GET, "/operations/", 3, Fault::BadGateway);
    let later = replica.observe(&copy, Some(&operation)).await.unwrap_err();
    assert!(matches!(later, Error::Unavailable { .. }), "{later:?}");
    bench.clock.advance(SignedDuration::from_hours(48));
    let forgotten = replica.observe(&copy, Some(&operation)).await.unwrap().failure.unwrap();
    assert!(forgotten.message.contains("forgotten"), "{forgotten:?}");
}

#[tokio::test]
async fn a_lost_reply_is_looked_after() {
    let bench = bench(|_| {});
    bench.fault(Method::PUT, "fresh", 1, Fault::DropReply);
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    bench.fault(Method::PUT, "restorepoints/c", 1, Fault::DropReply);
    assert_eq!(bench.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
    assert_eq!(bench.puts(), 1, "it had its effect, so it is not sent again");

    bench.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/c", "restorePoints/d");
    bench.fault(Method::PUT, "restorepoints/d", 1, Fault::GatewayTimeout);
    bench.copy(DAY2, &name).await.unwrap();
    assert_eq!(bench.puts(), 3, "it had none, so it is sent once more");

    bench.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/d", "restorePoints/e");
    bench.fault(Method::PUT, "restorepoints/e", 9, Fault::BadGateway);
    let error = bench.copy(DAY3, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.puts(), 5);
}

#[tokio::test]
async fn an_accepted_write_with_a_broken_body_is_accepted() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let html = Canned { status: 201, headers: Vec::new(), body: "<html>".to_owned() };
    bench.fault(Method::PUT, "restorepoints/c", 1, Fault::Answer(html));
    // Canned answers have no effect, so that what was accepted is not there.
    let error = bench.copy(DAY1, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.puts(), 1);
}

#[tokio::test]
async fn arms_own_refusals_are_told_with_its_words() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let answer = |status, headers: &[(&str, &str)], message: &str| {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let body = format!(r#"{{"error":{{"code":"OperationNotAllowed","message":"{message}"}}}}"#);
        Fault::Answer(Canned { status, headers, body })
    };
    let told = async |fault| {
        bench.fault(Method::PUT, "restorepoints/c", 1, fault);
        bench.copy(DAY1, &name).await.unwrap_err()
    };
    let error = told(answer(409, &[], "Not on Sundays.")).await;
    assert_eq!(rule(&error), "VENDOR_REFUSED");
    assert!(error.to_string().contains("OperationNotAllowed: Not on Sundays."), "{error}");
    assert_eq!(rule(&told(answer(400, &[], "Bad.")).await), "VENDOR_REFUSED");
    let error = told(answer(409, &[], "A concurrent operation runs.")).await;
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    let error = told(Fault::Throttle { seconds: 3 }).await;
    assert!(matches!(error, Error::Throttled { .. }), "{error:?}");
    match told(answer(429, &[("retry-after", "1200")], "Quota.")).await {
        Error::QuotaExhausted { subject, retry_after, .. } => {
            assert_eq!(subject, "backends/az/collections/rg-prod~fresh");
            assert_eq!(retry_after.unwrap().as_secs(), 1200);
        }
        other => panic!("{other:?}"),
    }
    let error = told(Fault::Forbid).await;
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(bench.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
}

#[tokio::test]
async fn the_quota_of_copies_is_told() {
    let bench = bench(|world| world.replication = SignedDuration::from_secs(1));
    let fresh = bench.fresh_target().await;
    for number in 1..=4 {
        let source = format!("rg-prod~rpc-db01/restorePoints/db01-day{number}");
        let result = bench.copy(&source, &format!("{fresh}/restorePoints/c{number}")).await;
        bench.clock.advance(SignedDuration::from_mins(11));
        match (number, result) {
            (1..=3, Ok(_)) | (4, Err(Error::QuotaExhausted { .. })) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn reads_are_repeated_and_told_by_their_kind() {
    let bench = bench(|_| {});
    bench.fault(Method::GET, "db01-day1", 2, Fault::BadGateway);
    bench.get(&point(DAY1)).await;
    for (fault, times) in [(Fault::GatewayTimeout, 3), (Fault::DropReply, 3)] {
        bench.fault(Method::GET, "db01-day1", times, fault);
        let error = bench.azure.get(&point(DAY1), View::Full).await.unwrap_err();
        assert!(error.is_passing(), "{error:?}");
    }
    bench.fault(Method::GET, "db01-day1", 1, Fault::Throttle { seconds: 324 });
    match bench.azure.get(&point(DAY1), View::Full).await.unwrap_err() {
        Error::Throttled { retry_after, .. } => assert_eq!(retry_after.as_secs(), 324),
        other => panic!("{other:?}"),
    }
    bench.fault(Method::GET, "db01-day1", 1, Fault::Forbid);
    let error = bench.azure.get(&point(DAY1), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_never_a_shorter_list() {
    let bench = bench(|_| {});
    let one = Segment::Id("rg-prod~rpc-db01".to_owned());
    for body in [
        "",
        "<html>proxy</html>",
        "[]",
        "{}",
        "null",
        r#"{"value":null}"#,
        r#"{"value":[{}]}"#,
        r#"{"value":[],"nextLink":"https://elsewhere.example/x"}"#,
        r#"{"value":[],"nextLink":"x"}"#,
        r#"{"value":[{"id":"/subscriptions"#,
        r#"{"name":"rpc-db01","location":"eastus","properties":{"source":{"id":"x"}}}"#,
    ] {
        let canned = Canned { status: 200, headers: Vec::new(), body: body.to_owned() };
        bench.fault(Method::GET, "restorepointcollections", 3, Fault::Answer(canned));
        let all = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(all, Error::ResponseInvalid { .. }), "{body}: {all:?}");
        let some = bench.azure.list(&one, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(some, Error::ResponseInvalid { .. }), "{body}: {some:?}");
        let point = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap_err();
        assert!(matches!(point, Error::ResponseInvalid { .. }), "{body}: {point:?}");
    }
    assert_eq!(walk(&bench.azure, &one, 10).await.len(), 6);
    let body = walk(&bench.azure, &one, 1).await;
    assert_eq!(body.len(), 6);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_interrupted() {
    let bench = bench(|_| {});
    let canned = Canned {
        status: 200,
        headers: vec![("content-length".to_owned(), "4096".to_owned())],
        body: r#"{"value":["#.to_owned(),
    };
    bench.fault(Method::GET, "restorepointcollections", 3, Fault::Answer(canned));
    let error = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn a_collection_that_vanishes_during_a_walk_is_left_out() {
    let bench = bench(|_| {});
    let gone = Canned { status: 404, headers: Vec::new(), body: String::new() };
    bench.fault(Method::GET, "restorepointcollections/rpc-db01", 1, Fault::Answer(gone));
    let told = walk(&bench.azure, &Segment::Any, 100).await;
    assert!(told.len() < 10 && !told.is_empty());
}

fn client_secret(vendor: &Simulator) -> Credential {
    Credential::ClientSecret {
        tenant_id: vendor.tenant_id().to_owned(),
        client_id: vendor.client_id().to_owned(),
        secret: vendor.client_secret().into(),
    }
}

#[tokio::test]
async fn a_client_secret_is_exchanged_once() {
    let bench = bench_with(|_| {}, client_secret);
    bench.azure.probe().await.unwrap();
    walk(&bench.azure, &Segment::Any, 100).await;
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 1);
}

#[tokio::test]
async fn a_client_certificate_is_exchanged_too() {
    let certificate = |vendor: &Simulator| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let pem = certificate.self_signed(&key).unwrap().pem() + &key.serialize_pem();
        Credential::ClientCertificate {
            tenant_id: vendor.tenant_id().to_owned(),
            client_id: vendor.client_id().to_owned(),
            pem: pem.into(),
        }
    };
    let bench = bench_with(|_| {}, certificate);
    bench.azure.probe().await.unwrap();
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_reads_and_writes() {
    let bench = bench_with(|_| {}, client_secret);
    let tokens = || bench.vendor.calls().count(&Method::POST, Kind::Token);
    let refuse = |method: &Method, times| {
        let body = r#"{"error":{"code":"ExpiredAuthenticationToken","message":"old"}}"#.to_owned();
        let canned = Canned { status: 401, headers: Vec::new(), body };
        bench.fault(method.clone(), "fresh", times, Fault::Answer(canned));
    };
    refuse(&Method::PUT, 1);
    bench.fresh_target().await;
    assert_eq!(tokens(), 2);
    refuse(&Method::GET, 1);
    bench.azure.get_collection("rg-prod~fresh").await.unwrap();
    assert_eq!(tokens(), 3);
    refuse(&Method::GET, 2);
    let error = bench.azure.get_collection("rg-prod~fresh").await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_secret_and_a_dead_authority_are_told_apart() {
    let wrong = |vendor: &Simulator| Credential::ClientSecret {
        tenant_id: vendor.tenant_id().to_owned(),
        client_id: vendor.client_id().to_owned(),
        secret: "SENSITIVE-but-wrong".into(),
    };
    let bench = bench_with(|_| {}, wrong);
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert!(!format!("{error:?}{error}").contains("SENSITIVE"), "{error:?}");

    let html = Canned { status: 503, headers: Vec::new(), body: "<html>".to_owned() };
    bench.vendor.script(Matching::path("/oauth2/"), 3, Fault::Answer(html));
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = settings(&bench.vendor, &bench.pem, client_secret(&bench.vendor));
    settings.authority = format!("https://localhost:{}", closed.port()).parse().unwrap();
    let error = Azure::new(settings).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_federated_token_out_of_a_file_is_taken() {
    let file = std::env::temp_dir().join(format!("rpg-azure-{}.jwt", std::process::id()));
    std::fs::write(&file, "a.b.c").unwrap();
    let path = file.clone();
    let bench = bench_with(
        |_| {},
        |vendor| Credential::WorkloadIdentity {
            tenant_id: vendor.tenant_id().to_owned(),
            client_id: vendor.client_id().to_owned(),
            token_file: path,
        },
    );
    bench.azure.probe().await.unwrap();
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused() {
    let bench = bench(|_| {});
    let with = |change: fn(&mut Settings)| {
        let credential = Credential::StaticToken("t".into());
        let mut settings = settings(&bench.vendor, &bench.pem, credential);
        change(&mut settings);
        Azure::new(settings).unwrap_err().to_string()
    };
    let empty = |settings: &mut Settings| {
        settings.credential = Credential::ClientSecret {
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            secret: "".into(),
        };
    };
    for (error, setting) in [
        (with(|settings| settings.subscription_id = "mine".to_owned()), "subscription_id"),
        (with(|s| s.endpoint = "http://example.com".parse().unwrap()), "endpoint"),
        (with(|s| s.authority = "http://example.com".parse().unwrap()), "authority"),
        (with(|settings| settings.api_version = "2021-07-01".to_owned()), "api_version"),
        (with(|settings| settings.api_version = "latest".to_owned()), "api_version"),
        (with(empty), "credential"),
    ] {
        assert!(error.starts_with(setting), "{error}");
    }
    let untrusted = Azure::new(Settings {
        trust: Trust::Platform,
        ..settings(&bench.vendor, &bench.pem, client_secret(&bench.vendor))
    });
    let error = untrusted.unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(bench.clock.now() > Timestamp::UNIX_EPOCH);
}
