//! Lists in pages: of collections, by group and over the whole subscription, and how a page is cut.
//!
//! The page token is ours: what the service puts into `$skiptoken` was never recorded.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use super::collections;
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{CollectionBody, Page, with_upper_group};
use super::world::{Collection, World};

/// GET by resource group: as stored.
pub(super) fn by_group(world: &World, call: &Call, group: &str) -> Result<Reply, Refusal> {
    let Some(known) = world.groups.iter().find(|known| known.eq_ignore_ascii_case(group)) else {
        return Err(Refusal::group_not_found(group));
    };
    let own = |one: &&Collection| one.name.group.eq_ignore_ascii_case(group);
    let path =
        format!("/resourceGroups/{known}/providers/Microsoft.Compute/restorePointCollections");
    page(world, call, &path, world.collections.values().filter(own), |body| body)
}

/// GET over the subscription: the group in ids in upper case, and gathered from several regions.
pub(super) fn all(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let upper = world.settings.quirks.upper_case_groups;
    let path = "/providers/Microsoft.Compute/restorePointCollections";
    let shout = |mut body: CollectionBody| {
        if upper {
            body.id = with_upper_group(&body.id);
        }
        body
    };
    let reply = page(world, call, path, world.collections.values(), shout)?;
    let asked = |part: u128| uuid::Uuid::from_u128(call.request_id.as_u128() ^ part).to_string();
    let asked = [asked(1), asked(2), asked(3)].join(",");
    Ok(reply.with("x-ms-original-request-ids", asked))
}

fn page<'a>(
    world: &World,
    call: &Call,
    path: &str,
    collections: impl Iterator<Item = &'a Collection>,
    finish: impl Fn(CollectionBody) -> CollectionBody,
) -> Result<Reply, Refusal> {
    let shown = |one: &Collection| finish(collections::show(world, call, one));
    let keyed = collections.map(|one| (one.name.key(), one));
    Ok(Reply::provider(StatusCode::OK, &cut(world, call, path, keyed, shown)?))
}

/// One page of what is sorted by a key; the token holds the key of the last that was told.
pub(super) fn cut<T, B>(
    world: &World,
    call: &Call,
    path: &str,
    sorted: impl Iterator<Item = (String, T)>,
    show: impl Fn(T) -> B,
) -> Result<Page<B>, Refusal> {
    let after = call.skip.as_deref().map(read_token).transpose()?;
    let beyond = |(key, _): &(String, T)| after.as_ref().is_none_or(|after| key > after);
    let mut rest = sorted.filter(beyond).peekable();
    let mut value = Vec::new();
    let mut last = None;
    while value.len() < world.settings.page_size.max(1) {
        let Some((key, one)) = rest.next() else { break };
        last = Some(key);
        value.push(show(one));
    }
    let next_link = last.filter(|_| rest.peek().is_some()).map(|key| {
        let token = URL_SAFE_NO_PAD.encode(key);
        format!("{}{path}?api-version={}&$skiptoken={token}", call.root, call.version)
    });
    Ok(Page { value, next_link })
}

fn read_token(token: &str) -> Result<String, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        Refusal::parameter("$skiptoken", "The value of parameter $skiptoken is invalid.")
    })
}
