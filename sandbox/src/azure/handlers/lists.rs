//! Lists of collections, by resource group and over the whole subscription.

use http::StatusCode;

use super::collection_body::collection_body;
use super::paging;
use crate::azure::call::Call;
use crate::azure::dto::collection::CollectionBody;
use crate::azure::dto::format::with_upper_group;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::Collection;
use crate::azure::model::subscription::Subscription;
use crate::azure::reply::Reply;

/// GET by resource group: ids in their own casing.
pub(crate) fn by_group(
    subscription: &Subscription,
    call: &Call,
    group: &str,
) -> Result<Reply, ErrorResponse> {
    let mut groups = subscription.groups.iter();
    let Some(known) = groups.find(|known| known.eq_ignore_ascii_case(group)) else {
        return Err(ErrorResponse::group_not_found(group));
    };
    let in_group = |one: &&Collection| one.name.group.eq_ignore_ascii_case(group);
    let path =
        format!("/resourceGroups/{known}/providers/Microsoft.Compute/restorePointCollections");
    let collections = subscription.collections.values().filter(in_group);
    list(subscription, call, &path, collections, |body| body)
}

/// GET over the subscription: ids with the group in upper case, gathered from several regions.
pub(crate) fn by_subscription(
    subscription: &Subscription,
    call: &Call,
) -> Result<Reply, ErrorResponse> {
    let upper = subscription.settings.quirks.upper_case_groups;
    let path = "/providers/Microsoft.Compute/restorePointCollections";
    let finish = |mut body: CollectionBody| {
        if upper {
            body.id = with_upper_group(&body.id);
        }
        body
    };
    let reply = list(subscription, call, path, subscription.collections.values(), finish)?;
    let request = |part: u128| uuid::Uuid::from_u128(call.request_id.as_u128() ^ part).to_string();
    let requests = [request(1), request(2), request(3)].join(",");
    Ok(reply.with_header("x-ms-original-request-ids", requests))
}

fn list<'a>(
    subscription: &Subscription,
    call: &Call,
    path: &str,
    collections: impl Iterator<Item = &'a Collection>,
    finish: impl Fn(CollectionBody) -> CollectionBody,
) -> Result<Reply, ErrorResponse> {
    let body = |one: &Collection| finish(collection_body(subscription, call, one));
    let keyed = collections.map(|one| (one.name.key(), one));
    Ok(Reply::provider(StatusCode::OK, &paging::page(subscription, call, path, keyed, body)?))
}
