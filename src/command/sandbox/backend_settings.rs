//! What the backends in front of all simulators share.

use url::Url;

use crate::command::error::CommandError;
use crate::upstream::RateLimit;

/// The simulators throttle by their own clock; the gateway's rate limit must not apply first.
pub(super) const UNLIMITED: RateLimit = RateLimit { per_second: 10_000.0, burst: 10_000 };

pub(super) fn url(text: &str) -> Result<Url, CommandError> {
    Url::parse(text).map_err(CommandError::other)
}
