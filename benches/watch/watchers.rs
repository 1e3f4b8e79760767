//! Many clients that watch one point, and when each event reached them.
//!
//! They share the machine with what is measured, so they are as cheap as clients can be: HTTP/2 by hand, and of an
//! event only what it is, when it was observed and how long it is.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::future::{join_all, poll_fn};
use http::{Request, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use prost::Message;
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::watch_status_response::Event;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const STREAMS_A_CONNECTION: usize = 100;
const METHOD: &str = "/restorepoint.v1.RestorePointService/WatchStatus";
/// gRPC's mark of compression and the length, in front of a message.
const PREFIX: usize = 5;

/// What these clients read of a `WatchStatusResponse`.
#[derive(Clone, PartialEq, Message)]
struct Glimpse {
    #[prost(enumeration = "Event", tag = "1")]
    event: i32,
    #[prost(message, optional, tag = "5")]
    observe_time: Option<prost_types::Timestamp>,
}

/// A change that reached a client.
struct Told {
    delay: Duration,
    length: usize,
}

pub(crate) struct Watchers {
    streams: Vec<JoinHandle<()>>,
    told: mpsc::UnboundedReceiver<Told>,
    delays: Vec<Duration>,
    length: usize,
}

impl Watchers {
    /// Opens so many streams, one after another on each connection, and waits until each has been told the present
    /// state.
    pub(crate) async fn open(address: &str, name: &str, streams: usize) -> Self {
        let (teller, told) = mpsc::unbounded_channel();
        let opening = (0..streams).step_by(STREAMS_A_CONNECTION).map(async |first| {
            let sender = connect(address).await;
            let mut tasks = Vec::new();
            for _ in first..streams.min(first + STREAMS_A_CONNECTION) {
                let events = Events::synced(sender.clone(), address, name).await;
                tasks.push(tokio::spawn(listen(events, teller.clone())));
            }
            tasks
        });
        let tasks = join_all(opening).await.into_iter().flatten().collect();
        Self { streams: tasks, told, delays: Vec::new(), length: 0 }
    }

    /// Waits until everyone has been told of a change.
    pub(crate) async fn next_event(&mut self) {
        for _ in 0..self.streams.len() {
            let told = tokio::time::timeout(Duration::from_secs(60), self.told.recv());
            let told = told.await.expect("everyone is told").unwrap();
            self.delays.push(told.delay);
            self.length = told.length;
        }
    }

    /// Milliseconds from the vendor's answer to the client, for all but one in a hundred.
    pub(crate) fn p99(&mut self) -> f64 {
        self.delays.sort_unstable();
        self.delays[self.delays.len() * 99 / 100].as_secs_f64() * 1000.0
    }

    /// How many bytes the last event had.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.streams.iter().for_each(JoinHandle::abort);
    }
}

type Sender = SendRequest<axum::body::Body>;

async fn connect(address: &str) -> Sender {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The events of one stream.
struct Events {
    body: Incoming,
    rest: Bytes,
}

impl Events {
    /// Opens a stream, and waits until it has been told the present state.
    async fn synced(mut sender: Sender, address: &str, name: &str) -> Self {
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
        sender.ready().await.unwrap();
        let body = sender.send_request(request.unwrap()).await.unwrap().into_body();
        let mut events = Self { body, rest: Bytes::new() };
        while events.next().await.unwrap().0.event() != Event::Synced {}
        events
    }

    /// The next event and its length; none at the end.
    async fn next(&mut self) -> Option<(Glimpse, usize)> {
        loop {
            if let Some(length) = self.rest.get(1..PREFIX) {
                let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.rest.len() >= PREFIX + length {
                    self.rest.advance(PREFIX);
                    let event = self.rest.split_to(length);
                    return Some((Glimpse::decode(event).unwrap(), length));
                }
            }
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await?;
            if let Ok(data) = frame.unwrap().into_data() {
                self.rest = match self.rest.is_empty() {
                    true => data,
                    false => {
                        let mut both = BytesMut::from(&self.rest[..]);
                        both.extend_from_slice(&data);
                        both.freeze()
                    }
                };
            }
        }
    }
}

async fn listen(mut events: Events, teller: mpsc::UnboundedSender<Told>) {
    while let Some((event, length)) = events.next().await {
        if event.event() == Event::Changed {
            let observed = Timestamp::try_from(event.observe_time.map_or_else(
                || panic!("an event is dated"),
                |time| std::time::SystemTime::try_from(time).unwrap(),
            ));
            let delay = Timestamp::now().duration_since(observed.unwrap());
            let delay = Duration::try_from(delay).unwrap_or_default();
            teller.send(Told { delay, length }).ok();
        }
    }
}
