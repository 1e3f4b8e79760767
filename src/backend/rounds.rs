//! Identical reads that come at once are one read, and none is answered with what was read before it came.
//!
//! A call that comes while the same read is under way waits for the next one, which all that wait share:
//! however many callers, at most two reads a round trip.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::model::Error;

type Round<V> = BoxFuture<'static, Result<V, Error>>;
type Lines<K, V> = Arc<Mutex<HashMap<K, Line<V>>>>;

/// Reads by what they ask for. A round is driven by whoever waits for it, and ends when nobody does.
#[derive(Debug)]
pub(super) struct Rounds<K, V> {
    lines: Lines<K, V>,
}

/// Who waits for one and the same thing.
#[derive(Debug)]
struct Line<V> {
    /// Held by the round that is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The round that has not begun: newcomers join it.
    open: Option<WeakShared<Round<V>>>,
}

impl<K, V> Rounds<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self { lines: Lines::default() }
    }

    /// Reads what `key` stands for, together with all who ask for the same.
    ///
    /// # Errors
    /// Those of the read, to each who shares it.
    pub(super) async fn join(
        &self,
        key: K,
        read: impl FnOnce() -> Round<V> + Send + 'static,
    ) -> Result<V, Error> {
        let _leaving = Leaving { lines: &self.lines, key: &key };
        self.round(&key, read).await
    }

    fn round(&self, key: &K, read: impl FnOnce() -> Round<V> + Send + 'static) -> Shared<Round<V>> {
        let mut lines = lock(&self.lines);
        let line =
            lines.entry(key.clone()).or_insert_with(|| Line { turn: Arc::default(), open: None });
        if let Some(round) = line.open.as_ref().and_then(WeakShared::upgrade) {
            return round;
        }
        let (turn, lines, key) = (Arc::clone(&line.turn), Arc::clone(&self.lines), key.clone());
        let round = async move {
            let _turn = turn.lock().await;
            // Whoever comes from here on may know of something newer than what is read now.
            if let Some(line) = lock(&lines).get_mut(&key) {
                line.open = None;
            }
            read().await
        };
        let round = round.boxed().shared();
        line.open = round.downgrade();
        round
    }
}

/// Forgets a line when the last of it has left, or has been cancelled.
struct Leaving<'a, K: Eq + Hash, V> {
    lines: &'a Mutex<HashMap<K, Line<V>>>,
    key: &'a K,
}

impl<K: Eq + Hash, V> Drop for Leaving<'_, K, V> {
    fn drop(&mut self) {
        let mut lines = lock(self.lines);
        let Some(line) = lines.get(self.key) else { return };
        let is_open = line.open.as_ref().is_some_and(|open| open.upgrade().is_some());
        if !is_open && line.turn.try_lock().is_ok() {
            lines.remove(self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::{join_all, poll_immediate};
    use tokio::sync::Semaphore;

    use super::*;

    /// Something that is read a step at a time, and changes with each reading.
    struct Source {
        begun: AtomicUsize,
        answers: Semaphore,
    }

    impl Source {
        fn new() -> Arc<Self> {
            Arc::new(Self { begun: AtomicUsize::new(0), answers: Semaphore::new(0) })
        }

        fn read(self: &Arc<Self>) -> impl FnOnce() -> Round<usize> + Send + 'static + use<> {
            let source = Arc::clone(self);
            || {
                async move {
                    let number = source.begun.fetch_add(1, Ordering::SeqCst);
                    source.answers.acquire().await.unwrap().forget();
                    Ok(number)
                }
                .boxed()
            }
        }
    }

    #[tokio::test]
    async fn however_many_ask_at_once_there_are_two_reads() {
        let (source, rounds) = (Source::new(), Rounds::new());
        let mut first = Box::pin(rounds.join((), source.read()));
        assert!(poll_immediate(&mut first).await.is_none());
        // The first is under way: these come too late for it.
        let mut others = Box::pin(join_all((0..100).map(|_| rounds.join((), source.read()))));
        assert!(poll_immediate(&mut others).await.is_none());
        assert_eq!(source.begun.load(Ordering::SeqCst), 1);
        source.answers.add_permits(2);
        assert_eq!(first.await, Ok(0));
        assert!(others.await.iter().all(|answer| *answer == Ok(1)));
        assert_eq!(source.begun.load(Ordering::SeqCst), 2);
        assert!(lock(&rounds.lines).is_empty(), "nothing is kept");
    }

    #[tokio::test]
    async fn nobody_is_answered_with_what_was_read_before_he_came() {
        let (source, rounds) = (Source::new(), Rounds::new());
        source.answers.add_permits(3);
        for expected in 0..3 {
            assert_eq!(rounds.join((), source.read()).await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn one_who_gives_up_takes_nobody_with_him() {
        let (source, rounds) = (Source::new(), Rounds::new());
        let mut first = Box::pin(rounds.join((), source.read()));
        assert!(poll_immediate(&mut first).await.is_none());
        let mut second = Box::pin(rounds.join((), source.read()));
        let mut third = Box::pin(rounds.join((), source.read()));
        assert!(poll_immediate(&mut second).await.is_none());
        assert!(poll_immediate(&mut third).await.is_none());
        drop((first, second));
        source.answers.add_permits(1);
        assert_eq!(third.await, Ok(1));
        assert!(lock(&rounds.lines).is_empty());
    }

    #[tokio::test]
    async fn other_things_are_other_reads() {
        let (source, rounds) = (Source::new(), Rounds::new());
        source.answers.add_permits(2);
        let both = futures::join!(rounds.join(1, source.read()), rounds.join(2, source.read()));
        assert_eq!(both, (Ok(0), Ok(1)));
    }
}
