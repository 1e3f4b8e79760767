//! What ARM was recorded or documented to say when it refuses, row by row: status, headers and body as they
//! came, and what a caller of the gateway gets for them.

use restore_point_sandbox::azure::Canned;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::fixture::*;

/// What was being done when ARM refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Reading,
    Copying,
}
use Doing::{Copying, Reading};

/// What a caller gets: code, reason, seconds of RetryInfo.
type Got = (Code, &'static str, Option<i64>);

const ABSENT: Got = (Code::NotFound, "RESOURCE_NOT_FOUND", None);
const SENSELESS: Got = (Code::Internal, "BACKEND_RESPONSE_INVALID", None);
const REFUSED: Got = (Code::FailedPrecondition, "VENDOR_REFUSED", None);
const OLD: Got = (Code::FailedPrecondition, "API_VERSION_NOT_SUPPORTED", None);
const FOREIGN: Got = (Code::FailedPrecondition, "SUBSCRIPTION_NOT_FOUND", None);
const BUSY: Got = (Code::Aborted, "OPERATION_IN_PROGRESS", Some(30));
const DOWN: Got = (Code::Unavailable, "BACKEND_UNAVAILABLE", Some(5));
const FORBIDDEN: Got = (Code::PermissionDenied, "BACKEND_FORBIDDEN", None);
const UNKNOWN_TO_IT: Got = (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED", None);

fn throttled(seconds: i64) -> Got {
    (Code::Unavailable, "BACKEND_THROTTLED", Some(seconds))
}

fn quota(seconds: Option<i64>) -> Got {
    (Code::ResourceExhausted, "BACKEND_QUOTA_EXHAUSTED", seconds)
}

/// `{"error":{…}}`, as ARM's gateway prints it.
fn gateway(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}

/// The same in Compute's voice.
fn compute(code: &str, message: &str) -> String {
    format!(
        "{{\r\n  \"error\": {{\r\n    \"code\": \"{code}\",\r\n    \"message\": \"{message}\"\r\n  }}\r\n}}"
    )
}

/// Compute's documented answer to too many requests: flat, with the code of a conflict, and JSON inside the
/// message of its detail.
fn too_many(policy: &str) -> String {
    serde_json::json!({
        "code": "OperationNotAllowed",
        "message": "The server rejected the request because too many requests have been received for this subscription.",
        "details": [{
            "code": "TooManyRequests", "target": policy,
            "message": format!("{{\"operationGroup\":\"{policy}\",\"startTime\":\"2026-03-01T11:00:00Z\",\"endTime\":\"2026-03-01T12:00:00Z\",\"allowedRequestCount\":300,\"measuredRequestCount\":1238}}"),
        }],
    })
    .to_string()
}

const HTML: &str = "<html><head><title>SENSITIVE</title></head><body>proxy</body></html>";
const NO_HEADERS: &[(&str, &str)] = &[];

async fn told(doing: Doing, status: u16, headers: &[(&str, &str)], body: &str) -> Status {
    let bench = bench(|_| {});
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let answer = Fault::canned(Canned { status, headers, body: body.to_owned().into() });
    let error = match doing {
        Reading => {
            bench.fault(Method::GET, "restorepoints/db01-day1", 9, answer);
            bench.azure.get(&point(DAY1), View::Full).await.unwrap_err()
        }
        Copying => {
            let name = format!("{}/restorePoints/c", bench.fresh_target().await);
            bench.fault(Method::PUT, "restorepoints/c", 9, answer);
            bench.copy(DAY1, &name).await.unwrap_err()
        }
    };
    Status::from(error)
}

/// What was being done, and ARM's status, headers and body for it; and what a caller gets.
type Row<'a> = (Doing, u16, &'a [(&'a str, &'a str)], String, Got);

async fn check(rows: Vec<Row<'_>>) {
    // Some wait to be tried again: all at once, each with a vendor of its own.
    futures::future::join_all(rows.into_iter().map(check_row)).await;
}

async fn check_row((doing, status, headers, body, (code, reason, retry)): Row<'_>) {
    let row = format!("{doing:?} {status} {headers:?} {body}");
    let told = told(doing, status, headers, &body).await;
    assert_eq!(told.code(), code, "{row}\n{told:?}");
    let details = told.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, reason, "{row}\n{told:?}");
    let delay = told.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!(delay.map(|delay| delay.as_secs().cast_signed()), retry, "{row}\n{told:?}");
    let pushback = told.metadata().get("grpc-retry-pushback-ms");
    assert_eq!(pushback.is_some(), retry.is_some(), "{row}");
    assert_eq!(details.resource_info().is_some(), code == Code::NotFound, "{row}");
    let broken = details.precondition_failure().map(|failure| failure.violations.len());
    assert_eq!(broken, (code == Code::FailedPrecondition).then_some(1), "{row}");
    let used_up = details.quota_failure().map(|failure| failure.violations.len());
    assert_eq!(used_up, (code == Code::ResourceExhausted).then_some(1), "{row}");
    assert!(!format!("{told:?}").contains("SENSITIVE"), "{row}\n{told:?}");
}

