//! Every kind of Azure credential, as configured, against the simulated login service; and the error when it is refused.

use std::process::Output;

use restore_point_sandbox::CertificateAuthority;
use restore_point_sandbox::azure::{Azure, Host, Settings};
use restore_point_test_support::failure::SENSITIVE;

use crate::fixture::{TempDir, blocking, program};

/// A simulated Azure, and the directory of a configuration for it.
struct Fixture {
    azure: Azure,
    dir: TempDir,
}

impl Fixture {
    fn start() -> Self {
        let authority = CertificateAuthority::generate().unwrap();
        let azure = Azure::start(Settings::default(), &authority).unwrap();
        let dir = TempDir::new();
        dir.write("ca.pem", &authority.pem());
        Self { azure, dir }
    }

    /// Runs `check` with a credential and environment variables. `APPLICATION` in the credential is replaced by the
    /// tenant and client id. Returns the exit code and the output.
    async fn check(&self, credential: &str, environment: &[(&str, &str)]) -> (i32, String) {
        let application = format!(
            "tenant_id = \"{}\"\nclient_id = \"{}\"",
            self.azure.tenant_id(),
            self.azure.client_id()
        );
        let config = format!(
            "[backends.azure]\nkind = \"azure\"\nsubscription_id = \"{}\"\nendpoint = \"{}\"\n\
             authority = \"{}\"\nca_file = \"ca.pem\"\n[backends.azure.credential]\n{}\n",
            self.azure.subscription_id(),
            self.azure.endpoint(),
            self.azure.authority_host(),
            credential.replace("APPLICATION", &application)
        );
        let mut command = program();
        command.arg("check").arg("--config").arg(self.dir.write("gateway.toml", &config));
        command.envs(environment.iter().copied());
        let output = blocking(move || command.output().unwrap()).await;
        let Output { status, stdout, stderr } = output;
        let output = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!output.contains(SENSITIVE), "{output}");
        (status.code().unwrap(), output)
    }

    async fn assert_accepted(&self, credential: &str, environment: &[(&str, &str)]) {
        let (code, output) = self.check(credential, environment).await;
        assert_eq!(code, 0, "{credential}\n{output}");
        assert!(output.contains("the credential is accepted"), "{credential}\n{output}");
    }

    async fn assert_refused(&self, credential: &str, environment: &[(&str, &str)], reason: &str) {
        let (code, output) = self.check(credential, environment).await;
        assert_eq!(code, 1, "{credential}\n{output}");
        assert!(output.contains("refuses the gateway's credential"), "{credential}\n{output}");
        assert!(output.contains(reason), "{credential}\n{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_authenticates_by_secret_certificate_or_federated_token() {
    let fixture = Fixture::start();
    fixture.dir.write("secret", fixture.azure.client_secret());
    fixture
        .assert_accepted("kind = \"client_secret\"\nAPPLICATION\nsecret_file = \"secret\"", &[])
        .await;
    fixture.dir.write("app.pem", &fixture.azure.client_certificate().unwrap());
    let certificate = "kind = \"client_certificate\"\nAPPLICATION\ncertificate_file = \"app.pem\"";
    fixture.assert_accepted(certificate, &[]).await;
    fixture.azure.federate("a.service.account");
    fixture.dir.write("token", "a.service.account");
    let workload = "kind = \"workload_identity\"\nAPPLICATION\ntoken_file = \"token\"";
    fixture.assert_accepted(workload, &[]).await;
    fixture.dir.write("token", "another.service.account");
    fixture.assert_refused(workload, &[], "AADSTS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_token_is_sent_unchanged() {
    let fixture = Fixture::start();
    let token = fixture.azure.static_token();
    let credential = "kind = \"static_token\"\ntoken_env = \"RPG_TOKEN\"";
    fixture.assert_accepted(credential, &[("RPG_TOKEN", &token)]).await;
    fixture
        .assert_refused(credential, &[("RPG_TOKEN", "SENSITIVE")], "InvalidAuthenticationToken")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_comes_from_a_virtual_machine_or_an_app_service() {
    let fixture = Fixture::start();
    let machine = fixture.azure.identity_endpoint(Host::Machine).unwrap();
    let credential =
        format!("kind = \"managed_identity\"\nmetadata_service = \"{}\"", machine.url());
    fixture.assert_accepted(&credential, &[]).await;
    assert_eq!(machine.requests(), 1);

    let service = fixture.azure.identity_endpoint(Host::AppService).unwrap();
    let (url, secret) = (service.url(), service.secret().to_owned());
    let environment = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", secret.as_str())];
    fixture.assert_accepted("kind = \"managed_identity\"", &environment).await;
    let user_assigned =
        format!("kind = \"managed_identity\"\nclient_id = \"{}\"", fixture.azure.client_id());
    fixture.assert_accepted(&user_assigned, &environment).await;
    assert_eq!(service.requests(), 2);
    let wrong_header = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", "SENSITIVE")];
    fixture.assert_refused("kind = \"managed_identity\"", &wrong_header, "identity header").await;
    assert_eq!(machine.requests(), 1, "no request to the metadata service in an App Service");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_azure_cli_provides_the_token_of_its_user() {
    let fixture = Fixture::start();
    let arguments = fixture.dir.path("arguments");
    let token = fixture.azure.static_token();
    let path = fixture.dir.write_az(&format!(
        "echo \"$*\" >> {}\ncat <<END\n{{\"accessToken\": \"{token}\", \"expiresOn\": \
         \"2038-01-18 00:00:00.000000\", \"expires_on\": 2147385600, \"subscription\": \"s\", \
         \"tenant\": \"t\", \"tokenType\": \"Bearer\"}}\nEND",
        arguments.display()
    ));
    fixture.assert_accepted("kind = \"azure_cli\"", &[("PATH", &path)]).await;
    let arguments = std::fs::read_to_string(arguments).unwrap();
    let expected =
        format!("account get-access-token -o json --scope {}/.default", fixture.azure.endpoint());
    assert_eq!(arguments.trim_end(), expected);

    let error = "Please run 'az login' to setup account.";
    let path = fixture.dir.write_az(&format!("echo \"ERROR: {error}\" >&2\nexit 1"));
    fixture.assert_refused("kind = \"azure_cli\"", &[("PATH", &path)], error).await;
    let nowhere = [("PATH", "/nowhere")];
    fixture.assert_refused("kind = \"azure_cli\"", &nowhere, "az not found on PATH").await;
}
