//! Copies: their states, the rule of each rejection, and lost responses, which never start a second copy.

use super::fixture::*;

#[tokio::test]
async fn a_copy_is_creating_then_copying_then_ready() {
    let fixture = AzureFixture::start();
    let fresh = fixture.create_target().await;
    let name = format!("{fresh}/restorePoints/c");
    let preview =
        fixture.azure.copy(&new_copy(DAY1, &name), WriteMode::ValidateOnly).await.unwrap();
    assert_eq!(fixture.point_puts(), 0);
    let started = fixture.copy(DAY1, &name).await.unwrap();
    assert_eq!(started.point.name, preview.point.name);
    assert_eq!(started.point.uid, preview.point.uid);
    assert_eq!(started.point.point_time, preview.point.point_time);
    assert_eq!(started.point.location, preview.point.location);
    assert_eq!(started.point.state, State::Creating);
    assert!(started.operation.as_ref().unwrap().0.len() > 2000);

    let copy = point(&name);
    fixture.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(fixture.get(&copy).await.state, State::Copying);
    fixture.clock.advance(SignedDuration::from_mins(20));
    let running = fixture.get(&copy).await;
    let percent = running.copy_progress_percent.unwrap();
    assert!(running.state == State::Copying && (1..100).contains(&percent), "{running:?}");
    assert!(running.disks.iter().any(|disk| disk.progress_percent.is_some()));
    fixture.clock.advance(SignedDuration::from_hours(1));
    let ready = fixture.azure.get(&copy, View::Basic).await.unwrap();
    assert_eq!((ready.state, ready.copy_progress_percent), (State::Ready, Some(100)));
}

