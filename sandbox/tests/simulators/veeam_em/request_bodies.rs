//! Malformed and unusual request bodies.

use reqwest::Response;

use super::fixture::Fixture;

async fn log_on(fixture: &Fixture, body: impl Into<reqwest::Body>, kind: &str) -> Response {
    let post = fixture.client.post(fixture.em.url() + "/sessionMngr/?v=latest");
    let post = post.basic_auth(fixture.em.username(), Some(fixture.em.password()));
    post.header("content-type", kind).body(body).send().await.unwrap()
}

#[tokio::test]
async fn a_malformed_body_is_a_400_with_the_reason() {
    let fixture = Fixture::new();
    for (body, why) in [
        ("<a>".repeat(10_000), "nested too deep"),
        ("<LoginSpec><a></b></LoginSpec>".to_owned(), "Malformed XML"),
        ("<LoginSpec>&unknown;</LoginSpec>".to_owned(), "Malformed text"),
        ("<LoginSpec>".to_owned(), "Root element is missing"),
        ("no element".to_owned(), "Root element is missing"),
    ] {
        let reply = log_on(&fixture, body, "application/xml").await;
        assert_eq!(reply.status(), 400, "{why}");
        let text = reply.text().await.unwrap();
        assert!(text.contains(why), "{text}");
    }
    let reply = log_on(&fixture, vec![b'<', 0xff, b'>'], "application/xml").await;
    assert_eq!(reply.status(), 400);
    assert!(reply.text().await.unwrap().contains("not UTF-8"));
    for body in ["[".repeat(10_000), "[]".to_owned(), "{".to_owned(), "<LoginSpec/>".to_owned()] {
        let reply = log_on(&fixture, body, "Application/JSON; charset=utf-8").await;
        assert_eq!(reply.status(), 400);
        assert!(reply.text().await.unwrap().contains("Node [root] does not exist."));
    }
    assert_eq!(fixture.em.sessions(), 0);
}

#[tokio::test]
async fn a_byte_order_mark_and_namespace_prefixes_are_accepted() {
    let fixture = Fixture::new();
    let [tenant, _] = fixture.em.tenants();
    let escape = quick_xml::escape::escape;
    let body = format!(
        "\u{feff}<?xml version=\"1.0\"?>\n<v:LoginSpec xmlns:v=\"http://www.veeam.com/ent/v1.0\">\n  \
         <v:TenantCredentials>\n    <v:Username>{}</v:Username>\n    <v:Password>{}</v:Password>\n  \
         </v:TenantCredentials>\n</v:LoginSpec>",
        escape(tenant.username),
        escape(tenant.password),
    );
    let reply = log_on(&fixture, body, "application/xml").await;
    assert_eq!(reply.status(), 201);
    assert!(
        reply.text().await.unwrap().matches("<Link ").count() == 3,
        "the session of the tenant"
    );
}
