//! Authentication without a secret: client assertions of a certificate, and the identity endpoints of a host.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use restore_point_sandbox::azure::Host;
use serde_json::{Value, json};

use super::fixture::*;

/// A client assertion that is valid before `change`.
fn client_assertion(
    fixture: &Fixture,
    pem: &str,
    change: impl FnOnce(&mut Header, &mut Value),
) -> String {
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

async fn token_response(fixture: &Fixture, assertion: &str) -> CapturedResponse {
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
    let valid = client_assertion(&fixture, &pem, |_, _| {});
    assert_eq!(token_response(&fixture, &valid).await.status, 200);
    let rs256 = client_assertion(&fixture, &pem, |header, _| header.alg = Algorithm::RS256);
    assert_eq!(token_response(&fixture, &rs256).await.status, 200);

    let now = Timestamp::now().as_second();
    let other = client_assertion(&fixture, &pem, |_, claims| claims["sub"] = json!("somebody"));
    let (head, _) = valid.rsplit_once('.').unwrap();
    let (_, foreign_signature) = other.rsplit_once('.').unwrap();
    for (what, assertion, code) in [
        ("used twice", valid.clone(), 50_013),
        ("signed for something else", format!("{head}.{foreign_signature}"), 700_027),
        ("of somebody else", other.clone(), 700_021),
        (
            "by another certificate",
            client_assertion(&fixture, &pem, |header, _| header.x5t_s256 = Some("AAAA".to_owned())),
            700_027,
        ),
        (
            "without a thumbprint",
            client_assertion(&fixture, &pem, |header, _| header.x5t_s256 = None),
            70_021,
        ),
        (
            "to another authority",
            client_assertion(&fixture, &pem, |_, claims| {
                claims["aud"] = json!("https://login.example")
            }),
            700_023,
        ),
        (
            "too late",
            client_assertion(&fixture, &pem, |_, claims| claims["exp"] = json!(now - 1)),
            700_024,
        ),
        (
            "too early",
            client_assertion(&fixture, &pem, |_, claims| claims["nbf"] = json!(now + 99)),
            700_024,
        ),
        (
            "without an id",
            client_assertion(&fixture, &pem, |_, claims| claims["jti"] = json!(null)),
            50_027,
        ),
        ("no statement", "a.b.c".to_owned(), 50_027),
        ("nothing", String::new(), 50_027),
    ] {
        let response = token_response(&fixture, &assertion).await;
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
    let valid_query = vec![version, ("resource", &resource)];
    let with_client_id =
        vec![version, ("resource", &resource), ("client_id", fixture.azure.client_id())];
    let other_client = vec![version, ("resource", &resource), ("client_id", "somebody")];
    let other_resource = vec![version, ("resource", "https://vault.azure.net")];
    let without_version = vec![("resource", resource.as_str())];
    for (url, header, query, status) in [
        (&url, metadata, &valid_query, 200),
        (&url, metadata, &with_client_id, 200),
        (&url, metadata, &other_client, 400),
        (&url, metadata, &other_resource, 400),
        (&url, metadata, &without_version, 400),
        (&url, secret, &valid_query, 400),
        (&service.url(), secret, &valid_query, 200),
        (&service.url(), secret, &other_client, 400),
        (&service.url(), ("x-identity-header", "wrong"), &valid_query, 401),
        (&service.url(), metadata, &valid_query, 401),
        (&machine.url(), metadata, &valid_query, 404),
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
