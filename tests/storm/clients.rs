//! Clients that read and copy, and check each response against what was true at the vendors while they waited for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetRequest, ListBackendsRequest, ListRequest,
    RestorePoint,
};
use restore_point_test_support::fixture::Client;
use restore_point_test_support::names::{EVERYTHING, azure_collection, azure_point};
use tonic::{Code, Response, Status};

use crate::plan::{self, Call, CopyId, Patience, REGIONS, Request};
use crate::storm::Storm;
use crate::vendors::{Truth, is_known_kind};

/// The calls for each copy, by its index in the plan.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<usize, CopyCalls>);

/// The calls for one copy.
#[derive(Debug, Default)]
pub(crate) struct CopyCalls {
    /// When each began, up to the first that succeeded: those after it cannot have created the copy.
    pub(crate) begun: Vec<Instant>,
    /// The name of the copy, from the first call that succeeded.
    pub(crate) accepted: Option<String>,
}

impl Ledger {
    /// The calls for the copy with this index.
    pub(crate) fn of(&mut self, copy: usize) -> &mut CopyCalls {
        self.0.entry(copy).or_default()
    }
}

/// Makes the calls of one client.
pub(crate) async fn run(storm: &Storm, calls: impl Iterator<Item = Call>) {
    for call in calls {
        let mut client = storm.gateway(call.gateway).client.clone();
        match call.patience {
            Patience::Deadline(deadline) => {
                make(storm, &mut client, &call.request, Some(deadline)).await;
            }
            Patience::CancelAfter(time) => {
                let call = make(storm, &mut client, &call.request, None);
                tokio::time::timeout(time, call).await.ok();
            }
        }
        storm.tally.call_ended();
    }
}

async fn make(storm: &Storm, client: &mut Client, request: &Request, deadline: Option<Duration>) {
    let before = storm.vendors.truth();
    match request {
        Request::GetFromAzure(index) => {
            let name = nth(&before, "backends/azure/", *index);
            get(storm, client, &before, name, deadline).await;
        }
        Request::GetRunningCopy => {
            let name = azure_point(&storm.seeded().running_copy);
            get(storm, client, &before, name, deadline).await;
        }
        Request::GetFromVeeam(index) => {
            let name = nth(&before, "backends/veeam/", *index);
            get(storm, client, &before, name, deadline).await;
        }
        Request::List { page_size } => {
            let parent = EVERYTHING.to_owned();
            let request = ListRequest { parent, page_size: *page_size, ..Default::default() };
            if let Some(page) = transient(storm, client.list(with(request, deadline)).await) {
                let after = storm.vendors.truth();
                for point in &page.restore_points {
                    check_point(&before, &after, point);
                }
            }
        }
        Request::ListBackends => {
            let request = with(ListBackendsRequest {}, deadline);
            transient(storm, client.list_backends(request).await);
        }
        Request::Copy(copy) => {
            let result = self::copy(storm, client, *copy, deadline).await;
            // A rule of the vendor may forbid it for now.
            if let Ok(point) = &result {
                check_point(&before, &storm.vendors.truth(), point);
            }
        }
        Request::CreateTarget(region) => {
            let request = with(new_target(storm, *region), deadline);
            transient(storm, client.create_collection(request).await);
        }
    }
}

/// A point of a backend.
fn nth(truth: &Truth, backend: &str, index: usize) -> String {
    let names: Vec<_> = truth.usable.keys().filter(|name| name.starts_with(backend)).collect();
    names[index % names.len()].clone()
}

async fn get(
    storm: &Storm,
    client: &mut Client,
    before: &Truth,
    name: String,
    deadline: Option<Duration>,
) {
    let request = with(GetRequest { name: name.clone(), view: 0 }, deadline);
    let result = client.get(request).await;
    let after = storm.vendors.truth();
    match result {
        Ok(point) => check_point(before, &after, point.get_ref()),
        Err(status) if status.code() == Code::NotFound => {
            let exists = before.is_steady(&after, &name) && after.usable.contains_key(&name);
            assert!(!exists, "{name} exists: {status:?}");
        }
        result => drop(transient(storm, result)),
    }
}

