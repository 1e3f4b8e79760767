//! The adapter in front of a simulated resource manager on a clock moved by hand, and the words that its
//! tests share.

pub(crate) use std::collections::{BTreeMap, BTreeSet};

pub(crate) use http::{Method, StatusCode};
pub(crate) use jiff::{SignedDuration, Timestamp};
pub(crate) use restore_point_gateway::backend::azure::{
    Azure, Credential, DEFAULT_API_VERSION, Settings,
};
pub(crate) use restore_point_gateway::backend::{
    Backend, Cursor, NewCopy, Operation, Page, PollTarget, StartedCopy, WriteMode,
};
pub(crate) use restore_point_gateway::model::{
    BackendId, Collection, Error, NewCollection, PointRef, RestorePoint, RestorePointName, Segment,
    State, VendorProperties, View,
};
pub(crate) use restore_point_gateway::upstream::{RateLimit, Trust};
pub(crate) use restore_point_sandbox::azure::{
    Azure as Simulator, Canned, Fault, Kind, Matching, Settings as World, VendorFault,
};
pub(crate) use restore_point_sandbox::{CertificateAuthority, Clock};
use serde_json::Value;

pub(crate) struct Bench {
    pub(crate) azure: Azure,
    pub(crate) vendor: Simulator,
    pub(crate) clock: Clock,
    pub(crate) pem: String,
}

pub(crate) fn bench(change: impl FnOnce(&mut World)) -> Bench {
    bench_with(change, |vendor| Credential::StaticToken(vendor.static_token().into()))
}

pub(crate) fn bench_with(
    change: impl FnOnce(&mut World),
    credential: impl FnOnce(&Simulator) -> Credential,
) -> Bench {
    let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
    let mut world = World { clock: clock.clone(), ..World::default() };
    change(&mut world);
    let authority = CertificateAuthority::generate().unwrap();
    let vendor = Simulator::start(world, &authority).unwrap();
    let pem = authority.pem();
    let credential = credential(&vendor);
    let azure = Azure::new(settings(&vendor, &pem, credential)).unwrap();
    Bench { azure, vendor, clock, pem }
}

pub(crate) fn settings(vendor: &Simulator, pem: &str, credential: Credential) -> Settings {
    Settings {
        id: BackendId::new("az").unwrap(),
        subscription_id: vendor.subscription_id().to_owned(),
        endpoint: vendor.endpoint().parse().unwrap(),
        authority: vendor.authority_host().parse().unwrap(),
        api_version: DEFAULT_API_VERSION.to_owned(),
        credential,
        trust: Trust::PlatformAnd(pem.as_bytes().to_vec()),
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    }
}

impl Bench {
    /// Another replica: it remembers nothing.
    pub(crate) fn replica(&self) -> Azure {
        let credential = Credential::StaticToken(self.vendor.static_token().into());
        Azure::new(settings(&self.vendor, &self.pem, credential)).unwrap()
    }

    pub(crate) fn fault(&self, method: Method, part: &str, times: usize, fault: Fault) {
        self.vendor.inject(Matching::new(method, part), times, fault);
    }

    pub(crate) async fn get(&self, point: &PointRef) -> RestorePoint {
        self.azure.get(point, View::Full).await.unwrap()
    }

    pub(crate) async fn copy(&self, source: &str, target: &str) -> Result<StartedCopy, Error> {
        self.azure.copy(&order(source, target), WriteMode::Execute).await
    }

    pub(crate) async fn create(&self, new: &NewCollection) -> Result<Collection, Error> {
        self.azure.create_collection(new, WriteMode::Execute).await
    }

    /// A collection in northeurope, in which nothing is yet, and its id.
    pub(crate) async fn fresh_target(&self) -> String {
        self.create(&target("rg-prod~fresh", "northeurope")).await.unwrap();
        "rg-prod~fresh".to_owned()
    }

    /// Asks the resource manager as its other customers do: status and body. The api-version is the one
    /// for this path.
    pub(crate) async fn arm(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let version = if path.contains("/diskRestorePoints") { "2023-10-02" } else { "2024-07-01" };
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{mark}api-version={version}", self.vendor.endpoint());
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let request = http.request(method, url).bearer_auth(self.vendor.static_token());
        let answer = request.json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub(crate) fn puts(&self) -> usize {
        self.vendor.calls().count(&Method::PUT, Kind::Point)
    }
}

pub(crate) fn point(name: &str) -> PointRef {
    PointRef::parse(&format!("backends/az/collections/{name}"), "name").unwrap()
}

pub(crate) fn order(source: &str, target: &str) -> NewCopy {
    let target = point(target);
    let Segment::Id(collection) = target.collection else { panic!() };
    NewCopy {
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

pub(crate) fn target(id: &str, location: &str) -> NewCollection {
    NewCollection {
        id: id.to_owned(),
        location: location.to_owned(),
        source: "backends/az/collections/RG-PROD~rpc-db01".to_owned(),
        labels: BTreeMap::from([("team".to_owned(), "db".to_owned())]),
        request_id: None,
    }
}

pub(crate) async fn walk(azure: &Azure, parent: &Segment, size: usize) -> Vec<RestorePoint> {
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

/// Polls one point, as for a watcher with this handle of its operation.
pub(crate) async fn poll(
    azure: &Azure,
    point: &PointRef,
    operation: Option<&Operation>,
) -> Result<RestorePoint, Error> {
    azure.poll(&[PollTarget { point, operation }]).await.remove(0)
}

pub(crate) fn rule(error: &Error) -> &'static str {
    match error {
        Error::FailedPrecondition { rule, .. } => rule,
        other => panic!("{other:?}"),
    }
}

pub(crate) const DAY1: &str = "rg-prod~rpc-db01/restorePoints/db01-day1";
pub(crate) const DAY2: &str = "rg-prod~rpc-db01/restorePoints/db01-day2";
pub(crate) const DAY3: &str = "rg-prod~rpc-db01/restorePoints/db01-day3";
pub(crate) const DONE: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day1-copy";
pub(crate) const RUNNING: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day2-copy";
pub(crate) const FAILED: &str = "rg-prod~rpc-db01-centralus/restorePoints/db01-day1-failed";
