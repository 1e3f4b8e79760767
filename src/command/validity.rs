//! The validity period of the server's certificate (RFC 5280 §4.1.2.5): outside of it every client refuses the handshake,
//! and the gateway would look as if it ran.
//!
//! Only the certificate itself counts. A chain may well carry an expired cross-certificate that clients do not need.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How long before the end the gateway begins to warn.
const WARNING_PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);

/// From when and until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Validity {
    /// The period of a certificate.
    ///
    /// # Errors
    /// When it is not an X.509 certificate.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(certificate)
            .map_err(|error| format!("not an X.509 certificate: {error}"))?;
        let validity = certificate.validity();
        let timestamp =
            |seconds| Timestamp::from_second(seconds).map_err(|error| error.to_string());
        Ok(Self {
            not_before: timestamp(validity.not_before.timestamp())?,
            not_after: timestamp(validity.not_after.timestamp())?,
        })
    }

    /// The last second of the period.
    pub(super) fn not_after(self) -> Timestamp {
        self.not_after
    }

    /// Checks that the certificate is valid at `now`.
    ///
    /// # Errors
    /// When the period has not begun, or is over.
    pub(super) fn check(self, now: Timestamp) -> Result<(), String> {
        let Self { not_before, not_after } = self;
        if now < not_before {
            return Err(format!(
                "the certificate is not valid before {not_before}: check the clock, or use another"
            ));
        }
        if now > not_after {
            return Err(format!("the certificate expired on {not_after}: renew it"));
        }
        Ok(())
    }

    /// What to warn of when the period ends soon after `now`.
    pub(super) fn warning(self, now: Timestamp) -> Option<String> {
        let left = Duration::try_from(self.not_after.duration_since(now)).unwrap_or_default();
        let days = left.as_secs() / (24 * 3600);
        (left < WARNING_PERIOD).then(|| {
            format!("the certificate expires in {days} days, on {}: renew it", self.not_after)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_period_decides() {
        let [begin, end] =
            ["2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"].map(|time| time.parse().unwrap());
        let validity = Validity { not_before: begin, not_after: end };
        let at = |now: &str| {
            let now = now.parse().unwrap();
            (validity.check(now).is_ok(), validity.warning(now).is_some())
        };
        assert!(!at("2025-12-31T23:59:59Z").0);
        assert_eq!(at("2026-01-01T00:00:00Z"), (true, false));
        assert_eq!(at("2026-03-02T00:00:00Z"), (true, false));
        assert_eq!(at("2026-03-02T00:00:01Z"), (true, true));
        assert_eq!(at("2026-04-01T00:00:00Z"), (true, true));
        assert!(!at("2026-04-01T00:00:01Z").0);
    }
}