/// Asks for a copy and checks the result against those of the calls before. Returns the copy.
pub(crate) async fn copy(
    storm: &Storm,
    client: &mut Client,
    copy: usize,
    deadline: Option<Duration>,
) -> Result<RestorePoint, Status> {
    let request = with(copy_request(storm, copy), deadline);
    let accepted_before = {
        let mut ledger = storm.ledger.borrow_mut();
        let calls = ledger.of(copy);
        if calls.accepted.is_none() {
            calls.begun.push(Instant::now());
        }
        calls.accepted.clone()
    };
    let result = client.copy(request).await;
    match result {
        Ok(response) => {
            let point = response.into_inner().restore_point.expect("the copy");
            let mut ledger = storm.ledger.borrow_mut();
            let accepted = &mut ledger.of(copy).accepted;
            if accepted.is_none() {
                storm.tally.copy_accepted();
            }
            let accepted = accepted.get_or_insert_with(|| point.name.clone());
            assert_eq!(*accepted, point.name, "a repeated Copy returns another copy");
            Ok(point)
        }
        Err(status) => {
            let transient = is_transient(&status);
            if transient {
                storm.tally.call_failed();
            }
            assert!(transient || accepted_before.is_none(), "a repeated Copy fails: {status:?}");
            let rules = [Code::Aborted, Code::FailedPrecondition];
            assert!(transient || rules.contains(&status.code()), "{status:?}");
            Err(status)
        }
    }
}

fn copy_request(storm: &Storm, copy: usize) -> CopyRequest {
    let plan::Copy { source, region, id } = &storm.plan.copies[copy];
    let source = azure_point(&storm.seeded().points[*source]);
    let destination = storm.targets[*region].clone();
    let request = CopyRequest { source, destination, ..Default::default() };
    match id {
        CopyId::Chosen(id) => CopyRequest { restore_point_id: id.clone(), ..request },
        CopyId::DerivedFrom(id) => CopyRequest { request_id: id.to_string(), ..request },
    }
}

/// The request for the collection that takes the copies in a region.
pub(crate) fn new_target(storm: &Storm, region: usize) -> CreateCollectionRequest {
    let collection = Collection {
        location: REGIONS[region].to_owned(),
        source: azure_collection(&storm.seeded().collection),
        ..Default::default()
    };
    CreateCollectionRequest {
        parent: "backends/azure".to_owned(),
        collection_id: format!("rg-prod~storm-{}", REGIONS[region]),
        collection: Some(collection),
        ..Default::default()
    }
}

/// Panics if the gateway says that a point exists, can be restored from or cannot, and that was not so at any time
/// between the two.
pub(crate) fn check_point(before: &Truth, after: &Truth, point: &RestorePoint) {
    let name = &point.name;
    if !is_known_kind(name) {
        return;
    }
    let usable = [before.usable.get(name), after.usable.get(name)];
    let said = usable.iter().flatten().any(|usable| **usable == point.usable);
    let changed = !before.is_steady(after, name);
    assert!(said || changed, "stale: usable was {usable:?} at the vendor: {point:?}");
}

/// The response, if there is one. Panics if a call fails in a way that does not go away by itself.
#[track_caller]
fn transient<T>(storm: &Storm, result: Result<Response<T>, Status>) -> Option<T> {
    match result {
        Ok(response) => Some(response.into_inner()),
        Err(status) => {
            assert!(is_transient(&status), "{status:?}");
            storm.tally.call_failed();
            None
        }
    }
}

/// Whether a client may try again after this status. Connections that break are UNKNOWN or CANCELLED to tonic; INTERNAL
/// is a response of the vendor that makes no sense.
pub(crate) fn is_transient(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::ResourceExhausted
    )
}

fn with<T>(message: T, deadline: Option<Duration>) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    if let Some(deadline) = deadline {
        request.set_timeout(deadline);
    }
    request
}
