//! Many watched points under a low rate limit: the longest time between two polls of one point. The clock is simulated,
//! so that hours take seconds.

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

/// What ARM refills a second, and holds for a burst.
const ARM: RateLimit = RateLimit { per_second: 25.0, burst: 250 };
const NAMES_A_STREAM: usize = 100;
const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn measure(points: usize) -> Vec<(&'static str, f64)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
        let vendor = Arc::new(SlowVendor::new());
        let id = BackendId::new("azure").unwrap();
        let backends = Backends::from([(id, Arc::clone(&vendor) as Arc<dyn Backend>)]);
        let hub = Hub::new(Registry::new(backends), PollPolicy::default());
        let watching: Vec<_> = (0..points)
            .step_by(NAMES_A_STREAM)
            .map(|first| (first..points.min(first + NAMES_A_STREAM)).map(target).collect())
            .map(|targets| tokio::spawn(watch(hub.clone(), targets)))
            .collect();
        // The burst is used up, and every point has been polled once.
        tokio::time::sleep(HOUR).await;
        vendor.begin();
        tokio::time::sleep(HOUR).await;
        let (reads, longest) = vendor.report(points);
        watching.iter().for_each(tokio::task::JoinHandle::abort);
        vec![
            ("watched_points", points as f64),
            ("rate_limit_reads_per_s", ARM.per_second),
            ("watched_reads_per_s", reads as f64 / HOUR.as_secs_f64()),
            ("watched_longest_interval_s", longest.as_secs_f64()),
            ("watched_fair_interval_s", points as f64 / ARM.per_second),
        ]
    })
}

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

/// A vendor whose points are copies that never complete, each read by itself.
#[derive(Debug)]
struct SlowVendor {
    rate_limiter: RateLimiter,
    reads: Mutex<Reads>,
}

#[derive(Debug)]
struct Reads {
    last: HashMap<String, Instant>,
    longest: Duration,
    count: usize,
    since: Instant,
}

impl SlowVendor {
    fn new() -> Self {
        let reads = Reads {
            last: HashMap::new(),
            longest: Duration::ZERO,
            count: 0,
            since: Instant::now(),
        };
        Self { rate_limiter: RateLimiter::new(ARM), reads: Mutex::new(reads) }
    }

    fn begin(&self) {
        let mut reads = self.reads.lock().unwrap();
        (reads.count, reads.longest, reads.since) = (0, Duration::ZERO, Instant::now());
    }

    fn report(&self, points: usize) -> (usize, Duration) {
        let reads = self.reads.lock().unwrap();
        assert_eq!(reads.last.len(), points, "every point is read");
        let now = Instant::now();
        let waiting = reads.last.values().map(|last| now - (*last).max(reads.since)).max();
        (reads.count, reads.longest.max(waiting.unwrap_or_default()))
    }
}

#[async_trait]
impl Backend for SlowVendor {
    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        let mut results = Vec::new();
        for PollTarget { point, .. } in targets {
            self.rate_limiter.acquire().await.expect("a few polls at once never wait long");
            let now = Instant::now();
            let mut reads = self.reads.lock().unwrap();
            reads.count += 1;
            if let Some(last) = reads.last.insert(point.restore_point.clone(), now) {
                reads.longest = reads.longest.max(now - last);
            }
            results.push(Ok(copying(point)));
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

    fn request_metrics(&self) -> RequestMetrics {
        RequestMetrics::default()
    }

    async fn close(&self) {}
}

fn copying(point: &PointRef) -> RestorePoint {
    let collection = CollectionName { backend: point.backend.clone(), collection: "rg~rpc".into() };
    RestorePoint {
        name: RestorePointName { collection, restore_point: point.restore_point.clone() },
        uid: point.restore_point.clone(),
        vendor_id: String::new(),
        display_name: String::new(),
        state: State::Copying,
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
