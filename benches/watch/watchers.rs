//! Many clients that watch one point, and how long the delivery of each event took.
//!
//! They share the machine with the server that is measured, so they use as little CPU time as possible: plain hyper
//! without tonic, and only the fields of an event that are needed.

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::{Buf, Bytes, BytesMut};
use futures::future::{join_all, poll_fn};
use http::{Request, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use prost::Message;
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::watch_status_response::Event;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const STREAMS_PER_CONNECTION: usize = 100;
const METHOD: &str = "/restorepoint.v1.RestorePointService/WatchStatus";
/// The compressed flag and the length before a message (gRPC over HTTP/2).
const PREFIX_LEN: usize = 5;
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The fields of a `WatchStatusResponse` that the clients read.
#[derive(Clone, PartialEq, Message)]
struct PartialEvent {
    #[prost(enumeration = "Event", tag = "1")]
    event: i32,
    #[prost(message, optional, tag = "5")]
    observe_time: Option<prost_types::Timestamp>,
}

/// A change that a client has received.
struct Delivery {
    delay: Duration,
    /// Of the event, in bytes.
    length: usize,
}

pub(crate) struct Watchers {
    streams: Vec<JoinHandle<()>>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    delays: Vec<Duration>,
    event_length: usize,
}

impl Watchers {
    /// Opens streams on as many connections as needed, and waits until each has received SYNCED.
    pub(crate) async fn open(address: &str, name: &str, streams: usize) -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let connections = (0..streams).step_by(STREAMS_PER_CONNECTION).map(async |first| {
            let connection = connect(address).await;
            let mut tasks = Vec::new();
            for _ in first..streams.min(first + STREAMS_PER_CONNECTION) {
                let events = Events::synced(connection.clone(), address, name).await;
                tasks.push(tokio::spawn(receive(events, sender.clone())));
            }
            tasks
        });
        let streams = join_all(connections).await.into_iter().flatten().collect();
        Self { streams, deliveries, delays: Vec::new(), event_length: 0 }
    }

    /// Waits until every stream has received a change.
    pub(crate) async fn wait_for_event(&mut self) {
        for _ in 0..self.streams.len() {
            let delivery = tokio::time::timeout(EVENT_TIMEOUT, self.deliveries.recv()).await;
            let Delivery { delay, length } = delivery.expect("an event on every stream").unwrap();
            self.delays.push(delay);
            self.event_length = length;
        }
    }

    /// The 99th percentile of the delivery times.
    pub(crate) fn p99_delay(&mut self) -> Duration {
        self.delays.sort_unstable();
        self.delays[self.delays.len() * 99 / 100]
    }

    /// The size of the last event in bytes.
    pub(crate) fn event_length(&self) -> usize {
        self.event_length
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.streams.iter().for_each(JoinHandle::abort);
    }
}

type Connection = SendRequest<axum::body::Body>;

async fn connect(address: &str) -> Connection {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The events of one stream.
struct Events {
    body: Incoming,
    /// Received, and not a complete message yet.
    unread: Bytes,
}

impl Events {
    /// Opens a stream and waits until it has received SYNCED.
    async fn synced(mut connection: Connection, address: &str, name: &str) -> Self {
        let message = WatchStatusRequest {
            names: vec![name.to_owned()],
            heartbeat_interval: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
            follow: true,
            ..Default::default()
        };
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
        message.encode(&mut framed).unwrap();
        let request = Request::post(format!("http://{address}{METHOD}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(axum::body::Body::from(framed));
        connection.ready().await.unwrap();
        let body = connection.send_request(request.unwrap()).await.unwrap().into_body();
        let mut events = Self { body, unread: Bytes::new() };
        while events.next().await.unwrap().0.event() != Event::Synced {}
        events
    }

    /// The next event and its length; none at the end of the stream.
    async fn next(&mut self) -> Option<(PartialEvent, usize)> {
        loop {
            if let Some(length) = self.unread.get(1..PREFIX_LEN) {
                let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.unread.len() >= PREFIX_LEN + length {
                    self.unread.advance(PREFIX_LEN);
                    let event = self.unread.split_to(length);
                    return Some((PartialEvent::decode(event).unwrap(), length));
                }
            }
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await?;
            if let Ok(data) = frame.unwrap().into_data() {
                self.unread = match self.unread.is_empty() {
                    true => data,
                    false => {
                        let mut unread = BytesMut::from(&self.unread[..]);
                        unread.extend_from_slice(&data);
                        unread.freeze()
                    }
                };
            }
        }
    }
}

/// Reports every change on a stream.
async fn receive(mut events: Events, deliveries: mpsc::UnboundedSender<Delivery>) {
    while let Some((event, length)) = events.next().await {
        if event.event() == Event::Changed {
            let observed = SystemTime::try_from(event.observe_time.unwrap()).unwrap();
            let delay = SystemTime::now().duration_since(observed).unwrap_or_default();
            deliveries.send(Delivery { delay, length }).ok();
        }
    }
}
