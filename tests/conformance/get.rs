//! Get, GetCollection and ListBackends.

use restore_point_gateway::proto::backend::Reachability;
use restore_point_gateway::proto::restore_point::{Consistency, State, View};
use restore_point_gateway::proto::{
    Collection, GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest, RestorePoint,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::failure::SENSITIVE;

use crate::fixture::Fixture;

async fn get(fixture: &impl Fixture, name: &str, view: View) -> Result<RestorePoint, Status> {
    let request = GetRequest { name: name.to_owned(), view: view.into() };
    fixture.gateway().client().get(request).await.map(tonic::Response::into_inner)
}

pub(crate) async fn a_backend_is_listed_with_its_capabilities(fixture: &impl Fixture) {
    let backend = fixture.describe_backend().await;
    assert_eq!(backend.reachability(), Reachability::Reachable, "{:?}", backend.error);
    assert!(backend.kind != 0 && backend.capabilities.is_some() && backend.check_time.is_some());
}

pub(crate) async fn a_point_is_the_same_in_list_and_get(fixture: &impl Fixture) {
    for listed in fixture.points().await {
        let got = get(fixture, &listed.name, View::Basic).await.unwrap();
        assert_eq!(got, listed);
        let (collection, id) = listed.name.split_once("/restorePoints/").unwrap();
        assert_eq!(collection, fixture.collection());
        assert!(!id.is_empty() && !id.contains('/'));
        assert!(!listed.uid.is_empty() && !listed.vendor_id.is_empty());
        assert!(!listed.display_name.is_empty() && listed.point_time.is_some());
        assert!(listed.vendor.is_some());
        assert!(!listed.source.unwrap().vm_name.is_empty());
    }
}

pub(crate) async fn views_agree_on_their_common_fields(fixture: &impl Fixture) {
    for point in fixture.points().await {
        let [basic, full, raw] =
            [View::Basic, View::Full, View::Raw].map(|view| get(fixture, &point.name, view));
        let (basic, full, raw) = (basic.await.unwrap(), full.await.unwrap(), raw.await.unwrap());
        for other in [&full, &raw] {
            assert_eq!((other.state, other.usable), (basic.state, basic.usable));
            assert_eq!((&other.name, &other.uid), (&basic.name, &basic.uid));
        }
        assert!(basic.raw.is_none() && full.raw.is_none());
        let body = raw.raw.as_ref().expect("the vendor's body");
        assert!(!body.body.is_empty() && !body.content_type.is_empty());
        assert!(!format!("{raw:?}").contains(SENSITIVE), "{raw:?}");
        let default = get(fixture, &point.name, View::Unspecified).await.unwrap();
        assert_eq!(default, full, "FULL is the default");
    }
}

pub(crate) async fn a_point_is_usable_only_if_it_is_ready(fixture: &impl Fixture) {
    let parent = format!("{}/collections/-", fixture.backend());
    let request = ListRequest { parent, ..Default::default() };
    for point in fixture.gateway().list_all(request).await {
        assert_eq!(point.usable, point.state() == State::Ready, "{point:?}");
        assert_eq!(point.error.is_some(), point.state() == State::Failed, "{point:?}");
        assert_ne!(point.state(), State::Unspecified);
    }
}

pub(crate) async fn absent_resources_are_not_found(fixture: &impl Fixture) {
    let (collection, point) = fixture.absent_ids();
    let backend = fixture.backend();
    let absent_point = format!("{}/restorePoints/{point}", fixture.collection());
    let absent_collection = format!("{backend}/collections/{collection}");
    let point_of_absent_collection = format!("{absent_collection}/restorePoints/{point}");
    let list = ListRequest { parent: absent_collection.clone(), ..Default::default() };
    let collection = GetCollectionRequest { name: absent_collection.clone() };
    let mut client = fixture.gateway().client();
    for (status, name) in [
        (get(fixture, &absent_point, View::Full).await.unwrap_err(), &absent_point),
        (
            get(fixture, &point_of_absent_collection, View::Basic).await.unwrap_err(),
            &point_of_absent_collection,
        ),
        (client.list(list).await.unwrap_err(), &absent_collection),
        (client.get_collection(collection).await.unwrap_err(), &absent_collection),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.resource_info().unwrap().resource_name, *name);
        assert_eq!(details.error_info().unwrap().reason, "RESOURCE_NOT_FOUND");
    }
}

pub(crate) async fn ids_of_another_vendor_are_invalid(fixture: &impl Fixture) {
    let collection = format!("{}/collections/of-another-vendor", fixture.backend());
    let point = format!("{collection}/restorePoints/x");
    let list = ListRequest { parent: collection.clone(), ..Default::default() };
    let mut client = fixture.gateway().client();
    for (status, field) in [
        (get(fixture, &point, View::Full).await.unwrap_err(), "name"),
        (client.list(list).await.unwrap_err(), "parent"),
        (
            client.get_collection(GetCollectionRequest { name: collection }).await.unwrap_err(),
            "name",
        ),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
        assert!(!violations[0].description.is_empty());
    }
}

pub(crate) async fn a_point_is_found_without_its_collection_if_the_capability_is_declared(
    fixture: &impl Fixture,
) {
    let point = fixture.points().await.remove(0);
    let (_, id) = point.name.split_once("/restorePoints/").unwrap();
    let wildcard = format!("{}/collections/-/restorePoints/{id}", fixture.backend());
    let result = get(fixture, &wildcard, View::Basic).await;
    if fixture.capabilities().await.get_without_collection {
        assert_eq!(result.unwrap(), point, "with its canonical name");
    } else {
        assert_eq!(result.unwrap_err().code(), Code::InvalidArgument);
    }
}

pub(crate) async fn consistency_and_disks_are_reported_if_the_capabilities_are_declared(
    fixture: &impl Fixture,
) {
    let capabilities = fixture.capabilities().await;
    for point in fixture.points().await {
        let point = get(fixture, &point.name, View::Full).await.unwrap();
        let has_consistency = point.consistency() != Consistency::Unspecified;
        assert_eq!(has_consistency, capabilities.consistency, "{point:?}");
        assert_eq!(!point.disks.is_empty(), capabilities.disks, "{point:?}");
    }
}

pub(crate) async fn a_collection_is_the_same_in_list_and_get(fixture: &impl Fixture) {
    let parent = fixture.backend().to_owned();
    let request = ListCollectionsRequest { parent, ..Default::default() };
    let listed = fixture.gateway().client().list_collections(request).await.unwrap().into_inner();
    assert!(listed.collections.iter().any(|collection| collection.name == fixture.collection()));
    for collection in listed.collections {
        let request = GetCollectionRequest { name: collection.name.clone() };
        let got = fixture.gateway().client().get_collection(request).await.unwrap().into_inner();
        assert!(!got.uid.is_empty() && !got.display_name.is_empty());
        // The resource group is in upper case in ARM's list over a subscription, and not in a single resource.
        assert!(got.vendor_id.eq_ignore_ascii_case(&collection.vendor_id));
        assert_eq!(Collection { vendor_id: got.vendor_id.clone(), ..collection }, got);
    }
}
