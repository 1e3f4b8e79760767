//! Endless responses use a bounded amount of memory. A program of its own, because the peak memory of the whole process
//! is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use restore_point_gateway::proto::ListRequest;
use restore_point_test_support::failure::failure;
use restore_point_test_support::scripted_backend::ScriptedBackend;
use restore_point_test_support::scripted_vendor::Reply;

/// The gateway reads response bodies up to 32 MiB into a buffer that grows by doubling.
const MAX_GROWTH: usize = 192 << 20;

/// The peak resident memory of this process, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn endless_responses_use_bounded_memory() {
    let before = peak_memory();
    // Large elements, because parsing many small ones is slow in debug builds.
    let comment = format!("<!--{:4096}-->", "");
    let element = format!("<Jobs a=\"{:4096}\"/>", "");
    for (case, reply) in [
        ("azure: an endless body", Reply::endless("", " ")),
        ("azure: a gzip bomb of NULs", Reply::gzip_bomb("", "\0")),
        ("azure: a gzip bomb of values", Reply::gzip_bomb("{\"value\":[{}", ",{}")),
        ("azure: a gzip bomb of a link", Reply::gzip_bomb("{\"value\":[],\"nextLink\":\"", "x")),
        ("veeam: an endless body", Reply::endless("", " ")),
        ("veeam: an endless text", Reply::endless("<QueryResult>", "x")),
        ("veeam: a gzip bomb of NULs", Reply::gzip_bomb("", "\0")),
        ("veeam: a gzip bomb of comments", Reply::gzip_bomb("<QueryResult>", &comment)),
        ("veeam: a gzip bomb of elements", Reply::gzip_bomb("<QueryResult><Entities>", &element)),
        ("veeam: a gzip bomb of start tags", Reply::gzip_bomb("", "<QueryResult>")),
    ] {
        let (id, _) = case.split_once(':').unwrap();
        let backend = match id {
            "azure" => ScriptedBackend::azure(move |_| reply.clone()).await,
            _ => ScriptedBackend::veeam(move |_| reply.clone()).await,
        };
        let parent = format!("backends/{id}/collections/-");
        let request = ListRequest { parent, ..Default::default() };
        failure(case, backend.client().list(request)).await.assert_invalid_response();
        let growth = peak_memory() - before;
        assert!(growth < MAX_GROWTH, "{case}: {} MiB", growth >> 20);
    }
}
