#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tokio::time::advance;

use super::*;

const S: Duration = Duration::from_secs(1);

fn fail(breaker: &Arc<CircuitBreaker>) {
    breaker.acquire().unwrap().failure("no response".to_owned());
}

/// Ten requests in a row, one after the other, without a response.
async fn open_breaker() -> Arc<CircuitBreaker> {
    let breaker = Arc::<CircuitBreaker>::default();
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    breaker
}

/// Advances the clock until the breaker is half-open; returns how long that took.
async fn until_half_open(breaker: &Arc<CircuitBreaker>) -> Duration {
    let retry_after = breaker.check().unwrap_err().retry_after;
    advance(retry_after - Duration::from_nanos(1)).await;
    assert!(breaker.acquire().is_err(), "half-open too early");
    advance(Duration::from_nanos(1)).await;
    retry_after
}

#[tokio::test(start_paused = true)]
async fn ten_consecutive_requests_without_a_response_open_it() {
    let breaker = Arc::<CircuitBreaker>::default();
    for _ in 0..20 {
        for _ in 0..9 {
            advance(S).await;
            fail(&breaker);
        }
        breaker.acquire().unwrap().success();
    }
    let before = Timestamp::now();
    let breaker = open_breaker().await;
    let CircuitOpen { since, retry_after, last_error } = breaker.acquire().unwrap_err();
    assert!((S..=S * 5 / 4).contains(&retry_after), "{retry_after:?}");
    assert_eq!(last_error, "no response");
    assert!(since.as_second() >= before.as_second() && since <= Timestamp::now());
    assert!(breaker.check().is_err());
}

#[tokio::test(start_paused = true)]
async fn requests_that_fail_with_one_connection_do_not_open_it() {
    let breaker = Arc::<CircuitBreaker>::default();
    let permits: Vec<_> = (0..100).map(|_| breaker.acquire().unwrap()).collect();
    advance(S).await;
    for permit in permits {
        permit.failure("connection reset".to_owned());
    }
    breaker.check().unwrap();
    // The next request shows that the vendor is down.
    advance(S).await;
    fail(&breaker);
    breaker.check().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn half_open_one_request_probes_and_the_others_are_refused() {
    let breaker = open_breaker().await;
    until_half_open(&breaker).await;
    breaker.check().unwrap();
    let probe = breaker.acquire().unwrap();
    for _ in 0..3 {
        assert_eq!(breaker.acquire().unwrap_err().retry_after, RETRY_DURING_PROBE);
        assert_eq!(breaker.check().unwrap_err().retry_after, RETRY_DURING_PROBE);
        advance(20 * S).await;
    }
    probe.success();
    let permits: Vec<_> = (0..100).map(|_| breaker.acquire().unwrap()).collect();
    // The failures before the response do not count any more.
    permits.into_iter().take(9).for_each(|permit| permit.failure(String::new()));
    breaker.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_failed_probe_doubles_the_pause_up_to_the_maximum() {
    let breaker = open_breaker().await;
    let since = breaker.check().unwrap_err().since;
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        let pause = until_half_open(&breaker).await;
        assert!((S * seconds..=S * seconds * 5 / 4).contains(&pause), "{seconds} {pause:?}");
        fail(&breaker);
    }
    assert_eq!(breaker.check().unwrap_err().since, since, "it is one outage");
    until_half_open(&breaker).await;
    breaker.acquire().unwrap().success();
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    assert!(until_half_open(&breaker).await <= S * 5 / 4, "the next outage starts again");
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_gives_up_is_followed_by_the_next_request() {
    let breaker = open_breaker().await;
    until_half_open(&breaker).await;
    let abandoned = breaker.acquire().unwrap();
    breaker.acquire().unwrap_err();
    drop(abandoned);
    let probe = breaker.acquire().unwrap();
    breaker.acquire().unwrap_err();
    probe.success();
    breaker.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_from_before_closes_it_with_its_response_but_its_failure_prolongs_nothing() {
    let breaker = Arc::<CircuitBreaker>::default();
    let [answered, unanswered] = [(); 2].map(|()| breaker.acquire().unwrap());
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    let end = Instant::now() + breaker.check().unwrap_err().retry_after;
    unanswered.failure("late".to_owned());
    let refused = breaker.check().unwrap_err();
    assert_eq!((Instant::now() + refused.retry_after, refused.last_error.as_str()), (end, "late"));
    answered.success();
    breaker.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_given_up_count_once_the_witness_has_no_response() {
    let breaker = Arc::<CircuitBreaker>::default();
    let permits: Vec<_> = (0..10).map(|_| breaker.acquire().unwrap()).collect();
    let witnesses: Vec<_> = permits.iter().filter_map(Permit::give_up).collect();
    assert_eq!(witnesses.len(), 1, "one request goes on");
    breaker.check().unwrap();
    permits.into_iter().next().unwrap().silence("no response".to_owned());
    breaker.check().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_given_up_do_not_count_once_the_witness_has_a_response() {
    let breaker = Arc::<CircuitBreaker>::default();
    for _ in 0..10 {
        let permits: Vec<_> = (0..10).map(|_| breaker.acquire().unwrap()).collect();
        let witness: Vec<_> = permits.iter().filter_map(Permit::give_up).collect();
        permits.into_iter().next().unwrap().success();
        drop(witness);
        breaker.check().unwrap();
    }
    fail(&breaker);
    breaker.check().unwrap();
}
