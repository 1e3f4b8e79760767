//! Every known error response of Enterprise Manager, and the gRPC status that callers get for it.

use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::model::{Error, Segment, View};
use restore_point_sandbox::fault::{Canned, Matching};
use restore_point_sandbox::veeam_em::Fault;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::fixture::{
    POINT, backend, collection_id, error_response, in_collections, list_all, list_all_collections,
    name, server,
};

/// A status and body of the vendor, how often one call of the gateway gets them, and the code, the reason and a part of
/// the message of the resulting gRPC status.
struct Row {
    status: u16,
    body: &'static str,
    times: usize,
    code: Code,
    reason: &'static str,
    message: &'static str,
}

const fn row(
    (status, body): (u16, &'static str),
    code: Code,
    reason: &'static str,
    message: &'static str,
) -> Row {
    // A session is renewed once, and a transient error is retried twice.
    let times = match status {
        401 => 2,
        408 | 502..=504 => 3,
        _ => 1,
    };
    Row { status, body, times, code, reason, message }
}

const HTML: &str = "<!DOCTYPE html><html><body>SENSITIVE</body></html>";
const DENIED: &str = r#"<?xml version="1.0" encoding="utf-8"?><Error Message="Access denied" StatusCode="403" Status="Forbidden" xmlns="http://www.veeam.com/ent/v1.0" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><StackTrace>at Veeam.SENSITIVE()</StackTrace></Error>"#;
const BROKEN: &str = "<Error Message=\"Object reference not set to an instance of an object.&#xD;&#xA;   at Veeam.SENSITIVE.Get()\" StatusCode=\"500\" xmlns=\"http://www.veeam.com/ent/v1.0\"><FirstChanceExceptionMessage>SENSITIVE</FirstChanceExceptionMessage><StackTrace>   at Veeam.SENSITIVE</StackTrace></Error>";
const LOST_TASK: &str = r#"<Error Message="There is no backup task with id [task-297] in current rest session" StatusCode="500" xmlns="http://www.veeam.com/ent/v1.0"/>"#;
const JSON: &str = r#"{"FirstChanceExceptionMessage":null,"Message":"Node [root] does not exist.","StackTrace":null,"Status":null,"StatusCode":400}"#;
const JSON_13: &str = "\u{FEFF}{\"firstChanceExceptionMessage\":\"SENSITIVE\",\"message\":\"Node [root] does not exist.\",\"stackTrace\":\"   at SENSITIVE\",\"status\":null,\"statusCode\":400}";
const XML_WITH_BOM: &str = "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error Message=\"Bad filter\" StatusCode=\"400\"/>";

const REFUSED: &str = "BACKEND_CREDENTIAL_REFUSED";
const FORBIDDEN: &str = "BACKEND_FORBIDDEN";
const ABSENT: &str = "RESOURCE_NOT_FOUND";
const INVALID: &str = "BACKEND_RESPONSE_INVALID";
const UNSUPPORTED: &str = "CAPABILITY_NOT_SUPPORTED";
const UNAVAILABLE: &str = "BACKEND_UNAVAILABLE";

const ROWS: &[Row] = &[
    row((400, ""), Code::Internal, INVALID, "HTTP 400"),
    row((400, JSON), Code::Internal, INVALID, "HTTP 400, Node [root] does not exist."),
    row((400, JSON_13), Code::Internal, INVALID, "HTTP 400, Node [root] does not exist."),
    row((400, XML_WITH_BOM), Code::Internal, INVALID, "HTTP 400, Bad filter"),
    row((401, ""), Code::Unavailable, REFUSED, "HTTP 401"),
    row((401, HTML), Code::Unavailable, REFUSED, "HTTP 401"),
    row(
        (401, r#"<Error Message="Expired" StatusCode="401"/>"#),
        Code::Unavailable,
        REFUSED,
        "Expired",
    ),
    row((403, DENIED), Code::PermissionDenied, FORBIDDEN, "HTTP 403, Access denied"),
    row((403, ""), Code::PermissionDenied, FORBIDDEN, "HTTP 403"),
    row((403, HTML), Code::PermissionDenied, FORBIDDEN, "HTTP 403"),
    row((404, ""), Code::NotFound, ABSENT, "was not found"),
    row((404, HTML), Code::NotFound, ABSENT, "was not found"),
    row(
        (404, r#"<Error Message="Not found" StatusCode="404"/>"#),
        Code::NotFound,
        ABSENT,
        "15 minutes",
    ),
    row((405, ""), Code::Unimplemented, UNSUPPORTED, "405"),
    row(
        (501, r#"<Error Message="No" StatusCode="501"/>"#),
        Code::Unimplemented,
        UNSUPPORTED,
        "501",
    ),
    row(
        (500, BROKEN),
        Code::Internal,
        INVALID,
        "Object reference not set to an instance of an object.",
    ),
    row((500, LOST_TASK), Code::NotFound, ABSENT, "was not found"),
    row((500, ""), Code::Internal, INVALID, "HTTP 500"),
    row((500, HTML), Code::Internal, INVALID, "HTTP 500"),
    row((500, "{\"Message\":7}"), Code::Internal, INVALID, "HTTP 500"),
    row((503, ""), Code::Unavailable, UNAVAILABLE, "HTTP 503"),
    row(
        (503, r#"<Error Message="Maintenance" StatusCode="503"/>"#),
        Code::Unavailable,
        UNAVAILABLE,
        "Maintenance",
    ),
    // From a proxy. Success rows follow, since ten of these in a row would open the circuit breaker.
    row((408, ""), Code::Unavailable, UNAVAILABLE, "HTTP 408"),
    row((502, HTML), Code::Unavailable, UNAVAILABLE, "HTTP 502"),
    row((504, HTML), Code::Unavailable, UNAVAILABLE, "HTTP 504"),
    row((302, ""), Code::Internal, INVALID, "HTTP 302"),
    // A success status with an unexpected body, or an unexpected success status.
    row((200, ""), Code::Internal, INVALID, "not XML"),
    row((200, HTML), Code::Internal, INVALID, "document type"),
    row((200, JSON), Code::Internal, INVALID, "not XML"),
    row((200, DENIED), Code::Internal, INVALID, "`Error`"),
    row((202, ""), Code::Internal, INVALID, "HTTP 202"),
    row((204, ""), Code::Internal, INVALID, "HTTP 204"),
];

#[tokio::test]
async fn every_known_error_response_maps_to_its_status_for_every_kind() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let all = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    for prefix in ["cloud-replica~", "replica~", "backup~"] {
        let point = &in_collections(&all, prefix)[0];
        let (collection, id) = (&point.name.collection.collection, &point.name.restore_point);
        for Row { status, body, times, code, reason, message } in ROWS {
            server.inject(Matching::new(Method::GET, id), *times, Fault::status(*status, body));
            let error = match veeam.get(&name(collection, id), View::Full).await {
                Err(error) => Status::from(error),
                Ok(point) => panic!("{status} {body}: {point:?}"),
            };
            assert_eq!(error.code(), *code, "{status} {body}: {error:?}");
            let details = error.get_error_details();
            assert_eq!(details.error_info().unwrap().reason, *reason, "{status} {body}");
            assert_eq!(details.retry_info().is_some(), *reason == UNAVAILABLE, "{status} {body}");
            assert!(error.message().contains(message), "{status} {body}: {}", error.message());
            assert!(!format!("{error:?}").contains("SENSITIVE"), "{error:?}");
        }
        // The error responses have no lasting effect.
        assert_eq!(veeam.get(&name(collection, id), View::Full).await.unwrap(), *point);
    }
}

#[tokio::test]
async fn a_retry_after_is_passed_on_as_retry_info() {
    let server = server(|_| {});
    for (status, reason) in [(429, "BACKEND_THROTTLED"), (503, UNAVAILABLE)] {
        let headers = vec![("Retry-After".to_owned(), "90".to_owned())];
        let reply = Fault::canned(Canned { status, headers, ..Canned::default() });
        server.inject(Matching::new(Method::GET, POINT), 1, reply);
        let veeam = backend(&server);
        let error = Status::from(veeam.get(&name("-", POINT), View::Full).await.unwrap_err());
        let details = error.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, reason);
        assert_eq!(details.retry_info().unwrap().retry_delay.unwrap().as_secs(), 90);
    }
}

#[tokio::test]
async fn an_error_response_to_a_list_or_collection_maps_to_its_status() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let backup = collection_id(&veeam, "backup~", "Nightly").await;
    for (status, code) in [
        (403, Code::PermissionDenied),
        (405, Code::Unimplemented),
        (500, Code::Internal),
        // A query for a documented type cannot be absent.
        (404, Code::Internal),
    ] {
        let fail = |part: &str| {
            server.inject(Matching::new(Method::GET, part), 1, error_response(status, "no"))
        };
        fail("type=VmReplicaPoint&");
        let error = list_all(&veeam, &Segment::Any, 1000).await.unwrap_err();
        assert_eq!(Status::from(error).code(), code);
        fail("BackupUid");
        let error = list_all(&veeam, &Segment::Id(backup.clone()), 1000).await.unwrap_err();
        assert_eq!(Status::from(error).code(), code);
        fail("type=Backup&");
        let error = list_all_collections(&veeam, 1000).await.unwrap_err();
        assert_eq!(Status::from(error).code(), code);
    }
    server.inject(Matching::new(Method::GET, "/backups/"), 1, error_response(404, "gone"));
    let error = veeam.get_collection(&backup).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}
