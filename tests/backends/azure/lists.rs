//! Lists and single points: each once, by one name, in its true state, and without its secrets.

use super::fixture::*;

#[tokio::test]
async fn every_point_is_listed_once_whatever_the_page() {
    let bench = bench(|world| {
        world.points = 110;
        world.page_size = 3;
        // The clock stands still, so no bucket refills.
        world.bucket_percent = 1_000;
    });
    let whole = walk(&bench.azure, &Segment::Any, 1000).await;
    assert_eq!(whole.len(), 110 + 6 + 3 + 1);
    let names: BTreeSet<String> = whole.iter().map(|point| point.name.to_string()).collect();
    assert_eq!(names.len(), whole.len());
    for size in [1, 7, 50, 60] {
        let parts = walk(&bench.azure, &Segment::Any, size).await;
        assert_eq!(parts, whole, "{size}");
    }
}

#[tokio::test]
async fn pages_of_any_size_that_are_read_at_once_are_two_reads() {
    let bench = bench(|_| {});
    let source = Segment::Id(DAY1.split('/').next().unwrap().to_owned());
    let whole = walk(&bench.azure, &source, 100).await;
    let first = bench.azure.list(&source, View::Basic, None, 2).await.unwrap();
    let reads = || bench.vendor.calls().count(&Method::GET, Kind::Collection);
    let before = reads();
    let pages = (1..=20).flat_map(|size| [(None, 0, size), (first.next.as_ref(), 2, size)]);
    let pages = pages.map(async |(cursor, told, size)| {
        let page = bench.azure.list(&source, View::Basic, cursor, size).await.unwrap();
        assert_eq!(page.items, whole[told..whole.len().min(told + size)], "{size}");
    });
    futures::future::join_all(pages).await;
    assert_eq!(reads() - before, 2, "one that had begun, and one for all who came after");
}

#[tokio::test]
async fn a_list_tells_the_true_state_and_asks_for_it_once() {
    let bench = bench(|_| {});
    let west = Segment::Id("RG-Prod~RPC-db01-westus".to_owned());
    let states = |points: &[RestorePoint]| -> Vec<(String, State)> {
        points.iter().map(|point| (point.display_name.clone(), point.state)).collect()
    };
    let told = walk(&bench.azure, &west, 100).await;
    let expected = [("db01-day1-copy", State::Ready), ("db01-day2-copy", State::Copying)];
    assert_eq!(states(&told), expected.map(|(name, state)| (name.to_owned(), state)));
    assert!(told[1].copy_progress_percent.is_some());

    let before = bench.vendor.calls().count(&Method::GET, Kind::Point);
    let again = walk(&bench.azure, &west, 100).await;
    assert_eq!(again, told);
    let after = bench.vendor.calls().count(&Method::GET, Kind::Point);
    assert_eq!(after - before, 1, "the finished copy is remembered, the running one is asked for");
}

#[tokio::test]
async fn a_list_tells_what_a_get_tells() {
    let bench = bench(|_| {});
    for _ in 0..2 {
        let page = bench.azure.list(&Segment::Any, View::Full, None, 100).await.unwrap();
        for listed in &page.items {
            assert_eq!(
                &bench.replica().get(&(&listed.name).into(), View::Full).await.unwrap(),
                listed
            );
        }
    }
}

#[tokio::test]
async fn a_point_has_one_name_however_it_is_asked_for() {
    let bench = bench(|_| {});
    let listed = walk(&bench.azure, &Segment::Any, 1000).await;
    let day1 = listed.iter().find(|point| point.display_name == "db01-day1").unwrap();
    let odd = point("RG-PROD~RPC-DB01/restorePoints/DB01-DAY1");
    let got = bench.azure.get(&odd, View::Basic).await.unwrap();
    assert_eq!(&got, day1);
    assert_eq!(got.source.vm_name, "vm-db01");
    assert_eq!((got.location.as_str(), got.source.location.as_str()), ("eastus", "eastus"));
    assert_eq!(got.disks.len(), 3);
    let VendorProperties::Azure(azure) = &got.vendor else { panic!() };
    assert_eq!(azure.provisioning_state, "Succeeded");
}

#[tokio::test]
async fn a_copy_lies_where_its_collection_is() {
    let bench = bench(|_| {});
    let copy = bench.get(&point(DONE)).await;
    assert_eq!((copy.state, copy.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!((copy.location.as_str(), copy.source.location.as_str()), ("westus", "eastus"));
    assert_eq!(
        copy.source_restore_point.unwrap().to_string(),
        format!("backends/az/collections/{DAY1}")
    );
    assert_eq!(copy.point_time, bench.get(&point(DAY1)).await.point_time);
    let failed = bench.get(&point(FAILED)).await;
    assert_eq!(failed.state, State::Failed);
    let failure = failed.failure.unwrap();
    assert!(failure.message.contains(&bench.vendor.seeded().failed_disk), "{}", failure.message);
}

#[tokio::test]
async fn no_secret_is_in_any_view() {
    let bench = bench(|_| {});
    for view in [View::Basic, View::Full, View::Raw] {
        for name in [DAY1, RUNNING] {
            let told = bench.azure.get(&point(name), view).await.unwrap();
            assert!(!format!("{told:?}").contains("SENSITIVE"), "{told:?}");
            assert_eq!(told.raw.is_some(), view == View::Raw);
        }
        let page = bench.azure.list(&Segment::Any, view, None, 100).await.unwrap();
        assert!(!format!("{page:?}").contains("SENSITIVE"));
        assert!(page.items.iter().all(|point| point.raw.is_some() == (view == View::Raw)));
    }
    let raw = bench.azure.get(&point(DAY1), View::Raw).await.unwrap().raw.unwrap();
    assert!(raw.body.contains("storageProfile") && !raw.body.contains("osProfile"));
    assert!(!format!("{:?}", bench.azure).contains("SENSITIVE"));
}

#[tokio::test]
async fn what_is_absent_is_not_found_by_its_name() {
    let bench = bench(|_| {});
    for name in [
        "rg-prod~rpc-db01/restorePoints/none",
        "rg-prod~none/restorePoints/db01-day1",
        "none~rpc-db01/restorePoints/db01-day1",
    ] {
        match bench.azure.get(&point(name), View::Full).await {
            Err(Error::NotFound { name: told, .. }) => {
                assert!(format!("backends/az/collections/{name}").starts_with(&told), "{told}");
            }
            other => panic!("{other:?}"),
        }
    }
    let none = Segment::Id("rg-prod~none".to_owned());
    let error = bench.azure.list(&none, View::Basic, None, 5).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    for odd in ["cloud-replica", "-"] {
        let odd = point(&format!("{odd}/restorePoints/x"));
        let error = bench.azure.get(&odd, View::Full).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
}
