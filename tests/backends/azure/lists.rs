//! Lists and reads of single points: each point once, by one name, in its true state, without its secrets.

use super::fixture::*;

#[tokio::test]
async fn every_point_is_listed_once_whatever_the_page_size() {
    let fixture = AzureFixture::start_with(|simulator| {
        simulator.points = 110;
        simulator.page_size = 3;
        // The clock is manual, so no bucket refills.
        simulator.bucket_percent = 1_000;
    });
    let all = list_all(&fixture.azure, &Segment::Any, 1000).await;
    assert_eq!(all.len(), 110 + 6 + 3 + 1);
    let names: BTreeSet<String> = all.iter().map(|point| point.name.to_string()).collect();
    assert_eq!(names.len(), all.len());
    for size in [1, 7, 50, 60] {
        let parts = list_all(&fixture.azure, &Segment::Any, size).await;
        assert_eq!(parts, all, "{size}");
    }
}

#[tokio::test]
async fn concurrent_pages_of_any_size_are_two_reads() {
    let fixture = AzureFixture::start();
    let source = Segment::Id(DAY1.split('/').next().unwrap().to_owned());
    let all = list_all(&fixture.azure, &source, 100).await;
    let first = fixture.azure.list(&source, View::Basic, None, 2).await.unwrap();
    let reads = || fixture.simulator.calls().count(&Method::GET, Kind::Collection);
    let before = reads();
    let pages = (1..=20).flat_map(|size| [(None, 0, size), (first.next.as_ref(), 2, size)]);
    let pages = pages.map(async |(cursor, skipped, size)| {
        let page = fixture.azure.list(&source, View::Basic, cursor, size).await.unwrap();
        assert_eq!(page.items, all[skipped..all.len().min(skipped + size)], "{size}");
    });
    futures::future::join_all(pages).await;
    assert_eq!(reads() - before, 2, "one in flight, and one for all that arrived later");
}

#[tokio::test]
async fn a_list_has_the_true_states_and_caches_complete_copies() {
    let fixture = AzureFixture::start();
    let west = Segment::Id("RG-Prod~RPC-db01-westus".to_owned());
    let states = |points: &[RestorePoint]| -> Vec<(String, State)> {
        points.iter().map(|point| (point.display_name.clone(), point.state)).collect()
    };
    let listed = list_all(&fixture.azure, &west, 100).await;
    let expected = [("db01-day1-copy", State::Ready), ("db01-day2-copy", State::Copying)];
    assert_eq!(states(&listed), expected.map(|(name, state)| (name.to_owned(), state)));
    assert!(listed[1].copy_progress_percent.is_some());

    let before = fixture.simulator.calls().count(&Method::GET, Kind::Point);
    let again = list_all(&fixture.azure, &west, 100).await;
    assert_eq!(again, listed);
    let after = fixture.simulator.calls().count(&Method::GET, Kind::Point);
    assert_eq!(after - before, 1, "only the running copy is read again");
}

#[tokio::test]
async fn list_and_get_return_the_same_points() {
    let fixture = AzureFixture::start();
    for _ in 0..2 {
        let page = fixture.azure.list(&Segment::Any, View::Full, None, 100).await.unwrap();
        for listed in &page.items {
            assert_eq!(
                &fixture.replica().get(&(&listed.name).into(), View::Full).await.unwrap(),
                listed
            );
        }
    }
}

#[tokio::test]
async fn a_point_has_one_name_in_whatever_casing_it_is_requested() {
    let fixture = AzureFixture::start();
    let listed = list_all(&fixture.azure, &Segment::Any, 1000).await;
    let day1 = listed.iter().find(|point| point.display_name == "db01-day1").unwrap();
    let other_casing = point("RG-PROD~RPC-DB01/restorePoints/DB01-DAY1");
    let got = fixture.azure.get(&other_casing, View::Basic).await.unwrap();
    assert_eq!(&got, day1);
    assert_eq!(got.source.vm_name, "vm-db01");
    assert_eq!((got.location.as_str(), got.source.location.as_str()), ("eastus", "eastus"));
    assert_eq!(got.disks.len(), 3);
    let VendorProperties::Azure(azure) = &got.vendor else { panic!() };
    assert_eq!(azure.provisioning_state, "Succeeded");
}

