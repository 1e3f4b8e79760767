//! Logging on, session expiry and logging off.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use reqwest::Method;

use super::fixture::{Fixture, TOKEN, between, header, raw};

#[tokio::test]
async fn the_entry_point_needs_no_logon_and_lists_the_versions() {
    let fixture = Fixture::new();
    let reply = fixture.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.version(), reqwest::Version::HTTP_11);
    assert_eq!(header(&reply, "server"), "Microsoft-HTTPAPI/2.0");
    assert_eq!(header(&reply, "content-type"), "application/xml");
    assert_eq!(header(&reply, "date"), "Tue, 16 Jun 2026 06:00:00 GMT");
    let body = reply.text().await.unwrap();
    assert!(body.starts_with(concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        r#"<EnterpriseManager xmlns="http://www.veeam.com/ent/v1.0" xmlns:xsd="#
    )));
    for version in ["v1_5", "v1_6", "v1_7"] {
        assert!(body.contains(&format!(r#"<SupportedVersion Name="{version}">"#)));
    }
    let create = r#"Href="https://localhost:9398/api/sessionMngr/?v=latest" Type="LogonSession" "#;
    assert!(body.contains(create), "{body}");
    assert_eq!(fixture.em.certificate_sha256().len(), 64);
}

#[tokio::test]
async fn logging_on_returns_a_token_in_header_and_cookie_and_a_session_in_the_body() {
    let fixture = Fixture::new();
    let reply = fixture.log_on_as(fixture.em.username(), fixture.em.password(), "?v=v1_7").await;
    assert_eq!(reply.status(), 201);
    let token = header(&reply, TOKEN);
    assert_eq!(header(&reply, "set-cookie"), format!("X-RestSvcSessionId={token}; Path=/api;"));
    let location = header(&reply, "location");
    let body = reply.text().await.unwrap();
    let id = between(&body, "<SessionId>", "</SessionId>");
    assert_eq!(STANDARD.encode(id), token);
    assert_eq!(location, format!("https://localhost:9398/api/logonSessions/{id}"));
    assert!(body.contains(r"<UserName>SRV12\Administrator</UserName>"));
    assert!(body.contains("https://localhost:9398/api/vmRestorePoints?format=Entity"));
    assert!(body.contains(r#"Href="https://localhost:9398/api/cloud" Type="CloudConnectService""#));
    let (_, cloud) = fixture.get("/cloud").await;
    assert!(cloud.contains("https://localhost:9398/api/cloud/vmReplicaPoints?format=Entity"));
    fixture.em.expire_sessions();
    assert_eq!(fixture.em.sessions(), 0);
}

#[tokio::test]
async fn logging_off_ends_only_the_own_session() {
    let fixture = Fixture::new();
    let (token, _other) = (fixture.log_on().await, fixture.log_on().await);
    let id = String::from_utf8(STANDARD.decode(&token).unwrap()).unwrap();
    assert_eq!(fixture.em.sessions(), 2);
    let listed = fixture.request(Method::GET, "/logonSessions").header(TOKEN, &token);
    let listed = listed.send().await.unwrap().text().await.unwrap();
    assert!(listed.contains("<LogonSessions ") && listed.contains(&id));
    let path = format!("/logonSessions/{}", id.to_uppercase());
    let out = fixture.request(Method::DELETE, &path).header(TOKEN, &token).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(fixture.em.sessions(), 1);
    let late = fixture.request(Method::GET, "/logonSessions").header(TOKEN, &token);
    assert_eq!(late.send().await.unwrap().status(), 401);
    assert_eq!(fixture.em.count(&Method::POST, "/sessionMngr"), 2);
    assert_eq!(fixture.em.calls()[&("DELETE".to_owned(), format!("/api{path}"))], 1);
}

#[tokio::test]
async fn logging_on_needs_the_password_a_supported_version_and_a_length() {
    let fixture = Fixture::new();
    let refused = fixture.log_on_as(fixture.em.username(), "wrong", "?v=latest").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(header(&refused, "www-authenticate"), "Basic Realm=RestSvc");
    let body = refused.text().await.unwrap();
    assert!(body.contains(r#"StatusCode="401""#) && body.contains(r#"Status="Unauthorized""#));
    assert!(body.contains("<StackTrace>SENSITIVE stack"));
    for version in ["?v=v1_4", "?v=v2", ""] {
        let reply = fixture.log_on_as(fixture.em.username(), fixture.em.password(), version).await;
        assert_eq!(reply.status(), 400, "{version}");
    }
    let head = "Host: localhost\r\nConnection: close\r\n\r\n";
    let reply = raw(&fixture, &format!("POST /api/sessionMngr/?v=latest HTTP/1.1\r\n{head}")).await;
    assert!(reply.starts_with(b"HTTP/1.1 411 LengthRequired\r\n"));
    assert_eq!(fixture.em.sessions(), 0);
}

#[tokio::test]
async fn a_session_expires_after_fifteen_idle_minutes_and_any_request_renews_it() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let status = async || {
        let get = fixture.request(Method::GET, "/logonSessions").header(TOKEN, &token);
        get.send().await.unwrap().status().as_u16()
    };
    fixture.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(status().await, 200);
    fixture.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(status().await, 200);
    fixture.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(fixture.em.sessions(), 0);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_token_is_required_and_the_cookie_takes_precedence_over_the_header() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let get = |headers: &[(&'static str, String)]| {
        let request = fixture.request(Method::GET, "/cloud/replicas");
        let request = headers.iter().fold(request, |request, (k, v)| request.header(*k, v));
        async { request.send().await.unwrap().status().as_u16() }
    };
    let cookie = |token: &str| ("cookie", format!("a=b; X-RestSvcSessionId={token}"));
    assert_eq!(get(&[]).await, 401);
    assert_eq!(get(&[cookie(&token)]).await, 200);
    assert_eq!(get(&[cookie(&token), (TOKEN, "bad".to_owned())]).await, 200);
    assert_eq!(get(&[cookie("bad"), (TOKEN, token.clone())]).await, 401);
    fixture.em.expire_sessions();
    assert_eq!(get(&[(TOKEN, token.clone())]).await, 401);
}
