//! The whole lists of all backends of a list, read side by side, for an order that no vendor has.

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::list_scope::{ListScope, Read};
use super::list_source::ListSource;
use crate::backend::Cursor;
use crate::model::Error;

/// Page size towards the backends: memory holds one page of each.
const PAGE_SIZE: usize = 1000;

/// Passes every item of all backends to `take`, and returns the backends that could not be read to their end.
///
/// # Errors
/// A named backend's error, or the last one if no backend could be read at all.
pub(super) async fn read<S: ListSource>(
    scope: &ListScope,
    source: &S,
    mut take: impl FnMut(S::Item) + Send,
) -> Result<Vec<String>, Error> {
    let read = |index: usize, cursor: Option<Cursor>| async move {
        (index, scope.read(index, source, cursor.as_ref(), PAGE_SIZE).await)
    };
    let mut reads: FuturesUnordered<_> = (0..scope.len()).map(|index| read(index, None)).collect();
    let mut unreachable = vec![None; scope.len()];
    let mut has_page = false;
    while let Some((index, outcome)) = reads.next().await {
        match outcome {
            Read::Page(page) => {
                has_page = true;
                page.items.into_iter().for_each(&mut take);
                if let Some(next) = page.next {
                    reads.push(read(index, Some(next)));
                }
            }
            Read::Failed(error) if scope.is_named() => return Err(error),
            Read::Failed(error) => unreachable[index] = Some(error),
            // Here no next call could go on.
            Read::OutOfTime => unreachable[index] = Some(scope.silence(index)),
        }
    }
    let mut names = Vec::new();
    let mut last_error = None;
    for (id, error) in scope.ids().zip(unreachable) {
        let Some(error) = error else { continue };
        tracing::warn!(backend = %id, %error, "an ordered list lacks a backend");
        names.push(id.to_string());
        last_error = Some(error);
    }
    match last_error {
        Some(error) if !has_page && names.len() == scope.len() => Err(error),
        _ => Ok(names),
    }
}
