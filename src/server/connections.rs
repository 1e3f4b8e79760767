//! How many connections may be open, and which one is closed to make room: that which has been without calls for
//! longest, as nginx does with its keep-alive connections; without one, the newcomer is refused.
//!
//! A connection is idle while it has no calls (MaxConnectionIdle of grpc-go). HTTP/2 PINGs do not count. When a connection
//! is to close is known here, and how it closes in `connection.rs`.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::stalled_call::StallTimeout;
use crate::response_budget::{ResponseBudget, ResponseLimits};

/// How many idle connections are closed at once to make room, at most: one in eight, and no more than these (as nginx's
/// `ngx_drain_connections`), so that a burst of newcomers does not wait for them one by one.
const MAX_EVICTED_AT_ONCE: usize = 32;

/// How long a connection has to close after GOAWAY unless it has calls. Its client needs one round trip.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What clients may take of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections may be open.
    pub max_connections: usize,
    /// How long a connection may be without calls.
    pub max_connection_idle: Duration,
    /// How long the one request message of a call may take to arrive.
    pub request_timeout: Duration,
    /// How much memory responses may take that clients have not read.
    pub responses: ResponseLimits,
    /// How long a client may take to read the next part of a response.
    pub stall_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connection_idle: Duration::from_secs(600),
            request_timeout: Duration::from_secs(10),
            responses: ResponseLimits::default(),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// The open connections of a server, and the counts of those that were.
#[derive(Debug)]
pub struct Connections {
    limits: Limits,
    /// Activities hold times as microseconds since this.
    epoch: Instant,
    open: Mutex<OpenConnections>,
    closed: Notify,
    responses: Arc<ResponseBudget>,
    stall_timeout: Arc<StallTimeout>,
    accepted: AtomicU64,
    closed_when_idle: AtomicU64,
    closed_for_others: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct OpenConnections {
    by_id: HashMap<u64, Arc<Activity>>,
    next_id: u64,
}

/// What a connection does.
#[derive(Debug)]
struct Activity {
    calls: AtomicUsize,
    /// When the last call ended, or the connection was accepted.
    idle_since: AtomicU64,
    /// Cancelled when the connection is to make room for another.
    evicted: CancellationToken,
}

/// Why a connection is closed that could have stayed open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// It has had no calls for too long.
    Idle,
    /// It makes room for another.
    Evicted,
}

impl CloseReason {
    /// As a label of a metric.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Evicted => "evicted",
        }
    }
}

/// The place of one connection among the open ones, which it leaves on drop.
#[derive(Debug)]
pub(super) struct OpenConnection {
    connections: Arc<Connections>,
    id: u64,
    activity: Arc<Activity>,
}

/// A call of a connection. The connection is idle when the last one is dropped.
#[derive(Debug)]
pub(super) struct OpenCall {
    connections: Arc<Connections>,
    activity: Arc<Activity>,
}

