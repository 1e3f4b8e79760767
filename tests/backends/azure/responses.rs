//! Invalid, interrupted and failed responses. None of them may look like a shorter list.

use super::fixture::*;

#[tokio::test]
async fn reads_are_retried_and_fail_with_the_kind_of_their_error() {
    let fixture = AzureFixture::start();
    fixture.fault(Method::GET, "db01-day1", 2, Fault::error(StatusCode::BAD_GATEWAY));
    fixture.get(&point(DAY1)).await;
    for (fault, times) in [(Fault::error(StatusCode::GATEWAY_TIMEOUT), 3), (Fault::lose_reply(), 3)]
    {
        fixture.fault(Method::GET, "db01-day1", times, fault);
        let error = fixture.azure.get(&point(DAY1), View::Full).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
    fixture.fault(
        Method::GET,
        "db01-day1",
        1,
        Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 324),
    );
    match fixture.azure.get(&point(DAY1), View::Full).await.unwrap_err() {
        Error::Throttled { retry_after, .. } => assert_eq!(retry_after.as_secs(), 324),
        other => panic!("{other:?}"),
    }
    fixture.after_backoff().await;
    fixture.fault(Method::GET, "db01-day1", 1, Fault::error(StatusCode::FORBIDDEN));
    let error = fixture.azure.get(&point(DAY1), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn an_invalid_body_is_never_a_shorter_list() {
    let fixture = AzureFixture::start();
    let collection = Segment::Id("rg-prod~rpc-db01".to_owned());
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
        fixture.fault(Method::GET, "restorepointcollections", 3, Fault::canned(canned));
        let error = fixture.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{body}: {error:?}");
        let error = fixture.azure.list(&collection, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{body}: {error:?}");
        let error = fixture.azure.get_collection("rg-prod~rpc-db01").await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{body}: {error:?}");
    }
    assert_eq!(list_all(&fixture.azure, &collection, 10).await.len(), 6);
    assert_eq!(list_all(&fixture.azure, &collection, 1).await.len(), 6);
}

#[tokio::test]
async fn an_interrupted_body_is_a_transient_error() {
    let fixture = AzureFixture::start();
    let canned = Canned {
        status: 200,
        headers: vec![("content-length".to_owned(), "4096".to_owned())],
        body: r#"{"value":["#.into(),
    };
    fixture.fault(Method::GET, "restorepointcollections", 3, Fault::canned(canned));
    let error = fixture.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_collection_that_is_deleted_during_a_list_is_left_out() {
    let fixture = AzureFixture::start();
    let body = r#"{"error":{"code":"ResourceNotFound","message":"It was not found."}}"#.to_owned();
    let gone = Canned { status: 404, headers: Vec::new(), body: body.into() };
    fixture.fault(Method::GET, "restorepointcollections/rpc-db01", 1, Fault::canned(gone));
    let listed = list_all(&fixture.azure, &Segment::Any, 100).await;
    assert!(listed.len() < 10 && !listed.is_empty());
}

/// ARM closes the connection after each 429 and 500; over HTTP/1.1 it announces that by `connection: close`.
#[tokio::test]
async fn a_connection_that_arm_closes_is_not_reused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let throttled = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\nconnection: close\r\n\
                   x-ms-failure-cause: gateway\r\ncontent-length: 0\r\n\r\n";
    let list = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\n\
                content-length: 12\r\n\r\n{\"value\":[]}";
    let arm = async {
        for (number, response) in [throttled, throttled, list].into_iter().enumerate() {
            let (mut connection, _) = socket.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0, "{number}");
            }
            connection.write_all(response.as_bytes()).await.unwrap();
        }
    };
    let fixture = AzureFixture::start();
    let settings = Settings {
        endpoint: endpoint.parse().unwrap(),
        ..settings(&fixture.simulator, &fixture.pem, Credential::StaticToken("t".into()))
    };
    let azure = Azure::new(settings).unwrap();
    let (probe, ()) = tokio::join!(azure.probe(), arm);
    probe.unwrap();
}
