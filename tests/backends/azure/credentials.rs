//! Where tokens come from, and what becomes of one that is refused.

use super::fixture::*;

fn client_secret(vendor: &Simulator) -> Credential {
    Credential::ClientSecret {
        tenant_id: vendor.tenant_id().to_owned(),
        client_id: vendor.client_id().to_owned(),
        secret: vendor.client_secret().into(),
    }
}

#[tokio::test]
async fn a_client_secret_is_exchanged_once() {
    let bench = bench_with(|_| {}, client_secret);
    bench.azure.probe().await.unwrap();
    walk(&bench.azure, &Segment::Any, 100).await;
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 1);
}

fn certificate(vendor: &Simulator, pem: String) -> Credential {
    Credential::ClientCertificate {
        tenant_id: vendor.tenant_id().to_owned(),
        client_id: vendor.client_id().to_owned(),
        pem: pem.into(),
    }
}

#[tokio::test]
async fn a_registered_certificate_signs_for_its_client() {
    let registered = |vendor: &Simulator| certificate(vendor, vendor.client_certificate().unwrap());
    let bench = bench_with(|_| {}, registered);
    bench.azure.probe().await.unwrap();
    // Each token costs an assertion of its own: none is taken twice.
    bench.vendor.revoke_tokens();
    bench.azure.probe().await.unwrap();
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 2);
}

#[tokio::test]
async fn a_certificate_that_nobody_registered_is_refused() {
    let foreign = |vendor: &Simulator| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let own = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        certificate(vendor, own.pem() + &key.serialize_pem())
    };
    // The right certificate with the key of another.
    let mixed = |vendor: &Simulator| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let registered = vendor.client_certificate().unwrap();
        let (certificate_pem, _) = registered.split_once("-----BEGIN PRIVATE").unwrap();
        certificate(vendor, certificate_pem.to_owned() + &key.serialize_pem())
    };
    for (bench, said) in [
        (bench_with(|_| {}, foreign), "not registered"),
        (bench_with(|_| {}, mixed), "signature validation"),
    ] {
        match bench.azure.probe().await.unwrap_err() {
            Error::CredentialRefused { detail, .. } => {
                assert!(detail.contains("AADSTS700027") && detail.contains(said), "{detail}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_is_asked_for_the_resource_manager_and_nothing_else() {
    let bench = bench_with(|_| {}, client_secret);
    let mut settings = settings(&bench.vendor, &bench.pem, client_secret(&bench.vendor));
    for slash in ["", "/"] {
        settings.endpoint = format!("{}{slash}", bench.vendor.endpoint()).parse().unwrap();
        Azure::new(settings.clone()).unwrap().probe().await.unwrap();
    }
    // Another resource manager than the one that this authority gives tokens for.
    settings.endpoint = bench.vendor.endpoint().replace("localhost", "127.0.0.1").parse().unwrap();
    match Azure::new(settings.clone()).unwrap().probe().await.unwrap_err() {
        Error::CredentialRefused { detail, .. } => {
            let asked = settings.endpoint.as_str().trim_end_matches('/');
            assert!(detail.contains("AADSTS500011") && detail.contains(asked), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_static_token_is_used_as_it_is() {
    bench(|_| {}).azure.probe().await.unwrap();
    let bench = bench_with(|_| {}, |_| Credential::StaticToken("SENSITIVE".into()));
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("SENSITIVE"), "{error:?}");
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 0);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_reads_and_writes() {
    let bench = bench_with(|_| {}, client_secret);
    let tokens = || bench.vendor.calls().count(&Method::POST, Kind::Token);
    let refuse = |method: &Method, times| {
        let body = r#"{"error":{"code":"ExpiredAuthenticationToken","message":"old"}}"#.to_owned();
        let canned = Canned { status: 401, headers: Vec::new(), body: body.into() };
        bench.fault(method.clone(), "fresh", times, Fault::canned(canned));
    };
    refuse(&Method::PUT, 1);
    bench.fresh_target().await;
    assert_eq!(tokens(), 2);
    refuse(&Method::GET, 1);
    bench.azure.get_collection("rg-prod~fresh").await.unwrap();
    assert_eq!(tokens(), 3);
    refuse(&Method::GET, 2);
    let error = bench.azure.get_collection("rg-prod~fresh").await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_secret_and_a_dead_authority_are_told_apart() {
    let wrong = |vendor: &Simulator| Credential::ClientSecret {
        tenant_id: vendor.tenant_id().to_owned(),
        client_id: vendor.client_id().to_owned(),
        secret: "SENSITIVE-but-wrong".into(),
    };
    let bench = bench_with(|_| {}, wrong);
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert!(!format!("{error:?}{error}").contains("SENSITIVE"), "{error:?}");

    let html = Canned { status: 503, headers: Vec::new(), body: "<html>".into() };
    bench.vendor.inject(Matching::path("/oauth2/"), 3, Fault::canned(html));
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = settings(&bench.vendor, &bench.pem, client_secret(&bench.vendor));
    settings.authority = format!("https://localhost:{}", closed.port()).parse().unwrap();
    let error = Azure::new(settings).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_federated_token_is_read_anew_from_its_file() {
    let file = std::env::temp_dir().join(format!("rpg-azure-{}.jwt", uuid::Uuid::new_v4()));
    std::fs::write(&file, "first.of.two").unwrap();
    let path = file.clone();
    let bench = bench_with(
        |_| {},
        |vendor| Credential::WorkloadIdentity {
            tenant_id: vendor.tenant_id().to_owned(),
            client_id: vendor.client_id().to_owned(),
            token_file: path,
        },
    );
    bench.vendor.federate("first.of.two");
    bench.azure.probe().await.unwrap();

    // Kubernetes puts a new one in its place long before the old one ends.
    bench.vendor.federate("second.of.two");
    bench.vendor.revoke_tokens();
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    std::fs::write(&file, "second.of.two").unwrap();
    bench.azure.probe().await.unwrap();

    std::fs::remove_file(file).unwrap();
    bench.vendor.revoke_tokens();
    let error = bench.azure.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused() {
    let bench = bench(|_| {});
    let with = |change: fn(&mut Settings)| {
        let credential = Credential::StaticToken("t".into());
        let mut settings = settings(&bench.vendor, &bench.pem, credential);
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
        ..settings(&bench.vendor, &bench.pem, client_secret(&bench.vendor))
    });
    let error = untrusted.unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(bench.clock.now() > Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_not_read_to_its_end() {
    let bench = bench_with(|_| {}, client_secret);
    let token = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(64 << 20));
    let body = token.into_bytes().into();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    bench.fault(
        Method::POST,
        "/oauth2/v2.0/token",
        3,
        Fault::canned(Canned { status: 200, headers, body }),
    );
    match bench.azure.probe().await.unwrap_err() {
        Error::Unavailable { detail, .. } => assert!(detail.contains("larger than"), "{detail}"),
        other => panic!("{other:?}"),
    }
    bench.azure.probe().await.unwrap();
}
