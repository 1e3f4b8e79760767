//! Authentication without a secret: client assertions of a certificate, and the identity endpoints of a host.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use restore_point_sandbox::azure::Host;
use serde_json::{Value, json};

use super::fixture::*;

/// A client assertion that is valid before `change`.
fn signed(fixture: &Fixture, pem: &str, change: impl FnOnce(&mut Header, &mut Value)) -> String {
    use base64::Engine;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(thumbprint));
    let (azure, now) = (&fixture.azure, Timestamp::now().as_second());
    let mut claims = json!({
        "aud": format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id()),
        "iss": azure.client_id(), "sub": azure.client_id(),
        "jti": uuid::Uuid::new_v4().to_string(), "nbf": now, "exp": now + 600,
    });
    change(&mut header, &mut claims);
    let (_, key) = pem.split_once("-----BEGIN PRIVATE").unwrap();
    let key = EncodingKey::from_rsa_pem(format!("-----BEGIN PRIVATE{key}").as_bytes()).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

async fn exchanged(fixture: &Fixture, assertion: &str) -> CapturedResponse {
    let azure = &fixture.azure;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", azure.client_id()),
        ("scope", &format!("{}/.default", azure.endpoint())),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
    CapturedResponse::read(fixture.http.post(url).form(&form).send().await.unwrap()).await
}

#[tokio::test]
async fn a_client_assertion_is_accepted_only_if_every_claim_is_valid() {
    let fixture = Fixture::new();
    let pem = fixture.azure.client_certificate().unwrap();
    let right = signed(&fixture, &pem, |_, _| {});
    assert_eq!(exchanged(&fixture, &right).await.status, 200);
    let rs256 = signed(&fixture, &pem, |header, _| header.alg = Algorithm::RS256);
    assert_eq!(exchanged(&fixture, &rs256).await.status, 200);

    let now = Timestamp::now().as_second();
    let other = signed(&fixture, &pem, |_, claims| claims["sub"] = json!("somebody"));
    let (head, _) = right.rsplit_once('.').unwrap();
    let (_, foreign_signature) = other.rsplit_once('.').unwrap();
    for (what, assertion, code) in [
        ("used twice", right.clone(), 50_013),
        ("signed for something else", format!("{head}.{foreign_signature}"), 700_027),
        ("of somebody else", other.clone(), 700_021),
        (
            "by another certificate",
            signed(&fixture, &pem, |header, _| header.x5t_s256 = Some("AAAA".to_owned())),
            700_027,
        ),
        (
            "without a thumbprint",
            signed(&fixture, &pem, |header, _| header.x5t_s256 = None),
            70_021,
        ),
        (
            "to another authority",
            signed(&fixture, &pem, |_, claims| claims["aud"] = json!("https://login.example")),
            700_023,
        ),
        ("too late", signed(&fixture, &pem, |_, claims| claims["exp"] = json!(now - 1)), 700_024),
        ("too early", signed(&fixture, &pem, |_, claims| claims["nbf"] = json!(now + 99)), 700_024),
        ("without an id", signed(&fixture, &pem, |_, claims| claims["jti"] = json!(null)), 50_027),
        ("no statement", "a.b.c".to_owned(), 50_027),
        ("nothing", String::new(), 50_027),
    ] {
        let response = exchanged(&fixture, &assertion).await;
        assert_eq!(
            (response.status, &response.json()["error_codes"]),
            (401, &json!([code])),
            "{what}"
        );
    }
}

#[tokio::test]
async fn an_identity_endpoint_issues_tokens_only_for_valid_requests() {
    let fixture = Fixture::new();
    let machine = fixture.azure.identity_endpoint(Host::Machine).unwrap();
    let service = fixture.azure.identity_endpoint(Host::AppService).unwrap();
    let resource = fixture.azure.endpoint();
    let url = format!("{}/metadata/identity/oauth2/token", machine.url());
    let (metadata, secret) = (("metadata", "true"), ("x-identity-header", service.secret()));
    let version = ("api-version", "2019-08-01");
    let whole = vec![version, ("resource", &resource)];
    let named = vec![version, ("resource", &resource), ("client_id", fixture.azure.client_id())];
    let stranger = vec![version, ("resource", &resource), ("client_id", "somebody")];
    let elsewhere = vec![version, ("resource", "https://vault.azure.net")];
    let vault = vec![("resource", resource.as_str())];
    for (url, header, query, status) in [
        (&url, metadata, &whole, 200),
        (&url, metadata, &named, 200),
        (&url, metadata, &stranger, 400),
        (&url, metadata, &elsewhere, 400),
        (&url, metadata, &vault, 400),
        (&url, secret, &whole, 400),
        (&service.url(), secret, &whole, 200),
        (&service.url(), secret, &stranger, 400),
        (&service.url(), ("x-identity-header", "wrong"), &whole, 401),
        (&service.url(), metadata, &whole, 401),
        (&machine.url(), metadata, &whole, 404),
    ] {
        let request = fixture.http.get(url).query(query).header(header.0, header.1);
        let response = CapturedResponse::read(request.send().await.unwrap()).await;
        assert_eq!(response.status, status, "{url} {header:?} {query:?} {}", response.text);
        if status == 200 {
            let bearer = response.json()["access_token"].as_str().unwrap().to_owned();
            let request = fixture.http.get(fixture.url(fixture.point(1))).bearer_auth(bearer);
            assert_eq!(request.send().await.unwrap().status(), 200);
            assert!(response.json()["expires_on"].is_string(), "{}", response.text);
        }
    }
}