#[tokio::test]
async fn only_some_404s_are_about_the_resource() {
    let moved = "The Resource 'Microsoft.Compute/restorePointCollections/x' under resource group 'g' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    let nested =
        "Can not perform requested operation on nested resource. Parent resource 'x' not found.";
    let kind = "The resource type could not be found in the namespace 'Microsoft.Compute' for api version '2031-01-01'.";
    let entity = "The entity was not found in this Azure location.";
    let mut rows = Vec::new();
    for doing in [Reading, Copying] {
        rows.extend([
            (doing, 404, NO_HEADERS, compute("NotFound", entity), ABSENT),
            (doing, 404, NO_HEADERS, gateway("ResourceNotFound", moved), ABSENT),
            (doing, 404, NO_HEADERS, gateway("ParentResourceNotFound", nested), ABSENT),
            (
                doing,
                404,
                NO_HEADERS,
                gateway("ResourceGroupNotFound", "Resource group 'g' could not be found."),
                ABSENT,
            ),
            (doing, 404, NO_HEADERS, gateway("InvalidResourceType", kind), OLD),
            (
                doing,
                404,
                NO_HEADERS,
                gateway("SubscriptionNotFound", "The subscription 's' could not be found."),
                FOREIGN,
            ),
            (doing, 404, NO_HEADERS, HTML.to_owned(), SENSELESS),
            (doing, 404, NO_HEADERS, String::new(), SENSELESS),
            (doing, 404, NO_HEADERS, gateway("SomethingElse", "Who knows."), SENSELESS),
        ]);
    }
    check(rows).await;
}

#[tokio::test]
async fn whoever_is_refused_is_told_by_the_status() {
    let missing = "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/restorePointCollections/restorePoints/read' over scope '/subscriptions/s' or the scope is invalid. If access was recently granted, please refresh your credentials.";
    let mut rows = Vec::new();
    for doing in [Reading, Copying] {
        rows.extend([
            (doing, 401, NO_HEADERS, gateway("ExpiredAuthenticationToken", "Old."), UNKNOWN_TO_IT),
            (doing, 401, NO_HEADERS, String::new(), UNKNOWN_TO_IT),
            (doing, 403, NO_HEADERS, gateway("AuthorizationFailed", missing), FORBIDDEN),
            (doing, 403, NO_HEADERS, HTML.to_owned(), FORBIDDEN),
        ]);
    }
    check(rows).await;
}

#[tokio::test]
async fn a_request_that_is_refused_is_the_gateways_fault_or_a_rule() {
    let content = "The request content was invalid and could not be deserialized: 'x'";
    let newer = "This request can be made with api-version '2021-03-01' or newer";
    let target = r#"{"error":{"code":"InvalidParameter","message":"Bad.","target":"sourceRestorePoint","innererror":{"exceptiontype":"SENSITIVE","errordetail":"SENSITIVE"},"additionalInfo":[{"type":"t","info":{"a":"SENSITIVE"}}]}}"#;
    let missing = "The api-version query parameter (?api-version=) is required for all requests.";
    check(vec![
        (Reading, 400, NO_HEADERS, gateway("InvalidRequestContent", content), SENSELESS),
        (Copying, 400, NO_HEADERS, gateway("InvalidRequestContent", content), REFUSED),
        (Reading, 400, NO_HEADERS, compute("BadRequest", "Free text."), SENSELESS),
        (Copying, 400, NO_HEADERS, compute("BadRequest", "Free text."), REFUSED),
        (Copying, 400, NO_HEADERS, target.to_owned(), REFUSED),
        (Copying, 400, NO_HEADERS, HTML.to_owned(), REFUSED),
        (Copying, 400, NO_HEADERS, String::new(), REFUSED),
        (Reading, 400, NO_HEADERS, compute("BadRequest", newer), OLD),
        (Copying, 400, NO_HEADERS, compute("BadRequest", newer), OLD),
        (Reading, 400, NO_HEADERS, gateway("MissingApiVersionParameter", missing), OLD),
        (Reading, 302, &[("location", "https://elsewhere.example/")], String::new(), SENSELESS),
        (Reading, 204, NO_HEADERS, String::new(), SENSELESS),
    ])
    .await;
}

