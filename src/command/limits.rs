//! The limits of the server, from the configuration and from what the process may have: a connection that is accepted
//! must not take the file descriptor that a request to a vendor needs.

use rustix::process::{Resource, getrlimit};

use crate::config::LimitsConfig;
use crate::response_budget::ResponseLimits;
use crate::server::Limits;

/// The file descriptors that connections of clients leave free, for vendors, listeners, scrapes and files: a quarter of
/// all, but at least this many if that is no more than half.
const MIN_RESERVE: u64 = 128;

/// The limits to serve with.
pub(super) fn server_limits(config: LimitsConfig) -> Limits {
    let LimitsConfig {
        max_connections,
        max_connection_idle,
        response_memory_mib,
        connection_response_memory_mib,
    } = config;
    let default = Limits::default();
    let wanted = max_connections.map_or(default.max_connections, usize::from);
    let descriptors = getrlimit(Resource::Nofile).current;
    let possible = descriptors.map_or(usize::MAX, connections_with);
    if max_connections.is_some() && wanted > possible {
        tracing::warn!(
            max_connections = wanted,
            possible,
            descriptors,
            "`max_connections` is reduced to what the limit of open files allows; raise it (ulimit -n, LimitNOFILE)"
        );
    }
    Limits {
        max_connections: wanted.min(possible),
        max_connection_idle: max_connection_idle.unwrap_or(default.max_connection_idle),
        responses: ResponseLimits {
            all: response_memory_mib.map_or(default.responses.all, bytes),
            connection: connection_response_memory_mib.map_or(default.responses.connection, bytes),
        },
        ..default
    }
}

fn bytes(mib: u16) -> u32 {
    u32::from(mib) << 20
}

/// How many connections a process with this many file descriptors can serve.
fn connections_with(descriptors: u64) -> usize {
    let reserve = (descriptors / 4).max(MIN_RESERVE).min(descriptors / 2);
    usize::try_from(descriptors - reserve).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_stays_free() {
        let cases = [(0, 1), (100, 50), (200, 100), (256, 128), (1024, 768), (65_536, 49_152)];
        for (descriptors, connections) in cases {
            assert_eq!(connections_with(descriptors), connections, "{descriptors}");
        }
    }
}
