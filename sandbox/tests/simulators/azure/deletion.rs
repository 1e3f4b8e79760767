//! Deletions while they run.

use http::Method;

use super::fixture::{Bench, Seen};

fn has_both_urls(deleted: &Seen) {
    assert_eq!((deleted.status, deleted.text.as_str()), (202, ""));
    assert_eq!(deleted.header("content-length"), Some("0"));
    assert_eq!(deleted.header("content-type"), None);
    assert_eq!(deleted.header("azure-asyncnotification"), Some("Enabled"));
    let id = deleted.header("x-ms-request-id").unwrap();
    for url in ["azure-asyncoperation", "location"] {
        assert!(deleted.header(url).unwrap().contains(&format!("/operations/{id}?p=")));
    }
}

#[tokio::test]
async fn a_point_is_deleting_until_it_is_gone() {
    let bench = Bench::new();
    let deleted = bench.delete(bench.day(1)).await;
    has_both_urls(&deleted);
    let monitor = deleted.header("location").unwrap().to_owned();
    assert_eq!(bench.call(Method::GET, &monitor, None).await.status, 202);
    let shown = bench.get(bench.day(1)).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Deleting");
    has_both_urls(&bench.delete(bench.day(1)).await);
    bench.wait(8);
    let over = bench.call(Method::GET, &monitor, None).await;
    assert_eq!((over.status, over.header("content-length")), (200, Some("0")));
    assert_eq!(bench.poll(&deleted).await.json()["status"], "Succeeded");
    bench.get(bench.day(1)).await.refused(404, "NotFound");
    assert_eq!(bench.delete(bench.day(1)).await.status, 204);
    // Its copy stays, and still names it.
    let copy = bench.get(&bench.azure.seeded().finished_copy).await.json();
    assert_eq!(copy["properties"]["sourceRestorePoint"]["id"], bench.day(1));
}

#[tokio::test]
async fn a_collection_takes_its_points_with_it() {
    let bench = Bench::new();
    let home = &bench.azure.seeded().collection;
    let deleted = bench.delete(home).await;
    has_both_urls(&deleted);
    let shown = bench.get(home).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded", "as it always is");
    let shown = bench.get(bench.day(1)).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Deleting");
    let late = bench.put(&format!("{home}/restorePoints/late"), serde_json::json!({})).await;
    late.refused(409, "OperationNotAllowed");
    bench.wait(1);
    bench.get(home).await.refused(404, "ResourceNotFound");
    bench.get(bench.day(1)).await.refused(404, "ParentResourceNotFound");
}

#[tokio::test]
async fn what_is_locked_is_not_deleted() {
    let bench = Bench::new();
    let home = &bench.azure.seeded().collection;
    bench.azure.lock_against_deletion(&home.to_uppercase());
    for id in [home, bench.day(1)] {
        let refused = bench.delete(id).await;
        refused.refused(409, "ScopeLocked");
        refused.by_gateway();
    }
    assert_eq!(bench.delete(&bench.azure.seeded().target).await.status, 202, "not inside");
}
