//! How the time of a shutdown is divided: `lame_duck` and `grace` of the configuration bound all of it, the statuses of
//! calls that are cut and closing the backends included. A supervisor that kills the process after them finds it gone.

use std::time::Duration;

use crate::config::DrainConfig;
use crate::server::Drain;

/// For the statuses of calls that are cut: this, and no more than a tenth of `grace`.
const MAX_RESPONDING: Duration = Duration::from_millis(500);
/// For closing all backends, which logs off from Veeam, when calls have taken their whole time: this, and no more than a
/// quarter of `grace`.
const MAX_CLOSING: Duration = Duration::from_secs(3);

/// How long the server may drain before the backends are closed.
pub(super) fn server_drain(config: DrainConfig) -> Drain {
    let DrainConfig { lame_duck, grace } = config;
    let responding = MAX_RESPONDING.min(grace / 10);
    let closing = MAX_CLOSING.min(grace / 4);
    Drain { lame_duck, grace: grace.saturating_sub(responding + closing), responding }
}

/// How long everything may take.
pub(super) fn total(config: DrainConfig) -> Duration {
    config.lame_duck.saturating_add(config.grace)
}

/// How long closing the backends may take when `left` of the total is left.
pub(super) fn closing(left: Duration) -> Duration {
    left.min(MAX_CLOSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_the_whole_and_calls_get_most_of_it() {
        for grace in [0, 1, 100, 1000, 10_000, 60_000, 3_600_000].map(Duration::from_millis) {
            let config = DrainConfig { lame_duck: Duration::from_secs(5), grace };
            let drain = server_drain(config);
            let server = drain.lame_duck + drain.grace + drain.responding;
            assert!(drain.grace >= grace / 2, "{drain:?}");
            assert!(server <= total(config), "{drain:?}");
            // What is left when the server took all of its time is enough to log off.
            assert!(closing(total(config) - server) >= MAX_CLOSING.min(grace / 4), "{drain:?}");
        }
    }
}
