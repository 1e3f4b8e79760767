//! Every kind of credential as a configuration names it, against the simulated directory, and what each says
//! when it is refused.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use restore_point_sandbox::CertificateAuthority;
use restore_point_sandbox::azure::{Azure, Host, Settings};

use crate::fixture::{Folder, program};

struct Bench {
    azure: Azure,
    folder: Folder,
}

impl Bench {
    fn start() -> Self {
        let authority = CertificateAuthority::generate().unwrap();
        let azure = Azure::start(Settings::default(), &authority).unwrap();
        let folder = Folder::new();
        folder.write("ca.pem", &authority.pem());
        Self { azure, folder }
    }

    /// `check` of a configuration with this credential, in this environment.
    async fn check(&self, credential: &str, environment: &[(&str, &str)]) -> (i32, String) {
        let application = format!(
            "tenant_id = \"{}\"\nclient_id = \"{}\"",
            self.azure.tenant_id(),
            self.azure.client_id()
        );
        let text = format!(
            "[backends.azure]\nkind = \"azure\"\nsubscription_id = \"{}\"\nendpoint = \"{}\"\n\
             authority = \"{}\"\nca_file = \"ca.pem\"\n[backends.azure.credential]\n{}\n",
            self.azure.subscription_id(),
            self.azure.endpoint(),
            self.azure.authority_host(),
            credential.replace("APPLICATION", &application)
        );
        let mut command = program();
        command.arg("check").arg("--config").arg(self.folder.write("gateway.toml", &text));
        command.envs(environment.iter().copied());
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
        let Output { status, stdout, stderr } = ended.await.unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!said.contains("SENSITIVE"), "{said}");
        (status.code().unwrap(), said)
    }

    async fn accepts(&self, credential: &str, environment: &[(&str, &str)]) {
        let (code, said) = self.check(credential, environment).await;
        assert_eq!(code, 0, "{credential}\n{said}");
        assert!(said.contains("the credential is accepted"), "{credential}\n{said}");
    }

    async fn refuses(&self, credential: &str, environment: &[(&str, &str)], words: &str) {
        let (code, said) = self.check(credential, environment).await;
        assert_eq!(code, 1, "{credential}\n{said}");
        assert!(said.contains("refuses the gateway's credential"), "{credential}\n{said}");
        assert!(said.contains(words), "{credential}\n{said}");
    }

    /// A folder with an `az` that is this shell script.
    fn az(&self, script: &str) -> String {
        let folder = self.folder.path("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let az = folder.join("az");
        std::fs::write(&az, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:/usr/bin:/bin", folder.display())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_proves_itself_by_secret_certificate_or_service_account() {
    let bench = Bench::start();
    bench.folder.write("secret", bench.azure.client_secret());
    bench.accepts("kind = \"client_secret\"\nAPPLICATION\nsecret_file = \"secret\"", &[]).await;
    bench.folder.write("app.pem", &bench.azure.client_certificate().unwrap());
    let certificate = "kind = \"client_certificate\"\nAPPLICATION\ncertificate_file = \"app.pem\"";
    bench.accepts(certificate, &[]).await;
    bench.azure.federate("a.service.account");
    bench.folder.write("token", "a.service.account");
    let account = "kind = \"workload_identity\"\nAPPLICATION\ntoken_file = \"token\"";
    bench.accepts(account, &[]).await;
    bench.folder.write("token", "another.service.account");
    bench.refuses(account, &[], "AADSTS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_elsewhere_is_taken_as_it_is() {
    let bench = Bench::start();
    let token = bench.azure.static_token();
    let named = "kind = \"static_token\"\ntoken_env = \"RPG_TOKEN\"";
    bench.accepts(named, &[("RPG_TOKEN", &token)]).await;
    bench.refuses(named, &[("RPG_TOKEN", "SENSITIVE")], "InvalidAuthenticationToken").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_and_an_app_service_lend_their_identity() {
    let bench = Bench::start();
    let machine = bench.azure.identity_endpoint(Host::Machine).unwrap();
    let named = format!("kind = \"managed_identity\"\nmetadata_service = \"{}\"", machine.url());
    bench.accepts(&named, &[]).await;
    assert_eq!(machine.requests(), 1);

    let service = bench.azure.identity_endpoint(Host::AppService).unwrap();
    let (url, secret) = (service.url(), service.secret().to_owned());
    let inside = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", secret.as_str())];
    bench.accepts("kind = \"managed_identity\"", &inside).await;
    let assigned =
        format!("kind = \"managed_identity\"\nclient_id = \"{}\"", bench.azure.client_id());
    bench.accepts(&assigned, &inside).await;
    assert_eq!(service.requests(), 2);
    let outside = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", "SENSITIVE")];
    bench.refuses("kind = \"managed_identity\"", &outside, "identity header").await;
    assert_eq!(machine.requests(), 1, "an App Service is not asked for a machine's identity");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_logged_on_with_az_is_asked_through_az() {
    let bench = Bench::start();
    let asked = bench.folder.path("asked");
    let token = bench.azure.static_token();
    let path = bench.az(&format!(
        "echo \"$*\" >> {}\ncat <<END\n{{\"accessToken\": \"{token}\", \"expiresOn\": \
         \"2038-01-18 00:00:00.000000\", \"expires_on\": 2147385600, \"subscription\": \"s\", \
         \"tenant\": \"t\", \"tokenType\": \"Bearer\"}}\nEND",
        asked.display()
    ));
    bench.accepts("kind = \"azure_cli\"", &[("PATH", &path)]).await;
    let asked = std::fs::read_to_string(asked).unwrap();
    let wanted =
        format!("account get-access-token -o json --scope {}/.default", bench.azure.endpoint());
    assert_eq!(asked.trim_end(), wanted);

    let words = "Please run 'az login' to setup account.";
    let path = bench.az(&format!("echo \"ERROR: {words}\" >&2\nexit 1"));
    bench.refuses("kind = \"azure_cli\"", &[("PATH", &path)], words).await;
    let nowhere = [("PATH", "/nowhere")];
    bench.refuses("kind = \"azure_cli\"", &nowhere, "az not found on PATH").await;
}
