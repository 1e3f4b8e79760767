//! The adapter in front of a simulated Resource Manager on a manual clock, and what its tests share.

pub(crate) use std::collections::{BTreeMap, BTreeSet};

pub(crate) use http::{Method, StatusCode};
pub(crate) use jiff::{SignedDuration, Timestamp};
pub(crate) use restore_point_gateway::backend::azure::{
    Azure, Credential, DEFAULT_API_VERSION, Settings,
};
pub(crate) use restore_point_gateway::backend::{
    Backend, Cursor, NewCopy, Operation, Page, PollTarget, StartedCopy, WriteMode,
};
use restore_point_gateway::model::CollectionName;
pub(crate) use restore_point_gateway::model::{
    BackendId, Collection, CopyEncryption, Error, NewCollection, PointRef, RestorePoint,
    RestorePointName, Segment, State, VendorProperties, View,
};
pub(crate) use restore_point_gateway::upstream::{Proxy, RateLimit, Trust};
pub(crate) use restore_point_sandbox::azure::{
    Azure as Simulator, Canned, Fault, Kind, Matching, Settings as SimulatorSettings, VendorFault,
};
pub(crate) use restore_point_sandbox::{CertificateAuthority, Clock};
use serde_json::Value;

/// An adapter and the simulator that it is connected to.
pub(crate) struct AzureFixture {
    pub(crate) azure: Azure,
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    /// The certificate authority of the simulator.
    pub(crate) pem: String,
}

/// The settings of an adapter for a simulator.
pub(crate) fn settings(simulator: &Simulator, pem: &str, credential: Credential) -> Settings {
    Settings {
        id: BackendId::new("az").unwrap(),
        subscription_id: simulator.subscription_id().to_owned(),
        endpoint: simulator.endpoint().parse().unwrap(),
        authority: simulator.authority_host().parse().unwrap(),
        api_version: DEFAULT_API_VERSION.to_owned(),
        credential,
        trust: Trust::PlatformAnd(pem.as_bytes().to_vec()),
        proxy: Proxy::Direct,
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    }
}

fn static_token(simulator: &Simulator) -> Credential {
    Credential::StaticToken(simulator.static_token().into())
}

impl AzureFixture {
    /// With a static token.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// With a static token and changed settings of the simulator.
    pub(crate) fn start_with(change: impl FnOnce(&mut SimulatorSettings)) -> Self {
        Self::start_with_credential(change, static_token)
    }

    /// With the credential that `credential` makes for the simulator.
    pub(crate) fn start_as(credential: impl FnOnce(&Simulator) -> Credential) -> Self {
        Self::start_with_credential(|_| {}, credential)
    }

