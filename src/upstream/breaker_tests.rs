#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tokio::time::advance;

use super::*;

const S: Duration = Duration::from_secs(1);

fn fail(breaker: &Breaker) {
    breaker.pass().unwrap().unanswered("it is away".to_owned());
}

/// A vendor that has not answered ten calls, one after the other.
async fn open() -> Breaker {
    let breaker = Breaker::default();
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    breaker
}

/// Waits until a call is worth a try; how long that was.
async fn rest(breaker: &Breaker) -> Duration {
    let again = breaker.look().unwrap_err().again;
    advance(again - Duration::from_nanos(1)).await;
    assert!(breaker.pass().is_err(), "not before its time");
    advance(Duration::from_nanos(1)).await;
    again
}

#[tokio::test(start_paused = true)]
async fn ten_calls_in_a_row_without_an_answer_are_enough() {
    let breaker = Breaker::default();
    for _ in 0..20 {
        for _ in 0..9 {
            advance(S).await;
            fail(&breaker);
        }
        breaker.pass().unwrap().answered();
    }
    let before = Timestamp::now();
    let breaker = open().await;
    let Outage { since, again, last } = breaker.pass().unwrap_err();
    assert!((S..=S * 5 / 4).contains(&again), "{again:?}");
    assert_eq!(last, "it is away");
    assert!(since.as_second() >= before.as_second() && since <= Timestamp::now());
    assert!(breaker.look().is_err());
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_together_are_one_accident() {
    let breaker = Breaker::default();
    let together: Vec<_> = (0..100).map(|_| breaker.pass().unwrap()).collect();
    advance(S).await;
    for pass in together {
        pass.unanswered("the connection broke".to_owned());
    }
    breaker.look().unwrap();
    // The next one tells.
    advance(S).await;
    fail(&breaker);
    breaker.look().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn one_tries_and_the_others_wait_for_what_becomes_of_it() {
    let breaker = open().await;
    rest(&breaker).await;
    breaker.look().unwrap();
    let trial = breaker.pass().unwrap();
    for _ in 0..3 {
        assert_eq!(breaker.pass().unwrap_err().again, TRIAL);
        assert_eq!(breaker.look().unwrap_err().again, TRIAL);
        advance(20 * S).await;
    }
    trial.answered();
    let passes: Vec<_> = (0..100).map(|_| breaker.pass().unwrap()).collect();
    // What was before is forgotten.
    passes.into_iter().take(9).for_each(|pass| pass.unanswered(String::new()));
    breaker.look().unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_vain_trial_makes_the_rest_longer_up_to_a_bound() {
    let breaker = open().await;
    let since = breaker.look().unwrap_err().since;
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        let rest = rest(&breaker).await;
        assert!((S * seconds..=S * seconds * 5 / 4).contains(&rest), "{seconds} {rest:?}");
        fail(&breaker);
    }
    assert_eq!(breaker.look().unwrap_err().since, since, "it is one outage");
    rest(&breaker).await;
    breaker.pass().unwrap().answered();
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    assert!(rest(&breaker).await <= S * 5 / 4, "another outage begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_is_given_up_makes_room_for_the_next() {
    let breaker = open().await;
    rest(&breaker).await;
    let given_up = breaker.pass().unwrap();
    breaker.pass().unwrap_err();
    drop(given_up);
    let trial = breaker.pass().unwrap();
    breaker.pass().unwrap_err();
    trial.answered();
    breaker.look().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_ends_the_rest_by_its_answer_but_lengthens_it_by_nothing() {
    let breaker = Breaker::default();
    let [answered, unanswered] = [(); 2].map(|()| breaker.pass().unwrap());
    for _ in 0..10 {
        advance(S).await;
        fail(&breaker);
    }
    let end = Instant::now() + breaker.look().unwrap_err().again;
    unanswered.unanswered("late".to_owned());
    let told = breaker.look().unwrap_err();
    assert_eq!((Instant::now() + told.again, told.last.as_str()), (end, "late"));
    answered.answered();
    breaker.look().unwrap();
}
