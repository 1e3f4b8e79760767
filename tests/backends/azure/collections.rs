//! Collections are listed once and created once; invalid ones are rejected.

use serde_json::json;

use super::fixture::*;

#[tokio::test]
async fn collections_are_listed_and_created_once() {
    let fixture = AzureFixture::start_with(|simulator| simulator.page_size = 2);
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let Page { items, next } =
            fixture.azure.list_collections(cursor.as_ref(), 1).await.unwrap();
        names.extend(items.into_iter().map(|collection| collection.name.collection));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 5);
    assert!(names.contains(&"rg-prod~rpc-db01".to_owned()), "{names:?}");
    let source = fixture.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(
        (source.source.as_str(), source.location.as_str()),
        (fixture.simulator.seeded().vm.as_str(), "eastus")
    );

    let new = new_collection("RG-Prod~fresh", "North Europe");
    let preview = fixture.azure.create_collection(&new, WriteMode::ValidateOnly).await.unwrap();
    let calls = fixture.simulator.calls();
    assert_eq!(calls.count(&Method::PUT, Kind::Collection), 0);
    let created = fixture.create(&new).await.unwrap();
    assert_eq!(created.name, preview.name);
    assert_eq!(
        (created.location.as_str(), created.source.as_str()),
        ("northeurope", "backends/az/collections/rg-prod~rpc-db01")
    );
    assert_eq!(fixture.create(&new).await.unwrap().uid, created.uid);
    assert_eq!(fixture.simulator.calls().count(&Method::PUT, Kind::Collection), 1);

    let elsewhere = NewCollection { location: "uksouth".to_owned(), ..new.clone() };
    let other = NewCollection { source: fixture.simulator.seeded().vm.clone(), ..new.clone() };
    let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    for different in [elsewhere, other, NewCollection { labels, ..new }] {
        let error = fixture.create(&different).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_invalid_collection_is_rejected() {
    let fixture = AzureFixture::start();
    let valid = new_collection("rg-prod~fresh", "northeurope");
    let with = |change: fn(&mut NewCollection)| {
        let mut new = valid.clone();
        change(&mut new);
        new
    };
    for (new, field) in [
        (with(|new| new.id = "fresh".to_owned()), "collection_id"),
        (with(|new| new.id = "rg-prod~a~b".to_owned()), "collection_id"),
        (with(|new| new.location = " ".to_owned()), "collection.location"),
        (with(|new| new.source = String::new()), "collection.source"),
        (with(|new| new.source = "/subscriptions/x".to_owned()), "collection.source"),
        (with(|new| new.source = "backends/b/collections/a~b".to_owned()), "collection.source"),
    ] {
        match fixture.create(&new).await {
            Err(Error::InvalidArgument { field: actual, .. }) => assert_eq!(actual, field),
            other => panic!("{other:?}"),
        }
    }
    let error = fixture.create(&new_collection("rg-prod~fresh", "East US")).await.unwrap_err();
    assert_eq!(rule(&error), "SAME_REGION");
    let error =
        fixture.create(&new_collection("no-such-group~fresh", "northeurope")).await.unwrap_err();
    assert_eq!(rule(&error), "RESOURCE_GROUP_NOT_FOUND");
    let absent = with(|new| new.source = "backends/az/collections/rg-prod~none".to_owned());
    let error = fixture.create(&absent).await.unwrap_err();
    assert!(
        matches!(error, Error::NotFound { field: Some(field), .. } if field == "collection.source")
    );
    assert_eq!(fixture.simulator.calls().count(&Method::PUT, Kind::Collection), 0);

    // Only ARM can tell whether a virtual machine exists.
    let machine = fixture.simulator.seeded().vm.replace("vm-db01", "vm-none");
    let new = NewCollection { source: machine.clone(), ..valid.clone() };
    match fixture.create(&new).await.unwrap_err() {
        Error::NotFound { name, field, .. } => {
            assert_eq!((name, field.as_deref()), (machine, Some("collection.source")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_resource_group_that_is_deleted_meanwhile_is_named() {
    let fixture = AzureFixture::start();
    let missing = |group: &str| {
        let message = format!("Resource group '{group}' could not be found.");
        let body = json!({ "error": { "code": "ResourceGroupNotFound", "message": message } });
        let body = body.to_string().into();
        Fault::canned(Canned { status: 404, headers: Vec::new(), body })
    };
    let vm = fixture.simulator.seeded().vm.clone();
    let new =
        NewCollection { source: vm.clone(), ..new_collection("rg-prod~fresh", "northeurope") };
    fixture.fault(Method::PUT, "/fresh", 1, missing("RG-Prod"));
    let error = fixture.create(&new).await.unwrap_err();
    assert_eq!(rule(&error), "RESOURCE_GROUP_NOT_FOUND", "{error:?}");
    assert!(error.to_string().contains("`rg-prod` does not exist"), "{error}");
    // That of the source is another one.
    fixture.fault(Method::PUT, "/fresh", 1, missing("rg-elsewhere"));
    match fixture.create(&new).await.unwrap_err() {
        Error::NotFound { name, field, detail } => {
            assert_eq!((name, field.as_deref()), (vm, Some("collection.source")));
            assert!(detail.contains("rg-elsewhere"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}
