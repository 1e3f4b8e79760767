//! Tokens that earlier releases sealed stay valid: clients hold them across an upgrade.
//!
//! Each folder of `tests/recorded` is a release. Its tokens were sealed with the key of the fixture, on the estate that
//! the simulators have by default, and are dated ahead, so that they do not expire. `CONTRIBUTING.md` says how to record
//! a release.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use restore_point_gateway::model::{Purpose, Sealer, TokenKey};
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListRequest, WatchStatusRequest};
use restore_point_test_support::fixture::{TOKEN_KEY, TestGateway};
use restore_point_test_support::names::{EVERYTHING, SRV39_IN_ANY_COLLECTION, azure_collection};

const PAGE_SIZE: i32 = 10;

fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let releases: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!releases.is_empty());
    releases
}

/// The lists whose first page's token is recorded, by the name of its file.
fn lists() -> [(&'static str, ListRequest); 3] {
    let list = |parent: &str, order_by: &str| ListRequest {
        parent: parent.to_owned(),
        order_by: order_by.to_owned(),
        page_size: PAGE_SIZE,
        ..Default::default()
    };
    [
        ("page_token", list(EVERYTHING, "")),
        ("page_token_veeam", list("backends/veeam/collections/-", "")),
        ("page_token_ordered", list(EVERYTHING, "point_time desc")),
    ]
}

/// The watches whose token after SYNCED is recorded, by the name of its file.
fn watches(gateway: &TestGateway) -> [(&'static str, WatchStatusRequest); 2] {
    let collection = azure_collection(&gateway.azure.seeded().collection);
    let names = WatchStatusRequest {
        names: vec![SRV39_IN_ANY_COLLECTION.to_owned()],
        ..Default::default()
    };
    let parent = WatchStatusRequest { parent: collection, ..Default::default() };
    [("resume_token_point", names), ("resume_token_collection", parent)]
}

fn token(release: &Path, name: &str) -> String {
    fs::read_to_string(release.join(name)).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn page_tokens_of_earlier_releases_continue_their_lists() {
    let gateway = TestGateway::start().await;
    for (name, request) in lists() {
        let whole = ListRequest { page_size: 2 * PAGE_SIZE, ..request.clone() };
        let whole = gateway.client().list(whole).await.unwrap().into_inner().restore_points;
        for release in releases() {
            let next = ListRequest { page_token: token(&release, name), ..request.clone() };
            let next = gateway.client().list(next).await.unwrap().into_inner().restore_points;
            assert_eq!(next, whole[PAGE_SIZE as usize..], "{name} of {}", release.display());
        }
    }
}

#[tokio::test]
async fn resume_tokens_of_earlier_releases_continue_their_watches() {
    let gateway = TestGateway::start().await;
    for (name, request) in watches(&gateway) {
        for release in releases() {
            let resume_token = token(&release, name);
            let resumed = WatchStatusRequest { resume_token, ..request.clone() };
            let first = gateway.watch(resumed).await.next_event().await;
            // Nothing has changed, so nothing is sent again.
            assert_eq!(first.event(), Event::Synced, "{name} of {}: {first:?}", release.display());
        }
    }
}

/// Records the tokens of the present release in `target/recorded`.
#[tokio::test]
#[ignore = "records a release"]
async fn record() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/recorded");
    fs::create_dir_all(&folder).unwrap();
    let gateway = TestGateway::start().await;
    for (name, request) in lists() {
        let fields = [&*request.parent, "", &*request.order_by, "Basic"];
        let mut binding = b"List\0".to_vec();
        for field in fields {
            binding.extend_from_slice(&field.len().to_be_bytes());
            binding.extend_from_slice(field.as_bytes());
        }
        let page = gateway.client().list(request).await.unwrap().into_inner();
        let token = dated_ahead(Purpose::Page, &binding, &page.next_page_token);
        fs::write(folder.join(name), token).unwrap();
    }
    for (name, request) in watches(&gateway) {
        let target = request.names.first().unwrap_or(&request.parent).to_lowercase();
        let mut watch = gateway.watch(request).await;
        let synced = watch.synced().await;
        let token = dated_ahead(Purpose::Resume, target.as_bytes(), &synced.resume_token);
        fs::write(folder.join(name), token).unwrap();
    }
}

/// The same token, sealed in the year 2100.
fn dated_ahead(purpose: Purpose, binding: &[u8], token: &str) -> String {
    let sealer = Sealer::new(TokenKey::new(TOKEN_KEY).unwrap(), Vec::new());
    let day = std::time::Duration::from_secs(86_400);
    let content = sealer.open(purpose, binding, token, Timestamp::now(), day).unwrap();
    let ahead = "2100-01-01T00:00:00Z".parse().unwrap();
    format!("{}\n", sealer.seal(purpose, binding, &content, ahead).unwrap())
}
