//! Arguments in, exit code out: 0 done, 1 failed, 2 the arguments or the configuration are wrong.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use restore_point_gateway::command::{self, Depth, Failure, SandboxOptions};
use restore_point_gateway::sandbox::FaultOrder;
use restore_point_gateway::sandbox::veeam::Product;

/// One gRPC service in front of the restore point APIs of Azure and of Veeam Backup Enterprise Manager.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run both vendors, simulated, and the gateway in front of them, to try it out.
    Sandbox {
        /// Where the gateway listens.
        #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDR")]
        listen: SocketAddr,
        /// How many times faster than real time copies progress.
        #[arg(long, default_value_t = 60.0, value_name = "FACTOR", value_parser = speed)]
        speed: f64,
        /// How many restore points each vendor has beside the well-known ones.
        #[arg(long, default_value_t = 40, value_name = "N")]
        points: usize,
        /// The same seed gives the same restore points.
        #[arg(long, default_value_t = 1, value_name = "N")]
        seed: u64,
        /// The product release of the simulated Enterprise Manager, 12 or 13; its JSON differs.
        #[arg(long, default_value = "13", value_name = "N", value_parser = veeam_product)]
        veeam_product: Product,
        /// Write addresses and throw-away credentials of the simulated vendors to this file (JSON).
        #[arg(long, value_name = "FILE")]
        write_access: Option<PathBuf>,
        /// Where the admin path listens: faults, clocks and call counts, at any time.
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
        admin: SocketAddr,
        /// Where the gateway shows its figures for Prometheus.
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
        metrics: SocketAddr,
        /// Something that goes wrong from the beginning; may be given more than once. The admin path
        /// has the list of all words.
        #[arg(long = "fault", value_name = "FAULT", long_help = FAULT)]
        faults: Vec<FaultOrder>,
    },
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

const FAULT: &str = "\
Something that goes wrong from the beginning; may be given more than once.

  'VENDOR: [METHOD] [/PATH] WORD...', of which the first that matches and is not used up hits a request

Which requests: GET, /part/of/path?or=query, skip=N (not the first N), times=N (else all)
What happens:   latency_ms=N, status=N retry_after=SECONDS, html, body=\"...\" header=\"Name: value\",
                content_type=TYPE, bytes_per_second=N, chunked, truncate=N or N%,
                reset=before|during|after|N|N%, lose_reply, hang_up, silence,
                fail_creation=CODE message=\"...\" (azure)

  --fault 'veeam: GET /query skip=1 times=1 status=401'        401 in the middle of a list
  --fault 'azure: times=20 status=429 retry_after=3'           a burst of throttling
  --fault 'azure: PUT /restorePoints/ times=1 lose_reply'      a copy whose reply is lost
  --fault 'veeam: GET latency_ms=500 bytes_per_second=2000'    a slow line
  --fault 'azure: GET /operations/ truncate=50%'               half a body under a whole length

The admin path changes all of it while the sandbox runs.";

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(Failure::Other(error.to_string()))),
    };
    end(runtime.block_on(run(Arguments::parse().command)))
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Sandbox {
            listen,
            speed,
            points,
            seed,
            veeam_product,
            write_access,
            admin,
            metrics,
            faults,
        } => {
            let options = SandboxOptions {
                listen,
                speed,
                points,
                seed,
                veeam_product,
                write_access,
                admin,
                metrics,
                faults,
            };
            command::sandbox(options).await
        }
        Command::Serve { config } => command::serve(&config).await,
        Command::Check { config, form } => {
            let depth = if form { Depth::Form } else { Depth::Everything };
            command::check(&config, depth).await
        }
        Command::DescriptorSet => {
            command::descriptor_set().map_err(|error| Failure::Other(error.to_string()))
        }
    }
}

#[allow(clippy::print_stderr)] // The one place where the program speaks to who started it.
fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ Failure::Config(_)) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
        Err(failure @ Failure::Other(_)) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 1e6 => Ok(speed),
        _ => Err("it must be a number above 0, up to 1000000".to_owned()),
    }
}

fn veeam_product(text: &str) -> Result<Product, String> {
    match text {
        "12" => Ok(Product::V12),
        "13" => Ok(Product::V13),
        _ => Err("it must be 12 or 13".to_owned()),
    }
}
