//! How consistent a restore point is.
//!
//! The service never reports that it took less than was requested; only the point's mode shows it.

use super::machine::{Guest, Machine};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    Crash,
    FileSystem,
    Application,
}

impl Consistency {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Crash => "CrashConsistent",
            Self::FileSystem => "FileSystemConsistent",
            Self::Application => "ApplicationConsistent",
        }
    }

    /// The consistency of a new point: the requested one, or the best that the guest supports.
    pub(crate) fn achieved(requested: Option<Self>, machine: &Machine) -> Self {
        requested.unwrap_or(match machine.guest {
            Guest::Linux => Self::FileSystem,
            Guest::Windows => Self::Application,
            Guest::LinuxWithoutAgent | Guest::WindowsStopped => Self::Crash,
        })
    }
}
