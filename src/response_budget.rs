//! How much memory responses may take that their clients have not read: of one connection and of all.
//!
//! A response is reserved for before its vendor is read, and gives its bytes back when the last of them has been written
//! to the socket or dropped. Without a budget, clients that do not read cost as much memory as they like. How a response
//! is encoded and sent is not known here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::model::Error;

/// How long a call waits for memory before it fails.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// When to retry then: clients that read free memory within milliseconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The memory for the responses of a server, in bytes.
#[derive(Debug)]
pub struct ResponseBudget {
    all: Arc<Semaphore>,
    limits: ResponseLimits,
    refused: AtomicU64,
}

/// How many bytes responses may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseLimits {
    /// Those of all connections.
    pub all: u32,
    /// Those of one connection.
    pub connection: u32,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self { all: 128 << 20, connection: 16 << 20 }
    }
}

/// What the calls of a connection reserve from: an extension of its requests. Clones share it.
#[derive(Debug, Clone)]
pub struct ConnectionBudget(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    server: Arc<ResponseBudget>,
    connection: Arc<Semaphore>,
}

/// Memory that belongs to one response until it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: ConnectionBudget,
    connection: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl ResponseBudget {
    /// Nothing is reserved yet.
    pub fn new(limits: ResponseLimits) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(limits.all as usize));
        Arc::new(Self { all, limits, refused: AtomicU64::default() })
    }

    /// The budget of a new connection.
    pub fn connection(self: &Arc<Self>) -> ConnectionBudget {
        let connection = Arc::new(Semaphore::new(self.limits.connection as usize));
        ConnectionBudget(Arc::new(Shares { server: Arc::clone(self), connection }))
    }

    /// How many bytes are reserved.
    pub fn reserved(&self) -> usize {
        (self.limits.all as usize).saturating_sub(self.all.available_permits())
    }

    /// How many bytes may be reserved.
    pub fn limit(&self) -> u32 {
        self.limits.all
    }

    /// How many responses were refused memory.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl ConnectionBudget {
    /// Reserves `bytes`, as soon as the responses before it have been read.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when that takes too long.
    pub async fn reserve(&self, bytes: u32) -> Result<Reservation, Error> {
        if let Some(reservation) = self.try_reserve(bytes) {
            return Ok(reservation);
        }
        let Shares { server, connection } = &*self.0;
        let reserving = async {
            // Its own share first: a connection that waits for itself must hold nothing of the others.
            let connection = Arc::clone(connection).acquire_many_owned(bytes).await.ok()?;
            let all = Arc::clone(&server.all).acquire_many_owned(bytes).await.ok()?;
            Some(Reservation { budget: self.clone(), connection, all })
        };
        match timeout(MAX_WAIT, reserving).await {
            Ok(Some(reservation)) => Ok(reservation),
            Ok(None) | Err(_) => Err(self.refuse(bytes)),
        }
    }

    /// Reserves `bytes` without waiting.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when there are not enough.
    pub fn reserve_now(&self, bytes: u32) -> Result<Reservation, Error> {
        self.try_reserve(bytes).ok_or_else(|| self.refuse(bytes))
    }

    fn try_reserve(&self, bytes: u32) -> Option<Reservation> {
        let Shares { server, connection } = &*self.0;
        let connection = Arc::clone(connection).try_acquire_many_owned(bytes).ok()?;
        let all = Arc::clone(&server.all).try_acquire_many_owned(bytes).ok()?;
        Some(Reservation { budget: self.clone(), connection, all })
    }

    fn refuse(&self, bytes: u32) -> Error {
        let Shares { server, connection } = &*self.0;
        server.refused.fetch_add(1, Ordering::Relaxed);
        let whose = match connection.available_permits() < bytes as usize {
            true => "this connection",
            false => "all connections",
        };
        Error::Overloaded { whose, retry_after: RETRY_AFTER }
    }
}

impl Reservation {
    /// Makes it `bytes` large, now that the size of the response is known.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when more is needed and not available at once.
    pub fn resize(&mut self, bytes: u32) -> Result<(), Error> {
        let Self { budget, connection, all } = self;
        let reserved = u32::try_from(all.num_permits()).unwrap_or(u32::MAX);
        if let Some(excess) = reserved.checked_sub(bytes) {
            drop((connection.split(excess as usize), all.split(excess as usize)));
            return Ok(());
        }
        let missing = bytes - reserved;
        let more = budget.reserve_now(missing)?;
        connection.merge(more.connection);
        all.merge(more.all);
        Ok(())
    }

    /// The same bytes, which keep the reservation until the last part of them is dropped.
    pub fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(HeldBytes { bytes, _reservation: self })
    }
}

struct HeldBytes {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn budget(all: u32, connection: u32) -> Arc<ResponseBudget> {
        ResponseBudget::new(ResponseLimits { all, connection })
    }

    #[tokio::test]
    async fn a_reservation_lasts_as_long_as_the_last_part_of_its_bytes() {
        let budget = budget(100, 100);
        let reservation = budget.connection().reserve(60).await.unwrap();
        let mut bytes = reservation.hold(Bytes::from_static(&[7; 60]));
        let first = bytes.split_to(20);
        drop(bytes);
        assert_eq!(budget.reserved(), 60);
        assert_eq!(first, [7; 20].as_slice());
        drop(first);
        assert_eq!(budget.reserved(), 0);
    }

    #[tokio::test]
    async fn the_size_is_corrected_when_it_is_known() {
        let budget = budget(100, 80);
        let mut reservation = budget.connection().reserve(40).await.unwrap();
        reservation.resize(10).unwrap();
        assert_eq!(budget.reserved(), 10);
        reservation.resize(80).unwrap();
        assert_eq!(budget.reserved(), 80);
        assert!(matches!(reservation.resize(81), Err(Error::Overloaded { .. })));
        assert_eq!((budget.reserved(), budget.refused()), (80, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_does_not_read_costs_only_itself() {
        let budget = budget(100, 40);
        let (idle, reading) = (budget.connection(), budget.connection());
        let held = idle.reserve(30).await.unwrap();
        let refused = idle.reserve(30).await.unwrap_err();
        assert!(matches!(refused, Error::Overloaded { whose: "this connection", .. }));
        drop(reading.reserve(40).await.unwrap());
        // A call that waits gets what becomes free.
        let (waiting, ()) = tokio::join!(idle.reserve(30), async { drop(held) });
        assert_eq!(waiting.unwrap().all.num_permits(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn all_connections_together_have_a_limit() {
        let budget = budget(100, 60);
        let _held = budget.connection().reserve(60).await.unwrap();
        let refused = budget.connection().reserve(60).await.unwrap_err();
        assert!(matches!(refused, Error::Overloaded { whose: "all connections", .. }));
    }
}
