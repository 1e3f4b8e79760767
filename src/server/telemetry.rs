//! Where the program's log goes: stderr, as text for people or JSON for machines.
//!
//! What is logged is chosen by `RUST_LOG`, for example `info,access=off`. Traces are not exported.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why the log cannot be set up: `RUST_LOG` is malformed, or it is set up already.
pub type SetUpError = Box<dyn std::error::Error + Send + Sync>;

/// Sets up the log for the whole process. Panics go to it too, with their place.
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
        // As a string, which is quoted: a panic's text must not pass for log lines of its own.
        tracing::error!(panic = panic.to_string(), "something panicked");
    }));
    Ok(())
}
