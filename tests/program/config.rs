//! Configuration errors: each names the file, the line and the valid values, and exits with 2.

use crate::fixture::{TempDir, program};

const AZURE: &str = r#"[backends.a]
kind = "azure"
subscription_id = "00000000-0000-0000-0000-000000000000"
[backends.a.credential]
kind = "azure_cli"
"#;

const VEEAM: &str = r#"[backends.v]
kind = "veeam_enterprise_manager"
url = "https://em.example:9398"
username = "u"
password_file = "password"
"#;

/// Runs `check` on a configuration. Returns the exit code and stderr.
fn check(config: &str, arguments: &[&str]) -> (i32, String) {
    let dir = TempDir::new();
    let file = dir.write("gateway.toml", config);
    let output = program().arg("check").args(arguments).arg("--config").arg(file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_example_configuration_is_valid() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.example.toml");
    let output = program().args(["check", "--form", "--config", example]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("valid, 4 backends"), "{stdout}");
}

#[test]
fn an_invalid_setting_is_reported_with_its_line() {
    let with = |setting: &str| format!("{setting}\n{AZURE}");
    for (config, line, expected) in [
        (String::new(), 1, "backends.NAME"),
        ("listen = [".to_owned(), 1, "array"),
        (with("lisden = []"), 1, "lisden"),
        (with("\nlisten = [\"localhost\"]"), 2, "IP:PORT"),
        (with("listen = [\"0.0.0.0:50051\"]"), 1, "allow_plaintext"),
        (with("listen = []"), 1, "127.0.0.1:50051"),
        (with("log = \"loud\""), 1, "json"),
        (with("[drain]\ngrace = \"soon\""), 2, "10s"),
        (with("[watch]\nmin_interval = \"10s\"\nmax_interval = \"1s\""), 3, "min_interval"),
        (with("[metrics]"), 1, "listen = \"127.0.0.1:9464\""),
        (with("[metrics]\nlisten = \"0.0.0.0:9464\""), 2, "allow_plaintext"),
        (with("[metrics]\npath = \"/\""), 2, "path"),
        (with("[watch]\nmin_interval = \"2m\""), 2, "`max_interval` (60s)"),
        (with("[watch]\nidle_ttl = \"1s\"\nmin_interval = \"0s\""), 3, "more than 0"),
        (format!("{AZURE}[backends.a.watch]\nmax_interval = \"4s\""), 7, "`min_interval` (5s)"),
        (format!("{AZURE}[backends.a.watch]\nmin_interval = \"0ms\""), 7, "more than 0"),
        (format!("{AZURE}[backends.a.watch]\nquick = \"1s\""), 7, "quick"),
        (
            // Both tables are valid by themselves; the error is reported in the backend's.
            format!(
                "{VEEAM}[backends.v.watch]\nmin_interval = \"30s\"\n[watch]\nmax_interval = \"20s\""
            ),
            7,
            "`max_interval` (20s)",
        ),
        (with("[tls]\ncert_file = \"c\""), 1, "key_file"),
        (with("token_key_file = \"a\"\ntoken_key_env = \"B\""), 2, "one of them"),
        (with("token_key_file = \"a\"\ntoken_keys = [{ file = \"a\" }]"), 2, "one of them"),
        (with("token_keys = []"), 1, "expected 1 to 8"),
        (
            with("token_keys = [{ file = \"a\" }, { file = \"b\", env = \"B\" }]"),
            1,
            "`file` or `env`",
        ),
        (with("token_keys = [{ path = \"a\" }]"), 1, "path"),
        (AZURE.replace("backends.a", "backends.Azure_1"), 1, "a-z"),
        (AZURE.replace("kind = \"azure\"\n", ""), 1, "kind"),
        (AZURE.replace("\"azure\"", "\"vmware\""), 2, "veeam"),
        (AZURE.replace("00000000-0000", "x"), 3, "GUID"),
        (AZURE.replace("[backends.a.credential]\nkind = \"azure_cli\"", ""), 1, "credential"),
        (AZURE.replace("azure_cli", "password"), 5, "client_secret"),
        (AZURE.replace("azure_cli", "client_secret"), 4, "tenant_id"),
        (
            AZURE.replace(
                "\"azure_cli\"",
                "\"managed_identity\"\nmetadata_service = \"http://a/b\"",
            ),
            6,
            "169.254.169.254",
        ),
        (AZURE.replace("[backends.a.cr", "cloud = \"mars\"\n[backends.a.cr"), 4, "usgov"),
        (
            AZURE.replace("[backends.a.cr", "endpoint = \"https://x\"\n[backends.a.cr"),
            4,
            "authority",
        ),
        (
            AZURE.replace("[backends.a.cr", "username = \"u\"\n[backends.a.cr"),
            4,
            "`subscription_id`",
        ),
        (VEEAM.replace("https", "http"), 3, "https"),
        (VEEAM.replace("password_file", "password"), 5, "password"),
        (VEEAM.replace("password_file = \"password\"\n", ""), 1, "password_file"),
        (format!("{VEEAM}certificate_sha256 = \"ab:cd\""), 6, "64"),
        (format!("{VEEAM}subscription_id = \"1\""), 6, "`certificate_sha256`"),
    ] {
        let (code, stderr) = check(&config, &["--form"]);
        assert_eq!(code, 2, "{config}\n{stderr}");
        let place = format!("gateway.toml:{line}: ");
        assert!(stderr.contains(&place), "line {line}\n{config}\n{stderr}");
        assert!(stderr.contains(expected), "{expected}\n{config}\n{stderr}");
    }
}

#[test]
fn a_missing_secret_is_reported_with_its_line_or_variable() {
    let (code, stderr) = check(VEEAM, &[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("gateway.toml:5: ") && stderr.contains("create it"), "{stderr}");
    let variable = VEEAM.replace("password_file = \"password\"", "password_env = \"RPG_NOT_SET\"");
    let (code, stderr) = check(&variable, &[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("RPG_NOT_SET"), "{stderr}");
}

#[test]
fn a_missing_file_and_invalid_arguments_exit_with_2() {
    for arguments in [
        &["check", "--config", "/nowhere/gateway.toml"][..],
        &["serve", "--config", "/nowhere/gateway.toml"],
        &["serve"],
        &["start"],
        &["sandbox", "--speed", "0"],
    ] {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
