//! How consistent a restore point is: what may be asked for, and what comes of it.
//!
//! The service never says that it took less than was asked; it shows in the point alone.

use super::limits::Quota;
use super::machine::{Guest, Machine};
use super::point::Failure;
use super::refusal::Refusal;
use super::server::Call;
use super::versions;
use super::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consistency {
    Crash,
    FileSystem,
    Application,
}

impl Consistency {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Crash => "CrashConsistent",
            Self::FileSystem => "FileSystemConsistent",
            Self::Application => "ApplicationConsistent",
        }
    }

    /// What a request asks for: crash consistent, or by leaving it out whatever is best.
    pub(super) fn asked(call: &Call, mode: Option<&str>) -> Result<Option<Self>, Refusal> {
        match mode {
            None => Ok(None),
            Some(mode) if mode.eq_ignore_ascii_case("CrashConsistent") => {
                versions::require(&call.version, "2021-07-01")?;
                Ok(Some(Self::Crash))
            }
            Some(_) => {
                let message = "The only accepted value of consistencyMode is 'CrashConsistent'.";
                Err(Refusal::parameter("consistencyMode", message))
            }
        }
    }

    /// The quota that a creation draws on, which is decided by what was asked.
    pub(super) fn quota(asked: Option<Self>) -> Quota {
        match asked {
            Some(_) => Quota::CrashConsistent,
            None => Quota::ApplicationConsistent,
        }
    }

    /// What it turns out to be.
    pub(super) fn outcome(asked: Option<Self>, machine: &Machine) -> Self {
        asked.unwrap_or(match machine.guest {
            Guest::Linux => Self::FileSystem,
            Guest::Windows => Self::Application,
            Guest::Mute | Guest::Off => Self::Crash,
        })
    }

    /// The error of a service that would rather fail than take less than was asked.
    pub(super) fn unmet(world: &World, asked: Option<Self>, machine: &Machine) -> Option<Failure> {
        let met = asked.is_some()
            || matches!(machine.guest, Guest::Linux | Guest::Windows)
            || world.settings.quirks.silent_downgrade;
        (!met).then(|| Failure {
            code: "VMAgentStatusCommunicationError".into(),
            message: format!(
                "VM '{}' has not reported status for VM agent or extensions. Please verify that \
                 the VM has a running VM agent.",
                machine.name
            ),
        })
    }
}
