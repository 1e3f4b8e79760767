//! Answers that make no sense, break off, or are errors: never a shorter list.

use crate::bench::*;

#[tokio::test]
async fn reads_are_repeated_and_told_by_their_kind() {
    let bench = bench(|_| {});
    bench.fault(Method::GET, "db01-day1", 2, Fault::BadGateway);
    bench.get(&point(DAY1)).await;
    for (fault, times) in [(Fault::GatewayTimeout, 3), (Fault::DropReply, 3)] {
        bench.fault(Method::GET, "db01-day1", times, fault);
        let error = bench.azure.get(&point(DAY1), View::Full).await.unwrap_err();
        assert!(error.is_passing(), "{error:?}");
    }
    bench.fault(Method::GET, "db01-day1", 1, Fault::Throttle { seconds: 324 });
    match bench.azure.get(&point(DAY1), View::Full).await.unwrap_err() {
        Error::Throttled { retry_after, .. } => assert_eq!(retry_after.as_secs(), 324),
        other => panic!("{other:?}"),
    }
    bench.fault(Method::GET, "db01-day1", 1, Fault::Forbid);
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
        let canned = Canned { status: 200, headers: Vec::new(), body: body.to_owned() };
        bench.fault(Method::GET, "restorepointcollections", 3, Fault::Answer(canned));
        let all = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(all, Error::ResponseInvalid { .. }), "{body}: {all:?}");
        let some = bench.azure.list(&one, View::Basic, None, 10).await.unwrap_err();
        assert!(matches!(some, Error::ResponseInvalid { .. }), "{body}: {some:?}");
        let point = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap_err();
        assert!(matches!(point, Error::ResponseInvalid { .. }), "{body}: {point:?}");
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
        body: r#"{"value":["#.to_owned(),
    };
    bench.fault(Method::GET, "restorepointcollections", 3, Fault::Answer(canned));
    let error = bench.azure.list(&Segment::Any, View::Basic, None, 10).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn a_collection_that_vanishes_during_a_walk_is_left_out() {
    let bench = bench(|_| {});
    let body = r#"{"error":{"code":"ResourceNotFound","message":"It was not found."}}"#.to_owned();
    let gone = Canned { status: 404, headers: Vec::new(), body };
    bench.fault(Method::GET, "restorepointcollections/rpc-db01", 1, Fault::Answer(gone));
    let told = walk(&bench.azure, &Segment::Any, 100).await;
    assert!(told.len() < 10 && !told.is_empty());
}
