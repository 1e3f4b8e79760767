//! The Veeam adapter against the simulated Enterprise Manager, over real sockets.

mod backups;
mod cloud;
mod kinds;
mod lists;
mod refusals;
mod sessions;

use std::collections::BTreeSet;

use http::Method;
use restore_point_gateway::backend::veeam_em::{Settings, VeeamEm};
use restore_point_gateway::backend::{Backend, Cursor, PollTarget};
use restore_point_gateway::model::{
    BackendId, Collection, Error, PointRef, RestorePoint, Segment, VeeamProperties,
    VendorProperties, View,
};
use restore_point_gateway::upstream::{RateLimit, Trust};
use restore_point_sandbox::Clock;
use restore_point_sandbox::veeam_em::{self as simulated, EnterpriseManager, Fault};

/// A point of the vendor's pages, and its replica.
const POINT: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
const REPLICA: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const LIST: &str = "/query";

fn server(change: impl FnOnce(&mut simulated::Settings)) -> EnterpriseManager {
    let start = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut settings = simulated::Settings::new(Clock::manual(start));
    change(&mut settings);
    EnterpriseManager::start(settings).unwrap()
}

fn settings(server: &EnterpriseManager) -> Settings {
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
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    }
}

fn adapter(server: &EnterpriseManager) -> VeeamEm {
    VeeamEm::new(settings(server)).unwrap()
}

fn name(collection: &str, point: &str) -> PointRef {
    let name = format!("backends/em/collections/{collection}/restorePoints/{point}");
    PointRef::parse(&name, "name").unwrap()
}

/// Polls one point, as for a watcher without an operation.
async fn poll(veeam: &VeeamEm, point: &PointRef) -> Result<RestorePoint, Error> {
    veeam.poll(&[PollTarget { point, operation: None }]).await.remove(0)
}

/// All points of a list, page by page.
async fn walk(
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

/// All collections, page by page.
async fn walk_collections(veeam: &VeeamEm, size: usize) -> Result<Vec<Collection>, Error> {
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

/// The one collection of this kind with this name.
async fn collection(veeam: &VeeamEm, prefix: &str, display_name: &str) -> String {
    let all = walk_collections(veeam, 1000).await.unwrap();
    let mut fitting = all.into_iter().filter(|collection| {
        collection.name.collection.starts_with(prefix) && collection.display_name == display_name
    });
    fitting.next().expect("it is there").name.collection
}

fn uids(points: &[RestorePoint]) -> BTreeSet<&str> {
    points.iter().map(|point| point.uid.as_str()).collect()
}

/// Those in collections whose ids begin so.
fn within(points: &[RestorePoint], prefix: &str) -> Vec<RestorePoint> {
    let is_in = |point: &&RestorePoint| point.name.collection.collection.starts_with(prefix);
    points.iter().filter(is_in).cloned().collect()
}

fn properties(point: &RestorePoint) -> &VeeamProperties {
    match &point.vendor {
        VendorProperties::Veeam(properties) => properties,
        other => panic!("of another vendor: {other:?}"),
    }
}

fn logons(server: &EnterpriseManager) -> usize {
    server.count(&Method::POST, "/sessionMngr")
}

fn error_body(status: u16, message: &str) -> Fault {
    Fault::status(status, &format!("<Error Message=\"{message}\" StatusCode=\"{status}\"/>"))
}
