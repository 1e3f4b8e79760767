//! Running deletions.

use http::Method;

use super::fixture::{CapturedResponse, Fixture};

fn has_both_urls(deleted: &CapturedResponse) {
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
async fn a_point_is_deleting_until_it_is_removed() {
    let fixture = Fixture::new();
    let deleted = fixture.delete(fixture.point(1)).await;
    has_both_urls(&deleted);
    let monitor = deleted.header("location").unwrap().to_owned();
    assert_eq!(fixture.call(Method::GET, &monitor, None).await.status, 202);
    let shown = fixture.get(fixture.point(1)).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Deleting");
    has_both_urls(&fixture.delete(fixture.point(1)).await);
    fixture.advance_seconds(8);
    let over = fixture.call(Method::GET, &monitor, None).await;
    assert_eq!((over.status, over.header("content-length")), (200, Some("0")));
    assert_eq!(fixture.poll(&deleted).await.json()["status"], "Succeeded");
    fixture.get(fixture.point(1)).await.assert_error(404, "NotFound");
    assert_eq!(fixture.delete(fixture.point(1)).await.status, 204);
    // Its copy stays, with the id of its source.
    let copy = fixture.get(&fixture.azure.seeded().finished_copy).await.json();
    assert_eq!(copy["properties"]["sourceRestorePoint"]["id"], fixture.point(1));
}

#[tokio::test]
async fn deleting_a_collection_deletes_its_points() {
    let fixture = Fixture::new();
    let home = &fixture.azure.seeded().collection;
    let deleted = fixture.delete(home).await;
    has_both_urls(&deleted);
    let shown = fixture.get(home).await.json();
    assert_eq!(
        shown["properties"]["provisioningState"], "Succeeded",
        "a collection is always Succeeded"
    );
    let shown = fixture.get(fixture.point(1)).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Deleting");
    let late = fixture.put(&format!("{home}/restorePoints/late"), serde_json::json!({})).await;
    late.assert_error(409, "OperationNotAllowed");
    fixture.advance_seconds(1);
    fixture.get(home).await.assert_error(404, "ResourceNotFound");
    fixture.get(fixture.point(1)).await.assert_error(404, "ParentResourceNotFound");
}

#[tokio::test]
async fn a_locked_scope_is_not_deleted() {
    let fixture = Fixture::new();
    let home = &fixture.azure.seeded().collection;
    fixture.azure.lock_against_deletion(&home.to_uppercase());
    for id in [home, fixture.point(1)] {
        let refused = fixture.delete(id).await;
        refused.assert_error(409, "ScopeLocked");
        refused.assert_from_gateway();
    }
    assert_eq!(
        fixture.delete(&fixture.azure.seeded().target).await.status,
        202,
        "not inside the locked scope"
    );
}
