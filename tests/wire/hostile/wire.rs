//! What lies below the documents: heads, lengths, encodings, redirects. Both adapters must say the same.
//! Bodies without end are the business of `hostile_memory`.

use futures::future::join_all;
use restore_point_gateway::proto::ListRequest;
use tonic::Code;

use super::{azure, veeam};
use restore_point_test_support::hostile_gateway::{Gateway, assert_is, failure};
use restore_point_test_support::hostile_vendor::{Answer, GZIP, Vendor, head};

#[tokio::test]
async fn bodies_that_do_not_end_or_are_not_what_they_say() {
    let cases = [
        ("plain text called gzip", Answer::new(200, &["content-encoding: gzip"], "{\"value\":[]}")),
        ("gzip that breaks off", Answer::new(200, &["content-encoding: gzip"], GZIP)),
        (
            "an encoding not asked for",
            Answer::new(200, &["content-encoding: br"], "\x0b\x02\u{20ac}"),
        ),
        (
            "a body cut off",
            Answer::Bytes(
                [head(200, &["content-length: 99999999999"]), b"{\"value\":[]".to_vec()].concat(),
            ),
        ),
        (
            "a chunk cut off",
            Answer::Bytes(
                [head(200, &["transfer-encoding: chunked"]), b"ffffff\r\n{\"value\":[]}".to_vec()]
                    .concat(),
            ),
        ),
        (
            "a chunk of no length",
            Answer::Bytes(
                [head(200, &["transfer-encoding: chunked"]), b"{\"value\":[]}\r\n".to_vec()]
                    .concat(),
            ),
        ),
        (
            "a body longer than it says",
            Answer::Bytes([head(200, &["content-length: 5"]), b"{\"value\":[]}".to_vec()].concat()),
        ),
        ("no body at all", Answer::new(204, &[], "")),
        ("a part", Answer::new(206, &[], "{\"value\":[]}")),
    ];
    // At once, since the gateway pauses between its attempts.
    join_all(cases.map(|(what, answer)| async move {
        azure::assert_all_senseless(what, answer.clone()).await;
        veeam::assert_all_senseless(what, answer).await;
    }))
    .await;
}

#[tokio::test]
async fn heads_that_are_none() {
    let line =
        b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".to_vec();
    let start = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (what, answer) in [
        ("an endless head", Answer::Endless(start.clone(), line)),
        ("an endless header", Answer::Endless([start, b"x: ".to_vec()].concat(), b"y".to_vec())),
        ("no HTTP", Answer::Bytes(b"220 mail.example ESMTP\r\n".to_vec())),
        ("nothing", Answer::Bytes(Vec::new())),
        ("two lengths", Answer::Bytes(head(200, &["content-length: 1", "content-length: 2"]))),
        ("a length below nothing", Answer::Bytes(head(200, &["content-length: -1"]))),
    ] {
        for kind in ["azure", "veeam"] {
            let answer = answer.clone();
            let gateway = match kind {
                "azure" => Gateway::azure(move |_| answer.clone()).await,
                _ => Gateway::veeam(move |_| answer.clone()).await,
            };
            let request = ListRequest {
                parent: format!("backends/{kind}/collections/-"),
                ..Default::default()
            };
            let what = format!("{kind}: {what}");
            let status = failure(&what, gateway.client.clone().list(request)).await;
            assert_is(&what, &status, Code::Unavailable, "BACKEND_UNAVAILABLE");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Vendor::start(|_| Answer::json("{\"value\":[]}")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: {}/x", elsewhere.url());
        let answer = Answer::new(status, &[&location], "");
        azure::assert_all_senseless("a redirect", answer.clone()).await;
        veeam::assert_all_senseless("a redirect", answer).await;
    }
    assert_eq!(elsewhere.asked(), [""; 0], "no credential wanders off");
}