    /// With changed settings of the simulator, and a credential for it.
    pub(crate) fn start_with_credential(
        change: impl FnOnce(&mut SimulatorSettings),
        credential: impl FnOnce(&Simulator) -> Credential,
    ) -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let mut simulator =
            SimulatorSettings { clock: clock.clone(), ..SimulatorSettings::default() };
        change(&mut simulator);
        let authority = CertificateAuthority::generate().unwrap();
        let simulator = Simulator::start(simulator, &authority).unwrap();
        let pem = authority.pem();
        let credential = credential(&simulator);
        let azure = Azure::new(settings(&simulator, &pem, credential)).unwrap();
        Self { azure, simulator, clock, pem }
    }

    /// The adapter of another replica, with empty caches.
    pub(crate) fn replica(&self) -> Azure {
        let credential = static_token(&self.simulator);
        Azure::new(settings(&self.simulator, &self.pem, credential)).unwrap()
    }

    /// Injects a fault into the next requests whose path contains `part`.
    pub(crate) fn fault(&self, method: Method, part: &str, times: usize, fault: Fault) {
        self.simulator.inject(Matching::new(method, part), times, fault);
    }

    /// Advances the gateway's clock beyond every pause after a failure.
    pub(crate) async fn after_backoff(&self) {
        restore_point_test_support::wait::advance(std::time::Duration::from_secs(3600)).await;
    }

    pub(crate) async fn get(&self, point: &PointRef) -> RestorePoint {
        self.azure.get(point, View::Full).await.unwrap()
    }

    pub(crate) async fn copy(&self, source: &str, target: &str) -> Result<StartedCopy, Error> {
        self.azure.copy(&new_copy(source, target), WriteMode::Execute).await
    }

    pub(crate) async fn create(&self, new: &NewCollection) -> Result<Collection, Error> {
        self.azure.create_collection(new, WriteMode::Execute).await
    }

    /// Creates an empty collection in northeurope for copies of the seeded one; returns its id.
    pub(crate) async fn create_target(&self) -> String {
        self.create(&new_collection("rg-prod~fresh", "northeurope")).await.unwrap();
        "rg-prod~fresh".to_owned()
    }

    /// Sends a request to Resource Manager without the adapter, with the api-version for its path; returns status and
    /// body.
    pub(crate) async fn send_to_arm(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let version = if path.contains("/diskRestorePoints") { "2023-10-02" } else { "2024-07-01" };
        self.send_to_arm_as(version, method, path, body).await
    }

    /// As [`AzureFixture::send_to_arm`], with this api-version.
    pub(crate) async fn send_to_arm_as(
        &self,
        version: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let separator = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{separator}api-version={version}", self.simulator.endpoint());
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let request = http.request(method, url).bearer_auth(self.simulator.static_token());
        let response = request.json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The PUTs of points that the simulator has received.
    pub(crate) fn point_puts(&self) -> usize {
        self.simulator.calls().count(&Method::PUT, Kind::Point)
    }
}

/// `backends/az/collections/{name}`.
pub(crate) fn point(name: &str) -> PointRef {
    PointRef::parse(&format!("backends/az/collections/{name}"), "name").unwrap()
}

pub(crate) fn new_copy(source: &str, target: &str) -> NewCopy {
    let target = point(target);
    let Segment::Id(collection) = target.collection else { panic!() };
    NewCopy {
        source: point(source),
        target: RestorePointName {
            collection: CollectionName { backend: target.backend, collection },
            restore_point: target.restore_point,
        },
        encryption: CopyEncryption::default(),
        request_id: Some(uuid::Uuid::from_u128(7)),
    }
}

pub(crate) fn new_collection(id: &str, location: &str) -> NewCollection {
    NewCollection {
        id: id.to_owned(),
        location: location.to_owned(),
        source: "backends/az/collections/RG-PROD~rpc-db01".to_owned(),
        labels: BTreeMap::from([("team".to_owned(), "db".to_owned())]),
        request_id: None,
    }
}

/// All points of a parent, read in pages of `size`.
pub(crate) async fn list_all(azure: &Azure, parent: &Segment, size: usize) -> Vec<RestorePoint> {
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

/// Polls one point for a watcher that has this handle of its operation.
pub(crate) async fn poll(
    azure: &Azure,
    point: &PointRef,
    operation: Option<&Operation>,
) -> Result<RestorePoint, Error> {
    azure.poll(&[PollTarget { point, operation }]).await.remove(0)
}

/// The violated rule of a failed precondition.
pub(crate) fn rule(error: &Error) -> &'static str {
    match error {
        Error::FailedPrecondition { rule, .. } | Error::NotYetAllowed { rule, .. } => rule,
        other => panic!("{other:?}"),
    }
}

// Seeded points: three local ones, a complete copy, one that is under way, and a failed one.
pub(crate) const DAY1: &str = "rg-prod~rpc-db01/restorePoints/db01-day1";
pub(crate) const DAY2: &str = "rg-prod~rpc-db01/restorePoints/db01-day2";
pub(crate) const DAY3: &str = "rg-prod~rpc-db01/restorePoints/db01-day3";
pub(crate) const DONE: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day1-copy";
pub(crate) const RUNNING: &str = "rg-prod~rpc-db01-westus/restorePoints/db01-day2-copy";
pub(crate) const FAILED: &str = "rg-prod~rpc-db01-centralus/restorePoints/db01-day1-failed";
