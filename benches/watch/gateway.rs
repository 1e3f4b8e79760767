//! The gateway in a process of its own, in front of a simulated Azure, with a short poll interval.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use restore_point_sandbox::azure::{Azure, Kind, Settings};
use restore_point_sandbox::{CertificateAuthority, Clock};
use restore_point_test_support::fixture::manual_clock;
use restore_point_test_support::names::azure_point;

use crate::process::Process;

const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Changes the progress of the copy.
const CLOCK_STEP: SignedDuration = SignedDuration::from_mins(10);
const START_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) address: String,
    /// The name of a running copy.
    pub(crate) copy: String,
    azure: Azure,
    clock: Clock,
    dir: PathBuf,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let clock = manual_clock();
        let authority = CertificateAuthority::generate().unwrap();
        let replication = CLOCK_STEP * 90;
        let settings = Settings { clock: clock.clone(), replication, ..Settings::default() };
        let azure = Azure::start(settings, &authority).unwrap();
        let copy = azure_point(&azure.seeded().running_copy);
        // The port is free now and is not likely to be taken before the gateway binds it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let dir = std::env::temp_dir().join(format!("rpg-bench-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
        fs::write(dir.join("token"), azure.static_token()).unwrap();
        let config = dir.join("gateway.toml");
        fs::write(&config, configuration(&azure, &address)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_restore-point-gateway"));
        command.args(["serve", "--config"]).arg(&config).env("RUST_LOG", "error");
        let process = Process::start(&mut command);
        let listening = async {
            while tokio::net::TcpStream::connect(&address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(START_TIMEOUT, listening).await.expect("the gateway listens");
        Self { process, address, copy, azure, clock, dir }
    }

    /// How often the gateway polls the copy within `period`.
    pub(crate) async fn polls_in(&self, period: Duration) -> f64 {
        let before = self.polls();
        tokio::time::sleep(period).await;
        (self.polls() - before) as f64
    }

    fn polls(&self) -> usize {
        self.azure.calls().count(&Method::GET, Kind::Point)
    }

    /// Changes the progress of the copy, which leads to one event on each stream.
    pub(crate) fn advance_copy(&self) {
        self.clock.advance(CLOCK_STEP);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.dir).ok();
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
