//! Answers without end take memory that has one. In a program of its own, because what is measured is the most
//! memory that the program ever had.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use restore_point_gateway::proto::ListRequest;
use restore_point_test_support::hostile_gateway::{Gateway, assert_invalid_response, failure};
use restore_point_test_support::hostile_vendor::Answer;

/// Far less than any of the answers, which are endless; the largest body that is read has 32 MiB, and grows
/// by doubling.
const MOST: usize = 192 << 20;

/// The most memory that this program ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn answers_without_end() {
    let before = peak();
    // Of some size each, since builds for tests are slow at taking them apart.
    let (comment, list) = (format!("<!--{:4096}-->", ""), format!("<Jobs a=\"{:4096}\"/>", ""));
    for (what, answer) in [
        ("azure: an endless body", Answer::endless("", " ")),
        ("azure: a gzip bomb of NULs", Answer::bomb("", "\0")),
        ("azure: a gzip bomb of values", Answer::bomb("{\"value\":[{}", ",{}")),
        ("azure: an endless link", Answer::bomb("{\"value\":[],\"nextLink\":\"", "x")),
        ("veeam: an endless body", Answer::endless("", " ")),
        ("veeam: an endless text", Answer::endless("<QueryResult>", "x")),
        ("veeam: a gzip bomb of NULs", Answer::bomb("", "\0")),
        ("veeam: a gzip bomb of comments", Answer::bomb("<QueryResult>", &comment)),
        ("veeam: a gzip bomb of elements", Answer::bomb("<QueryResult><Entities>", &list)),
        ("veeam: a gzip bomb of openings", Answer::bomb("", "<QueryResult>")),
    ] {
        let (kind, _) = what.split_once(':').unwrap();
        let gateway = match kind {
            "azure" => Gateway::azure(move |_| answer.clone()).await,
            _ => Gateway::veeam(move |_| answer.clone()).await,
        };
        let parent = format!("backends/{kind}/collections/-");
        let request = ListRequest { parent, ..Default::default() };
        assert_invalid_response(what, &failure(what, gateway.client.clone().list(request)).await);
        let grown = peak() - before;
        assert!(grown < MOST, "{what}: {} MiB", grown >> 20);
    }
}
