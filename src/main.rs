//! The command line. Exit codes: 0 for success, 1 for a failure, 2 for invalid arguments or an invalid configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use restore_point_gateway::command::{self, CommandError, Depth};
use tikv_jemallocator::Jemalloc;

/// Its background threads give memory back to the system within ten seconds, also while nothing is called. glibc's
/// allocator keeps what a burst of calls has taken.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// One gRPC service in front of the restore point APIs of Azure and of Veeam Backup Enterprise Manager.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway in front of simulated vendors, to try it out.
    #[cfg(feature = "sandbox")]
    Sandbox(command::SandboxArguments),
    /// Run the gateway in front of the configured vendors.
    Serve {
        /// The configuration; `gateway.example.toml` explains every setting.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Validate a configuration and probe each of its backends.
    Check {
        /// The configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Validate the file only: read no secrets, send no requests.
        #[arg(long, alias = "form")]
        config_only: bool,
    },
    /// Write the contract as a serialized FileDescriptorSet to stdout.
    DescriptorSet,
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(CommandError::Other(error.to_string()))),
    };
    let result = runtime.block_on(run(Arguments::parse().command));
    // Blocking work that is left, such as resolving a name, is not waited for.
    runtime.shutdown_background();
    end(result)
}

async fn run(command: Command) -> Result<(), CommandError> {
    match command {
        #[cfg(feature = "sandbox")]
        Command::Sandbox(arguments) => command::sandbox(arguments).await,
        Command::Serve { config } => command::serve(&config).await,
        Command::Check { config, config_only } => {
            let depth = if config_only { Depth::ConfigOnly } else { Depth::Everything };
            command::check(&config, depth).await
        }
        Command::DescriptorSet => {
            command::descriptor_set().map_err(|error| CommandError::Other(error.to_string()))
        }
    }
}

#[allow(
    clippy::print_stderr,
    reason = "an error of the command itself goes to the terminal, not to the log"
)]
fn end(result: Result<(), CommandError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ CommandError::Config(_)) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
        Err(error @ CommandError::Other(_)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