#[tokio::test]
async fn a_copy_is_created_once() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let first = fixture.copy(DAY1, &name).await.unwrap();
    let again = fixture.copy(DAY1, &name).await.unwrap();
    assert_eq!((&again.point.uid, &again.operation), (&first.point.uid, &first.operation));
    let by_replica =
        fixture.replica().copy(&new_copy(DAY1, &name), WriteMode::Execute).await.unwrap();
    assert_eq!((&by_replica.point.uid, &by_replica.operation), (&first.point.uid, &None));
    assert_eq!(fixture.point_puts(), 1);
    for source in [DAY2, "rg-prod~none/restorePoints/x"] {
        let error = fixture.copy(source, &name).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

/// Which 404 it is, only its body tells.
#[tokio::test]
async fn a_404_whose_body_is_interrupted_is_read_again() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let interrupted = |body: &'static str| {
        let headers = vec![("content-length".to_owned(), "4096".to_owned())];
        Fault::canned(Canned { status: 404, headers, body: body.into() })
    };
    fixture.fault(Method::GET, "restorepoints/c", 1, interrupted(r#"{"error":{"code":"NotF"#));
    fixture.fault(Method::PUT, "restorepoints/c", 1, interrupted(r#"{"error":{"#));
    let first = fixture.copy(DAY1, &name).await.unwrap();
    assert_eq!(first.point.state, State::Creating);
    // The first of them had no effect.
    assert_eq!(fixture.point_puts(), 2);
}

#[tokio::test]
async fn a_copy_that_appears_after_the_first_look_for_it_is_the_answer() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let first = fixture.copy(DAY1, &name).await.unwrap();
    let absent = || {
        let body = r#"{"error":{"code":"NotFound","message":"The entity was not found."}}"#;
        Fault::canned(Canned { status: 404, headers: Vec::new(), body: body.into() })
    };
    // The first look comes before the copy of an equal call, the list of the collection after it.
    for _ in 0..2 {
        fixture.fault(Method::GET, "restorepoints/c", 1, absent());
        let again = fixture.copy(DAY1, &name).await.unwrap();
        assert_eq!(again.point.uid, first.point.uid);
        fixture.clock.advance(SignedDuration::from_hours(2));
    }
    assert_eq!(fixture.point_puts(), 1);
    // The same id with another source is no repeat.
    fixture.fault(Method::GET, "restorepoints/c", 1, absent());
    let error = fixture.copy(DAY2, &name).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    // Another id for the same source is none either.
    let error = fixture.copy(DAY1, &name.replace("restorePoints/c", "restorePoints/d")).await;
    assert_eq!(rule(&error.unwrap_err()), "ALREADY_COPIED");
    assert_eq!(fixture.point_puts(), 1);
}

#[tokio::test]
async fn each_violated_rule_is_named_before_anything_is_written() {
    let fixture = AzureFixture::start();
    let fresh = fixture.create_target().await;
    let into = |collection: &str| format!("{collection}/restorePoints/new");
    let west = into("rg-prod~rpc-db01-westus");
    let rule_of =
        async |source: &str, target: &str| rule(&fixture.copy(source, target).await.unwrap_err());
    assert_eq!(rule_of(DONE, &into(&fresh)).await, "COPY_OF_COPY");
    assert_eq!(rule_of(DAY1, &into("rg-prod~rpc-empty")).await, "WRONG_DESTINATION");
    assert_eq!(rule_of(DAY1, &west).await, "ALREADY_COPIED");
    let error = fixture.copy(DAY3, &west).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    fixture.clock.advance(SignedDuration::from_hours(2));
    fixture.copy(DAY3, &into(&fresh)).await.unwrap();
    let puts = fixture.point_puts();
    let late = format!("{fresh}/restorePoints/late");
    let error = fixture.copy(DAY2, &late).await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    fixture.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(rule_of(DAY2, &late).await, "COPY_ORDER");

    let not_found =
        async |source: &str, target: &str| match fixture.copy(source, target).await.unwrap_err() {
            Error::NotFound { field, .. } => field.unwrap(),
            other => panic!("{other:?}"),
        };
    assert_eq!(not_found("rg-prod~rpc-db01/restorePoints/none", &late).await, "source");
    assert_eq!(not_found(DAY1, &into("rg-prod~none")).await, "destination");
    assert_eq!(fixture.point_puts(), puts);
}

#[tokio::test]
async fn a_failed_disk_fails_the_copy() {
    let fixture = AzureFixture::start();
    assert_eq!(fixture.get(&point(RUNNING)).await.state, State::Copying);
    let id = &fixture.simulator.seeded().running_copy;
    assert!(fixture.simulator.fail_replication(id, &fixture.simulator.seeded().failed_disk));
    let failed = fixture.get(&point(RUNNING)).await;
    assert_eq!((failed.state, failed.copy_progress_percent), (State::Failed, None));
    assert!(failed.failure.unwrap().message.contains("delete"));
    let west = Segment::Id("rg-prod~rpc-db01-westus".to_owned());
    assert_eq!(list_all(&fixture.azure, &west, 9).await[1].state, State::Failed);
}

#[tokio::test]
async fn the_operation_has_the_reason_of_a_failed_copy() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let (code, message) = ("VMRestorePointInternalError".to_owned(), "it broke".to_owned());
    fixture.fault(
        Method::PUT,
        "restorepoints/c",
        1,
        Fault::vendor(VendorFault::FailCreation { code, message }),
    );
    let operation = fixture.copy(DAY1, &name).await.unwrap().operation.unwrap();
    fixture.clock.advance(SignedDuration::from_mins(1));

    let copy = point(&name);
    let here = fixture.get(&copy).await.failure.unwrap();
    assert_eq!(
        (here.code.as_str(), here.message.as_str()),
        ("VMRestorePointInternalError", "it broke")
    );
    let replica = fixture.replica();
    let there = poll(&replica, &copy, Some(&operation)).await.unwrap();
    assert_eq!((there.state, there.failure), (State::Failed, Some(here)));
    let unknown = poll(&replica, &copy, None).await.unwrap().failure.unwrap();
    assert!(unknown.code.is_empty() && unknown.message.contains("operation"), "{unknown:?}");

    let foreign = Operation(operation.0.replacen("localhost", "127.0.0.1", 1));
    let before = fixture.simulator.calls().count(&Method::GET, Kind::Operation);
    let refused = poll(&replica, &copy, Some(&foreign)).await.unwrap().failure.unwrap();
    assert!(refused.code.is_empty());
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::Operation), before);

    fixture.fault(Method::GET, "/operations/", 3, Fault::error(StatusCode::BAD_GATEWAY));
    let later = poll(&replica, &copy, Some(&operation)).await.unwrap_err();
    assert!(matches!(later, Error::Unavailable { .. }), "{later:?}");
    fixture.clock.advance(SignedDuration::from_hours(48));
    let forgotten = poll(&replica, &copy, Some(&operation)).await.unwrap().failure.unwrap();
    assert!(forgotten.message.contains("no longer"), "{forgotten:?}");
}

