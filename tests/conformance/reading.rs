//! Get, and what a point says of itself.

use restore_point_gateway::proto::backend::Reachability;
use restore_point_gateway::proto::restore_point::{Consistency, State, View};
use restore_point_gateway::proto::{
    Collection, GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest, RestorePoint,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::stage::{self, Stage};

async fn get(stage: &impl Stage, name: &str, view: View) -> Result<RestorePoint, Status> {
    let request = GetRequest { name: name.to_owned(), view: view.into() };
    stage.gateway().client().get(request).await.map(tonic::Response::into_inner)
}

pub(crate) async fn the_backend_says_what_it_is(stage: &impl Stage) {
    let backend = stage::described(stage).await;
    assert_eq!(backend.reachability(), Reachability::Reachable, "{:?}", backend.error);
    assert!(backend.kind != 0 && backend.capabilities.is_some() && backend.check_time.is_some());
}

pub(crate) async fn a_listed_point_is_the_point_that_is_got(stage: &impl Stage) {
    for listed in stage::points(stage).await {
        let got = get(stage, &listed.name, View::Basic).await.unwrap();
        assert_eq!(got, listed);
        let (collection, id) = listed.name.split_once("/restorePoints/").unwrap();
        assert_eq!(collection, stage.collection());
        assert!(!id.is_empty() && !id.contains('/'));
        assert!(!listed.uid.is_empty() && !listed.vendor_id.is_empty());
        assert!(!listed.display_name.is_empty() && listed.point_time.is_some());
        assert!(listed.vendor.is_some());
        assert!(!listed.source.unwrap().vm_name.is_empty());
    }
}

pub(crate) async fn a_view_adds_and_never_contradicts(stage: &impl Stage) {
    for point in stage::points(stage).await {
        let [basic, full, raw] =
            [View::Basic, View::Full, View::Raw].map(|view| get(stage, &point.name, view));
        let (basic, full, raw) = (basic.await.unwrap(), full.await.unwrap(), raw.await.unwrap());
        for other in [&full, &raw] {
            assert_eq!((other.state, other.usable), (basic.state, basic.usable));
            assert_eq!((&other.name, &other.uid), (&basic.name, &basic.uid));
        }
        assert!(basic.raw.is_none() && full.raw.is_none());
        let body = raw.raw.as_ref().expect("the vendor's own body");
        assert!(!body.body.is_empty() && !body.content_type.is_empty());
        assert!(!format!("{raw:?}").contains("SENSITIVE"), "{raw:?}");
        let unset = get(stage, &point.name, View::Unspecified).await.unwrap();
        assert_eq!(unset, full, "FULL is the default");
    }
}

pub(crate) async fn usable_means_ready(stage: &impl Stage) {
    let parent = format!("{}/collections/-", stage.backend());
    let everything = ListRequest { parent, ..Default::default() };
    for point in stage.gateway().list_all(everything).await {
        assert_eq!(point.usable, point.state() == State::Ready, "{point:?}");
        assert_eq!(point.error.is_some(), point.state() == State::Failed, "{point:?}");
        assert_ne!(point.state(), State::Unspecified);
    }
}

pub(crate) async fn what_is_absent_is_not_found_by_name(stage: &impl Stage) {
    let (collection, point) = stage.absent();
    let backend = stage.backend();
    let absent_point = format!("{}/restorePoints/{point}", stage.collection());
    let absent_collection = format!("{backend}/collections/{collection}");
    let inside = format!("{absent_collection}/restorePoints/{point}");
    let list = ListRequest { parent: absent_collection.clone(), ..Default::default() };
    let collection = GetCollectionRequest { name: absent_collection.clone() };
    let mut client = stage.gateway().client();
    for (status, name) in [
        (get(stage, &absent_point, View::Full).await.unwrap_err(), &absent_point),
        (get(stage, &inside, View::Basic).await.unwrap_err(), &inside),
        (client.list(list).await.unwrap_err(), &absent_collection),
        (client.get_collection(collection).await.unwrap_err(), &absent_collection),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.resource_info().unwrap().resource_name, *name);
        assert_eq!(details.error_info().unwrap().reason, "RESOURCE_NOT_FOUND");
    }
}

pub(crate) async fn ids_of_another_vendor_are_refused_by_field(stage: &impl Stage) {
    let collection = format!("{}/collections/of-another-vendor", stage.backend());
    let point = format!("{collection}/restorePoints/x");
    let list = ListRequest { parent: collection.clone(), ..Default::default() };
    let mut client = stage.gateway().client();
    for (status, field) in [
        (get(stage, &point, View::Full).await.unwrap_err(), "name"),
        (client.list(list).await.unwrap_err(), "parent"),
        (
            client.get_collection(GetCollectionRequest { name: collection }).await.unwrap_err(),
            "name",
        ),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let request = status.get_details_bad_request().expect("the field");
        assert_eq!(request.field_violations[0].field, field);
        assert!(!request.field_violations[0].description.is_empty());
    }
}

pub(crate) async fn a_point_is_got_without_its_collection_if_that_is_claimed(stage: &impl Stage) {
    let point = stage::points(stage).await.remove(0);
    let (_, id) = point.name.split_once("/restorePoints/").unwrap();
    let anywhere = format!("{}/collections/-/restorePoints/{id}", stage.backend());
    let answer = get(stage, &anywhere, View::Basic).await;
    if stage::claims(stage).await.get_without_collection {
        assert_eq!(answer.unwrap(), point, "told by its own name");
    } else {
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}

pub(crate) async fn details_are_told_exactly_if_they_are_claimed(stage: &impl Stage) {
    let claims = stage::claims(stage).await;
    for point in stage::points(stage).await {
        let point = get(stage, &point.name, View::Full).await.unwrap();
        let told = point.consistency() != Consistency::Unspecified;
        assert_eq!(told, claims.consistency, "{point:?}");
        assert_eq!(!point.disks.is_empty(), claims.disks, "{point:?}");
    }
}

pub(crate) async fn a_listed_collection_is_the_collection_that_is_got(stage: &impl Stage) {
    let parent = stage.backend().to_owned();
    let request = ListCollectionsRequest { parent, ..Default::default() };
    let listed = stage.gateway().client().list_collections(request).await.unwrap().into_inner();
    assert!(listed.collections.iter().any(|collection| collection.name == stage.collection()));
    for collection in listed.collections {
        let request = GetCollectionRequest { name: collection.name.clone() };
        let got = stage.gateway().client().get_collection(request).await.unwrap().into_inner();
        assert!(!got.uid.is_empty() && !got.display_name.is_empty());
        // ARM's list over a subscription shouts what a single answer says.
        assert!(got.vendor_id.eq_ignore_ascii_case(&collection.vendor_id));
        assert_eq!(Collection { vendor_id: got.vendor_id.clone(), ..collection }, got);
    }
}
