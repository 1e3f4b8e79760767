//! When the certificate of the listeners expires, for the metrics. Whoever reads the certificate sets it.

use std::sync::atomic::{AtomicI64, Ordering};

/// The end of the validity of the certificate in use, in Unix time.
#[derive(Debug, Default)]
pub struct CertificateExpiry(AtomicI64);

impl CertificateExpiry {
    /// Replaces the time, in seconds.
    pub fn set(&self, unix_seconds: i64) {
        self.0.store(unix_seconds, Ordering::Relaxed);
    }

    /// The time, in seconds.
    pub(super) fn unix_seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
