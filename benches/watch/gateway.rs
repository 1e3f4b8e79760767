//! The program itself in front of a simulated resource manager, polling quickly.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use restore_point_sandbox::azure::{Azure, Kind, Settings};
use restore_point_sandbox::{CertificateAuthority, Clock};

use crate::process::Process;

/// How often the point is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How long polls are counted.
pub(crate) const SPAN: Duration = Duration::from_secs(5);
const TICK: SignedDuration = SignedDuration::from_mins(10);

pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) address: String,
    /// The point that is being copied.
    pub(crate) name: String,
    azure: Azure,
    clock: Clock,
    folder: PathBuf,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let authority = CertificateAuthority::generate().unwrap();
        // Each tick of progress moves the percentage.
        let settings =
            Settings { clock: clock.clone(), replication: TICK * 90, ..Settings::default() };
        let azure = Azure::start(settings, &authority).unwrap();
        let id: Vec<&str> = azure.seeded().running_copy.split('/').collect();
        let name = format!(
            "backends/azure/collections/{}~{}/restorePoints/{}",
            id[4].to_lowercase(),
            id[8],
            id[10]
        );
        // Free now, and nobody else is about to take one.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let folder = std::env::temp_dir().join(format!("rpg-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        fs::write(folder.join("token"), azure.static_token()).unwrap();
        let config = folder.join("gateway.toml");
        fs::write(&config, configuration(&azure, &address)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_restore-point-gateway"));
        command.args(["serve", "--config"]).arg(&config).env("RUST_LOG", "error");
        let process = Process::start(&mut command);
        let wait = async {
            while tokio::net::TcpStream::connect(&address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the gateway listens");
        Self { process, address, name, azure, clock, folder }
    }

    /// How often the point is read in this time.
    pub(crate) async fn polls_in(&self, span: Duration) -> f64 {
        let before = self.polls();
        tokio::time::sleep(span).await;
        (self.polls() - before) as f64
    }

    fn polls(&self) -> usize {
        self.azure.calls().count(&Method::GET, Kind::Point)
    }

    /// Lets the copy come a little further.
    pub(crate) fn change(&mut self) {
        self.clock.advance(TICK);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn configuration(azure: &Azure, address: &str) -> String {
    let (endpoint, interval) = (azure.endpoint(), format!("{}ms", POLL_INTERVAL.as_millis()));
    format!(
        r#"listen = ["{address}"]

[watch]
min_interval = "{interval}"
max_interval = "{interval}"
progress_interval = "{interval}"

[backends.azure]
kind = "azure"
subscription_id = "{}"
endpoint = "{endpoint}"
authority = "{endpoint}"
ca_file = "ca.pem"

[backends.azure.credential]
kind = "static_token"
token_file = "token"
"#,
        azure.subscription_id()
    )
}
