//! The behaviour of the ARM gateway: lists, api-versions, tokens, missing resources, correlation.

use http::Method;
use restore_point_sandbox::azure::Kind;
use serde_json::json;

use super::fixture::{CapturedResponse, DISK, Fixture};

#[tokio::test]
async fn lists_are_paged_and_show_groups_in_upper_case() {
    let fixture = Fixture::with(|settings| {
        settings.points = 120;
        settings.page_size = 3;
    });
    let list = "/providers/Microsoft.Compute/restorePointCollections";
    let mut next = Some(fixture.url(&fixture.path(list)));
    let mut ids = Vec::new();
    while let Some(url) = next {
        let page = fixture.call(Method::GET, &url, None).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.header("x-ms-ratelimit-remaining-resource"), None);
        assert!(page.header("x-ms-original-request-ids").unwrap().contains(','));
        let page = page.json();
        let value = page["value"].as_array().unwrap();
        assert!(value.len() <= 3);
        ids.extend(value.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        next = page.get("nextLink").map(|link| link.as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 8, "five well-known and three generated ones");
    assert!(ids.iter().any(|id| id.contains("/resourceGroups/RG-PROD/")));
    assert!(ids.iter().any(|id| id.contains("AZUREBACKUPRG_EASTUS_1") && id.contains("Backup_vm")));

    let group = fixture.path(&format!("/resourcegroups/rg-prod{list}"));
    let page = fixture.get(&group).await;
    page.assert_from_provider();
    let page = page.json();
    assert_eq!(page["value"][0]["id"], fixture.azure.seeded().collection.as_str());
    assert!(page["nextLink"].is_string());
    fixture.get(&group.replace("rg-prod", "no")).await.assert_error(404, "ResourceGroupNotFound");

    let all =
        fixture.get(&format!("{}?$expand=restorePoints", fixture.azure.seeded().collection)).await;
    assert_eq!(all.json()["properties"]["restorePoints"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn lists_of_disk_restore_points_are_paged() {
    let fixture = Fixture::with(|settings| settings.page_size = 2);
    let list = format!("{}/diskRestorePoints", fixture.point(1));
    let first = fixture.call_with_version(DISK, Method::GET, &list, None).await;
    first.assert_from_provider();
    assert_eq!(first.json()["value"].as_array().unwrap().len(), 2);
    let next = first.json()["nextLink"].as_str().unwrap().to_owned();
    assert!(next.contains(&format!("{list}?api-version={DISK}&$skiptoken=")), "{next}");
    let second = fixture.call(Method::GET, &next, None).await.json();
    assert_eq!(second["value"].as_array().unwrap().len(), 1);
    assert!(second.get("nextLink").is_none());
}

#[tokio::test]
async fn a_404_comes_from_the_gateway_or_the_provider_by_the_missing_resource() {
    let fixture = Fixture::new();
    let response =
        fixture.get(&format!("{}/restorePoints/no", fixture.azure.seeded().collection)).await;
    response.assert_error(404, "NotFound");
    response.assert_from_provider();
    assert!(response.text.contains("The entity was not found in this Azure location."));
    let response = fixture.get(&fixture.collection("no")).await;
    response.assert_error(404, "ResourceNotFound");
    response.assert_from_gateway();
    assert!(
        response.text.contains("'Microsoft.Compute/restorePointCollections/no' under resource")
    );
    let response = fixture.get(&format!("{}/restorePoints/no", fixture.collection("none"))).await;
    response.assert_error(404, "ParentResourceNotFound");
    response.assert_from_gateway();
    assert!(response.text.contains("Can not perform"));
    let id = format!("{}/restorePoints/no", fixture.collection("none"));
    assert!(fixture.put(&id, json!({})).await.text.contains("Failed to perform"));
    let response = fixture.get(&fixture.collection("no").replace("RG-Prod", "rg-no")).await;
    response.assert_error(404, "ResourceGroupNotFound");
    let list = format!("{}/restorePoints", fixture.azure.seeded().collection);
    fixture.get(&list).await.assert_error(404, "InvalidResourceType");
    let other_subscription = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/\
                     Microsoft.Compute/restorePointCollections";
    fixture.get(other_subscription).await.assert_error(404, "SubscriptionNotFound");
}

#[tokio::test]
async fn the_api_version_is_required_and_depends_on_the_type() {
    let fixture = Fixture::new();
    let endpoint = fixture.azure.endpoint();
    let version = async |tail: &str| {
        let url = format!("{endpoint}{}{tail}", fixture.point(1));
        fixture.call(Method::GET, &url, None).await
    };
    for missing in ["", "&api-version=2022-03-01", "?api-version="] {
        let response = version(missing).await;
        response.assert_error(400, "MissingApiVersionParameter");
        response.assert_from_gateway();
    }
    version("?api-version=2019-03-01").await.assert_error(400, "BadRequest");
    version("?api-version=2024-03-02").await.assert_error(404, "InvalidResourceType");
    assert_eq!(version("?api-version=2021-03-01").await.status, 200);
    version("/diskRestorePoints?api-version=2024-03-01")
        .await
        .assert_error(404, "InvalidResourceType");
    let disks = version("/diskRestorePoints?api-version=2024-03-02").await.json();
    assert_eq!(disks["value"].as_array().unwrap().len(), 3);
    assert!(disks["value"][0]["properties"].get("completionPercent").is_none());

    let copy = format!("{endpoint}{}", fixture.azure.seeded().running_copy);
    let url = format!("{copy}/diskRestorePoints?api-version=2024-03-02");
    let disks = fixture.call(Method::GET, &url, None).await;
    let last = &disks.json()["value"][2];
    assert_eq!(last["properties"]["completionPercent"], 33.0);
    assert!(disks.text.contains("\"completionPercent\": 33.0"), "a floating point number");
    assert_eq!(last["properties"]["replicationState"], "Replicating");
    let one = format!("{endpoint}{}?api-version=2024-03-02", last["id"].as_str().unwrap());
    assert_eq!(fixture.call(Method::GET, &one, None).await.json(), *last);
}

#[tokio::test]
async fn bearer_tokens_are_checked_and_issued() {
    let fixture = Fixture::with(|settings| settings.token_lifetime = std::time::Duration::ZERO);
    let url = fixture.url(fixture.point(1));
    let with = async |bearer: Option<&str>| {
        let mut request = fixture.http.get(&url);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        CapturedResponse::read(request.send().await.unwrap()).await
    };
    let none = with(None).await;
    none.assert_error(401, "AuthenticationFailed");
    none.assert_from_gateway();
    assert!(none.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
    with(Some("wrong")).await.assert_error(401, "InvalidAuthenticationToken");

    let azure = &fixture.azure;
    let scope = format!("{}/.default", azure.endpoint());
    let token = async |pairs: &[(&str, &str)]| {
        let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", azure.client_id()),
            ("scope", &scope),
        ];
        form.extend(pairs);
        CapturedResponse::read(fixture.http.post(url).form(&form).send().await.unwrap()).await
    };
    let issued = token(&[("client_secret", azure.client_secret())]).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!(issued.json()["token_type"], "Bearer");
    let expired = issued.json()["access_token"].as_str().unwrap().to_owned();
    with(Some(&expired)).await.assert_error(401, "ExpiredAuthenticationToken");
    let rejected = token(&[("client_secret", "wrong")]).await;
    assert_eq!((rejected.status, &rejected.json()["error"]), (401, &json!("invalid_client")));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = [("client_assertion_type", kind), ("client_assertion", "a.b.c")];
    assert_eq!(token(&assertion).await.status, 401);
    azure.federate("a.b.c");
    assert_eq!(token(&assertion).await.status, 200);

    let other = Fixture::new();
    let azure = &other.azure;
    let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
    let scope = format!("{}/.default", azure.endpoint());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", azure.client_id()),
        ("client_secret", azure.client_secret()),
        ("scope", &scope),
    ];
    let issued =
        CapturedResponse::read(other.http.post(url).form(&form).send().await.unwrap()).await.json();
    let request = other.http.get(other.url(other.point(1)));
    let request = request.bearer_auth(issued["access_token"].as_str().unwrap());
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(azure.calls().count(&Method::POST, Kind::Token), 1);
    assert_eq!(azure.calls().count(&Method::GET, Kind::Point), 1);
    assert_eq!(azure.calls().total(), 2);
}

#[tokio::test]
async fn requests_are_correlated_and_one_seed_gives_the_same_ids() {
    let fixture = Fixture::with(|settings| {
        settings.quirks.location_on_create = true;
        settings.quirks.retry_after = Some(20);
    });
    let request =
        fixture.http.get(fixture.url(fixture.point(1))).bearer_auth(fixture.azure.static_token());
    let request = request
        .header("x-ms-client-request-id", "mine")
        .header("x-ms-return-client-request-id", "true")
        .header("x-ms-correlation-request-id", "ours");
    let response = CapturedResponse::read(request.send().await.unwrap()).await;
    assert_eq!(response.header("x-ms-client-request-id"), Some("mine"));
    assert_eq!(response.header("x-ms-correlation-request-id"), Some("ours"));
    assert!(
        response.header("x-ms-routing-request-id").unwrap().ends_with(":20260424T104818Z:ours")
    );
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(response.header("etag"), None);

    let id = format!("{}/restorePoints/switched", fixture.azure.seeded().collection);
    let started = fixture.put(&id, json!({})).await;
    assert!(started.header("location").is_some());
    assert_eq!(started.header("retry-after"), Some("20"));
    assert_eq!(fixture.poll(&started).await.header("retry-after"), Some("20"));

    let same_seed = Fixture::new();
    assert_eq!(fixture.azure.subscription_id(), same_seed.azure.subscription_id());
    assert_eq!(response.text, same_seed.get(same_seed.point(1)).await.text);
}
