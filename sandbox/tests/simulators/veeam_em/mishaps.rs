//! Habits that vary from server to server, and replies that break on order.
//!
//! What a client makes of them is the client's business.

use reqwest::Method;
use restore_point_sandbox::fault::Portion;
use restore_point_sandbox::veeam_em::{
    Ampersands, ByteOrderMark, Canned, CloudQuery, Fault, Product,
};

use super::{Bench, SRV39, TOKEN, header, names, raw};

#[tokio::test]
async fn the_habits_of_the_wire_can_be_changed() {
    let bench = Bench::with(|settings| {
        settings.byte_order_mark = ByteOrderMark::Present;
        settings.ampersands = Ampersands::Raw;
        settings.product = Product::V12;
        settings.page_size = 4;
    });
    let reply =
        bench.send(Method::GET, "/query?Type=cloudvmreplicapoint&filter=VmName!=srv38").await;
    let body = reply.bytes().await.unwrap();
    assert!(body.starts_with(b"\xef\xbb\xbf<?xml "));
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("&filter=%28VmName%21%3dsrv38%29&pageSize=4&page=1"), "{body}");

    let bench = Bench::with(|settings| settings.cloud_query = CloudQuery::Refused);
    assert_eq!(bench.query(&[]).await.0, 400);
    assert_eq!(bench.get("/query?type=CloudReplica&sortAsc=name").await.0, 200);
}

#[tokio::test]
async fn json_is_given_wherever_accept_names_it() {
    let json = async |bench: &Bench, path: &str| -> serde_json::Value {
        let token = bench.log_on().await;
        let accept = "application/xml;q=0.9, application/json";
        let get = bench.request(Method::GET, path).header(TOKEN, token).header("accept", accept);
        let reply = get.send().await.unwrap();
        assert_eq!(header(&reply, "content-type"), "application/json");
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
    };
    let bench = Bench::with(|settings| settings.product = Product::V12);
    let result = json(&bench, "/query?type=CloudVmReplicaPoint&format=Entities").await;
    let point = &result["Entities"]["CloudVmReplicaPoints"]["CloudVmReplicaPoints"][0];
    assert_eq!(point["UID"], format!("urn:veeam:CloudVmReplicaPoint:{SRV39}"));
    assert_eq!(point["Links"][0]["Rel"], "Up");
    assert_eq!(result["PagingInfo"]["PageSize"], 100);
    assert_eq!(result["Entities"].as_object().unwrap().len(), 50);
    assert!(result["Refs"].is_null() && result["Entities"]["NASJobs"].is_null());
    assert_eq!(json(&bench, "/nothing").await["StatusCode"], 404);

    let bench = Bench::new();
    let result = json(&bench, "/query?type=CloudVmReplicaPoint&format=Entities").await;
    let point = &result["entities"]["cloudVmReplicaPoints"]["cloudVmReplicaPoints"][0];
    assert_eq!(point["vmDisplayName"], "srv39");
    assert_eq!(point["creationTimeUTC"], "2015-12-25T20:00:47Z");
    assert!(result["entities"].as_object().unwrap().contains_key("nasJobs"));
    assert!(result["entities"].as_object().unwrap().contains_key("vCloudOrganizationConfigs"));
    let list = json(&bench, "/cloud/vmReplicaPoints").await;
    assert_eq!(list["refs"][0]["name"], "srv39@2015-12-25 20:00:47");
}

#[tokio::test]
async fn errors_have_dotnets_reason_phrase() {
    let bench = Bench::new();
    let token = bench.log_on().await;
    let head = format!("Host: localhost\r\nConnection: close\r\n{TOKEN}: {token}\r\n\r\n");
    let reply = raw(&bench, &format!("GET /api/query?type=X HTTP/1.1\r\n{head}")).await;
    assert!(reply.starts_with(b"HTTP/1.1 400 BadRequest\r\n"));
}

#[tokio::test]
async fn replies_break_on_order_and_then_no_more() {
    let bench = Bench::new();
    let token = bench.log_on().await;
    let get = || bench.request(Method::GET, "/cloud/vmReplicaPoints").header(TOKEN, &token).send();
    let order = |times, reply| {
        bench.em.answer_next(times, Method::GET, "/cloud/vmReplicaPoints", reply);
    };
    order(2, Fault::status(503, "<html>busy</html>"));
    order(
        1,
        Fault::answer(Canned {
            status: 503,
            headers: vec![("Retry-After".to_owned(), "7".to_owned())],
            ..Canned::default()
        }),
    );
    order(1, Fault::truncate(Portion::HALF));
    order(1, Fault::hang_up());
    for _ in 0..2 {
        let busy = get().await.unwrap();
        assert_eq!(busy.status(), 503);
        assert_eq!(busy.text().await.unwrap(), "<html>busy</html>");
    }
    assert_eq!(header(&get().await.unwrap(), "retry-after"), "7");
    let cut = get().await.unwrap();
    assert_eq!(cut.status(), 200);
    let promised = cut.content_length().unwrap();
    assert!(cut.bytes().await.is_err());
    assert!(get().await.is_err());
    let whole = get().await.unwrap();
    assert_eq!(whole.content_length().unwrap(), promised);
    assert_eq!(names(&whole.text().await.unwrap()).len(), 6);

    let head = format!("Host: localhost\r\n{TOKEN}: {token}\r\n\r\n");
    let request = format!("GET /api/cloud/vmReplicaPoints HTTP/1.1\r\n{head}");
    order(1, Fault::hang_up());
    assert!(raw(&bench, &request).await.is_empty());
    order(1, Fault::truncate(Portion::HALF));
    let half = String::from_utf8(raw(&bench, &request).await).unwrap();
    let (_, body) = half.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len() as u64, promised / 2);
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() {
    let bench = Bench::new();
    bench.em.answer_next(1, Method::GET, "/api/", Fault::silence());
    let short = std::time::Duration::from_millis(200);
    let reply = bench.request(Method::GET, "/").timeout(short).send().await;
    assert!(reply.unwrap_err().is_timeout());
    assert_eq!(bench.request(Method::GET, "/").send().await.unwrap().status(), 200);
}
