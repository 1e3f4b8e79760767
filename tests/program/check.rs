//! `check`: validates the configuration and probes each backend.

use crate::fixture::{
    Simulators, TempDir, blocking, certificate_valid_for, certificate_valid_in, program,
    self_signed_certificate,
};

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_the_result_for_each_backend() {
    const AZURE_OK: &str = "backends/azure (AZURE): reachable, and the credential is accepted";
    const VEEAM_OK: &str =
        "backends/veeam (VEEAM_ENTERPRISE_MANAGER): reachable, and the credential is accepted";
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let check = move || program().arg("check").arg("--config").arg(config).output().unwrap();
    let output = blocking(check.clone()).await;
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains(AZURE_OK) && stdout.contains(VEEAM_OK), "{stdout}");
    assert_eq!(simulators.veeam.sessions(), 0, "the session of the probe is closed");

    // The configuration is valid, so the exit code is 1, and the other backend is still probed.
    dir.write("password", "wrong");
    let output = blocking(check).await;
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains(AZURE_OK), "{stdout}");
    assert!(stdout.contains("refuses the gateway's credential"), "{stdout}");
    assert!(!stdout.contains("wrong"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_nothing_is_invalid() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let text = std::fs::read_to_string(&config).unwrap();
    for (limit, expected) in [
        (
            "max_connections = 0",
            "invalid value `0` for `max_connections`: expected a number from 1",
        ),
        ("max_connections = -1", "invalid value `-1`"),
        ("max_connection_idle = \"0s\"", "invalid duration `0s` for `max_connection_idle`"),
        ("connections = 5", "unknown field `connections`"),
    ] {
        let limits = format!("[limits]\n{limit}\n[backends.azure]");
        dir.write("gateway.toml", &text.replace("[backends.azure]", &limits));
        let config = config.clone();
        let output = program().args(["check", "--config-only", "--config"]).arg(config).output();
        let output = output.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(":4:") && stderr.contains(expected), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_validates_the_certificate_and_its_key() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let tls = "[tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n[backends.azure]";
    let text = std::fs::read_to_string(&config).unwrap().replace("[backends.azure]", tls);
    dir.write("gateway.toml", &text);
    let ((certificate, key), (_, other_key)) =
        (self_signed_certificate(), self_signed_certificate());
    dir.write("tls.crt", &certificate);
    let check = move || program().arg("check").arg("--config").arg(config).output().unwrap();
    for (key, code) in [(&key, 0), (&other_key, 2), (&certificate, 2)] {
        dir.write("tls.key", key);
        let output = blocking(check.clone()).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.contains("tls.key"), code == 2, "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_refuses_a_certificate_that_is_not_valid_now_and_warns_before_its_end() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let tls = "[tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n[backends.azure]";
    let text = std::fs::read_to_string(&config).unwrap().replace("[backends.azure]", tls);
    dir.write("gateway.toml", &text);
    for ((certificate, key), code, expected) in [
        (certificate_valid_in([1975, 2020]), 2, Some("expired on 2020-01-01T00:00:00Z: renew it")),
        (certificate_valid_in([4000, 4096]), 2, Some("is not valid before 4000-01-01T00:00:00Z")),
        (certificate_valid_for(20), 0, Some("expires in 19 days, on ")),
        (certificate_valid_for(60), 0, None),
    ] {
        dir.write("tls.crt", &certificate);
        dir.write("tls.key", &key);
        let config = config.clone();
        let check = move || program().arg("check").arg("--config").arg(config).output().unwrap();
        let output = blocking(check).await;
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        let problem = text.lines().find(|line| line.contains("tls.crt: the certificate "));
        assert_eq!(problem.is_some(), expected.is_some(), "{text}");
        assert!(expected.is_none_or(|expected| text.contains(expected)), "{text}");
    }
}
