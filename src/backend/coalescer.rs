//! Coalesces identical concurrent reads into one.
//!
//! A call that arrives while the same read is in flight joins the next flight, which all waiting calls share. So at most
//! two reads a round trip, however many calls; and no call gets the result of a read that began before it arrived.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::model::Error;

type Flight<V> = BoxFuture<'static, Result<V, Error>>;
type Slots<K, V> = Arc<Mutex<HashMap<K, Slot<V>>>>;

/// Reads by key. A flight is driven by the calls that wait for it, and is dropped with the last of them.
#[derive(Debug)]
pub(super) struct Coalescer<K, V> {
    slots: Slots<K, V>,
}

/// The flights of one key.
#[derive(Debug)]
struct Slot<V> {
    /// Held by the flight that is running.
    in_flight: Arc<tokio::sync::Mutex<()>>,
    /// The flight that has not started: new calls join it.
    queued: Option<WeakShared<Flight<V>>>,
}

impl<K, V> Coalescer<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self { slots: Slots::default() }
    }

    /// Runs `read`, or shares the run of another call with the same key.
    ///
    /// # Errors
    /// Those of the read, to each call that shares it.
    pub(super) async fn run(
        &self,
        key: K,
        read: impl FnOnce() -> Flight<V> + Send + 'static,
    ) -> Result<V, Error> {
        let _cleanup = Cleanup { slots: &self.slots, key: &key };
        self.flight(&key, read).await
    }

    fn flight(
        &self,
        key: &K,
        read: impl FnOnce() -> Flight<V> + Send + 'static,
    ) -> Shared<Flight<V>> {
        let mut slots = lock(&self.slots);
        let slot = slots
            .entry(key.clone())
            .or_insert_with(|| Slot { in_flight: Arc::default(), queued: None });
        if let Some(flight) = slot.queued.as_ref().and_then(WeakShared::upgrade) {
            return flight;
        }
        let (in_flight, slots, key) =
            (Arc::clone(&slot.in_flight), Arc::clone(&self.slots), key.clone());
        let flight = async move {
            let _in_flight = in_flight.lock().await;
            // A call that arrives from here on may depend on something newer than what is read now.
            if let Some(slot) = lock(&slots).get_mut(&key) {
                slot.queued = None;
            }
            read().await
        };
        let flight = flight.boxed().shared();
        slot.queued = flight.downgrade();
        flight
    }
}

/// Removes a slot with its last call, completed or cancelled.
struct Cleanup<'a, K: Eq + Hash, V> {
    slots: &'a Mutex<HashMap<K, Slot<V>>>,
    key: &'a K,
}

impl<K: Eq + Hash, V> Drop for Cleanup<'_, K, V> {
    fn drop(&mut self) {
        let mut slots = lock(self.slots);
        let Some(slot) = slots.get(self.key) else { return };
        let has_queued = slot.queued.as_ref().is_some_and(|flight| flight.upgrade().is_some());
        if !has_queued && slot.in_flight.try_lock().is_ok() {
            slots.remove(self.key);
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

    /// A source whose reads complete one at a time, and return their number.
    struct Source {
        started: AtomicUsize,
        completions: Semaphore,
    }

    impl Source {
        fn new() -> Arc<Self> {
            Arc::new(Self { started: AtomicUsize::new(0), completions: Semaphore::new(0) })
        }

        fn read(self: &Arc<Self>) -> impl FnOnce() -> Flight<usize> + Send + 'static + use<> {
            let source = Arc::clone(self);
            || {
                async move {
                    let number = source.started.fetch_add(1, Ordering::SeqCst);
                    source.completions.acquire().await.unwrap().forget();
                    Ok(number)
                }
                .boxed()
            }
        }
    }

    #[tokio::test]
    async fn any_number_of_concurrent_calls_are_two_reads() {
        let (source, coalescer) = (Source::new(), Coalescer::new());
        let mut first = Box::pin(coalescer.run((), source.read()));
        assert!(poll_immediate(&mut first).await.is_none());
        // The first is in flight: these arrive too late for it.
        let mut others = Box::pin(join_all((0..100).map(|_| coalescer.run((), source.read()))));
        assert!(poll_immediate(&mut others).await.is_none());
        assert_eq!(source.started.load(Ordering::SeqCst), 1);
        source.completions.add_permits(2);
        assert_eq!(first.await, Ok(0));
        assert!(others.await.iter().all(|result| *result == Ok(1)));
        assert_eq!(source.started.load(Ordering::SeqCst), 2);
        assert!(lock(&coalescer.slots).is_empty(), "nothing is kept");
    }

    #[tokio::test]
    async fn no_call_gets_a_read_from_before_it_arrived() {
        let (source, coalescer) = (Source::new(), Coalescer::new());
        source.completions.add_permits(3);
        for expected in 0..3 {
            assert_eq!(coalescer.run((), source.read()).await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn a_cancelled_call_cancels_no_other() {
        let (source, coalescer) = (Source::new(), Coalescer::new());
        let mut first = Box::pin(coalescer.run((), source.read()));
        assert!(poll_immediate(&mut first).await.is_none());
        let mut second = Box::pin(coalescer.run((), source.read()));
        let mut third = Box::pin(coalescer.run((), source.read()));
        assert!(poll_immediate(&mut second).await.is_none());
        assert!(poll_immediate(&mut third).await.is_none());
        drop((first, second));
        source.completions.add_permits(1);
        assert_eq!(third.await, Ok(1));
        assert!(lock(&coalescer.slots).is_empty());
    }

    #[tokio::test]
    async fn other_keys_are_other_reads() {
        let (source, coalescer) = (Source::new(), Coalescer::new());
        source.completions.add_permits(2);
        let both = futures::join!(coalescer.run(1, source.read()), coalescer.run(2, source.read()));
        assert_eq!(both, (Ok(0), Ok(1)));
    }
}
