//! The rows of the matrix for a vendor that accepts a request and never responds: without a deadline, where the gateway
//! gives up by itself, and with one.
//!
//! Each row runs on a runtime of its own, whose clock it moves in steps. After each step a call to the other backend
//! succeeds; meanwhile the gateway has acted on the step.

use std::time::Duration;

use http::Method;
use restore_point_sandbox::azure::Kind;
use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::wait::{advance, eventually, in_time};
use tokio::runtime::Builder;

use super::{Cell, call, is_write, requests, shown_row};

/// Shorter than the gateway waits for the first byte of a response.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(5);
/// By then the gateway has given up by itself.
const MAX_STEPS: u32 = 60;

pub(crate) async fn row(
    backend: &'static str,
    rpc: &'static str,
    timeout: Option<Duration>,
) -> String {
    let row = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(row_on_own_clock(backend, rpc, timeout))
    };
    tokio::task::spawn_blocking(row).await.unwrap()
}

async fn row_on_own_clock(backend: &str, rpc: &'static str, timeout: Option<Duration>) -> String {
    let cell = Cell::start(backend).await;
    let Cell { gateway, names, .. } = &cell;
    cell.inject_fault(backend, rpc, "silence");
    let (before, silent_before) =
        (requests(gateway, backend), silent_requests(gateway, backend, rpc));
    let client = gateway.bare_client(timeout).await;
    let names = names.clone();
    let calling = tokio::spawn(async move { call(client, rpc, &names).await });
    let has_reached_vendor = || silent_requests(gateway, backend, rpc) > silent_before;
    eventually(|| calling.is_finished() || has_reached_vendor()).await;
    let mut steps = 0;
    while !calling.is_finished() {
        assert!(steps < MAX_STEPS, "{backend} {rpc} does not end");
        advance(STEP).await;
        cell.other_backend_responds().await;
        steps += 1;
    }
    if let Some(timeout) = timeout {
        assert!(STEP * steps <= timeout, "{backend} {rpc} ended after {:?}", STEP * steps);
    }
    let result = in_time(calling).await.unwrap();
    let requests = requests(gateway, backend) - before;
    let fault = match timeout {
        None => "silence".to_owned(),
        Some(timeout) => format!("silence, deadline {} s", timeout.as_secs()),
    };
    shown_row(gateway, (backend, rpc, &fault), &result, requests).await
}

/// How many of the requests that meet the fault have arrived.
fn silent_requests(gateway: &TestGateway, backend: &str, rpc: &str) -> usize {
    if backend == "azure" && is_write(rpc) {
        let calls = gateway.azure.calls();
        return calls.count(&Method::PUT, Kind::Collection)
            + calls.count(&Method::PUT, Kind::Point);
    }
    requests(gateway, backend)
}
