//! Counts of a storm, readable while it goes on.

use std::cell::Cell;

use tokio::sync::watch;

/// The counts of a storm.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that have ended.
    pub(crate) calls: watch::Sender<usize>,
    /// Calls that failed in a way that goes away by itself.
    pub(crate) failed: Cell<usize>,
    /// Copies that were accepted.
    pub(crate) copies: Cell<usize>,
    /// Events that have happened.
    pub(crate) events: Cell<usize>,
}

impl Tally {
    /// A client has made a call, whatever came of it.
    pub(crate) fn call_ended(&self) {
        self.calls.send_modify(|calls| *calls += 1);
    }

    pub(crate) fn call_failed(&self) {
        self.failed.update(|failed| failed + 1);
    }

    pub(crate) fn copy_accepted(&self) {
        self.copies.update(|copies| copies + 1);
    }

    pub(crate) fn event_happened(&self) {
        self.events.update(|events| events + 1);
    }

    /// Waits until there were as many calls.
    pub(crate) async fn calls_reach(&self, count: usize) {
        self.calls.subscribe().wait_for(|calls| *calls >= count).await.expect("the sender is here");
    }
}
