//! A value on its way from a handler through the generated server to the response.
//!
//! Extensions of a response must be `Clone`, which a stream or a reservation is not.

use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;

#[derive(Debug)]
struct Handover<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Handover<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Puts a value into the extensions of a response.
pub(super) fn put<T: Send + 'static>(extensions: &mut Extensions, value: T) {
    extensions.insert(Handover(Arc::new(Mutex::new(Some(value)))));
}

/// Takes it out again.
pub(super) fn take<T: Send + 'static>(extensions: &mut Extensions) -> Option<T> {
    let Handover(value) = extensions.remove()?;
    value.lock().unwrap_or_else(PoisonError::into_inner).take()
}