#[tokio::test]
async fn a_conflict_is_a_rule_or_somebody_elses_turn() {
    let client = "VMRestorePointClientError";
    let changed = "Changes were made to the Virtual Machine while the operation 'Create Restore Point' was in progress.";
    let disks = "Operation 'Create Restore Point' is not allowed as disk(s) have not been allocated successfully. Please exclude these disk(s) using excludeDisks property and retry.";
    let concurrent = "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation was triggered on the VM.";
    let locked = (Code::FailedPrecondition, "SCOPE_LOCKED", None);
    let lock = "The scope '/subscriptions/s' cannot perform write operation because following scope(s) are locked: 's'. Please remove the lock and try again.";
    let mut rows = Vec::new();
    for status in [400, 409] {
        rows.extend([
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", "Not so."), REFUSED),
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", changed), BUSY),
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", disks), REFUSED),
            (Copying, status, NO_HEADERS, compute(client, concurrent), BUSY),
            (Copying, status, NO_HEADERS, compute(client, "Disks are shared."), REFUSED),
            (Copying, status, NO_HEADERS, compute("VMAgentStatusCommunicationError", "M"), REFUSED),
            (Copying, status, NO_HEADERS, compute("DiskRestorePointClientError", "M"), REFUSED),
            (Copying, status, NO_HEADERS, compute("DiskRestorePointUsedByCustomer", "M"), REFUSED),
            (Copying, status, NO_HEADERS, compute("OSProvisioningClientError", "M"), REFUSED),
            (Copying, status, NO_HEADERS, compute("AllocationFailed", "M"), REFUSED),
            (Copying, status, NO_HEADERS, compute("VMRestorePointInternalError", "M"), DOWN),
            (Copying, status, NO_HEADERS, compute("InternalDiskRestorePointError", "M"), DOWN),
            (Copying, status, NO_HEADERS, compute("InternalError", "M"), DOWN),
            (Copying, status, NO_HEADERS, compute("InternalExecutionError", "M"), DOWN),
            (Copying, status, NO_HEADERS, compute("InternalOperationError", "M"), DOWN),
        ]);
    }
    rows.push((Copying, 409, NO_HEADERS, gateway("ScopeLocked", lock), locked));
    check(rows).await;
}

#[tokio::test]
async fn a_pause_is_a_throttle_or_a_quota() {
    const LONG: &[(&str, &str)] = &[("retry-after", "1200"), ("x-ms-request-charge", "1")];
    const SHORT: &[(&str, &str)] = &[("retry-after", "6"), ("connection", "close")];
    let rate = r#"{"Code":"429","Message":"Rate limit is exceeded.","Target":null,"Details":[{"Message":"M"},{"Code":"429"}],"Innererror":null}"#.to_owned();
    let requests = gateway(
        "SubscriptionRequestsThrottled",
        "Number of requests for subscription 's' and operation 'PUT/SUBSCRIPTIONS/S/' exceeded the backend storage limit. Please try again after '6' seconds.",
    );
    let mut rows = Vec::new();
    for doing in [Reading, Copying] {
        rows.extend([
            (doing, 429, SHORT, requests.clone(), throttled(6)),
            (doing, 429, SHORT, rate.clone(), throttled(6)),
            (doing, 429, NO_HEADERS, too_many("HighCostGet"), throttled(10)),
            (doing, 429, NO_HEADERS, String::new(), throttled(10)),
            (doing, 429, &[("retry-after", "soon")], HTML.to_owned(), throttled(10)),
            (doing, 429, &[("retry-after", "60")], requests.clone(), throttled(60)),
        ]);
    }
    rows.extend([
        // A read uses up nobody's quota, however long the pause.
        (Reading, 429, LONG, too_many("HighCostGet"), throttled(1200)),
        (Copying, 429, LONG, too_many("PutRestorePointResource"), quota(Some(1200))),
        (Copying, 429, LONG, rate, quota(Some(1200))),
        (Copying, 429, SHORT, too_many("CopyRestorePoint"), quota(Some(6))),
        (Copying, 429, NO_HEADERS, too_many("CopyRestorePoint"), quota(None)),
    ]);
    check(rows).await;
}

#[tokio::test]
async fn an_outage_is_one_whatever_it_says() {
    let internal = "Encountered internal server error. Diagnostic information: timestamp 't', subscription id 's', tracking id 'i', request correlation id 'c'.";
    let network = "The network connectivity issue encountered for 'Microsoft.Compute'; cannot fulfill the request.";
    let late = "The gateway did not receive a response from 'Microsoft.Compute' within the specified time period.";
    let asked = (Code::Unavailable, "BACKEND_UNAVAILABLE", Some(17));
    let mut rows = Vec::new();
    for doing in [Reading, Copying] {
        rows.extend([
            (doing, 500, NO_HEADERS, gateway("InternalServerError", internal), DOWN),
            (doing, 502, NO_HEADERS, gateway("BadGatewayConnection", network), DOWN),
            (doing, 504, NO_HEADERS, gateway("GatewayTimeout", late), DOWN),
            (doing, 503, &[("retry-after", "17")], HTML.to_owned(), asked),
            (doing, 503, NO_HEADERS, String::new(), DOWN),
        ]);
    }
    check(rows).await;
}
