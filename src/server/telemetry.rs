//! The log of the process: on stderr, as text or JSON.
//!
//! `RUST_LOG` selects what is logged, for example `info,access=off`. Traces are not exported.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text, in colour on a terminal.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Why the log cannot be set up: `RUST_LOG` is malformed, or the process has a log already.
pub type SetUpError = Box<dyn std::error::Error + Send + Sync>;

/// Sets up the log for the whole process. Panics are logged too, with their location.
///
/// # Errors
/// See [`SetUpError`].
pub fn init(format: Format) -> Result<(), SetUpError> {
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env()?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(format == Format::Text && io::stderr().is_terminal());
    match format {
        Format::Text => log.try_init()?,
        Format::Json => log.json().flatten_event(true).try_init()?,
    }
    panic::set_hook(Box::new(|panic| {
        // As a string, which is quoted: the text of a panic must not pass for further log lines.
        tracing::error!(panic = panic.to_string(), "a task panicked");
    }));
    Ok(())
}