impl Connections {
    /// No connections yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            epoch: Instant::now(),
            open: Mutex::default(),
            closed: Notify::new(),
            responses: ResponseBudget::new(limits.responses),
            stall_timeout: StallTimeout::new(limits.stall_timeout),
            accepted: AtomicU64::default(),
            closed_when_idle: AtomicU64::default(),
            closed_for_others: AtomicU64::default(),
            refused: AtomicU64::default(),
        })
    }

    /// What clients may take.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The memory for responses.
    pub(super) fn responses(&self) -> &Arc<ResponseBudget> {
        &self.responses
    }

    /// What ends the calls of clients that do not read.
    pub(super) fn stall_timeout(&self) -> &Arc<StallTimeout> {
        &self.stall_timeout
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.lock().by_id.len()
    }

    /// How many connections were accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many connections were refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many connections were closed, by their reason.
    pub(super) fn closed(&self) -> [(CloseReason, u64); 2] {
        [CloseReason::Idle, CloseReason::Evicted]
            .map(|reason| (reason, self.closed_for(reason).load(Ordering::Relaxed)))
    }

    fn closed_for(&self, reason: CloseReason) -> &AtomicU64 {
        match reason {
            CloseReason::Idle => &self.closed_when_idle,
            CloseReason::Evicted => &self.closed_for_others,
        }
    }

    /// A place for a new connection, or None if it must be refused: all places are taken, and none becomes free within
    /// the time that an idle connection has to close.
    pub(super) async fn admit(self: &Arc<Self>) -> Option<OpenConnection> {
        let mut timeout = pin!(time::sleep(CLOSE_TIMEOUT * 2));
        loop {
            // Before the look, so that a place which becomes free in between is not missed.
            let mut closed = pin!(self.closed.notified());
            closed.as_mut().enable();
            if let Some(place) = self.take_place() {
                return Some(place);
            }
            let waiting = match self.evict_idle() {
                0 => None,
                _ => Some(closed),
            };
            let Some(closed) = waiting else { break };
            tokio::select! {
                () = closed => {}
                () = timeout.as_mut() => break,
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn take_place(self: &Arc<Self>) -> Option<OpenConnection> {
        let mut open = self.lock();
        if open.by_id.len() >= self.limits.max_connections {
            return None;
        }
        let id = open.next_id;
        open.next_id += 1;
        let activity = Arc::new(Activity {
            calls: AtomicUsize::new(0),
            idle_since: AtomicU64::new(self.now()),
            evicted: CancellationToken::new(),
        });
        open.by_id.insert(id, Arc::clone(&activity));
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Some(OpenConnection { connections: Arc::clone(self), id, activity })
    }

    /// Tells the connections that have been idle for longest to close, unless some are about to. Returns how many will.
    fn evict_idle(&self) -> usize {
        let open = self.lock();
        let idle = open.by_id.values().filter(|activity| !activity.has_calls());
        let (closing, mut idle): (Vec<_>, Vec<_>) =
            idle.partition(|activity| activity.evicted.is_cancelled());
        if !closing.is_empty() {
            return closing.len();
        }
        idle.sort_unstable_by_key(|activity| activity.idle_since.load(Ordering::Relaxed));
        let evicted = idle.len().div_ceil(8).min(MAX_EVICTED_AT_ONCE);
        for activity in &idle[..evicted] {
            activity.evicted.cancel();
        }
        evicted
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    fn has_calls(&self) -> bool {
        self.calls.load(Ordering::Acquire) > 0
    }
}

impl OpenConnection {
    /// A call begins.
    pub(super) fn call(&self) -> OpenCall {
        self.activity.calls.fetch_add(1, Ordering::Relaxed);
        let (connections, activity) = (Arc::clone(&self.connections), Arc::clone(&self.activity));
        OpenCall { connections, activity }
    }

    /// Waits until the connection must close: it has been idle for too long, or makes room for another.
    pub(super) async fn must_close(&self) -> CloseReason {
        let reason = tokio::select! {
            biased;
            () = self.activity.evicted.cancelled() => CloseReason::Evicted,
            () = self.idle_for_too_long() => CloseReason::Idle,
        };
        self.connections.closed_for(reason).fetch_add(1, Ordering::Relaxed);
        reason
    }

    async fn idle_for_too_long(&self) {
        let limit = self.connections.limits.max_connection_idle;
        let mut left = limit;
        while !left.is_zero() {
            time::sleep(left).await;
            left = if self.activity.has_calls() {
                limit
            } else {
                let idle_since = self.activity.idle_since.load(Ordering::Relaxed);
                let idle = self.connections.now().saturating_sub(idle_since);
                limit.saturating_sub(Duration::from_micros(idle))
            };
        }
    }

    /// Waits until the time to close after GOAWAY is over and no call is left.
    pub(super) async fn close_timeout(&self) {
        time::sleep(CLOSE_TIMEOUT).await;
        while self.activity.has_calls() {
            time::sleep(CLOSE_TIMEOUT).await;
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.lock().by_id.remove(&self.id);
        self.connections.closed.notify_waiters();
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        // In this order: who sees no call must see since when.
        self.activity.idle_since.store(self.connections.now(), Ordering::Relaxed);
        self.activity.calls.fetch_sub(1, Ordering::Release);
    }
}