#[tokio::test]
async fn a_put_is_sent_again_only_if_its_lost_response_had_no_effect() {
    let fixture = AzureFixture::start();
    fixture.fault(Method::PUT, "fresh", 1, Fault::lose_reply());
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    fixture.fault(Method::PUT, "restorepoints/c", 1, Fault::lose_reply());
    assert_eq!(fixture.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
    assert_eq!(fixture.point_puts(), 1, "it had its effect and is not sent again");

    fixture.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/c", "restorePoints/d");
    fixture.fault(Method::PUT, "restorepoints/d", 1, Fault::error(StatusCode::GATEWAY_TIMEOUT));
    fixture.copy(DAY2, &name).await.unwrap();
    assert_eq!(fixture.point_puts(), 3, "it had no effect and is sent again once");

    fixture.clock.advance(SignedDuration::from_hours(2));
    let name = name.replace("restorePoints/d", "restorePoints/e");
    fixture.fault(Method::PUT, "restorepoints/e", 9, Fault::error(StatusCode::BAD_GATEWAY));
    let error = fixture.copy(DAY3, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(fixture.point_puts(), 5);
}

#[tokio::test]
async fn an_accepted_put_with_an_invalid_body_is_accepted() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let html = Canned { status: 201, headers: Vec::new(), body: "<html>".into() };
    fixture.fault(Method::PUT, "restorepoints/c", 1, Fault::canned(html));
    // A canned response has no effect, so the accepted point does not exist.
    let error = fixture.copy(DAY1, &name).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(fixture.point_puts(), 1);
}

#[tokio::test]
async fn rejections_by_arm_have_its_text() {
    let fixture = AzureFixture::start();
    let name = format!("{}/restorePoints/c", fixture.create_target().await);
    let response = |status, headers: &[(&str, &str)], message: &str| {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let body = format!(r#"{{"error":{{"code":"OperationNotAllowed","message":"{message}"}}}}"#);
        Fault::canned(Canned { status, headers, body: body.into() })
    };
    let error_for = async |fault| {
        fixture.fault(Method::PUT, "restorepoints/c", 1, fault);
        fixture.copy(DAY1, &name).await.unwrap_err()
    };
    let error = error_for(response(409, &[], "Not on Sundays.")).await;
    assert_eq!(rule(&error), "VENDOR_REFUSED");
    assert!(error.to_string().contains("OperationNotAllowed: Not on Sundays."), "{error}");
    assert_eq!(rule(&error_for(response(400, &[], "Bad.")).await), "VENDOR_REFUSED");
    let error = error_for(response(409, &[], "A concurrent operation runs.")).await;
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    let error = error_for(Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 3)).await;
    assert!(matches!(error, Error::Throttled { .. }), "{error:?}");
    fixture.after_backoff().await;
    match error_for(response(429, &[("retry-after", "1200")], "Quota.")).await {
        Error::QuotaExhausted { subject, retry_after, .. } => {
            assert_eq!(subject, "backends/az/collections/rg-prod~fresh");
            assert_eq!(retry_after.unwrap().as_secs(), 1200);
        }
        other => panic!("{other:?}"),
    }
    let error = error_for(Fault::error(StatusCode::FORBIDDEN)).await;
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(fixture.copy(DAY1, &name).await.unwrap().point.state, State::Creating);
}

#[tokio::test]
async fn the_hourly_quota_of_copies_is_reported() {
    let fixture =
        AzureFixture::start_with(|simulator| simulator.replication = SignedDuration::from_secs(1));
    let fresh = fixture.create_target().await;
    for number in 1..=4 {
        let source = format!("rg-prod~rpc-db01/restorePoints/db01-day{number}");
        let result = fixture.copy(&source, &format!("{fresh}/restorePoints/c{number}")).await;
        fixture.clock.advance(SignedDuration::from_mins(11));
        match (number, result) {
            (1..=3, Ok(_)) | (4, Err(Error::QuotaExhausted { .. })) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}
