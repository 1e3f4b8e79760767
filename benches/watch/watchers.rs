//! Many clients that watch one point, and when each event reached them.
//!
//! They share the machine with what is measured, so they read of an event only what it is and when it was
//! observed.

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use http::uri::PathAndQuery;
use jiff::Timestamp;
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::watch_status_response::Event;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

const STREAMS_A_CONNECTION: usize = 100;
const METHOD: &str = "/restorepoint.v1.RestorePointService/WatchStatus";

/// What these clients read of a `WatchStatusResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct Glimpse {
    #[prost(enumeration = "Event", tag = "1")]
    event: i32,
    #[prost(message, optional, tag = "5")]
    observe_time: Option<prost_types::Timestamp>,
}

pub(crate) struct Watchers {
    streams: Vec<JoinHandle<()>>,
    told: mpsc::UnboundedReceiver<Duration>,
    delays: Vec<Duration>,
}

impl Watchers {
    /// Opens so many streams, and waits until each has been told the present state.
    pub(crate) async fn open(address: &str, name: &str, streams: usize) -> Self {
        let connections = streams.div_ceil(STREAMS_A_CONNECTION);
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let clients: Vec<_> = join_all((0..connections).map(|_| endpoint.connect()))
            .await
            .into_iter()
            .map(|channel| Grpc::new(channel.unwrap()))
            .collect();
        let (teller, told) = mpsc::unbounded_channel();
        let mut opening: FuturesUnordered<_> = (0..streams)
            .map(|number| synced(clients[number % connections].clone(), name))
            .collect();
        let mut tasks = Vec::with_capacity(streams);
        while let Some(stream) = opening.next().await {
            tasks.push(tokio::spawn(listen(stream, teller.clone())));
        }
        Self { streams: tasks, told, delays: Vec::new() }
    }

    /// Waits until everyone has been told of a change.
    pub(crate) async fn next_event(&mut self) {
        for _ in 0..self.streams.len() {
            let delay = tokio::time::timeout(Duration::from_secs(60), self.told.recv());
            self.delays.push(delay.await.expect("everyone is told").unwrap());
        }
    }

    /// Milliseconds from the vendor's answer to the client, for all but one in a hundred.
    pub(crate) fn p99(mut self) -> f64 {
        self.delays.sort_unstable();
        self.delays[self.delays.len() * 99 / 100].as_secs_f64() * 1000.0
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.streams.iter().for_each(JoinHandle::abort);
    }
}

async fn synced(mut client: Grpc<Channel>, name: &str) -> Streaming<Glimpse> {
    let heartbeat_interval = Some(prost_types::Duration { seconds: 600, nanos: 0 });
    let names = vec![name.to_owned()];
    let request =
        WatchStatusRequest { names, heartbeat_interval, follow: true, ..Default::default() };
    client.ready().await.unwrap();
    let codec = ProstCodec::<WatchStatusRequest, Glimpse>::default();
    let path = PathAndQuery::from_static(METHOD);
    let stream = client.server_streaming(Request::new(request), path, codec).await;
    let mut stream = stream.unwrap().into_inner();
    while stream.message().await.unwrap().unwrap().event() != Event::Synced {}
    stream
}

async fn listen(mut stream: Streaming<Glimpse>, teller: mpsc::UnboundedSender<Duration>) {
    while let Ok(Some(event)) = stream.message().await {
        if event.event() == Event::Changed {
            let observed = Timestamp::try_from(event.observe_time.map_or_else(
                || panic!("an event is dated"),
                |time| std::time::SystemTime::try_from(time).unwrap(),
            ));
            let delay = Timestamp::now().duration_since(observed.unwrap());
            teller.send(Duration::try_from(delay).unwrap_or_default()).ok();
        }
    }
}
