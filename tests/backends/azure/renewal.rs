//! The life of a token, counted at the token endpoint: fetched by one call for all, renewed before its end,
//! used as long as it holds, and replaced once when it is taken back.

use std::time::Duration;

use futures::future::join_all;

use super::fixture::*;

/// A bench whose tokens live so long.
fn lasting(seconds: u64) -> Bench {
    bench_with(
        |world| world.token_lifetime = Duration::from_secs(seconds),
        |vendor| Credential::ClientSecret {
            tenant_id: vendor.tenant_id().to_owned(),
            client_id: vendor.client_id().to_owned(),
            secret: vendor.client_secret().into(),
        },
    )
}

impl Bench {
    fn token_requests(&self) -> usize {
        self.vendor.calls().count(&Method::POST, Kind::Token)
    }

    /// So many reads at once, all of which succeed.
    async fn reads(&self, count: usize) {
        let day = point(DAY1);
        let reads = join_all((0..count).map(|_| self.azure.get(&day, View::Basic))).await;
        for read in reads {
            read.unwrap();
        }
    }

    /// The token endpoint fails so often.
    fn authority_down(&self, times: usize) {
        let html = Canned { status: 503, headers: Vec::new(), body: "<html>".into() };
        self.vendor.inject(Matching::path("/oauth2/"), times, Fault::canned(html));
    }
}

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let bench = lasting(3599);
    bench.reads(40).await;
    bench.reads(40).await;
    assert_eq!(bench.token_requests(), 1);
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_once_by_one_call() {
    let bench = lasting(200);
    bench.reads(1).await;
    assert_eq!(bench.token_requests(), 1);
    bench.reads(40).await;
    assert_eq!(bench.token_requests(), 2);
    // The new one is as near to its end: that is no reason to fetch one for each call.
    bench.reads(40).await;
    assert_eq!(bench.token_requests(), 2);
}

#[tokio::test]
async fn no_call_fails_while_the_old_token_holds() {
    let bench = lasting(200);
    bench.reads(1).await;
    bench.authority_down(100);
    bench.reads(40).await;
    bench.reads(1).await;
    bench.fresh_target().await;
    assert_eq!(bench.token_requests(), 2, "one attempt to renew it, then a pause");
}

#[tokio::test]
async fn a_token_about_to_end_is_not_sent_any_more() {
    let bench = lasting(5);
    for count in 1..=3 {
        bench.reads(1).await;
        assert_eq!(bench.token_requests(), count);
    }
    bench.authority_down(3);
    let error = bench.azure.get(&point(DAY1), View::Basic).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_taken_back_early_is_replaced_once() {
    let bench = lasting(3599);
    bench.reads(1).await;
    bench.vendor.revoke_tokens();
    bench.reads(40).await;
    assert_eq!(bench.token_requests(), 2);

    bench.vendor.revoke_tokens();
    bench.fresh_target().await;
    assert_eq!(bench.token_requests(), 3);
}

#[tokio::test]
async fn a_token_taken_back_while_none_can_be_had_is_an_outage() {
    let bench = lasting(3599);
    bench.reads(1).await;
    bench.vendor.revoke_tokens();
    bench.authority_down(3);
    let error = bench.azure.get(&point(DAY1), View::Basic).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    bench.reads(1).await;
}