#[tokio::test]
async fn the_location_of_a_copy_is_that_of_its_collection() {
    let fixture = AzureFixture::start();
    let copy = fixture.get(&point(DONE)).await;
    assert_eq!((copy.state, copy.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!((copy.location.as_str(), copy.source.location.as_str()), ("westus", "eastus"));
    assert_eq!(
        copy.source_restore_point.unwrap().to_string(),
        format!("backends/az/collections/{DAY1}")
    );
    assert_eq!(copy.point_time, fixture.get(&point(DAY1)).await.point_time);
    let failed = fixture.get(&point(FAILED)).await;
    assert_eq!(failed.state, State::Failed);
    let failure = failed.failure.unwrap();
    assert!(
        failure.message.contains(&fixture.simulator.seeded().failed_disk),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn no_secret_is_in_any_view() {
    let fixture = AzureFixture::start();
    for view in [View::Basic, View::Full, View::Raw] {
        for name in [DAY1, RUNNING] {
            let found = fixture.azure.get(&point(name), view).await.unwrap();
            assert!(!format!("{found:?}").contains("SENSITIVE"), "{found:?}");
            assert_eq!(found.raw.is_some(), view == View::Raw);
        }
        let page = fixture.azure.list(&Segment::Any, view, None, 100).await.unwrap();
        assert!(!format!("{page:?}").contains("SENSITIVE"));
        assert!(page.items.iter().all(|point| point.raw.is_some() == (view == View::Raw)));
    }
    let raw = fixture.azure.get(&point(DAY1), View::Raw).await.unwrap().raw.unwrap();
    assert!(raw.body.contains("storageProfile") && !raw.body.contains("osProfile"));
    assert!(!format!("{:?}", fixture.azure).contains("SENSITIVE"));
}

#[tokio::test]
async fn a_missing_resource_is_not_found_by_its_name() {
    let fixture = AzureFixture::start();
    for name in [
        "rg-prod~rpc-db01/restorePoints/none",
        "rg-prod~none/restorePoints/db01-day1",
        "none~rpc-db01/restorePoints/db01-day1",
    ] {
        match fixture.azure.get(&point(name), View::Full).await {
            Err(Error::NotFound { name: missing, .. }) => {
                assert!(
                    format!("backends/az/collections/{name}").starts_with(&missing),
                    "{missing}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let none = Segment::Id("rg-prod~none".to_owned());
    let error = fixture.azure.list(&none, View::Basic, None, 5).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    for id in ["cloud-replica", "-"] {
        let invalid = point(&format!("{id}/restorePoints/x"));
        let error = fixture.azure.get(&invalid, View::Full).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_source_of_a_collection_of_copies_is_read_once_for_the_name_of_the_machine() {
    let fixture = AzureFixture::start();
    let west = Segment::Id("rg-prod~rpc-db01-westus".to_owned());
    let collection_reads = || fixture.simulator.calls().count(&Method::GET, Kind::Collection);
    let names = async |azure: &Azure| -> BTreeSet<String> {
        list_all(azure, &west, 9).await.into_iter().map(|point| point.source.vm_name).collect()
    };
    let machine = BTreeSet::from(["vm-db01".to_owned()]);
    assert_eq!(names(&fixture.azure).await, machine);
    assert_eq!(collection_reads(), 2, "the collection and its source");
    assert_eq!(names(&fixture.azure).await, machine);
    assert_eq!(collection_reads(), 3);
    let copy = fixture.azure.get(&point(DONE), View::Full).await.unwrap();
    assert_eq!(copy.source.vm_name, "vm-db01");
    assert_eq!(collection_reads(), 3);

    // Without the source there are copies all the same, and it is not read for each of them.
    let replica = fixture.replica();
    fixture.fault(Method::GET, "/rpc-db01?", 9, Fault::error(StatusCode::FORBIDDEN));
    let before = collection_reads();
    assert_eq!(names(&replica).await, BTreeSet::from([String::new()]));
    assert_eq!(names(&replica).await, BTreeSet::from([String::new()]));
    assert_eq!(replica.get(&point(DONE), View::Full).await.unwrap().state, State::Ready);
    assert_eq!(collection_reads() - before, 3);
}
