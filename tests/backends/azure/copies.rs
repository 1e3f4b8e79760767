//! Copies: their life, each rule in its own name, and one copy however often the reply is lost.

use super::fixture::*;

#[tokio::test]
async fn a_copy_goes_from_creating_over_copying_to_ready() {
    let bench = bench(|_| {});
    let fresh = bench.fresh_target().await;
    let name = format!("{fresh}/restorePoints/c");
    let checked = bench.azure.copy(&order(DAY1, &name), WriteMode::ValidateOnly).await.unwrap();
    assert_eq!(bench.puts(), 0);
    let started = bench.copy(DAY1, &name).await.unwrap();
    assert_eq!(started.point.name, checked.point.name);
    assert_eq!(started.point.uid, checked.point.uid);
    assert_eq!(started.point.point_time, checked.point.point_time);
    assert_eq!(started.point.location, checked.point.location);
    assert_eq!(started.point.state, State::Creating);
    assert!(started.operation.as_ref().unwrap().0.len() > 2000);

    let copy = point(&name);
    bench.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(bench.get(&copy).await.state, State::Copying);
    bench.clock.advance(SignedDuration::from_mins(20));
    let running = bench.get(&copy).await;
    let percent = running.copy_progress_percent.unwrap();
    assert!(running.state == State::Copying && (1..100).contains(&percent), "{running:?}");
    assert!(running.disks.iter().any(|disk| disk.progress_percent.is_some()));
    bench.clock.advance(SignedDuration::from_hours(1));
    let ready = bench.azure.get(&copy, View::Basic).await.unwrap();
    assert_eq!((ready.state, ready.copy_progress_percent), (State::Ready, Some(100)));
}

#[tokio::test]
async fn a_copy_is_made_once() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let first = bench.copy(DAY1, &name).await.unwrap();
    let again = bench.copy(DAY1, &name).await.unwrap();
    assert_eq!((&again.point.uid, &again.operation), (&first.point.uid, &first.operation));
    let elsewhere = bench.replica().copy(&order(DAY1, &name), WriteMode::Execute).await.unwrap();
    assert_eq!((&elsewhere.point.uid, &elsewhere.operation), (&first.point.uid, &None));
    assert_eq!(bench.puts(), 1);
    for source in [DAY2, "rg-prod~none/restorePoints/x"] {
        let error = bench.copy(source, &name).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn each_rule_is_refused_by_its_name_before_anything_is_written() {
    let bench = bench(|_| {});
    let fresh = bench.fresh_target().await;
    let into = |collection: &str| format!("{collection}/restorePoints/new");
    let west = into("rg-prod~rpc-db01-westus");
    let rule_of =
        async |source: &str, target: &str| rule(&bench.copy(source, target).await.unwrap_err());
    assert_eq!(rule_of(DONE, &into(&fresh)).await, "COPY_OF_COPY");
    assert_eq!(rule_of(DAY1, &into("rg-prod~rpc-empty")).await, "WRONG_DESTINATION");
    assert_eq!(rule_of(DAY1, &west).await, "ALREADY_COPIED");
    let error = bench.copy(DAY3, &west).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    bench.clock.advance(SignedDuration::from_hours(2));
    bench.copy(DAY3, &into(&fresh)).await.unwrap();
    let puts = bench.puts();
    let late = format!("{fresh}/restorePoints/late");
    let error = bench.copy(DAY2, &late).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    bench.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(rule_of(DAY2, &late).await, "COPY_ORDER");

    let not_found =
        async |source: &str, target: &str| match bench.copy(source, target).await.unwrap_err() {
            Error::NotFound { field, .. } => field.unwrap(),
            other => panic!("{other:?}"),
        };
    assert_eq!(not_found("rg-prod~rpc-db01/restorePoints/none", &late).await, "source");
    assert_eq!(not_found(DAY1, &into("rg-prod~none")).await, "destination");
    assert_eq!(bench.puts(), puts);
}

#[tokio::test]
async fn a_failed_disk_fails_the_copy() {
    let bench = bench(|_| {});
    assert_eq!(bench.get(&point(RUNNING)).await.state, State::Copying);
    let id = &bench.vendor.seeded().running_copy;
    assert!(bench.vendor.fail_replication(id, &bench.vendor.seeded().failed_disk));
    let failed = bench.get(&point(RUNNING)).await;
    assert_eq!((failed.state, failed.copy_progress_percent), (State::Failed, None));
    assert!(failed.failure.unwrap().message.contains("delete"));
    let west = Segment::Id("rg-prod~rpc-db01-westus".to_owned());
    assert_eq!(walk(&bench.azure, &west, 9).await[1].state, State::Failed);
}

#[tokio::test]
async fn the_operation_tells_why_a_copy_failed() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let (code, message) = ("VMRestorePointInternalError".to_owned(), "it broke".to_owned());
    bench.fault(
        Method::PUT,
        "restorepoints/c",
        1,
        Fault::vendor(VendorFault::FailCreation { code, message }),
    );
    let operation = bench.copy(DAY1, &name).await.unwrap().operation.unwrap();
    bench.clock.advance(SignedDuration::from_mins(1));

    let copy = point(&name);
    let here = bench.get(&copy).await.failure.unwrap();
    assert_eq!(
        (here.code.as_str(), here.message.as_str()),
        ("VMRestorePointInternalError", "it broke")
    );
    let replica = bench.replica();
    let there = poll(&replica, &copy, Some(&operation)).await.unwrap();
    assert_eq!((there.state, there.failure), (State::Failed, Some(here)));
    let unknown = poll(&replica, &copy, None).await.unwrap().failure.unwrap();
    assert!(unknown.code.is_empty() && unknown.message.contains("operation"), "{unknown:?}");

    let foreign = Operation(operation.0.replacen("localhost", "127.0.0.1", 1));
    let before = bench.vendor.calls().count(&Method::GET, Kind::Operation);
    let refused = poll(&replica, &copy, Some(&foreign)).await.unwrap().failure.unwrap();
    assert!(refused.code.is_empty());
    assert_eq!(bench.vendor.calls().count(&Method::GET, Kind::Operation), before);

    bench.fault(Method::GET, "/operations/", 3, Fault::error(StatusCode::BAD_GATEWAY));
    let later = poll(&replica, &copy, Some(&operation)).await.unwrap_err();
    assert!(matches!(later, Error::Unavailable { .. }), "{later:?}");
    bench.clock.advance(SignedDuration::from_hours(48));
    let forgotten = poll(&replica, &copy, Some(&operation)).await.unwrap().failure.unwrap();
    assert!(forgotten.message.contains("no longer"), "{forgotten:?}");
}

