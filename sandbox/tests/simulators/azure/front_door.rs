//! What the gateway does before and around the provider: lists, versions, bearers, missing things.

use http::Method;
use restore_point_sandbox::azure::Kind;
use serde_json::json;

use super::fixture::{Bench, DISK, Seen};

#[tokio::test]
async fn lists_come_in_pages_and_shout_groups() {
    let bench = Bench::with(|settings| {
        settings.points = 120;
        settings.page_size = 3;
    });
    let list = "/providers/Microsoft.Compute/restorePointCollections";
    let mut next = Some(bench.url(&bench.path(list)));
    let mut ids = Vec::new();
    while let Some(url) = next {
        let page = bench.call(Method::GET, &url, None).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.header("x-ms-ratelimit-remaining-resource"), None);
        assert!(page.header("x-ms-original-request-ids").unwrap().contains(','));
        let page = page.json();
        let value = page["value"].as_array().unwrap();
        assert!(value.len() <= 3);
        ids.extend(value.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        next = page.get("nextLink").map(|link| link.as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 8, "five of the story and three of the fleet");
    assert!(ids.iter().any(|id| id.contains("/resourceGroups/RG-PROD/")));
    assert!(ids.iter().any(|id| id.contains("AZUREBACKUPRG_EASTUS_1") && id.contains("Backup_vm")));

    let group = bench.path(&format!("/resourcegroups/rg-prod{list}"));
    let page = bench.get(&group).await;
    page.by_provider();
    let page = page.json();
    assert_eq!(page["value"][0]["id"], bench.azure.seeded().collection.as_str());
    assert!(page["nextLink"].is_string());
    bench.get(&group.replace("rg-prod", "no")).await.refused(404, "ResourceGroupNotFound");

    let all =
        bench.get(&format!("{}?$expand=restorePoints", bench.azure.seeded().collection)).await;
    assert_eq!(all.json()["properties"]["restorePoints"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn disks_come_in_pages_too() {
    let bench = Bench::with(|settings| settings.page_size = 2);
    let list = format!("{}/diskRestorePoints", bench.day(1));
    let first = bench.at(DISK, Method::GET, &list, None).await;
    first.by_provider();
    assert_eq!(first.json()["value"].as_array().unwrap().len(), 2);
    let next = first.json()["nextLink"].as_str().unwrap().to_owned();
    assert!(next.contains(&format!("{list}?api-version={DISK}&$skiptoken=")), "{next}");
    let second = bench.call(Method::GET, &next, None).await.json();
    assert_eq!(second["value"].as_array().unwrap().len(), 1);
    assert!(second.get("nextLink").is_none());
}

#[tokio::test]
async fn what_is_missing_is_told_by_the_one_who_knows() {
    let bench = Bench::new();
    let seen = bench.get(&format!("{}/restorePoints/no", bench.azure.seeded().collection)).await;
    seen.refused(404, "NotFound");
    seen.by_provider();
    assert!(seen.text.contains("The entity was not found in this Azure location."));
    let seen = bench.get(&bench.collection("no")).await;
    seen.refused(404, "ResourceNotFound");
    seen.by_gateway();
    assert!(seen.text.contains("'Microsoft.Compute/restorePointCollections/no' under resource"));
    let seen = bench.get(&format!("{}/restorePoints/no", bench.collection("none"))).await;
    seen.refused(404, "ParentResourceNotFound");
    seen.by_gateway();
    assert!(seen.text.contains("Can not perform"));
    let id = format!("{}/restorePoints/no", bench.collection("none"));
    assert!(bench.put(&id, json!({})).await.text.contains("Failed to perform"));
    let seen = bench.get(&bench.collection("no").replace("RG-Prod", "rg-no")).await;
    seen.refused(404, "ResourceGroupNotFound");
    let list = format!("{}/restorePoints", bench.azure.seeded().collection);
    bench.get(&list).await.refused(404, "InvalidResourceType");
    let elsewhere = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/\
                     Microsoft.Compute/restorePointCollections";
    bench.get(elsewhere).await.refused(404, "SubscriptionNotFound");
}

#[tokio::test]
async fn the_api_version_is_required_and_depends_on_the_type() {
    let bench = Bench::new();
    let endpoint = bench.azure.endpoint();
    let version = async |tail: &str| {
        let url = format!("{endpoint}{}{tail}", bench.day(1));
        bench.call(Method::GET, &url, None).await
    };
    for missing in ["", "&api-version=2022-03-01", "?api-version="] {
        let seen = version(missing).await;
        seen.refused(400, "MissingApiVersionParameter");
        seen.by_gateway();
    }
    version("?api-version=2019-03-01").await.refused(400, "BadRequest");
    version("?api-version=2024-03-02").await.refused(404, "InvalidResourceType");
    assert_eq!(version("?api-version=2021-03-01").await.status, 200);
    version("/diskRestorePoints?api-version=2024-03-01").await.refused(404, "InvalidResourceType");
    let disks = version("/diskRestorePoints?api-version=2024-03-02").await.json();
    assert_eq!(disks["value"].as_array().unwrap().len(), 3);
    assert!(disks["value"][0]["properties"].get("completionPercent").is_none());

    let copy = format!("{endpoint}{}", bench.azure.seeded().running_copy);
    let url = format!("{copy}/diskRestorePoints?api-version=2024-03-02");
    let disks = bench.call(Method::GET, &url, None).await;
    let last = &disks.json()["value"][2];
    assert_eq!(last["properties"]["completionPercent"], 33.0);
    assert!(disks.text.contains("\"completionPercent\": 33.0"), "floating point");
    assert_eq!(last["properties"]["replicationState"], "Replicating");
    let one = format!("{endpoint}{}?api-version=2024-03-02", last["id"].as_str().unwrap());
    assert_eq!(bench.call(Method::GET, &one, None).await.json(), *last);
}

#[tokio::test]
async fn bearers_are_checked_and_issued() {
    let bench = Bench::with(|settings| settings.token_lifetime = std::time::Duration::ZERO);
    let url = bench.url(bench.day(1));
    let with = async |bearer: Option<&str>| {
        let mut request = bench.http.get(&url);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        Seen::of(request.send().await.unwrap()).await
    };
    let none = with(None).await;
    none.refused(401, "AuthenticationFailed");
    none.by_gateway();
    assert!(none.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
    with(Some("wrong")).await.refused(401, "InvalidAuthenticationToken");

    let azure = &bench.azure;
    let scope = format!("{}/.default", azure.endpoint());
    let token = async |pairs: &[(&str, &str)]| {
        let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", azure.client_id()),
            ("scope", &scope),
        ];
        form.extend(pairs);
        Seen::of(bench.http.post(url).form(&form).send().await.unwrap()).await
    };
    let granted = token(&[("client_secret", azure.client_secret())]).await;
    assert_eq!(granted.status, 200, "{}", granted.text);
    assert_eq!(granted.json()["token_type"], "Bearer");
    let expired = granted.json()["access_token"].as_str().unwrap().to_owned();
    with(Some(&expired)).await.refused(401, "ExpiredAuthenticationToken");
    let denied = token(&[("client_secret", "wrong")]).await;
    assert_eq!((denied.status, &denied.json()["error"]), (401, &json!("invalid_client")));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = [("client_assertion_type", kind), ("client_assertion", "a.b.c")];
    assert_eq!(token(&assertion).await.status, 401);
    azure.federate("a.b.c");
    assert_eq!(token(&assertion).await.status, 200);

    let other = Bench::new();
    let azure = &other.azure;
    let url = format!("{}/{}/oauth2/v2.0/token", azure.authority_host(), azure.tenant_id());
    let scope = format!("{}/.default", azure.endpoint());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", azure.client_id()),
        ("client_secret", azure.client_secret()),
        ("scope", &scope),
    ];
    let granted = Seen::of(other.http.post(url).form(&form).send().await.unwrap()).await.json();
    let request = other.http.get(other.url(other.day(1)));
    let request = request.bearer_auth(granted["access_token"].as_str().unwrap());
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(azure.calls().count(&Method::POST, Kind::Token), 1);
    assert_eq!(azure.calls().count(&Method::GET, Kind::Point), 1);
    assert_eq!(azure.calls().total(), 2);
}

#[tokio::test]
async fn requests_are_correlated_and_seeds_repeat() {
    let bench = Bench::with(|settings| {
        settings.quirks.location_on_create = true;
        settings.quirks.retry_after = Some(20);
    });
    let request = bench.http.get(bench.url(bench.day(1))).bearer_auth(bench.azure.static_token());
    let request = request
        .header("x-ms-client-request-id", "mine")
        .header("x-ms-return-client-request-id", "true")
        .header("x-ms-correlation-request-id", "ours");
    let seen = Seen::of(request.send().await.unwrap()).await;
    assert_eq!(seen.header("x-ms-client-request-id"), Some("mine"));
    assert_eq!(seen.header("x-ms-correlation-request-id"), Some("ours"));
    assert!(seen.header("x-ms-routing-request-id").unwrap().ends_with(":20260424T104818Z:ours"));
    assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(seen.header("etag"), None);

    let id = format!("{}/restorePoints/switched", bench.azure.seeded().collection);
    let started = bench.put(&id, json!({})).await;
    assert!(started.header("location").is_some());
    assert_eq!(started.header("retry-after"), Some("20"));
    assert_eq!(bench.poll(&started).await.header("retry-after"), Some("20"));

    let twin = Bench::new();
    assert_eq!(bench.azure.subscription_id(), twin.azure.subscription_id());
    assert_eq!(seen.text, twin.get(twin.day(1)).await.text);
}
