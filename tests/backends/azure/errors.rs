//! ARM's recorded or documented error responses, row by row: status, headers and body, and the gRPC status that a caller
//! gets for them.

use restore_point_sandbox::azure::Canned;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::fixture::*;

/// The request that ARM rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Reading,
    Copying,
}
use Request::{Copying, Reading};

/// What a caller gets: code, reason, seconds of RetryInfo.
type Expected = (Code, &'static str, Option<i64>);

const NOT_FOUND: Expected = (Code::NotFound, "RESOURCE_NOT_FOUND", None);
const INVALID: Expected = (Code::Internal, "BACKEND_RESPONSE_INVALID", None);
const REJECTED: Expected = (Code::FailedPrecondition, "VENDOR_REFUSED", None);
const UNSUPPORTED_VERSION: Expected = (Code::FailedPrecondition, "API_VERSION_NOT_SUPPORTED", None);
const UNKNOWN_SUBSCRIPTION: Expected = (Code::FailedPrecondition, "SUBSCRIPTION_NOT_FOUND", None);
const IN_PROGRESS: Expected = (Code::Aborted, "OPERATION_IN_PROGRESS", Some(30));
const UNAVAILABLE: Expected = (Code::Unavailable, "BACKEND_UNAVAILABLE", Some(5));
const FORBIDDEN: Expected = (Code::PermissionDenied, "BACKEND_FORBIDDEN", None);
const CREDENTIAL_REFUSED: Expected = (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED", None);

fn throttled(seconds: i64) -> Expected {
    (Code::Unavailable, "BACKEND_THROTTLED", Some(seconds))
}

fn quota(seconds: Option<i64>) -> Expected {
    (Code::ResourceExhausted, "BACKEND_QUOTA_EXHAUSTED", seconds)
}

/// `{"error":{…}}`, as ARM's gateway prints it.
fn gateway(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}

/// The same as Compute prints it.
fn compute(code: &str, message: &str) -> String {
    format!(
        "{{\r\n  \"error\": {{\r\n    \"code\": \"{code}\",\r\n    \"message\": \"{message}\"\r\n  }}\r\n}}"
    )
}

/// Compute's documented response to too many requests: flat, with the code of a conflict, and JSON inside the message of
/// its detail.
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

async fn status_for(request: Request, status: u16, headers: &[(&str, &str)], body: &str) -> Status {
    let fixture = AzureFixture::start();
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let fault = Fault::canned(Canned { status, headers, body: body.to_owned().into() });
    let error = match request {
        Reading => {
            fixture.fault(Method::GET, "restorepoints/db01-day1", 9, fault);
            fixture.azure.get(&point(DAY1), View::Full).await.unwrap_err()
        }
        Copying => {
            let name = format!("{}/restorePoints/c", fixture.create_target().await);
            fixture.fault(Method::PUT, "restorepoints/c", 9, fault);
            fixture.copy(DAY1, &name).await.unwrap_err()
        }
    };
    Status::from(error)
}

/// The request; ARM's status, headers and body; what a caller gets.
type Row<'a> = (Request, u16, &'a [(&'a str, &'a str)], String, Expected);

async fn check(rows: Vec<Row<'_>>) {
    // At once, each with a simulator of its own, since some wait for their retries.
    futures::future::join_all(rows.into_iter().map(check_row)).await;
}

async fn check_row((request, http_status, headers, body, (code, reason, retry)): Row<'_>) {
    let row = format!("{request:?} {http_status} {headers:?} {body}");
    let status = status_for(request, http_status, headers, &body).await;
    assert_eq!(status.code(), code, "{row}\n{status:?}");
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, reason, "{row}\n{status:?}");
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!(delay.map(|delay| delay.as_secs().cast_signed()), retry, "{row}\n{status:?}");
    let pushback = status.metadata().get("grpc-retry-pushback-ms");
    assert_eq!(pushback.is_some(), retry.is_some(), "{row}");
    assert_eq!(details.resource_info().is_some(), code == Code::NotFound, "{row}");
    let violations = details.precondition_failure().map(|failure| failure.violations.len());
    assert_eq!(violations, (code == Code::FailedPrecondition).then_some(1), "{row}");
    let quotas = details.quota_failure().map(|failure| failure.violations.len());
    assert_eq!(quotas, (code == Code::ResourceExhausted).then_some(1), "{row}");
    assert!(!format!("{status:?}").contains("SENSITIVE"), "{row}\n{status:?}");
}

