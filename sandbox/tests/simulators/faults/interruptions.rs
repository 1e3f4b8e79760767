//! Interruptions before, inside and after a response.

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::fixture::{End, Fixture, QUIET_PERIOD, TIMEOUT};

#[tokio::test]
async fn reset_before_sends_no_byte() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET times=1 reset=before").await;
        let response = vendor.get().await;
        assert!(response.is_empty(), "{response:?}");
        assert_eq!(response.end, End::Reset, "{}", vendor.name);
        vendor.full_body().await;
    }
}

#[tokio::test]
async fn a_reset_inside_the_body_follows_the_exact_number_of_bytes() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let full = vendor.full_body().await;
        for (words, length) in [
            ("reset=0", 0),
            ("reset=1", 1),
            ("reset=during", full.len() / 2),
            ("reset=99%", full.len() * 99 / 100),
            ("reset=100%", full.len()),
        ] {
            vendor.inject(&format!("GET times=1 {words}")).await;
            let response = vendor.get().await;
            assert_eq!(
                (response.status(), &response.end),
                (200, &End::Reset),
                "{} {words}",
                vendor.name
            );
            assert_eq!(response.content_length(), full.len());
            assert_eq!(response.body.len(), length, "{} {words}", vendor.name);
        }
    }
}

#[tokio::test]
async fn reset_after_sends_the_whole_body() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let full = vendor.full_body().await;
        vendor.inject("GET times=1 reset=after").await;
        let response = vendor.get().await;
        assert_eq!(
            (response.body.len(), &response.end),
            (full.len(), &End::Reset),
            "{}",
            vendor.name
        );
        vendor.inject("GET times=1 reset=after chunked").await;
        let response = vendor.get().await;
        assert!(response.body.ends_with(b"\r\n0\r\n\r\n"), "{response:?}");
        assert_eq!(response.end, End::Reset);
    }
}

#[tokio::test]
async fn a_truncated_body_has_the_content_length_of_all_of_it() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let full = vendor.full_body().await;
        for (words, length) in
            [("truncate=0", 0), ("truncate=7", 7), ("truncate=50%", full.len() / 2)]
        {
            vendor.inject(&format!("GET times=1 {words}")).await;
            let response = vendor.get().await;
            assert_eq!(
                (response.status(), &response.end),
                (200, &End::Closed),
                "{} {words}",
                vendor.name
            );
            assert_eq!(
                (response.content_length(), response.body.len()),
                (full.len(), length),
                "{words}"
            );
        }
    }
}

#[tokio::test]
async fn a_truncated_chunked_body_has_no_last_chunk() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET times=1 chunked").await;
        vendor.inject("GET times=1 chunked truncate=50%").await;
        let [full, truncated] = [vendor.get_and_close().await, vendor.get().await];
        for response in [&full, &truncated] {
            assert_eq!(response.header("transfer-encoding"), Some("chunked"), "{response:?}");
            assert_eq!(response.header("content-length"), None);
        }
        assert!(full.body.ends_with(b"\r\n0\r\n\r\n"));
        assert!(
            !truncated.body.ends_with(b"0\r\n\r\n") && !truncated.body.is_empty(),
            "{truncated:?}"
        );
        assert_eq!(truncated.end, End::Closed);
    }
}

#[tokio::test]
async fn hang_up_closes_the_connection_and_silence_keeps_it_open() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET times=1 hang_up").await;
        let response = vendor.get().await;
        assert!(response.is_empty(), "{response:?}");
        assert_eq!(response.end, End::Closed, "{}", vendor.name);
        vendor.inject("GET times=1 silence").await;
        vendor.assert_silent().await;
        vendor.full_body().await;
    }
}

#[tokio::test]
async fn latency_delays_the_response() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET times=1 latency_ms=3600000").await;
        vendor.assert_silent().await;
        vendor.inject("GET times=1 latency_ms=1").await;
        vendor.full_body().await;
        vendor.inject("GET times=1 latency_ms=1 status=503").await;
        assert_eq!(vendor.get_and_close().await.status(), 503);
    }
}

#[tokio::test]
async fn bytes_per_second_limits_the_rate_of_the_body() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let full = vendor.full_body().await;
        vendor.inject("GET times=1 bytes_per_second=1").await;
        let mut tls = vendor.send("GET", &vendor.target, "").await;
        let mut bytes = Vec::new();
        let body = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        while body(&bytes).is_none_or(|at| bytes.len() < at + 4 + 1) {
            timeout(TIMEOUT, tls.read_buf(&mut bytes)).await.unwrap().unwrap();
        }
        assert_eq!(bytes.last(), full.first(), "the first byte of the body");
        let second = timeout(QUIET_PERIOD, tls.read_u8()).await;
        assert!(second.is_err(), "the second byte is not sent yet: {second:?}");

        vendor.inject("GET times=1 bytes_per_second=1000000").await;
        assert_eq!(vendor.get_and_close().await.body.len(), full.len());
    }
}
