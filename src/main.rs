//! Arguments in, exit code out: 0 done, 1 failed, 2 the arguments or the configuration are wrong.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use restore_point_gateway::command::{self, CommandError, Depth};

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
    /// Validate a configuration, log on to each vendor, and say what was found.
    Check {
        /// The configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Check the form of the file only: read no secrets, call nobody.
        #[arg(long)]
        form: bool,
    },
    /// Write the contract as a serialized FileDescriptorSet to stdout.
    DescriptorSet,
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(CommandError::Other(error.to_string()))),
    };
    end(runtime.block_on(run(Arguments::parse().command)))
}

async fn run(command: Command) -> Result<(), CommandError> {
    match command {
        #[cfg(feature = "sandbox")]
        Command::Sandbox(arguments) => command::sandbox(arguments).await,
        Command::Serve { config } => command::serve(&config).await,
        Command::Check { config, form } => {
            let depth = if form { Depth::Form } else { Depth::Everything };
            command::check(&config, depth).await
        }
        Command::DescriptorSet => {
            command::descriptor_set().map_err(|error| CommandError::Other(error.to_string()))
        }
    }
}

#[allow(clippy::print_stderr)] // The one place where the program speaks to who started it.
fn end(result: Result<(), CommandError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ CommandError::Config(_)) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
        Err(failure @ CommandError::Other(_)) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
