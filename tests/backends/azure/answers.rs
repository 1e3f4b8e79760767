//! Answers that make no sense, break off, or are errors: never a shorter list.

use super::fixture::*;

#[tokio::test]
async fn reads_are_repeated_and_told_by_their_kind() {
    let bench = bench(|_| {});
    bench.fault(Method::GET, "db01-day1", 2, Fault::error(StatusCode::BAD_GATEWAY));
    bench.get(&point(DAY1)).await;
    for (fault, times) in [(Fault::error(StatusCode::GATEWAY_TIMEOUT), 3), (Fault::lose_reply(), 3)]
    {
        bench.fault(Method::GET, "db01-day1", times, fault);
        let error = bench.azure.get(&point(DAY1), View::Full).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
    bench.fault(
        Method::GET,
        "db01-day1",
        1,
        Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 324),
    );
    match bench.azure.get(&point(DAY1), View::Full).await.unwrap_err() {
        Error::Throttled { retry_after, .. } => assert_eq!(retry_after.as_secs(), 324),
        other => panic!("{other:?}"),
    }
    bench.fault(Method::GET, "db01-day1", 1, Fault::error(StatusCode::FORBIDDEN));
    let error = bench.azure.get(&point(DAY1), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_never_a_shorter_list() {
    let bench = bench(|_| {});
    let one = Segment::Id("rg-prod~rpc-db01".to_owned());
    for body in [
        "",
        "<html>proxy</html>",
        "[]",
        "{}",
        "null",
        r#"{"value":null}"#,
        r#"{"value":[{}]}"#,
        r#"{"value":[],"nextLink":"https://elsewhere.example/x"}"#,
        r#"{"value":[],"nextLink":"x"}"#,
        r#"{"value":[{"id":"/subscriptions"#,
        r#"{"name":"rpc-db01","location":"eastus","properties":{"source":{"id":"x"}}}"#,
    ] {
        let canned = Canned { status: 200, headers: Vec::new(), body: body.to_owned().into() };
        bench.fault(Method::GET, "restorepointcollections", 3, Fault::canned(canned));
        let all = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(all, Error::InvalidResponse { .. }), "{body}: {all:?}");
        let some = bench.azure.list(&one, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(some, Error::InvalidResponse { .. }), "{body}: {some:?}");
        let point = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap_err();
        assert!(matches!(point, Error::InvalidResponse { .. }), "{body}: {point:?}");
    }
    assert_eq!(walk(&bench.azure, &one, 10).await.len(), 6);
    let body = walk(&bench.azure, &one, 1).await;
    assert_eq!(body.len(), 6);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_interrupted() {
    let bench = bench(|_| {});
    let canned = Canned {
        status: 200,
        headers: vec![("content-length".to_owned(), "4096".to_owned())],
        body: r#"{"value":["#.into(),
    };
    bench.fault(Method::GET, "restorepointcollections", 3, Fault::canned(canned));
    let error = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_collection_that_vanishes_during_a_walk_is_left_out() {
    let bench = bench(|_| {});
    let body = r#"{"error":{"code":"ResourceNotFound","message":"It was not found."}}"#.to_owned();
    let gone = Canned { status: 404, headers: Vec::new(), body: body.into() };
    bench.fault(Method::GET, "restorepointcollections/rpc-db01", 1, Fault::canned(gone));
    let told = walk(&bench.azure, &Segment::Any, 100).await;
    assert!(told.len() < 10 && !told.is_empty());
}

/// ARM ends the connection after each 429 and 500, under HTTP/1.1 with a header that says so.
#[tokio::test]
async fn a_connection_that_ends_with_a_refusal_is_not_used_again() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let refused = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\nconnection: close\r\n\
                   x-ms-failure-cause: gateway\r\ncontent-length: 0\r\n\r\n";
    let list = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\n\
                content-length: 12\r\n\r\n{\"value\":[]}";
    let arm = async {
        for (number, answer) in [refused, refused, list].into_iter().enumerate() {
            let (mut connection, _) = socket.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0, "{number}");
            }
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let bench = bench(|_| {});
    let settings = Settings {
        endpoint: endpoint.parse().unwrap(),
        ..settings(&bench.vendor, &bench.pem, Credential::StaticToken("t".into()))
    };
    let azure = Azure::new(settings).unwrap();
    let (probe, ()) = tokio::join!(azure.probe(), arm);
    probe.unwrap();
}