#[tokio::test]
async fn a_404_is_not_found_only_with_the_code_of_a_missing_resource() {
    let moved = "The Resource 'Microsoft.Compute/restorePointCollections/x' under resource group 'g' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    let nested =
        "Can not perform requested operation on nested resource. Parent resource 'x' not found.";
    let kind = "The resource type could not be found in the namespace 'Microsoft.Compute' for api version '2031-01-01'.";
    let entity = "The entity was not found in this Azure location.";
    let mut rows = Vec::new();
    for request in [Reading, Copying] {
        rows.extend([
            (request, 404, NO_HEADERS, compute("NotFound", entity), NOT_FOUND),
            (request, 404, NO_HEADERS, gateway("ResourceNotFound", moved), NOT_FOUND),
            (request, 404, NO_HEADERS, gateway("ParentResourceNotFound", nested), NOT_FOUND),
            (
                request,
                404,
                NO_HEADERS,
                gateway("ResourceGroupNotFound", "Resource group 'g' could not be found."),
                NOT_FOUND,
            ),
            (request, 404, NO_HEADERS, gateway("InvalidResourceType", kind), UNSUPPORTED_VERSION),
            (
                request,
                404,
                NO_HEADERS,
                gateway("SubscriptionNotFound", "The subscription 's' could not be found."),
                UNKNOWN_SUBSCRIPTION,
            ),
            (request, 404, NO_HEADERS, HTML.to_owned(), INVALID),
            (request, 404, NO_HEADERS, String::new(), INVALID),
            (request, 404, NO_HEADERS, gateway("SomethingElse", "Unknown."), INVALID),
        ]);
    }
    check(rows).await;
}

#[tokio::test]
async fn the_status_decides_between_401_and_403() {
    let missing = "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/restorePointCollections/restorePoints/read' over scope '/subscriptions/s' or the scope is invalid. If access was recently granted, please refresh your credentials.";
    let mut rows = Vec::new();
    for request in [Reading, Copying] {
        rows.extend([
            (
                request,
                401,
                NO_HEADERS,
                gateway("ExpiredAuthenticationToken", "Old."),
                CREDENTIAL_REFUSED,
            ),
            (request, 401, NO_HEADERS, String::new(), CREDENTIAL_REFUSED),
            (request, 403, NO_HEADERS, gateway("AuthorizationFailed", missing), FORBIDDEN),
            (request, 403, NO_HEADERS, HTML.to_owned(), FORBIDDEN),
        ]);
    }
    check(rows).await;
}

#[tokio::test]
async fn a_bad_request_is_an_invalid_response_a_rule_or_a_setting() {
    let content = "The request content was invalid and could not be deserialized: 'x'";
    let newer = "This request can be made with api-version '2021-03-01' or newer";
    let target = r#"{"error":{"code":"InvalidParameter","message":"Bad.","target":"sourceRestorePoint","innererror":{"exceptiontype":"SENSITIVE","errordetail":"SENSITIVE"},"additionalInfo":[{"type":"t","info":{"a":"SENSITIVE"}}]}}"#;
    let missing = "The api-version query parameter (?api-version=) is required for all requests.";
    check(vec![
        (Reading, 400, NO_HEADERS, gateway("InvalidRequestContent", content), INVALID),
        (Copying, 400, NO_HEADERS, gateway("InvalidRequestContent", content), REJECTED),
        (Reading, 400, NO_HEADERS, compute("BadRequest", "Free text."), INVALID),
        (Copying, 400, NO_HEADERS, compute("BadRequest", "Free text."), REJECTED),
        (Copying, 400, NO_HEADERS, target.to_owned(), REJECTED),
        (Copying, 400, NO_HEADERS, HTML.to_owned(), REJECTED),
        (Copying, 400, NO_HEADERS, String::new(), REJECTED),
        (Reading, 400, NO_HEADERS, compute("BadRequest", newer), UNSUPPORTED_VERSION),
        (Copying, 400, NO_HEADERS, compute("BadRequest", newer), UNSUPPORTED_VERSION),
        (
            Reading,
            400,
            NO_HEADERS,
            gateway("MissingApiVersionParameter", missing),
            UNSUPPORTED_VERSION,
        ),
        (Reading, 302, &[("location", "https://elsewhere.example/")], String::new(), INVALID),
        (Reading, 204, NO_HEADERS, String::new(), INVALID),
    ])
    .await;
}

#[tokio::test]
async fn a_conflict_is_a_rule_or_another_operation_in_progress() {
    let client = "VMRestorePointClientError";
    let changed = "Changes were made to the Virtual Machine while the operation 'Create Restore Point' was in progress.";
    let disks = "Operation 'Create Restore Point' is not allowed as disk(s) have not been allocated successfully. Please exclude these disk(s) using excludeDisks property and retry.";
    let concurrent = "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation was triggered on the VM.";
    let locked = (Code::FailedPrecondition, "SCOPE_LOCKED", None);
    let lock = "The scope '/subscriptions/s' cannot perform write operation because following scope(s) are locked: 's'. Please remove the lock and try again.";
    let mut rows = Vec::new();
    for status in [400, 409] {
        rows.extend([
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", "Not so."), REJECTED),
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", changed), IN_PROGRESS),
            (Copying, status, NO_HEADERS, compute("OperationNotAllowed", disks), REJECTED),
            (Copying, status, NO_HEADERS, compute(client, concurrent), IN_PROGRESS),
            (Copying, status, NO_HEADERS, compute(client, "Disks are shared."), REJECTED),
            (
                Copying,
                status,
                NO_HEADERS,
                compute("VMAgentStatusCommunicationError", "M"),
                REJECTED,
            ),
            (Copying, status, NO_HEADERS, compute("DiskRestorePointClientError", "M"), REJECTED),
            (Copying, status, NO_HEADERS, compute("DiskRestorePointUsedByCustomer", "M"), REJECTED),
            (Copying, status, NO_HEADERS, compute("OSProvisioningClientError", "M"), REJECTED),
            (Copying, status, NO_HEADERS, compute("AllocationFailed", "M"), REJECTED),
            (Copying, status, NO_HEADERS, compute("VMRestorePointInternalError", "M"), UNAVAILABLE),
            (
                Copying,
                status,
                NO_HEADERS,
                compute("InternalDiskRestorePointError", "M"),
                UNAVAILABLE,
            ),
            (Copying, status, NO_HEADERS, compute("InternalError", "M"), UNAVAILABLE),
            (Copying, status, NO_HEADERS, compute("InternalExecutionError", "M"), UNAVAILABLE),
            (Copying, status, NO_HEADERS, compute("InternalOperationError", "M"), UNAVAILABLE),
        ]);
    }
    rows.push((Copying, 409, NO_HEADERS, gateway("ScopeLocked", lock), locked));
    check(rows).await;
}

