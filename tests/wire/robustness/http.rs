//! Invalid HTTP responses below the level of documents: headers, lengths, encodings, redirects. Both backends return the
//! same errors.

use futures::future::join_all;
use restore_point_gateway::proto::ListRequest;
use tonic::Code;

use restore_point_test_support::failure::failure;
use restore_point_test_support::names::BACKENDS;
use restore_point_test_support::scripted_backend::ScriptedBackend;
use restore_point_test_support::scripted_vendor::{GZIP_HEADER, Reply, ScriptedVendor, head};

use super::{azure_responses, veeam_responses};

#[tokio::test]
async fn an_incomplete_or_badly_encoded_body_is_an_invalid_response() {
    let raw = |header: &str, body: &[u8]| Reply::Bytes([&head(200, &[header]), body].concat());
    let cases = [
        (
            "plain text declared as gzip",
            Reply::new(200, &["content-encoding: gzip"], "{\"value\":[]}"),
        ),
        ("truncated gzip", Reply::new(200, &["content-encoding: gzip"], GZIP_HEADER)),
        (
            "an encoding that was not requested",
            Reply::new(200, &["content-encoding: br"], "\x0b\x02\u{20ac}"),
        ),
        ("a truncated body", raw("content-length: 99999999999", b"{\"value\":[]")),
        ("a truncated chunk", raw("transfer-encoding: chunked", b"ffffff\r\n{\"value\":[]}")),
        ("a chunk without a length", raw("transfer-encoding: chunked", b"{\"value\":[]}\r\n")),
        ("a body longer than its length", raw("content-length: 5", b"{\"value\":[]}")),
        ("204 without a body", Reply::new(204, &[], "")),
        ("206 with partial content", Reply::new(206, &[], "{\"value\":[]}")),
    ];
    // Concurrently, because of the backoff between the gateway's attempts.
    join_all(cases.map(|(case, reply)| async move {
        azure_responses::assert_every_read_fails(case, reply.clone()).await;
        veeam_responses::assert_every_read_fails(case, reply).await;
    }))
    .await;
}

#[tokio::test]
async fn an_invalid_response_head_is_unavailable() {
    let line =
        b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".to_vec();
    let start = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (case, reply) in [
        ("endless headers", Reply::Endless(start.clone(), line)),
        ("an endless header", Reply::Endless([start, b"x: ".to_vec()].concat(), b"y".to_vec())),
        ("another protocol", Reply::Bytes(b"220 mail.example ESMTP\r\n".to_vec())),
        ("no response", Reply::Bytes(Vec::new())),
        ("two lengths", Reply::Bytes(head(200, &["content-length: 1", "content-length: 2"]))),
        ("a negative length", Reply::Bytes(head(200, &["content-length: -1"]))),
    ] {
        for id in BACKENDS {
            let reply = reply.clone();
            let backend = match id {
                "azure" => ScriptedBackend::azure(move |_| reply.clone()).await,
                _ => ScriptedBackend::veeam(move |_| reply.clone()).await,
            };
            let parent = format!("backends/{id}/collections/-");
            let request = ListRequest { parent, ..Default::default() };
            let failure = failure(&format!("{id}: {case}"), backend.client().list(request)).await;
            failure.assert_status(Code::Unavailable, "BACKEND_UNAVAILABLE");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other_host = ScriptedVendor::start(|_| Reply::json("{\"value\":[]}")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: {}/x", other_host.url());
        let reply = Reply::new(status, &[&location], "");
        azure_responses::assert_every_read_fails("a redirect", reply.clone()).await;
        veeam_responses::assert_every_read_fails("a redirect", reply).await;
    }
    assert_eq!(other_host.request_lines(), [""; 0], "a credential was sent to another host");
}
