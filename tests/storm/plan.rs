//! What happens in a storm: all of it follows from the seed.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;
use jiff::SignedDuration;
use uuid::Uuid;

/// How many gateways there are.
pub(crate) const GATEWAYS: usize = 2;

/// The regions that points are copied to.
pub(crate) const REGIONS: [&str; 2] = ["northeurope", "westeurope"];

/// How many points are copied to each region.
const SOURCES: usize = 4;

/// How many watches there are to choose from.
pub(crate) const WATCHES: usize = 4;

/// Faults of both vendors. None is a lie: a vendor that reports a point as absent which is there misleads any client.
const FAULTS: [&str; 16] = [
    "status=500",
    "status=502",
    "status=503",
    "status=503 retry_after=2",
    "status=429 retry_after=1",
    "html status=502",
    "truncate=50%",
    "reset=before",
    "reset=during",
    "reset=after",
    "lose_reply",
    "hang_up",
    "silence",
    "latency_ms=30",
    "bytes_per_second=20000",
    "chunked",
];

/// Faults of writes, and of what comes before a read.
const AZURE_FAULTS: [&str; 9] = [
    "GET /restorepoints/ bytes_per_second=50000",
    "PUT /restorepoints/ lose_reply",
    "PUT /restorepoints/ lose_reply",
    "PUT /restorepoints/ truncate=50%",
    "PUT /restorepoints/ status=503",
    "PUT /restorepoints/ reset=before",
    "PUT /restorepoints/ fail_creation=VMRestorePointInternalError",
    "POST /token status=503",
    "POST /token hang_up",
];

const VEEAM_FAULTS: [&str; 3] = [
    "POST /sessionMngr status=503",
    "POST /sessionMngr latency_ms=80",
    "POST /sessionMngr reset=before",
];

const VEEAM_STATES: [&str; 5] = ["Ready", "Ready", "Failover", "Failback", "PermanentFailover"];

/// One storm.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    /// The copies that clients ask for, each as often as they like.
    pub(crate) copies: Vec<Copy>,
    /// The calls of each client, one after the other.
    pub(crate) clients: Vec<Vec<Call>>,
    /// The watches, as indices below [`WATCHES`].
    pub(crate) watches: Vec<usize>,
    /// How many clients open a stream or ask for a list and read nothing of it.
    pub(crate) slow_readers: usize,
    /// What happens after how many calls.
    pub(crate) events: Vec<(usize, Event)>,
}

/// A request to copy a point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Copy {
    /// An index into the points of the seeded collection.
    pub(crate) source: usize,
    /// An index into [`REGIONS`].
    pub(crate) region: usize,
    /// The id of the copy.
    pub(crate) id: CopyId,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CopyId {
    /// The client chooses it.
    Chosen(String),
    /// The gateway derives it from the request.
    DerivedFrom(Uuid),
}

