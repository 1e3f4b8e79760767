//! Ends a call whose client does not read: what it still has to send is dropped and its stream is reset, as the memory
//! and the handler's resources belong to callers who read.
//!
//! HTTP/2's flow control keeps a response waiting for as long as its client likes, and hyper does not poll a body
//! meanwhile. So the body records by [`part_yielded`] and [`polled`] what it waits for, and the task of the call, which
//! is polled, has the timer. They share a task-local value: hyper's future of the call lies between them.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{self, Sleep};

/// How long a client may take to read the next part of a response, and how many calls it ended.
#[derive(Debug)]
pub(super) struct StallTimeout {
    limit: Duration,
    ended: AtomicU64,
}

impl StallTimeout {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { limit, ended: AtomicU64::default() })
    }

    /// How many calls it ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}

tokio::task_local! {
    static PROGRESS: Cell<Progress>;
}

/// What the body of a call has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    parts: u64,
    /// Whether a part is on its way to the client and the body has not been polled for another.
    waits_for_client: bool,
}

/// A part of the body is on its way to the client. Outside the task of a call this does nothing.
pub(super) fn part_yielded() {
    update(|Progress { parts, .. }| Progress { parts: parts + 1, waits_for_client: true });
}

/// The client is ready for the next part.
pub(super) fn polled() {
    update(|progress| Progress { waits_for_client: false, ..progress });
}

fn update(change: impl FnOnce(Progress) -> Progress) {
    // An error means that there is no such task: a body of a test.
    let _outside = PROGRESS.try_with(|progress| progress.set(change(progress.get())));
}

pin_project! {
    /// The task of a call.
    #[project = CallTaskProjection]
    pub(super) struct CallTask<C> {
        #[pin]
        call: C,
        progress: Progress,
        // Only while the client is waited for, so that a stream without events does not keep a timer.
        stall: Option<Stall>,
        stall_timeout: Arc<StallTimeout>,
    }
}

/// The wait for the client to read a part.
struct Stall {
    part: u64,
    timeout: Pin<Box<Sleep>>,
}

impl<C> CallTask<C> {
    /// Runs `call`, and ends it when its client does not read in time.
    pub(super) fn new(call: C, stall_timeout: Arc<StallTimeout>) -> Self {
        Self { call, progress: Progress::default(), stall: None, stall_timeout }
    }
}

impl<C: Future<Output = ()>> Future for CallTask<C> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let CallTaskProjection { call, progress, stall, stall_timeout } = self.project();
        let polled = PROGRESS.sync_scope(Cell::new(*progress), || {
            let polled = call.poll(context);
            *progress = PROGRESS.with(Cell::get);
            polled
        });
        if polled.is_ready() {
            return Poll::Ready(());
        }
        if !progress.waits_for_client {
            *stall = None;
            return Poll::Pending;
        }
        let part = progress.parts;
        let stall = match stall {
            Some(stall) if stall.part == part => stall,
            _ => stall.insert(Stall { part, timeout: Box::pin(time::sleep(stall_timeout.limit)) }),
        };
        ready!(stall.timeout.as_mut().poll(context));
        stall_timeout.ended.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(limit = ?stall_timeout.limit, "a call is reset: its client does not read");
        Poll::Ready(())
    }
}
