//! The pages of the backends of a list: read one after the other as long as the backends respond, and side by side when
//! one is silent.
//!
//! While backends respond, nothing is read that the response does not need. When the one whose turn it is has been
//! silent for a while, the next is read beside it, and so on. What is read ahead is at most a response for each backend,
//! and no backend is read ahead once there is enough for this response.

use std::collections::VecDeque;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use prost::Message;
use tokio::time::{Instant, sleep_until};

use super::list_scope::{ListScope, Read};
use super::list_source::{Fill, ListSource, PageItems};
use crate::backend::Cursor;
use crate::model::Error;

/// The reads of one call. They end when it is dropped.
pub(super) struct ReadAhead<'a, S, C, M> {
    scope: &'a ListScope,
    source: &'a S,
    convert: &'a C,
    states: Vec<State<M>>,
    running: FuturesUnordered<BoxFuture<'a, (usize, Pages<M>)>>,
}

/// Pages that follow each other, of one backend. An error is the last.
type Pages<M> = VecDeque<Result<PageItems<M>, Error>>;

/// How far a backend has been read.
enum State<M> {
    Untouched,
    Running,
    /// The pages that have not been taken yet.
    Read(Pages<M>),
}

/// How much one read of a backend reads.
enum Extent {
    OnePage,
    /// Page after page until there is enough for a response.
    Response,
}

impl<'a, S, C, M> ReadAhead<'a, S, C, M>
where
    S: ListSource,
    C: Fn(S::Item) -> Option<M> + Sync,
    M: Message + 'a,
{
    pub(super) fn new(scope: &'a ListScope, source: &'a S, convert: &'a C) -> Self {
        let states = (0..scope.len()).map(|_| State::Untouched).collect();
        Self { scope, source, convert, states, running: FuturesUnordered::new() }
    }

    /// The page at `cursor` of the backend whose turn it is; none if the time is over, and the backend cannot be called
    /// silent. Up to `size` items are missing.
    pub(super) async fn page(
        &mut self,
        index: usize,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Option<Result<PageItems<M>, Error>> {
        let taken = match &mut self.states[index] {
            State::Read(pages) => pages.pop_front(),
            State::Untouched | State::Running => None,
        };
        if taken.is_some() {
            return taken;
        }
        if !matches!(self.states[index], State::Running) {
            if self.scope.is_over() {
                return None;
            }
            self.begin(index, cursor, size, Extent::OnePage);
        }
        let mut silent = Instant::now() + self.scope.patience();
        loop {
            let next = self.next_to_read_ahead(index, size);
            tokio::select! {
                biased;
                Some((read, mut pages)) = self.running.next() => {
                    let page = if read == index { Some(pages.pop_front()) } else { None };
                    self.states[read] = State::Read(pages);
                    if let Some(page) = page {
                        return page;
                    }
                }
                () = sleep_until(silent), if next.is_some() => {
                    if let Some(next) = next {
                        self.begin(next, None, size, Extent::Response);
                    }
                    silent = Instant::now() + self.scope.patience();
                }
                else => return None,
            }
        }
    }

    /// Drops the pages of a backend that have been read ahead.
    pub(super) fn discard(&mut self, index: usize) {
        self.states[index] = State::Read(Pages::new());
    }

    /// The first backend behind the one whose turn it is that has not been read, if more pages can be of use.
    fn next_to_read_ahead(&self, index: usize, size: usize) -> Option<usize> {
        let mut fill = Fill::default();
        for (index, state) in self.states.iter().enumerate().skip(index + 1) {
            match state {
                State::Untouched => return (!fill.is_full(size)).then_some(index),
                State::Running => {}
                State::Read(pages) => pages.iter().flatten().for_each(|page| fill.add(page)),
            }
        }
        None
    }

    fn begin(&mut self, index: usize, cursor: Option<&Cursor>, size: usize, extent: Extent) {
        let (scope, source, convert, cursor) =
            (self.scope, self.source, self.convert, cursor.cloned());
        let read =
            async move { (index, read(scope, source, convert, index, cursor, size, extent).await) };
        self.running.push(read.boxed());
        self.states[index] = State::Running;
    }
}

/// Reads pages from `cursor` on. They end early when the time is over.
async fn read<S: ListSource, M: Message>(
    scope: &ListScope,
    source: &S,
    convert: &(impl Fn(S::Item) -> Option<M> + Sync),
    index: usize,
    mut cursor: Option<Cursor>,
    size: usize,
    extent: Extent,
) -> Pages<M> {
    let (mut pages, mut fill) = (Pages::new(), Fill::default());
    loop {
        let missing = size - fill.items;
        let page = match scope.read(index, source, cursor.as_ref(), missing).await {
            Read::Page(page) => PageItems::new(page, missing, convert),
            Read::Failed(error) => Err(error),
            Read::OutOfTime => return pages,
        };
        if let Ok(page) = &page {
            fill.add(page);
            cursor = page.next.clone();
        }
        let is_last = page.is_err() || cursor.is_none();
        pages.push_back(page);
        match extent {
            Extent::Response if !is_last && !fill.is_full(size) => {}
            Extent::Response | Extent::OnePage => return pages,
        }
    }
}
