//! The running program, the simulators that its configuration names, and a temporary directory for its files.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use restore_point_sandbox::{self as sandbox, CertificateAuthority, Clock};
use restore_point_test_support::fixture::Client;
use restore_point_test_support::wait::in_time;
use tonic::transport::{Channel, Endpoint};

/// The program, with the log level of its configuration.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restore-point-gateway"));
    command.env_remove("RUST_LOG");
    command
}

/// Runs blocking code on a thread of its own.
#[track_caller]
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let output = in_time(tokio::task::spawn_blocking(work));
    async move { output.await.unwrap() }
}

/// A directory that is removed with its content when it is dropped.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpg-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a shell script as the program `az`. Returns a `PATH` on which it is found.
    pub(crate) fn write_az(&self, script: &str) -> String {
        let bin = self.path("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let az = self.write("bin/az", &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(az, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:/usr/bin:/bin", bin.display())
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A new certificate for `localhost` and its key, both PEM.
pub(crate) fn self_signed_certificate() -> (String, String) {
    certificate_valid_in([1975, 4096])
}

/// The same, valid from and until the beginning of these years.
pub(crate) fn certificate_valid_in(years: [i32; 2]) -> (String, String) {
    let [from, until] = years.map(|year| rcgen::date_time_ymd(year, 1, 1));
    self_signed(|params| (params.not_before, params.not_after) = (from, until))
}

/// The same, valid until the beginning of the day that is so many days from now.
pub(crate) fn certificate_valid_for(days: i64) -> (String, String) {
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    let end = end.to_zoned(jiff::tz::TimeZone::UTC);
    let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    let end = rcgen::date_time_ymd(end.year().into(), month, day);
    self_signed(|params| params.not_after = end)
}

fn self_signed(change: impl FnOnce(&mut rcgen::CertificateParams)) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Both simulated vendors.
pub(crate) struct Simulators {
    pub(crate) azure: sandbox::azure::Azure,
    pub(crate) veeam: sandbox::veeam_em::EnterpriseManager,
    authority: CertificateAuthority,
}

impl Simulators {
    pub(crate) fn start() -> Self {
        Self::with_points(sandbox::veeam_em::Settings::new(Clock::running(1.0)).points)
    }

    /// With so many generated points at Veeam.
    pub(crate) fn with_points(points: usize) -> Self {
        let authority = CertificateAuthority::generate().unwrap();
        let azure = sandbox::azure::Settings::default();
        let azure = sandbox::azure::Azure::start(azure, &authority).unwrap();
        let veeam = sandbox::veeam_em::Settings::new(Clock::running(1.0));
        let veeam = sandbox::veeam_em::Settings { points, ..veeam };
        let veeam = sandbox::veeam_em::EnterpriseManager::start(veeam).unwrap();
        Self { azure, veeam, authority }
    }

    /// Writes `gateway.toml` with a backend for each vendor, and the files that it names. The gateway listens on
    /// `gateway.sock`. Returns the path of the configuration.
    pub(crate) fn configure(&self, dir: &TempDir) -> PathBuf {
        dir.write("ca.pem", &self.authority.pem());
        dir.write("secret", &format!("{}\n", self.azure.client_secret()));
        dir.write("password", self.veeam.password());
        dir.write(
            "gateway.toml",
            &format!(
                r#"
listen = ["unix:gateway.sock"]
[backends.azure]
kind = "azure"
subscription_id = "{}"
endpoint = "{}"
authority = "{}"
ca_file = "ca.pem"
[backends.azure.credential]
kind = "client_secret"
tenant_id = "{}"
client_id = "{}"
secret_file = "secret"
[backends.veeam]
kind = "veeam_enterprise_manager"
url = "{}"
username = '{}'
password_file = "password"
certificate_sha256 = "{}"
"#,
                self.azure.subscription_id(),
                self.azure.endpoint(),
                self.azure.authority_host(),
                self.azure.tenant_id(),
                self.azure.client_id(),
                self.veeam.url(),
                self.veeam.username(),
                self.veeam.certificate_sha256(),
            ),
        )
    }
}

/// The running program; it is killed when it is dropped.
pub(crate) struct RunningProgram {
    child: Child,
    /// None while another thread reads it.
    stdout: Option<BufReader<ChildStdout>>,
    /// None while another thread reads it.
    stderr: Option<BufReader<ChildStderr>>,
}

impl RunningProgram {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = child.stderr.take().map(BufReader::new);
        Self { child, stdout, stderr }
    }

    /// Starts `serve` with a configuration.
    pub(crate) fn serve(config: &Path) -> Self {
        Self::start(program().arg("serve").arg("--config").arg(config))
    }

    /// What the sandbox announces on stdout in a line that begins with `name`.
    pub(crate) async fn announcement(&mut self, name: &'static str) -> String {
        let line = read_line(&mut self.stdout, move |line| line.starts_with(name)).await;
        line[name.len()..].trim().to_owned()
    }

    /// Waits for a line with `text` in its log.
    pub(crate) async fn log_line(&mut self, text: &'static str) -> String {
        read_line(&mut self.stderr, move |line| line.contains(text)).await
    }

    /// Its resident memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until the program exits. Returns its status and the rest of its log.
    pub(crate) async fn exit(mut self) -> (ExitStatus, String) {
        blocking(move || {
            let mut log = String::new();
            self.stderr.as_mut().unwrap().read_to_string(&mut log).unwrap();
            (self.child.wait().unwrap(), log)
        })
        .await
    }

    /// Shuts the program down and returns the rest of its log. Panics unless it exits with 0.
    pub(crate) async fn terminate(self) -> String {
        self.signal("TERM");
        let (status, log) = self.exit().await;
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // It fails if the program has exited already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The next line that `matches`; lines before it are dropped.
async fn read_line<R: BufRead + Send + 'static>(
    output: &mut Option<R>,
    matches: impl Fn(&str) -> bool + Send + 'static,
) -> String {
    let mut reader = output.take().unwrap();
    let (reader, line) = blocking(move || {
        let mut lines = reader.by_ref().lines().map(Result::unwrap);
        let line = lines.find(|line| matches(line)).expect("a matching line");
        (reader, line)
    })
    .await;
    *output = Some(reader);
    line
}

/// A channel to the gateway. Waits until it listens.
pub(crate) async fn channel(socket: &Path) -> Channel {
    let endpoint = Endpoint::try_from(format!("unix://{}", socket.display())).unwrap();
    in_time(async {
        loop {
            match endpoint.connect().await {
                Ok(channel) => return channel,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await
}

/// A client of the gateway. Waits until it listens.
pub(crate) async fn connect(socket: &Path) -> Client {
    Client::new(channel(socket).await)
}
