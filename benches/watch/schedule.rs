//! The longest interval between two polls of a point, for many watched points under a low rate limit. The runtime's clock
//! is paused, so that hours take seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use restore_point_gateway::backend::{
    Backend, Backends, Cursor, NewCopy, Page, PollTarget, Registry, StartedCopy, WriteMode,
};
use restore_point_gateway::config::PollPolicy;
use restore_point_gateway::model::{
    AzureProperties, BackendId, BackendKind, Capabilities, Collection, CollectionName, Consistency,
    Error, NewCollection, PointRef, RestorePoint, RestorePointName, Segment, Source, State,
    VendorProperties, View,
};
use restore_point_gateway::upstream::{RateLimit, RateLimiter, RequestMetrics};
use restore_point_gateway::watch::{Delivered, Follow, Hub, Start, Target, Watch, Watcher};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The limit of ARM for reads in a subscription.
const RATE_LIMIT: RateLimit = RateLimit { per_second: 25.0, burst: 250 };
const NAMES_PER_STREAM: usize = 100;
const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn measure(points: usize) -> Vec<(&'static str, f64)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
        let backend = Arc::new(FakeBackend::new());
        let id = BackendId::new("azure").unwrap();
        let backends = Backends::from([(id, Arc::clone(&backend) as Arc<dyn Backend>)]);
        let hub = Hub::new(Registry::new(backends), PollPolicy::default());
        let streams: Vec<_> = (0..points)
            .step_by(NAMES_PER_STREAM)
            .map(|first| (first..points.min(first + NAMES_PER_STREAM)).map(target).collect())
            .map(|targets| tokio::spawn(watch(hub.clone(), targets)))
            .collect();
        // Exhausts the burst and polls every point at least once.
        tokio::time::sleep(HOUR).await;
        backend.reset();
        tokio::time::sleep(HOUR).await;
        let (reads, longest) = backend.result(points);
        streams.iter().for_each(tokio::task::JoinHandle::abort);
        vec![
            ("watched_points", points as f64),
            ("rate_limit_reads_per_s", RATE_LIMIT.per_second),
            ("watched_reads_per_s", reads as f64 / HOUR.as_secs_f64()),
            ("watched_longest_interval_s", longest.as_secs_f64()),
            ("watched_fair_interval_s", points as f64 / RATE_LIMIT.per_second),
        ]
    })
}

/// Reads one stream of events.
async fn watch(hub: Hub, targets: Vec<Target>) {
    let targets = targets.into_iter().map(|target| (target, Delivered::nothing(), None)).collect();
    let watch = Watch { targets, start: Start::Fresh, follow: Follow::Forever, heartbeat: HOUR };
    let mut watcher = Watcher::new(&hub, watch, CancellationToken::new());
    while watcher.next().await.transpose().unwrap().is_some() {}
}

fn target(number: usize) -> Target {
    let name = format!("backends/azure/collections/rg~rpc/restorePoints/p{number}");
    Target::Point(PointRef::parse(&name, "name").unwrap())
}

/// A backend whose points are copies that never complete. Each takes one read to poll.
#[derive(Debug)]
struct FakeBackend {
    rate_limiter: RateLimiter,
    reads: Mutex<Reads>,
}

/// The reads since the last reset.
#[derive(Debug)]
struct Reads {
    /// When each point was last read, also before the reset.
    last: HashMap<String, Instant>,
    longest: Duration,
    count: usize,
    reset: Instant,
}

impl FakeBackend {
    fn new() -> Self {
        let reads = Reads {
            last: HashMap::new(),
            longest: Duration::ZERO,
            count: 0,
            reset: Instant::now(),
        };
        Self { rate_limiter: RateLimiter::new(RATE_LIMIT), reads: Mutex::new(reads) }
    }

    fn reset(&self) {
        let mut reads = self.reads.lock().unwrap();
        (reads.count, reads.longest, reads.reset) = (0, Duration::ZERO, Instant::now());
    }

    /// How many reads there were, and the longest interval between two reads of one point.
    fn result(&self, points: usize) -> (usize, Duration) {
        let reads = self.reads.lock().unwrap();
        assert_eq!(reads.last.len(), points, "every point is read");
        let now = Instant::now();
        let unfinished = reads.last.values().map(|last| now - (*last).max(reads.reset)).max();
        (reads.count, reads.longest.max(unfinished.unwrap_or_default()))
    }
}

#[async_trait]
impl Backend for FakeBackend {
    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        let mut results = Vec::new();
        for PollTarget { point, .. } in targets {
            self.rate_limiter.acquire().await.expect("few polls are concurrent");
            let now = Instant::now();
            let mut reads = self.reads.lock().unwrap();
            reads.count += 1;
            if let Some(last) = reads.last.insert(point.restore_point.clone(), now) {
                reads.longest = reads.longest.max(now - last);
            }
            results.push(Ok(running_copy(point)));
        }
        results
    }

    fn poll_group(&self, _: &PointRef) -> Option<String> {
        None
    }

    fn kind(&self) -> BackendKind {
        BackendKind::Azure
    }

    fn capabilities(&self) -> &'static Capabilities {
        unreachable!("only points are watched")
    }

    fn check_available(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn list(
        &self,
        _: &Segment,
        _: View,
        _: Option<&Cursor>,
        _: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        unreachable!("only points are watched")
    }

    async fn get(&self, _: &PointRef, _: View) -> Result<RestorePoint, Error> {
        unreachable!("only points are watched")
    }

    async fn list_collections(
        &self,
        _: Option<&Cursor>,
        _: usize,
    ) -> Result<Page<Collection>, Error> {
        unreachable!("only points are watched")
    }

    async fn get_collection(&self, _: &str) -> Result<Collection, Error> {
        unreachable!("only points are watched")
    }

    async fn create_collection(
        &self,
        _: &NewCollection,
        _: WriteMode,
    ) -> Result<Collection, Error> {
        unreachable!("only points are watched")
    }

    async fn copy(&self, _: &NewCopy, _: WriteMode) -> Result<StartedCopy, Error> {
        unreachable!("only points are watched")
    }

    fn request_metrics(&self) -> Vec<RequestMetrics> {
        vec![RequestMetrics::default()]
    }

    async fn close(&self) {}
}

fn running_copy(point: &PointRef) -> RestorePoint {
    let collection = CollectionName { backend: point.backend.clone(), collection: "rg~rpc".into() };
    RestorePoint {
        name: RestorePointName { collection, restore_point: point.restore_point.clone() },
        uid: point.restore_point.clone(),
        vendor_id: String::new(),
        display_name: String::new(),
        state: State::Copying,
        other_uses: Default::default(),
        state_reason: String::new(),
        point_time: None,
        source: Source::default(),
        location: String::new(),
        consistency: Consistency::Unspecified,
        source_restore_point: None,
        copy_progress_percent: Some(1),
        disks: Vec::new(),
        failure: None,
        vendor: VendorProperties::Azure(AzureProperties::default()),
        raw: None,
    }
}
