//! What clients ask before and beside restore points: where to log on, which subscriptions and groups.

use http::Method;
use serde_json::json;

use super::fixture::{Bench, Seen};

#[tokio::test]
async fn anyone_is_told_where_to_log_on() {
    let bench = Bench::new();
    let (endpoint, tenant) = (bench.azure.endpoint(), bench.azure.tenant_id());
    let ask = async |path: &str| {
        Seen::of(bench.http.get(format!("{endpoint}{path}")).send().await.unwrap()).await
    };
    let metadata = ask(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(metadata.status, 200, "{}", metadata.text);
    let metadata = metadata.json();
    assert_eq!(metadata["issuer"], format!("{endpoint}/{tenant}/v2.0"));
    let scope = format!("{endpoint}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", bench.azure.client_id()),
        ("client_secret", bench.azure.client_secret()),
        ("scope", scope.as_str()),
    ];
    let token = bench.http.post(metadata["token_endpoint"].as_str().unwrap()).form(&form);
    assert_eq!(token.send().await.unwrap().status(), 200);
    let other = ask("/no-such-tenant/v2.0/.well-known/openid-configuration").await;
    assert_eq!((other.status, &other.json()["error"]), (400, &json!("invalid_tenant")));

    let cloud = ask("/metadata/endpoints?api-version=2022-09-01").await.json();
    assert_eq!(cloud["authentication"]["loginEndpoint"], endpoint);
    assert_eq!(cloud["resourceManager"], format!("{endpoint}/"));
}

#[tokio::test]
async fn who_has_a_token_is_told_what_there_is() {
    let bench = Bench::new();
    let subscriptions = bench.get("/subscriptions").await;
    assert_eq!(subscriptions.status, 200, "{}", subscriptions.text);
    assert_eq!(subscriptions.header("x-ms-failure-cause"), None);
    let subscription = &subscriptions.json()["value"][0];
    assert_eq!(subscription["subscriptionId"], bench.azure.subscription_id());
    assert_eq!(subscription["tenantId"], bench.azure.tenant_id());
    assert_eq!(subscription["state"], "Enabled");
    assert_eq!(&bench.get(&bench.path("")).await.json(), subscription);
    let tenants = bench.get("/tenants").await.json();
    assert_eq!(tenants["value"][0]["tenantId"], bench.azure.tenant_id());

    let groups = bench.get(&bench.path("/resourcegroups")).await.json();
    let names: Vec<_> = groups["value"].as_array().unwrap().iter().map(|g| &g["name"]).collect();
    assert!(names.contains(&&json!("RG-Prod")), "{names:?}");
    let group = bench.get(&bench.path("/resourcegroups/rg-prod")).await.json();
    assert_eq!((&group["name"], &group["location"]), (&json!("RG-Prod"), &json!("eastus")));
    bench.get(&bench.path("/resourcegroups/no")).await.refused(404, "ResourceGroupNotFound");
    let foreign = "/subscriptions/00000000-0000-0000-0000-000000000000";
    bench.get(foreign).await.refused(404, "SubscriptionNotFound");

    let anonymous = bench.http.get(bench.url("/subscriptions")).send().await.unwrap();
    Seen::of(anonymous).await.refused(401, "AuthenticationFailed");
    let bare = format!("{}/subscriptions", bench.azure.endpoint());
    bench.call(Method::GET, &bare, None).await.refused(400, "MissingApiVersionParameter");
}

/// Proved by azure-mgmt-compute 39, which sends no other version.
#[tokio::test]
async fn the_newest_client_library_s_version_is_taken() {
    let bench = Bench::new();
    let url = format!("{}{}?api-version=2026-04-01", bench.azure.endpoint(), bench.day(1));
    assert_eq!(bench.call(Method::GET, &url, None).await.status, 200);
}

/// Proved by azidentity for Go, which asks for OpenID's scopes too, and by az, whose audience ends with a
/// slash.
#[tokio::test]
async fn a_token_is_granted_whatever_else_its_scope_names() {
    let bench = Bench::new();
    let azure = &bench.azure;
    let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
    let resource = azure.endpoint();
    for (scope, status) in [
        (format!("{resource}/.default openid offline_access profile"), 200),
        (format!("openid {resource}/.default"), 200),
        (format!("{resource}//.default"), 200),
        ("https://elsewhere.test/.default openid".to_owned(), 400),
        ("openid offline_access profile".to_owned(), 400),
        (String::new(), 400),
    ] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", azure.client_id()),
            ("client_secret", azure.client_secret()),
            ("scope", scope.as_str()),
        ];
        let seen = Seen::of(bench.http.post(&url).form(&form).send().await.unwrap()).await;
        assert_eq!(seen.status, status, "{scope}: {}", seen.text);
    }
}
