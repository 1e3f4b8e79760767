//! Connections that break before, inside and after an answer.

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::fixture::{A_MOMENT, Bench, End, PATIENCE};

#[tokio::test]
async fn a_reset_before_the_answer() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET times=1 reset=before").await;
        let seen = vendor.read().await;
        assert!(seen.is_nothing(), "{seen:?}");
        assert_eq!(seen.end, End::Reset, "{}", vendor.name);
        vendor.whole().await;
    }
}

#[tokio::test]
async fn a_reset_inside_the_body_comes_after_exactly_so_many_bytes() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let whole = vendor.whole().await;
        for (words, length) in [
            ("reset=0", 0),
            ("reset=1", 1),
            ("reset=during", whole.len() / 2),
            ("reset=99%", whole.len() * 99 / 100),
            ("reset=100%", whole.len()),
        ] {
            vendor.order(&format!("GET times=1 {words}")).await;
            let seen = vendor.read().await;
            assert_eq!((seen.status(), &seen.end), (200, &End::Reset), "{} {words}", vendor.name);
            assert_eq!(seen.promised(), whole.len());
            assert_eq!(seen.body.len(), length, "{} {words}", vendor.name);
        }
    }
}

#[tokio::test]
async fn a_reset_after_the_body() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let whole = vendor.whole().await;
        vendor.order("GET times=1 reset=after").await;
        let seen = vendor.read().await;
        assert_eq!((seen.body.len(), &seen.end), (whole.len(), &End::Reset), "{}", vendor.name);
        vendor.order("GET times=1 reset=after chunked").await;
        let seen = vendor.read().await;
        assert!(seen.body.ends_with(b"\r\n0\r\n\r\n"), "{seen:?}");
        assert_eq!(seen.end, End::Reset);
    }
}

#[tokio::test]
async fn a_body_that_is_cut_off_under_a_promise_of_all_of_it() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let whole = vendor.whole().await;
        for (words, length) in
            [("truncate=0", 0), ("truncate=7", 7), ("truncate=50%", whole.len() / 2)]
        {
            vendor.order(&format!("GET times=1 {words}")).await;
            let seen = vendor.read().await;
            assert_eq!((seen.status(), &seen.end), (200, &End::Closed), "{} {words}", vendor.name);
            assert_eq!((seen.promised(), seen.body.len()), (whole.len(), length), "{words}");
        }
    }
}

#[tokio::test]
async fn chunks_of_which_the_last_does_not_come() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET times=1 chunked").await;
        vendor.order("GET times=1 chunked truncate=50%").await;
        let [whole, cut] = [vendor.read_last().await, vendor.read().await];
        for seen in [&whole, &cut] {
            assert_eq!(seen.header("transfer-encoding"), Some("chunked"), "{seen:?}");
            assert_eq!(seen.header("content-length"), None);
        }
        assert!(whole.body.ends_with(b"\r\n0\r\n\r\n"));
        assert!(!cut.body.ends_with(b"0\r\n\r\n") && !cut.body.is_empty(), "{cut:?}");
        assert_eq!(cut.end, End::Closed);
    }
}

#[tokio::test]
async fn hanging_up_and_saying_nothing() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET times=1 hang_up").await;
        let seen = vendor.read().await;
        assert!(seen.is_nothing(), "{seen:?}");
        assert_eq!(seen.end, End::Closed, "{}", vendor.name);
        vendor.order("GET times=1 silence").await;
        vendor.says_nothing().await;
        vendor.whole().await;
    }
}

#[tokio::test]
async fn a_request_that_is_long_on_its_way() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET times=1 latency_ms=3600000").await;
        vendor.says_nothing().await;
        vendor.order("GET times=1 latency_ms=1").await;
        vendor.whole().await;
        vendor.order("GET times=1 latency_ms=1 status=503").await;
        assert_eq!(vendor.read_last().await.status(), 503);
    }
}

#[tokio::test]
async fn a_body_that_comes_slowly() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let whole = vendor.whole().await;
        vendor.order("GET times=1 bytes_per_second=1").await;
        let mut tls = vendor.send("GET", &vendor.target, "").await;
        let mut bytes = Vec::new();
        let body = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        while body(&bytes).is_none_or(|at| bytes.len() < at + 4 + 1) {
            timeout(PATIENCE, tls.read_buf(&mut bytes)).await.unwrap().unwrap();
        }
        assert_eq!(bytes.last(), whole.first(), "the first byte of the body");
        let second = timeout(A_MOMENT, tls.read_u8()).await;
        assert!(second.is_err(), "and nothing else for a second: {second:?}");

        vendor.order("GET times=1 bytes_per_second=1000000").await;
        assert_eq!(vendor.read_last().await.body.len(), whole.len());
    }
}