/// A call, the gateway that it goes to, and when its client gives up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) gateway: usize,
    pub(crate) request: Request,
    pub(crate) patience: Patience,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// An index into the points of Azure, modulo their number.
    GetFromAzure(usize),
    /// A copy that is under way at the beginning.
    GetRunningCopy,
    /// An index into the points of Veeam, modulo their number.
    GetFromVeeam(usize),
    /// A page of everything.
    List {
        page_size: i32,
    },
    ListBackends,
    /// An index into [`Plan::copies`].
    Copy(usize),
    /// An index into [`REGIONS`].
    CreateTarget(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Patience {
    /// It sends a deadline.
    Deadline(Duration),
    /// It sends no deadline, and cancels the call.
    CancelAfter(Duration),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A fault of `azure` or `veeam`, in the notation of the sandbox.
    Fault(&'static str, String),
    /// The clock of both vendors jumps.
    VendorClock(SignedDuration),
    /// The clock of a gateway jumps, as after a pause of its process.
    GatewayClock(usize, Duration),
    /// A gateway is killed, and another one started in its place.
    Kill(usize),
    /// The state of a point of Veeam changes.
    SetState(usize, &'static str),
    AddVeeamPoint,
    RemoveVeeamPoint(usize),
    /// Veeam ends all sessions.
    ExpireSessions,
    /// Azure revokes all tokens.
    RevokeTokens,
    /// A copy under way fails.
    FailReplication(usize),
    /// A point of the generated collection is deleted.
    DeletePoint(usize),
}

impl Plan {
    /// The storm of this seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let copies: Vec<Copy> = (0..REGIONS.len() * SOURCES)
            .map(|index| Copy {
                source: index / REGIONS.len(),
                region: index % REGIONS.len(),
                id: match rng.bool() {
                    true => CopyId::Chosen(format!("copy-{index}")),
                    false => CopyId::DerivedFrom(Uuid::from_u128(rng.u128(..))),
                },
            })
            .collect();
        let clients = rng.usize(3..=5);
        let mut clients: Vec<Vec<Call>> = (0..clients)
            .map(|_| (0..rng.usize(8..=16)).map(|_| call(&mut rng, copies.len())).collect())
            .collect();
        // All ask for the same copy at once.
        let first = rng.usize(0..REGIONS.len());
        for client in &mut clients {
            client[0].request = Request::Copy(first);
        }
        let calls: usize = clients.iter().map(Vec::len).sum();
        let mut watches: Vec<usize> = (0..WATCHES).collect();
        rng.shuffle(&mut watches);
        watches.truncate(rng.usize(2..=WATCHES));
        let slow_readers = rng.usize(0..=2);
        let mut events: Vec<(usize, Event)> =
            (0..rng.usize(15..=35)).map(|_| (rng.usize(0..calls), event(&mut rng))).collect();
        events.sort_by_key(|(after, _)| *after);
        Self { copies, clients, watches, slow_readers, events }
    }
}

/// A call of a client that may ask for this many copies.
pub(crate) fn call(rng: &mut Rng, copies: usize) -> Call {
    let request = match rng.u32(0..100) {
        0..10 => Request::GetFromAzure(rng.usize(..)),
        10..20 => Request::GetRunningCopy,
        20..35 => Request::GetFromVeeam(rng.usize(..)),
        35..45 => Request::List { page_size: rng.choice([0, 3, 20]).expect("a choice") },
        45..50 => Request::ListBackends,
        // The early ones more often: ARM accepts copies in the order of their points.
        50..95 => Request::Copy(rng.usize(0..copies).min(rng.usize(0..copies))),
        _ => Request::CreateTarget(rng.usize(0..REGIONS.len())),
    };
    let patience = match rng.u32(0..100) {
        0..75 => Patience::Deadline(millis(rng, 300..=600)),
        75..85 => Patience::Deadline(millis(rng, 1..=60)),
        _ => Patience::CancelAfter(Duration::from_micros(rng.u64(0..=30_000))),
    };
    Call { gateway: rng.usize(0..GATEWAYS), request, patience }
}

/// Something that happens to the vendors or to a gateway.
pub(crate) fn event(rng: &mut Rng) -> Event {
    match rng.u32(0..100) {
        0..45 => {
            let (vendor, own): (_, &[&str]) = match rng.bool() {
                true => ("azure", &AZURE_FAULTS),
                false => ("veeam", &VEEAM_FAULTS),
            };
            let fault = rng.usize(0..FAULTS.len() + 2 * own.len());
            let fault = match fault.checked_sub(FAULTS.len()) {
                None => FAULTS[fault],
                Some(own_fault) => own[own_fault % own.len()],
            };
            // Each silent request costs its client all its patience.
            let times = if fault == "silence" { 1 } else { rng.usize(1..=4) };
            Event::Fault(vendor, format!("times={times} {fault}"))
        }
        45..63 => {
            let minutes = rng.choice([0, 1, 10, 35, 70]).expect("a choice");
            Event::VendorClock(SignedDuration::from_secs(10 + 60 * minutes))
        }
        63..70 => {
            let seconds = rng.choice([1, 5, 30, 100]).expect("a choice");
            Event::GatewayClock(rng.usize(0..GATEWAYS), Duration::from_secs(seconds))
        }
        70..77 => Event::Kill(rng.usize(0..GATEWAYS)),
        77..84 => Event::SetState(rng.usize(..), rng.choice(VEEAM_STATES).expect("a choice")),
        84..87 => Event::AddVeeamPoint,
        87..89 => Event::RemoveVeeamPoint(rng.usize(..)),
        89..92 => Event::ExpireSessions,
        92..95 => Event::RevokeTokens,
        95..97 => Event::FailReplication(rng.usize(..)),
        _ => Event::DeletePoint(rng.usize(..)),
    }
}

fn millis(rng: &mut Rng, range: RangeInclusive<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}
