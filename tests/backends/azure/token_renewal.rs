//! Access tokens, counted at the token endpoint: fetched by one call for all, renewed ahead of expiry, used as long as they
//! are valid, and replaced once when they are revoked.

use std::time::Duration;

use futures::future::join_all;

use super::fixture::*;

/// A fixture with tokens of this lifetime.
fn with_token_lifetime(seconds: u64) -> AzureFixture {
    AzureFixture::start_with_credential(
        |simulator| simulator.token_lifetime = Duration::from_secs(seconds),
        |simulator| Credential::ClientSecret {
            tenant_id: simulator.tenant_id().to_owned(),
            client_id: simulator.client_id().to_owned(),
            secret: simulator.client_secret().into(),
        },
    )
}

impl AzureFixture {
    fn token_requests(&self) -> usize {
        self.simulator.calls().count(&Method::POST, Kind::Token)
    }

    /// Concurrent reads, which all succeed.
    async fn reads(&self, count: usize) {
        let day = point(DAY1);
        let reads = join_all((0..count).map(|_| self.azure.get(&day, View::Basic))).await;
        for read in reads {
            read.unwrap();
        }
    }

    /// Makes the next requests to the token endpoint fail.
    fn fail_authority(&self, times: usize) {
        let html = Canned { status: 503, headers: Vec::new(), body: "<html>".into() };
        self.simulator.inject(Matching::path("/oauth2/"), times, Fault::canned(html));
    }
}

#[tokio::test]
async fn concurrent_calls_fetch_one_token() {
    let fixture = with_token_lifetime(3599);
    fixture.reads(40).await;
    fixture.reads(40).await;
    assert_eq!(fixture.token_requests(), 1);
}

#[tokio::test]
async fn a_token_near_its_expiry_is_renewed_once_by_one_call() {
    let fixture = with_token_lifetime(200);
    fixture.reads(1).await;
    assert_eq!(fixture.token_requests(), 1);
    fixture.reads(40).await;
    assert_eq!(fixture.token_requests(), 2);
    // The new one is as near to its expiry, and not renewed by each call.
    fixture.reads(40).await;
    assert_eq!(fixture.token_requests(), 2);
}

#[tokio::test]
async fn no_call_fails_while_the_old_token_is_valid() {
    let fixture = with_token_lifetime(200);
    fixture.reads(1).await;
    fixture.fail_authority(100);
    fixture.reads(40).await;
    fixture.reads(1).await;
    fixture.create_target().await;
    assert_eq!(fixture.token_requests(), 2, "one attempt to renew it, then a pause");
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_is_not_sent() {
    let fixture = with_token_lifetime(5);
    for count in 1..=3 {
        fixture.reads(1).await;
        assert_eq!(fixture.token_requests(), count);
    }
    fixture.fail_authority(3);
    let error = fixture.azure.get(&point(DAY1), View::Basic).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once() {
    let fixture = with_token_lifetime(3599);
    fixture.reads(1).await;
    fixture.simulator.revoke_tokens();
    fixture.reads(40).await;
    assert_eq!(fixture.token_requests(), 2);

    fixture.simulator.revoke_tokens();
    fixture.create_target().await;
    assert_eq!(fixture.token_requests(), 3);
}

#[tokio::test]
async fn a_revoked_token_without_a_new_one_makes_the_backend_unavailable() {
    let fixture = with_token_lifetime(3599);
    fixture.reads(1).await;
    fixture.simulator.revoke_tokens();
    fixture.fail_authority(3);
    let error = fixture.azure.get(&point(DAY1), View::Basic).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    fixture.after_backoff().await;
    fixture.reads(1).await;
}

#[tokio::test]
async fn concurrent_calls_share_a_failed_token_request() {
    for (status, attempts) in [(401, 1), (503, 3)] {
        let fixture = with_token_lifetime(3599);
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#;
        let canned = Canned { status, headers: Vec::new(), body: body.into() };
        fixture.simulator.inject(Matching::path("/oauth2/"), 1000, Fault::canned(canned));
        let day = point(DAY1);
        let reads = join_all((0..100).map(|_| fixture.azure.get(&day, View::Basic))).await;
        assert!(reads.iter().all(Result::is_err));
        // Each retry of the hundred reads shares an attempt with some others.
        let requests = fixture.token_requests();
        assert!((1..=attempts * 3).contains(&requests), "{status}: {requests} token requests");
    }
}

#[tokio::test]
async fn a_call_that_gives_up_does_not_cancel_the_token_request() {
    let fixture = with_token_lifetime(3599);
    let slow = Fault::latency(Duration::from_millis(300));
    fixture.simulator.inject(Matching::path("/oauth2/"), 1, slow);
    let day = point(DAY1);
    let requested = async {
        while fixture.token_requests() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = requested => {}
        read = fixture.azure.get(&day, View::Basic) => drop(read.unwrap()),
    }
    fixture.reads(1).await;
    assert_eq!(fixture.token_requests(), 1);
}
