//! Clients that watch, resume with their last token on another gateway when a stream breaks, and must know the last state
//! in the end; and clients that read nothing of what they asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{self, Either};
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    ListRequest, ListResponse, WatchStatusRequest, WatchStatusResponse,
};
use restore_point_test_support::names::{EVERYTHING, SRV39, SRV39_COLLECTION, azure_point};
use restore_point_test_support::wait::in_time;
use tokio::sync::Notify;
use tokio::time::sleep;
use tonic::client::Grpc;
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::clients::is_transient;
use crate::plan::{CopyId, GATEWAYS};
use crate::storm::Storm;
use crate::vendors::Truth;

/// The pause of a client before it opens a broken stream again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(5);

/// A client that watches.
pub(crate) struct Watcher {
    request: WatchStatusRequest,
    /// Whether each point is usable, as the last event about it says; none if it was deleted.
    known: RefCell<BTreeMap<String, Option<bool>>>,
    changed: Notify,
}

impl Watcher {
    /// The watch with this index, which watches other points than the others do.
    pub(crate) fn new(storm: &Storm, watch: usize) -> Self {
        let seeded = storm.seeded();
        let (names, parent) = match watch {
            0 => {
                let copies = storm.plan.copies.iter().filter_map(|copy| match &copy.id {
                    CopyId::Chosen(id) => {
                        Some(format!("{}/restorePoints/{id}", storm.targets[copy.region]))
                    }
                    CopyId::DerivedFrom(_) => None,
                });
                let others = [azure_point(&seeded.running_copy), SRV39.to_owned()];
                (others.into_iter().chain(copies).collect(), String::new())
            }
            1 => (Vec::new(), storm.targets[0].clone()),
            2 => (Vec::new(), SRV39_COLLECTION.to_owned()),
            _ => {
                let truth = storm.vendors.truth();
                let mut names = truth.usable.keys();
                let name = names.find(|name| name.contains("rpc-fleet-")).expect("a point");
                (Vec::new(), name.split_once("/restorePoints/").expect("a point").0.to_owned())
            }
        };
        let request = WatchStatusRequest { names, parent, follow: true, ..Default::default() };
        Self { request, known: RefCell::default(), changed: Notify::new() }
    }

    /// Watches for ever.
    pub(crate) async fn run(&self, storm: &Storm, first_gateway: usize) {
        let mut resume_token = String::new();
        for gateway in (0..GATEWAYS).cycle().skip(first_gateway) {
            let mut client = storm.gateway(gateway).client.clone();
            let request = WatchStatusRequest { resume_token, ..self.request.clone() };
            resume_token = request.resume_token.clone();
            // In this runtime a connection that is being made has no other limit.
            let opened = client.watch_status(request);
            let error = match in_time(opened).await {
                Ok(stream) => self.read(stream.into_inner(), &mut resume_token).await,
                Err(status) => status,
            };
            assert!(is_transient(&error), "{:?}: {error:?}", self.request);
            sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Reads events until the stream ends, and returns why.
    async fn read(
        &self,
        mut stream: Streaming<WatchStatusResponse>,
        resume_token: &mut String,
    ) -> Status {
        loop {
            match stream.message().await {
                Ok(Some(event)) => {
                    resume_token.clone_from(&event.resume_token);
                    self.take(event);
                    self.changed.notify_waiters();
                }
                Ok(None) => return Status::new(Code::DataLoss, "a watch that follows has ended"),
                Err(status) => return status,
            }
        }
    }

    fn take(&self, event: WatchStatusResponse) {
        let mut known = self.known.borrow_mut();
        match event.event() {
            Event::Snapshot | Event::Changed => {
                let point = event.restore_point.expect("a point");
                known.insert(point.name, Some(point.usable));
            }
            // A point, or the collection with all its points.
            Event::Deleted => {
                let parent = format!("{}/", event.name);
                let below = known.iter_mut().filter(|(name, _)| name.starts_with(&parent));
                below.for_each(|(_, usable)| *usable = None);
                known.insert(event.name, None);
            }
            Event::Reset => known.clear(),
            _ => {}
        }
    }

    /// Waits until the watcher knows what is true. Panics if it does not learn it.
    pub(crate) async fn learn(&self, truth: &Truth) {
        let parent = format!("{}/", self.request.parent);
        let is_watched = |name: &String| match self.request.parent.as_str() {
            "" => self.request.names.contains(name),
            _ => name.starts_with(&parent),
        };
        let truth: BTreeMap<&String, bool> = truth
            .usable
            .iter()
            .filter(|(name, _)| is_watched(name))
            .map(|(name, usable)| (name, *usable))
            .collect();
        let knows = || {
            let known = self.known.borrow();
            let known: BTreeMap<&String, bool> =
                known.iter().filter_map(|(name, usable)| Some((name, (*usable)?))).collect();
            known == truth
        };
        let learns = async {
            loop {
                let changed = self.changed.notified();
                if knows() {
                    return;
                }
                changed.await;
            }
        };
        if let Either::Right(_) =
            future::select(Box::pin(learns), Box::pin(sleep(Duration::from_secs(30)))).await
        {
            panic!("a watcher knows {:?}, but the truth is {truth:?}", self.known.borrow());
        }
    }
}

/// A call of which nothing is read.
#[derive(Debug)]
pub(crate) struct SlowReader {
    _events: Option<Streaming<WatchStatusResponse>>,
    _page: Option<Streaming<ListResponse>>,
}

impl SlowReader {
    /// Watches and lists everything there is through a connection that lets almost nothing through.
    pub(crate) async fn open(storm: &Storm, gateway: usize) -> Self {
        let channel = storm.gateway(gateway).narrow_channel();
        let names = storm.vendors.truth().usable.into_keys().take(20).collect();
        let request = WatchStatusRequest { names, follow: true, ..Default::default() };
        let mut client = restore_point_test_support::fixture::Client::new(channel.clone());
        let events = in_time(client.watch_status(request)).await;
        // As a stream, so that its head arrives and its message need not be read.
        let mut grpc = Grpc::new(channel);
        in_time(grpc.ready()).await.ok();
        let parent = EVERYTHING.to_owned();
        let request = tonic::Request::new(ListRequest { parent, ..Default::default() });
        let path = "/restorepoint.v1.RestorePointService/List".parse().expect("a path");
        let codec = ProstCodec::<ListRequest, ListResponse>::default();
        let page = in_time(grpc.server_streaming(request, path, codec)).await;
        Self {
            _events: events.ok().map(tonic::Response::into_inner),
            _page: page.ok().map(tonic::Response::into_inner),
        }
    }
}
