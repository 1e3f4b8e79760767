//! Variations between real servers, and injected faults.

use reqwest::Method;
use restore_point_sandbox::fault::Portion;
use restore_point_sandbox::veeam_em::{
    Ampersands, ByteOrderMark, Canned, CloudQuery, Fault, Matching, Product,
};

use super::fixture::{Fixture, SRV39, TOKEN, header, names, raw};

#[tokio::test]
async fn variations_of_the_wire_format_can_be_selected() {
    let fixture = Fixture::with(|settings| {
        settings.byte_order_mark = ByteOrderMark::Present;
        settings.ampersands = Ampersands::Raw;
        settings.product = Product::V12;
        settings.page_size = 4;
    });
    let reply =
        fixture.send(Method::GET, "/query?Type=cloudvmreplicapoint&filter=VmName!=srv38").await;
    let body = reply.bytes().await.unwrap();
    assert!(body.starts_with(b"\xef\xbb\xbf<?xml "));
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("&filter=%28VmName%21%3dsrv38%29&pageSize=4&page=1"), "{body}");

    let fixture = Fixture::with(|settings| settings.cloud_query = CloudQuery::Refused);
    assert_eq!(fixture.query(&[]).await.0, 400);
    assert_eq!(fixture.get("/query?type=CloudReplica&sortAsc=name").await.0, 200);
}

#[tokio::test]
async fn json_is_sent_if_accept_contains_it() {
    let json = async |fixture: &Fixture, path: &str| -> serde_json::Value {
        let token = fixture.log_on().await;
        let accept = "application/xml;q=0.9, application/json";
        let get = fixture.request(Method::GET, path).header(TOKEN, token).header("accept", accept);
        let reply = get.send().await.unwrap();
        assert_eq!(header(&reply, "content-type"), "application/json");
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
    };
    let fixture = Fixture::with(|settings| settings.product = Product::V12);
    let result = json(&fixture, "/query?type=CloudVmReplicaPoint&format=Entities").await;
    let point = &result["Entities"]["CloudVmReplicaPoints"]["CloudVmReplicaPoints"][0];
    assert_eq!(point["UID"], format!("urn:veeam:CloudVmReplicaPoint:{SRV39}"));
    assert_eq!(point["Links"][0]["Rel"], "Up");
    assert_eq!(result["PagingInfo"]["PageSize"], 100);
    assert_eq!(result["Entities"].as_object().unwrap().len(), 50);
    assert!(result["Refs"].is_null() && result["Entities"]["NASJobs"].is_null());
    assert_eq!(json(&fixture, "/nothing").await["StatusCode"], 404);

    let fixture = Fixture::new();
    let result = json(&fixture, "/query?type=CloudVmReplicaPoint&format=Entities").await;
    let point = &result["entities"]["cloudVmReplicaPoints"]["cloudVmReplicaPoints"][0];
    assert_eq!(point["vmDisplayName"], "srv39");
    assert_eq!(point["creationTimeUTC"], "2015-12-25T20:00:47Z");
    assert!(result["entities"].as_object().unwrap().contains_key("nasJobs"));
    assert!(result["entities"].as_object().unwrap().contains_key("vCloudOrganizationConfigs"));
    let list = json(&fixture, "/cloud/vmReplicaPoints").await;
    assert_eq!(list["refs"][0]["name"], "srv39@2015-12-25 20:00:47");
}

#[tokio::test]
async fn errors_have_the_reason_phrase_of_dotnet() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let head = format!("Host: localhost\r\nConnection: close\r\n{TOKEN}: {token}\r\n\r\n");
    let reply = raw(&fixture, &format!("GET /api/query?type=X HTTP/1.1\r\n{head}")).await;
    assert!(reply.starts_with(b"HTTP/1.1 400 BadRequest\r\n"));
}

#[tokio::test]
async fn injected_faults_apply_to_the_given_number_of_requests() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let get =
        || fixture.request(Method::GET, "/cloud/vmReplicaPoints").header(TOKEN, &token).send();
    let inject = |times, reply| {
        fixture.em.inject(Matching::new(Method::GET, "/cloud/vmReplicaPoints"), times, reply);
    };
    inject(2, Fault::status(503, "<html>busy</html>"));
    inject(
        1,
        Fault::canned(Canned {
            status: 503,
            headers: vec![("Retry-After".to_owned(), "7".to_owned())],
            ..Canned::default()
        }),
    );
    inject(1, Fault::truncate(Portion::HALF));
    inject(1, Fault::hang_up());
    for _ in 0..2 {
        let busy = get().await.unwrap();
        assert_eq!(busy.status(), 503);
        assert_eq!(busy.text().await.unwrap(), "<html>busy</html>");
    }
    assert_eq!(header(&get().await.unwrap(), "retry-after"), "7");
    let truncated = get().await.unwrap();
    assert_eq!(truncated.status(), 200);
    let content_length = truncated.content_length().unwrap();
    assert!(truncated.bytes().await.is_err());
    assert!(get().await.is_err());
    let full = get().await.unwrap();
    assert_eq!(full.content_length().unwrap(), content_length);
    assert_eq!(names(&full.text().await.unwrap()).len(), 6);

    let head = format!("Host: localhost\r\n{TOKEN}: {token}\r\n\r\n");
    let request = format!("GET /api/cloud/vmReplicaPoints HTTP/1.1\r\n{head}");
    inject(1, Fault::hang_up());
    assert!(raw(&fixture, &request).await.is_empty());
    inject(1, Fault::truncate(Portion::HALF));
    let half = String::from_utf8(raw(&fixture, &request).await).unwrap();
    let (_, body) = half.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len() as u64, content_length / 2);
}

#[tokio::test]
async fn silence_lasts_until_the_client_disconnects() {
    let fixture = Fixture::new();
    fixture.em.inject(Matching::new(Method::GET, "/api/"), 1, Fault::silence());
    let short = std::time::Duration::from_millis(200);
    let reply = fixture.request(Method::GET, "/").timeout(short).send().await;
    assert!(reply.unwrap_err().is_timeout());
    assert_eq!(fixture.request(Method::GET, "/").send().await.unwrap().status(), 200);
}