#[tokio::test]
async fn a_429_is_a_throttle_or_a_quota() {
    const LONG: &[(&str, &str)] = &[("retry-after", "1200"), ("x-ms-request-charge", "1")];
    const SHORT: &[(&str, &str)] = &[("retry-after", "6"), ("connection", "close")];
    let rate = r#"{"Code":"429","Message":"Rate limit is exceeded.","Target":null,"Details":[{"Message":"M"},{"Code":"429"}],"Innererror":null}"#.to_owned();
    let requests = gateway(
        "SubscriptionRequestsThrottled",
        "Number of requests for subscription 's' and operation 'PUT/SUBSCRIPTIONS/S/' exceeded the backend storage limit. Please try again after '6' seconds.",
    );
    let mut rows = Vec::new();
    for request in [Reading, Copying] {
        rows.extend([
            (request, 429, SHORT, requests.clone(), throttled(6)),
            (request, 429, SHORT, rate.clone(), throttled(6)),
            (request, 429, NO_HEADERS, too_many("HighCostGet"), throttled(10)),
            (request, 429, NO_HEADERS, String::new(), throttled(10)),
            (request, 429, &[("retry-after", "soon")], HTML.to_owned(), throttled(10)),
            (request, 429, &[("retry-after", "60")], requests.clone(), throttled(60)),
        ]);
    }
    rows.extend([
        // A read exhausts no quota, however long its Retry-After.
        (Reading, 429, LONG, too_many("HighCostGet"), throttled(1200)),
        (Copying, 429, LONG, too_many("PutRestorePointResource"), quota(Some(1200))),
        (Copying, 429, LONG, rate, quota(Some(1200))),
        (Copying, 429, SHORT, too_many("CopyRestorePoint"), quota(Some(6))),
        (Copying, 429, NO_HEADERS, too_many("CopyRestorePoint"), quota(None)),
    ]);
    check(rows).await;
}

#[tokio::test]
async fn a_server_error_makes_the_backend_unavailable_whatever_its_text() {
    let internal = "Encountered internal server error. Diagnostic information: timestamp 't', subscription id 's', tracking id 'i', request correlation id 'c'.";
    let network = "The network connectivity issue encountered for 'Microsoft.Compute'; cannot fulfill the request.";
    let late = "The gateway did not receive a response from 'Microsoft.Compute' within the specified time period.";
    let with_retry_after = (Code::Unavailable, "BACKEND_UNAVAILABLE", Some(17));
    let mut rows = Vec::new();
    for request in [Reading, Copying] {
        rows.extend([
            (request, 500, NO_HEADERS, gateway("InternalServerError", internal), UNAVAILABLE),
            (request, 502, NO_HEADERS, gateway("BadGatewayConnection", network), UNAVAILABLE),
            (request, 504, NO_HEADERS, gateway("GatewayTimeout", late), UNAVAILABLE),
            (request, 503, &[("retry-after", "17")], HTML.to_owned(), with_retry_after),
            (request, 503, NO_HEADERS, String::new(), UNAVAILABLE),
        ]);
    }
    check(rows).await;
}

#[tokio::test]
async fn the_address_of_a_principal_does_not_reach_callers() {
    let fixture = AzureFixture::start();
    let message = "The client 'live.com#jane.doe@contoso.example' with object id '5a4e2d9c' does not have \
                   authorization to perform action 'Microsoft.Compute/restorePointCollections/read'.";
    let body =
        serde_json::json!({ "error": { "code": "AuthorizationFailed", "message": message } })
            .to_string();
    let canned = Canned { status: 403, headers: Vec::new(), body: body.into() };
    fixture.fault(Method::GET, "db01-day1", 1, Fault::canned(canned));
    let error = fixture.azure.get(&point(DAY1), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("The client '…' with object id '5a4e2d9c'"), "{text}");
    assert!(!format!("{error:?}").contains("jane.doe"), "{error:?}");
}
