//! Collections: listed once, made once, and refused for what they cannot be.

use super::fixture::*;

#[tokio::test]
async fn collections_are_listed_and_made_once() {
    let bench = bench(|world| world.page_size = 2);
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let Page { items, next } = bench.azure.list_collections(cursor.as_ref(), 1).await.unwrap();
        names.extend(items.into_iter().map(|collection| collection.name.collection));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 5);
    assert!(names.contains(&"rg-prod~rpc-db01".to_owned()), "{names:?}");
    let home = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(
        (home.source.as_str(), home.location.as_str()),
        (bench.vendor.seeded().vm.as_str(), "eastus")
    );

    let new = target("RG-Prod~fresh", "North Europe");
    let would_be = bench.azure.create_collection(&new, WriteMode::ValidateOnly).await.unwrap();
    let calls = bench.vendor.calls();
    assert_eq!(calls.count(&Method::PUT, Kind::Collection), 0);
    let made = bench.create(&new).await.unwrap();
    assert_eq!(made.name, would_be.name);
    assert_eq!(
        (made.location.as_str(), made.source.as_str()),
        ("northeurope", "backends/az/collections/rg-prod~rpc-db01")
    );
    assert_eq!(bench.create(&new).await.unwrap().uid, made.uid);
    assert_eq!(bench.vendor.calls().count(&Method::PUT, Kind::Collection), 1);

    let elsewhere = NewCollection { location: "uksouth".to_owned(), ..new.clone() };
    let other = NewCollection { source: bench.vendor.seeded().vm.clone(), ..new.clone() };
    let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    for differs in [elsewhere, other, NewCollection { labels, ..new }] {
        let error = bench.create(&differs).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_collection_that_cannot_be_is_refused() {
    let bench = bench(|_| {});
    let good = target("rg-prod~fresh", "northeurope");
    let with = |change: fn(&mut NewCollection)| {
        let mut new = good.clone();
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
        match bench.create(&new).await {
            Err(Error::InvalidArgument { field: told, .. }) => assert_eq!(told, field),
            other => panic!("{other:?}"),
        }
    }
    let error = bench.create(&target("rg-prod~fresh", "East US")).await.unwrap_err();
    assert_eq!(rule(&error), "SAME_REGION");
    let error = bench.create(&target("no-such-group~fresh", "northeurope")).await.unwrap_err();
    assert_eq!(rule(&error), "RESOURCE_GROUP_NOT_FOUND");
    let absent = with(|new| new.source = "backends/az/collections/rg-prod~none".to_owned());
    let error = bench.create(&absent).await.unwrap_err();
    assert!(
        matches!(error, Error::NotFound { field: Some(field), .. } if field == "collection.source")
    );
    assert_eq!(bench.vendor.calls().count(&Method::PUT, Kind::Collection), 0);

    // Only ARM knows whether there is such a machine.
    let machine = bench.vendor.seeded().vm.replace("vm-db01", "vm-none");
    let new = NewCollection { source: machine.clone(), ..good.clone() };
    match bench.create(&new).await.unwrap_err() {
        Error::NotFound { name, field, .. } => {
            assert_eq!((name, field.as_deref()), (machine, Some("collection.source")));
        }
        other => panic!("{other:?}"),
    }
}
