//! Metadata documents, tokens, tenants, subscriptions and resource groups.

use http::Method;
use serde_json::json;

use super::fixture::{CapturedResponse, Fixture};

#[tokio::test]
async fn metadata_documents_need_no_token() {
    let fixture = Fixture::new();
    let (endpoint, tenant) = (fixture.azure.endpoint(), fixture.azure.tenant_id());
    let ask = async |path: &str| {
        CapturedResponse::read(fixture.http.get(format!("{endpoint}{path}")).send().await.unwrap())
            .await
    };
    let metadata = ask(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(metadata.status, 200, "{}", metadata.text);
    let metadata = metadata.json();
    assert_eq!(metadata["issuer"], format!("{endpoint}/{tenant}/v2.0"));
    let scope = format!("{endpoint}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", fixture.azure.client_id()),
        ("client_secret", fixture.azure.client_secret()),
        ("scope", scope.as_str()),
    ];
    let token = fixture.http.post(metadata["token_endpoint"].as_str().unwrap()).form(&form);
    assert_eq!(token.send().await.unwrap().status(), 200);
    let other = ask("/no-such-tenant/v2.0/.well-known/openid-configuration").await;
    assert_eq!((other.status, &other.json()["error"]), (400, &json!("invalid_tenant")));

    let cloud = ask("/metadata/endpoints?api-version=2022-09-01").await.json();
    assert_eq!(cloud["authentication"]["loginEndpoint"], endpoint);
    assert_eq!(cloud["resourceManager"], format!("{endpoint}/"));
}

#[tokio::test]
async fn tenants_subscriptions_and_groups_need_a_token() {
    let fixture = Fixture::new();
    let subscriptions = fixture.get("/subscriptions").await;
    assert_eq!(subscriptions.status, 200, "{}", subscriptions.text);
    assert_eq!(subscriptions.header("x-ms-failure-cause"), None);
    let subscription = &subscriptions.json()["value"][0];
    assert_eq!(subscription["subscriptionId"], fixture.azure.subscription_id());
    assert_eq!(subscription["tenantId"], fixture.azure.tenant_id());
    assert_eq!(subscription["state"], "Enabled");
    assert_eq!(&fixture.get(&fixture.path("")).await.json(), subscription);
    let tenants = fixture.get("/tenants").await.json();
    assert_eq!(tenants["value"][0]["tenantId"], fixture.azure.tenant_id());

    let groups = fixture.get(&fixture.path("/resourcegroups")).await.json();
    let names: Vec<_> = groups["value"].as_array().unwrap().iter().map(|g| &g["name"]).collect();
    assert!(names.contains(&&json!("RG-Prod")), "{names:?}");
    let group = fixture.get(&fixture.path("/resourcegroups/rg-prod")).await.json();
    assert_eq!((&group["name"], &group["location"]), (&json!("RG-Prod"), &json!("eastus")));
    fixture
        .get(&fixture.path("/resourcegroups/no"))
        .await
        .assert_error(404, "ResourceGroupNotFound");
    let foreign = "/subscriptions/00000000-0000-0000-0000-000000000000";
    fixture.get(foreign).await.assert_error(404, "SubscriptionNotFound");

    let anonymous = fixture.http.get(fixture.url("/subscriptions")).send().await.unwrap();
    CapturedResponse::read(anonymous).await.assert_error(401, "AuthenticationFailed");
    let bare = format!("{}/subscriptions", fixture.azure.endpoint());
    fixture.call(Method::GET, &bare, None).await.assert_error(400, "MissingApiVersionParameter");
}

/// azure-mgmt-compute 39 sends only this version.
#[tokio::test]
async fn the_api_version_of_the_newest_client_library_is_accepted() {
    let fixture = Fixture::new();
    let url = format!("{}{}?api-version=2026-04-01", fixture.azure.endpoint(), fixture.point(1));
    assert_eq!(fixture.call(Method::GET, &url, None).await.status, 200);
}

/// azidentity for Go requests OpenID scopes too, and az sends an audience with a slash at the end.
#[tokio::test]
async fn additional_scopes_are_accepted_in_a_token_request() {
    let fixture = Fixture::new();
    let azure = &fixture.azure;
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
        let response =
            CapturedResponse::read(fixture.http.post(&url).form(&form).send().await.unwrap()).await;
        assert_eq!(response.status, status, "{scope}: {}", response.text);
    }
}
