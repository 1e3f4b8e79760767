//! The access log: one line for each call however it ends, and no secrets in it.

use std::cell::RefCell;
use std::io;

use futures::StreamExt;
use restore_point_gateway::server::ServerExit;

use restore_point_test_support::wait::in_time;

use super::fixture::{TestServer, get, watch};

thread_local! {
    /// What was logged on the thread of the test, on which its server runs as well.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogWriter;

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_call_is_logged_once() {
    // For the whole process: tracing caches whether a callsite is enabled, and with a subscriber for one thread
    // only a test on another thread could have it cached as disabled.
    let subscriber = tracing_subscriber::fmt().json().with_writer(|| LogWriter).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server = TestServer::start().await;
    let mut client = server.client().await;
    let mut request = get("well");
    request.metadata_mut().insert("authorization", "a secret".parse().unwrap());
    in_time(client.get(request)).await.unwrap();
    in_time(client.get(get("panic"))).await.unwrap_err();
    let events = in_time(client.watch_status(watch("all"))).await.unwrap().into_inner();
    in_time(events.collect::<Vec<_>>()).await;
    // The client cancels an open stream.
    let mut events = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    drop(events);
    in_time(server.dropped.cancelled()).await;
    assert_eq!(server.stop().await, ServerExit::Drained);

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
