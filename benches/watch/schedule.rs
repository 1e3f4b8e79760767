//! Many watched points against a small budget: how long one waits for its turn at worst. The clock is
//! simulated, so that hours take seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use restore_point_gateway::backend::{
    Backend, Backends, Capabilities, Cursor, Kind, Operation, Page, Registry, Wanted, Writer,
};
use restore_point_gateway::model::{
    BackendId, Collection, CollectionName, Consistency, Error, PointRef, RestorePoint,
    RestorePointName, Sealer, Segment, Source, State, Vendor, View,
};
use restore_point_gateway::upstream::{Budget, Rate};
use restore_point_gateway::watch::{Follow, Hub, Pace, Session, Target};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What ARM refills a second, and holds for a burst.
const ARM: Rate = Rate { per_second: 25.0, burst: 250 };
const NAMES_A_STREAM: usize = 100;
const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn measure(points: usize) -> Vec<(&'static str, f64)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
        let vendor = Arc::new(Slow::new());
        let id = BackendId::new("azure").unwrap();
        let backends = Backends::from([(id, Arc::clone(&vendor) as Arc<dyn Backend>)]);
        let sealer = Arc::new(Sealer::random().unwrap());
        let hub = Hub::new(Registry::new(backends), sealer, Pace::default());
        let watching: Vec<_> = (0..points)
            .step_by(NAMES_A_STREAM)
            .map(|first| (first..points.min(first + NAMES_A_STREAM)).map(target).collect())
            .map(|targets| tokio::spawn(watch(hub.clone(), targets)))
            .collect();
        // What was saved up is spent, and every point has had its first turn.
        tokio::time::sleep(HOUR).await;
        vendor.begin();
        tokio::time::sleep(HOUR).await;
        let (reads, longest) = vendor.report(points);
        watching.iter().for_each(tokio::task::JoinHandle::abort);
        vec![
            ("watched_points", points as f64),
            ("budget_reads_per_s", ARM.per_second),
            ("watched_reads_per_s", reads as f64 / HOUR.as_secs_f64()),
            ("watched_longest_wait_s", longest.as_secs_f64()),
            ("watched_fair_wait_s", points as f64 / ARM.per_second),
        ]
    })
}

async fn watch(hub: Hub, targets: Vec<Target>) {
    let (never, hourly) = (CancellationToken::new(), HOUR);
    let mut session = Session::begin(&hub, targets, "", Follow::Forever, hourly, never).unwrap();
    while session.next().await.transpose().unwrap().is_some() {}
}

fn target(number: usize) -> Target {
    let name = format!("backends/azure/collections/rg~rpc/restorePoints/p{number}");
    Target::Point(PointRef::parse(&name, "name").unwrap())
}

/// A vendor with nothing but copies that never end, each read alone.
#[derive(Debug)]
struct Slow {
    budget: Budget,
    reads: Mutex<Reads>,
}

#[derive(Debug)]
struct Reads {
    last: HashMap<String, Instant>,
    longest: Duration,
    count: usize,
    since: Instant,
}

impl Slow {
    fn new() -> Self {
        let reads = Reads {
            last: HashMap::new(),
            longest: Duration::ZERO,
            count: 0,
            since: Instant::now(),
        };
        Self { budget: Budget::new(ARM), reads: Mutex::new(reads) }
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
impl Backend for Slow {
    async fn observe(
        &self,
        point: &PointRef,
        _: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        self.budget.take().await.expect("a few at once never wait long");
        let now = Instant::now();
        let mut reads = self.reads.lock().unwrap();
        reads.count += 1;
        if let Some(last) = reads.last.insert(point.restore_point.clone(), now) {
            reads.longest = reads.longest.max(now - last);
        }
        Ok(copying(point))
    }

    fn kind(&self) -> Kind {
        Kind::Azure
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
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

    fn writer(&self, _: Wanted) -> Result<&dyn Writer, Error> {
        unreachable!("only points are watched")
    }
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
        vendor: Vendor::Azure(Default::default()),
        raw: None,
    }
}
