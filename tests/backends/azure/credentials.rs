//! Each kind of credential, and rejected tokens.

use std::time::Duration;

use restore_point_gateway::upstream::Upstream;
use restore_point_test_support::wait::advance;

use super::fixture::*;

fn client_secret(simulator: &Simulator) -> Credential {
    Credential::ClientSecret {
        tenant_id: simulator.tenant_id().to_owned(),
        client_id: simulator.client_id().to_owned(),
        secret: simulator.client_secret().into(),
    }
}

#[tokio::test]
async fn a_client_secret_is_exchanged_once() {
    let fixture = AzureFixture::start_as(client_secret);
    fixture.azure.probe().await.unwrap();
    list_all(&fixture.azure, &Segment::Any, 100).await;
    assert_eq!(fixture.simulator.calls().count(&Method::POST, Kind::Token), 1);
}

fn certificate(simulator: &Simulator, pem: String) -> Credential {
    Credential::ClientCertificate {
        tenant_id: simulator.tenant_id().to_owned(),
        client_id: simulator.client_id().to_owned(),
        pem: pem.into(),
    }
}

#[tokio::test]
async fn a_registered_certificate_signs_for_its_client() {
    let registered =
        |simulator: &Simulator| certificate(simulator, simulator.client_certificate().unwrap());
    let fixture = AzureFixture::start_as(registered);
    fixture.azure.probe().await.unwrap();
    // Each token needs an assertion of its own: none is accepted twice.
    fixture.simulator.revoke_tokens();
    fixture.azure.probe().await.unwrap();
    assert_eq!(fixture.simulator.calls().count(&Method::POST, Kind::Token), 2);
}

