//! The simulated Enterprise Manager, the backend in front of it, and helpers that the tests share.

use std::collections::BTreeSet;

use http::Method;
use restore_point_gateway::backend::veeam_em::{Settings, VeeamEm};
use restore_point_gateway::backend::{Backend, Cursor, PollTarget};
use restore_point_gateway::model::{
    BackendId, Collection, Error, PointRef, RestorePoint, Segment, VeeamProperties,
    VendorProperties, View,
};
use restore_point_gateway::upstream::{Proxy, RateLimit, Trust};
use restore_point_sandbox::Clock;
use restore_point_sandbox::veeam_em::{self as simulated, EnterpriseManager, Fault};

/// The sample restore point of the vendor's documentation, and its replica.
pub(crate) const POINT: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
pub(crate) const REPLICA: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
/// The path of the query service.
pub(crate) const QUERY: &str = "/query";

/// A simulated Enterprise Manager whose clock is advanced by hand.
pub(crate) fn server(change: impl FnOnce(&mut simulated::Settings)) -> EnterpriseManager {
    let start = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut settings = simulated::Settings::new(Clock::manual(start));
    change(&mut settings);
    EnterpriseManager::start(settings).unwrap()
}

/// The settings of a backend in front of `server`.
pub(crate) fn settings(server: &EnterpriseManager) -> Settings {
    let hex = server.certificate_sha256();
    let mut sha256 = [0; 32];
    for (byte, digits) in sha256.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    Settings {
        id: BackendId::new("em").unwrap(),
        url: server.url().parse().unwrap(),
        username: server.username().to_owned(),
        password: server.password().to_owned().into(),
        tenant: None,
        trust: Trust::Pinned(sha256),
        proxy: Proxy::Direct,
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    }
}

/// A backend in front of `server`, with an empty cache.
pub(crate) fn backend(server: &EnterpriseManager) -> VeeamEm {
    VeeamEm::new(settings(server)).unwrap()
}

/// The name of a restore point.
pub(crate) fn name(collection: &str, point: &str) -> PointRef {
    let name = format!("backends/em/collections/{collection}/restorePoints/{point}");
    PointRef::parse(&name, "name").unwrap()
}

/// Polls one restore point, without the handle of an operation.
pub(crate) async fn poll(veeam: &VeeamEm, point: &PointRef) -> Result<RestorePoint, Error> {
    veeam.poll(&[PollTarget { point, operation: None }]).await.remove(0)
}

/// All restore points of a list, read page by page.
pub(crate) async fn list_all(
    veeam: &VeeamEm,
    collection: &Segment,
    size: usize,
) -> Result<Vec<RestorePoint>, Error> {
    let mut all = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = veeam.list(collection, View::Basic, cursor.as_ref(), size).await?;
        assert!(page.items.len() <= size);
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// All collections, read page by page.
pub(crate) async fn list_all_collections(
    veeam: &VeeamEm,
    size: usize,
) -> Result<Vec<Collection>, Error> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list_collections(cursor.as_ref(), size).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// The id of the collection with this prefix and display name.
pub(crate) async fn collection_id(veeam: &VeeamEm, prefix: &str, display_name: &str) -> String {
    let all = list_all_collections(veeam, 1000).await.unwrap();
    let found = all.into_iter().find(|collection| {
        collection.name.collection.starts_with(prefix) && collection.display_name == display_name
    });
    found.expect("the collection is listed").name.collection
}

pub(crate) fn uids(points: &[RestorePoint]) -> BTreeSet<&str> {
    points.iter().map(|point| point.uid.as_str()).collect()
}

/// The restore points in collections whose ids begin with `prefix`.
pub(crate) fn in_collections(points: &[RestorePoint], prefix: &str) -> Vec<RestorePoint> {
    let is_in = |point: &&RestorePoint| point.name.collection.collection.starts_with(prefix);
    points.iter().filter(is_in).cloned().collect()
}

pub(crate) fn properties(point: &RestorePoint) -> &VeeamProperties {
    match &point.vendor {
        VendorProperties::Veeam(properties) => properties,
        other => panic!("another vendor: {other:?}"),
    }
}

/// How often a client has logged on.
pub(crate) fn logon_count(server: &EnterpriseManager) -> usize {
    server.count(&Method::POST, "/sessionMngr")
}

/// An error response of the vendor in XML.
pub(crate) fn error_response(status: u16, message: &str) -> Fault {
    Fault::status(status, &format!("<Error Message=\"{message}\" StatusCode=\"{status}\"/>"))
}