#[tokio::test]
async fn a_lost_reply_is_looked_after() {
    let bench = bench(|_| {});
    bench.fault(Method::PUT, "fresh", 1, Fault::lose_reply());
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    bench.fault(Method::PUT, "restorepoints/c", 1, Fault::lose_reply());
    assert_eq!(bench.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
    assert_eq!(bench.puts(), 1, "it had its effect, so it is not sent again");

    bench.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/c", "restorePoints/d");
    bench.fault(Method::PUT, "restorepoints/d", 1, Fault::error(StatusCode::GATEWAY_TIMEOUT));
    bench.copy(DAY2, &name).await.unwrap();
    assert_eq!(bench.puts(), 3, "it had none, so it is sent once more");

    bench.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/d", "restorePoints/e");
    bench.fault(Method::PUT, "restorepoints/e", 9, Fault::error(StatusCode::BAD_GATEWAY));
    let error = bench.copy(DAY3, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.puts(), 5);
}

#[tokio::test]
async fn an_accepted_write_with_a_broken_body_is_accepted() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let html = Canned { status: 201, headers: Vec::new(), body: "<html>".into() };
    bench.fault(Method::PUT, "restorepoints/c", 1, Fault::canned(html));
    // Canned answers have no effect, so that what was accepted is not there.
    let error = bench.copy(DAY1, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.puts(), 1);
}

#[tokio::test]
async fn arms_own_refusals_are_told_with_its_words() {
    let bench = bench(|_| {});
    let name = format!("{}/restorePoints/c", bench.fresh_target().await);
    let answer = |status, headers: &[(&str, &str)], message: &str| {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let body = format!(r#"{{"error":{{"code":"OperationNotAllowed","message":"{message}"}}}}"#);
        Fault::canned(Canned { status, headers, body: body.into() })
    };
    let told = async |fault| {
        bench.fault(Method::PUT, "restorepoints/c", 1, fault);
        bench.copy(DAY1, &name).await.unwrap_err()
    };
    let error = told(answer(409, &[], "Not on Sundays.")).await;
    assert_eq!(rule(&error), "VENDOR_REFUSED");
    assert!(error.to_string().contains("OperationNotAllowed: Not on Sundays."), "{error}");
    assert_eq!(rule(&told(answer(400, &[], "Bad.")).await), "VENDOR_REFUSED");
    let error = told(answer(409, &[], "A concurrent operation runs.")).await;
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    let error = told(Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 3)).await;
    assert!(matches!(error, Error::Throttled { .. }), "{error:?}");
    match told(answer(429, &[("retry-after", "1200")], "Quota.")).await {
        Error::QuotaExhausted { subject, retry_after, .. } => {
            assert_eq!(subject, "backends/az/collections/rg-prod~fresh");
            assert_eq!(retry_after.unwrap().as_secs(), 1200);
        }
        other => panic!("{other:?}"),
    }
    let error = told(Fault::error(StatusCode::FORBIDDEN)).await;
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(bench.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
}

#[tokio::test]
async fn the_quota_of_copies_is_told() {
    let bench = bench(|world| world.replication = SignedDuration::from_secs(1));
    let fresh = bench.fresh_target().await;
    for number in 1..=4 {
        let source = format!("rg-prod~rpc-db01/restorePoints/db01-day{number}");
        let result = bench.copy(&source, &format!("{fresh}/restorePoints/c{number}")).await;
        bench.clock.advance(SignedDuration::from_mins(11));
        match (number, result) {
            (1..=3, Ok(_)) | (4, Err(Error::QuotaExhausted { .. })) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}