#[tokio::test]
async fn an_unregistered_certificate_is_rejected() {
    let unregistered = |simulator: &Simulator| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let own = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        certificate(simulator, own.pem() + &key.serialize_pem())
    };
    // The registered certificate with the key of another.
    let mixed = |simulator: &Simulator| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let registered = simulator.client_certificate().unwrap();
        let (certificate_pem, _) = registered.split_once("-----BEGIN PRIVATE").unwrap();
        certificate(simulator, certificate_pem.to_owned() + &key.serialize_pem())
    };
    for (fixture, text) in [
        (AzureFixture::start_as(unregistered), "not registered"),
        (AzureFixture::start_as(mixed), "signature validation"),
    ] {
        match fixture.azure.probe().await.unwrap_err() {
            Error::CredentialRefused { detail, .. } => {
                assert!(detail.contains("AADSTS700027") && detail.contains(text), "{detail}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn tokens_are_requested_for_resource_manager_only() {
    let fixture = AzureFixture::start_as(client_secret);
    let mut settings =
        settings(&fixture.simulator, &fixture.pem, client_secret(&fixture.simulator));
    for slash in ["", "/"] {
        settings.endpoint = format!("{}{slash}", fixture.simulator.endpoint()).parse().unwrap();
        Azure::new(settings.clone()).unwrap().probe().await.unwrap();
    }
    // The authority issues no tokens for another Resource Manager.
    settings.endpoint =
        fixture.simulator.endpoint().replace("localhost", "127.0.0.1").parse().unwrap();
    match Azure::new(settings.clone()).unwrap().probe().await.unwrap_err() {
        Error::CredentialRefused { detail, .. } => {
            let audience = settings.endpoint.as_str().trim_end_matches('/');
            assert!(detail.contains("AADSTS500011") && detail.contains(audience), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_static_token_is_never_renewed() {
    AzureFixture::start().azure.probe().await.unwrap();
    let fixture = AzureFixture::start_as(|_| Credential::StaticToken("SENSITIVE".into()));
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("SENSITIVE"), "{error:?}");
    assert_eq!(fixture.simulator.calls().count(&Method::POST, Kind::Token), 0);
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once_for_reads_and_writes() {
    let fixture = AzureFixture::start_as(client_secret);
    let tokens = || fixture.simulator.calls().count(&Method::POST, Kind::Token);
    let reject = |method: &Method, times| {
        let body = r#"{"error":{"code":"ExpiredAuthenticationToken","message":"old"}}"#.to_owned();
        let canned = Canned { status: 401, headers: Vec::new(), body: body.into() };
        fixture.fault(method.clone(), "fresh", times, Fault::canned(canned));
    };
    reject(&Method::PUT, 1);
    fixture.create_target().await;
    assert_eq!(tokens(), 2);
    reject(&Method::GET, 1);
    fixture.azure.get_collection("rg-prod~fresh").await.unwrap();
    assert_eq!(tokens(), 3);
    reject(&Method::GET, 2);
    let error = fixture.azure.get_collection("rg-prod~fresh").await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_secret_and_an_unavailable_authority_are_different_errors() {
    let wrong = |simulator: &Simulator| Credential::ClientSecret {
        tenant_id: simulator.tenant_id().to_owned(),
        client_id: simulator.client_id().to_owned(),
        secret: "SENSITIVE-but-wrong".into(),
    };
    let fixture = AzureFixture::start_as(wrong);
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert!(!format!("{error:?}{error}").contains("SENSITIVE"), "{error:?}");

    let body = r#"{"error":"invalid_grant","error_description":"AADSTS50034: The user account operator@contoso.example does not exist."}"#;
    let unknown = Canned { status: 400, headers: Vec::new(), body: body.into() };
    fixture.simulator.inject(Matching::path("/oauth2/"), 1, Fault::canned(unknown));
    fixture.after_backoff().await;
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(error.to_string().contains("AADSTS50034: The user account … does not"), "{error}");
    assert!(!format!("{error:?}").contains("operator@"), "{error:?}");

    let html = Canned { status: 503, headers: Vec::new(), body: "<html>".into() };
    fixture.simulator.inject(Matching::path("/oauth2/"), 3, Fault::canned(html));
    fixture.after_backoff().await;
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings =
        settings(&fixture.simulator, &fixture.pem, client_secret(&fixture.simulator));
    settings.authority = format!("https://localhost:{}", closed.port()).parse().unwrap();
    let error = Azure::new(settings).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_federated_token_is_read_again_from_its_file() {
    let file = std::env::temp_dir().join(format!("rpg-azure-{}.jwt", uuid::Uuid::new_v4()));
    std::fs::write(&file, "first.of.two").unwrap();
    let path = file.clone();
    let fixture = AzureFixture::start_with_credential(
        |_| {},
        |simulator| Credential::WorkloadIdentity {
            tenant_id: simulator.tenant_id().to_owned(),
            client_id: simulator.client_id().to_owned(),
            token_file: path,
        },
    );
    fixture.simulator.federate("first.of.two");
    fixture.azure.probe().await.unwrap();

    // Kubernetes replaces it long before it expires.
    fixture.simulator.federate("second.of.two");
    fixture.simulator.revoke_tokens();
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    std::fs::write(&file, "second.of.two").unwrap();
    fixture.after_backoff().await;
    fixture.azure.probe().await.unwrap();

    std::fs::remove_file(file).unwrap();
    fixture.simulator.revoke_tokens();
    let error = fixture.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn invalid_settings_are_rejected() {
    let fixture = AzureFixture::start();
    let with = |change: fn(&mut Settings)| {
        let credential = Credential::StaticToken("t".into());
        let mut settings = settings(&fixture.simulator, &fixture.pem, credential);
        change(&mut settings);
        Azure::new(settings).unwrap_err().to_string()
    };
    let empty = |settings: &mut Settings| {
        settings.credential = Credential::ClientSecret {
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            secret: "".into(),
        };
    };
    for (error, setting) in [
        (with(|settings| settings.subscription_id = "mine".to_owned()), "subscription_id"),
        (with(|s| s.endpoint = "http://example.com".parse().unwrap()), "endpoint"),
        (with(|s| s.authority = "http://example.com".parse().unwrap()), "authority"),
        (with(|settings| settings.api_version = "2021-07-01".to_owned()), "api_version"),
        (with(|settings| settings.api_version = "latest".to_owned()), "api_version"),
        (with(empty), "credential"),
    ] {
        assert!(error.starts_with(setting), "{error}");
    }
    let untrusted = Azure::new(Settings {
        trust: Trust::Platform,
        ..settings(&fixture.simulator, &fixture.pem, client_secret(&fixture.simulator))
    });
    let error = untrusted.unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(fixture.clock.now() > Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn an_oversized_token_response_is_not_read_to_its_end() {
    let fixture = AzureFixture::start_as(client_secret);
    let token = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(64 << 20));
    let body = token.into_bytes().into();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    fixture.fault(
        Method::POST,
        "/oauth2/v2.0/token",
        3,
        Fault::canned(Canned { status: 200, headers, body }),
    );
    match fixture.azure.probe().await.unwrap_err() {
        Error::Unavailable { detail, .. } => assert!(detail.contains("larger than"), "{detail}"),
        other => panic!("{other:?}"),
    }
    fixture.after_backoff().await;
    fixture.azure.probe().await.unwrap();
}

/// The requests of each upstream that have had a response of this class.
fn responses(fixture: &AzureFixture, upstream: Upstream, status: &str) -> u64 {
    let metrics = fixture.azure.request_metrics();
    let metrics = metrics.iter().find(|metrics| metrics.upstream == upstream).unwrap();
    let class = metrics.requests.iter().find(|(class, _)| class.label() == status).unwrap();
    class.1
}

#[tokio::test]
async fn requests_for_tokens_are_counted_apart() {
    let fixture = AzureFixture::start_as(client_secret);
    fixture.azure.probe().await.unwrap();
    assert_eq!(responses(&fixture, Upstream::Authority, "2xx"), 1);
    assert_eq!(responses(&fixture, Upstream::Vendor, "2xx"), 1);
    // A static token has no authority.
    assert_eq!(AzureFixture::start().azure.request_metrics().len(), 1);
}

#[tokio::test]
async fn a_retry_after_of_the_authority_is_kept() {
    let fixture = AzureFixture::start_as(client_secret);
    let headers = vec![("retry-after".to_owned(), "1800".to_owned())];
    let throttled = Canned { status: 429, headers, body: "{}".into() };
    fixture.simulator.inject(Matching::path("/oauth2/"), 1, Fault::canned(throttled));
    let tokens = || fixture.simulator.calls().count(&Method::POST, Kind::Token);
    fixture.azure.probe().await.unwrap_err();
    advance(Duration::from_secs(600)).await;
    match fixture.azure.probe().await.unwrap_err() {
        Error::Unavailable { retry_after, .. } => {
            assert!(retry_after > Duration::from_secs(600), "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(tokens(), 1, "the pause that the authority asked for has not passed");
    advance(Duration::from_secs(1300)).await;
    fixture.azure.probe().await.unwrap();
}

#[tokio::test]
async fn tokens_that_are_rejected_at_once_do_not_flood_the_authority() {
    let fixture = AzureFixture::start_as(client_secret);
    let body = r#"{"error":{"code":"InvalidAuthenticationToken","message":"no"}}"#;
    let canned = Canned { status: 401, headers: Vec::new(), body: body.into() };
    fixture.simulator.inject(Matching::path("/subscriptions/"), 10_000, Fault::canned(canned));
    let tokens = || fixture.simulator.calls().count(&Method::POST, Kind::Token);
    for _ in 0..21 {
        fixture.azure.probe().await.unwrap_err();
    }
    let metrics = fixture.azure.request_metrics();
    let authority = metrics.iter().find(|metrics| metrics.upstream == Upstream::Authority);
    let left = authority.unwrap().rate_limiter.unwrap().available;
    assert!(tokens() >= 20 && left < 10.0, "{} requests, {left} left", tokens());
}
