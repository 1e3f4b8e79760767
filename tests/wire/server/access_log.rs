//! The access log: one line a call, whatever became of it, and no secrets in it.

use std::cell::RefCell;
use std::io;

use futures::StreamExt;
use restore_point_gateway::server::End;

use super::fixture::{Server, get, soon, watch};

thread_local! {
    /// What was logged on this thread, on which a test's server runs as well.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_call_leaves_one_line() {
    // For the whole process: with a subscriber for one thread only, whether a line is wanted at all can be
    // decided, for good, by a test on another thread that has none.
    let subscriber = tracing_subscriber::fmt().json().with_writer(|| Log).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server = Server::start().await;
    let mut client = server.client().await;
    let mut request = get("well");
    request.metadata_mut().insert("authorization", "a secret".parse().unwrap());
    soon(client.get(request)).await.unwrap();
    soon(client.get(get("panic"))).await.unwrap_err();
    let events = soon(client.watch_status(watch("all"))).await.unwrap().into_inner();
    soon(events.collect::<Vec<_>>()).await;
    // Gone away in the middle.
    let mut events = soon(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the first event");
    drop(events);
    soon(server.dropped.cancelled()).await;
    assert_eq!(server.stop().await, End::Drained);

    let log = String::from_utf8(LOG.take()).unwrap();
    assert!(!log.contains("a secret"), "{log}");
    let calls: Vec<(String, String)> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["target"] == "access")
        .map(|line| {
            let fields = &line["fields"];
            assert!(fields["duration_us"].is_number() && fields["peer"].is_string(), "{line}");
            let text = |field: &str| fields[field].as_str().unwrap().to_owned();
            (text("method"), text("code"))
        })
        .collect();
    let expected =
        [("Get", "Ok"), ("Get", "Internal"), ("WatchStatus", "Ok"), ("WatchStatus", "Cancelled")]
            .map(|(rpc, code)| {
                (format!("/restorepoint.v1.RestorePointService/{rpc}"), code.to_owned())
            });
    assert_eq!(calls, expected);
}
