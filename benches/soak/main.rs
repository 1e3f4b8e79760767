//! A soak: one storm of `tests/storm` that goes on for a million calls, with the same checks after it, and resident memory
//! that does not grow.
//!
//! `cargo bench --bench soak -- --calls 20000 --seed 7`
//!
//! Clients ask for a small set of copies again and again, so that what the simulators record is bounded. Gateways,
//! simulators and clients share this process, so its memory is that of all of them. A violated invariant is a panic, and
//! so is a storm that takes longer than [`TIME_LIMIT`]. Each line of the output is a name and a number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, reason = "the results are approximate")]

#[path = "../../tests/storm/clients.rs"]
mod clients;
#[path = "../../tests/storm/gateways.rs"]
mod gateways;
mod memory;
#[path = "../../tests/storm/plan.rs"]
mod plan;
#[path = "../../tests/storm/storm.rs"]
mod storm;
#[path = "../../tests/storm/tally.rs"]
mod tally;
#[path = "../../tests/storm/vendors.rs"]
mod vendors;
#[path = "../../tests/storm/watchers.rs"]
mod watchers;

use std::rc::Rc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use jiff::SignedDuration;
use plan::{Call, Event, Plan, WATCHES};
use tally::Tally;
use tikv_jemallocator::Jemalloc;

/// The gateway's.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const DEFAULT_CALLS: usize = 1_000_000;
/// How many clients make calls side by side.
const CLIENTS: usize = 20;
/// How many calls there are for each event. Most calls are to succeed.
const CALLS_PER_EVENT: usize = 200;
/// How many calls there are for each [`TICK`]: a divisor of [`CALLS_PER_EVENT`].
const CALLS_PER_TICK: usize = 20;
/// What the vendors' clock goes on by, so that operations end while their clients wait.
const TICK: SignedDuration = SignedDuration::from_secs(30);
const TIME_LIMIT: Duration = Duration::from_mins(20);
/// How much memory may be resident after the last call, as a ratio to that after the first tenth.
const MAX_GROWTH: f64 = 1.5;

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy)]
struct Memory {
    after_a_tenth: f64,
    after_all: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| {
        let position = arguments.iter().position(|argument| argument == name);
        position.map_or(default, |name| arguments[name + 1].parse().expect("a number"))
    };
    let calls = number("--calls", DEFAULT_CALLS).next_multiple_of(CLIENTS);
    let seed = number("--seed", 0) as u64;
    let tally = Rc::new(Tally::default());
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(async {
        let soak = Box::pin(soak(seed, calls, &tally, begin));
        tokio::time::timeout(TIME_LIMIT, soak).await
    });
    let Ok((memory, duration)) = result else {
        print(*tally.calls.borrow(), begin.elapsed(), &tally);
        panic!("the soak takes longer than {TIME_LIMIT:?}");
    };
    print(calls, duration, &tally);
    let growth = memory.after_all / memory.after_a_tenth;
    print_line("rss_mib_after_a_tenth", memory.after_a_tenth);
    print_line("rss_mib_after_all_calls", memory.after_all);
    print_line("rss_growth_ratio", growth);
    assert!(growth <= MAX_GROWTH, "memory grows: {memory:?}");
}

/// Runs the storm. Returns the memory, and the time from `begin` to the last call.
async fn soak(seed: u64, calls: usize, tally: &Rc<Tally>, begin: Instant) -> (Memory, Duration) {
    let plan = Plan {
        clients: Vec::new(),
        watches: (0..WATCHES).collect(),
        slow_readers: 2,
        events: Vec::new(),
        ..Plan::of(seed)
    };
    let mut rng = Rng::with_seed(seed);
    let clients = (0..CLIENTS).map(|_| client(rng.fork(), calls / CLIENTS, plan.copies.len()));
    let clients = clients.collect();
    let events = events(rng, calls);
    let measured = async {
        tally.calls_reach(calls / 10).await;
        let after_a_tenth = memory::resident();
        tally.calls_reach(calls).await;
        (Memory { after_a_tenth, after_all: memory::resident() }, begin.elapsed())
    };
    futures::future::join(storm::run(plan, clients, events, Rc::clone(tally)), measured).await.1
}

/// The calls of a client. They are made up one by one, so that a long soak needs no more memory than a short one.
fn client(mut rng: Rng, calls: usize, copies: usize) -> impl Iterator<Item = Call> {
    (0..calls).map(move |_| plan::call(&mut rng, copies))
}

/// What happens, and after how many calls.
fn events(mut rng: Rng, calls: usize) -> impl Iterator<Item = (usize, Event)> {
    let times = (CALLS_PER_TICK..calls).step_by(CALLS_PER_TICK);
    times.map(move |after| match after % CALLS_PER_EVENT {
        0 => (after, plan::event(&mut rng)),
        _ => (after, Event::VendorClock(TICK)),
    })
}

fn print(calls: usize, duration: Duration, tally: &Tally) {
    print_line("calls", calls as f64);
    print_line("seconds", duration.as_secs_f64());
    print_line("calls_per_second", calls as f64 / duration.as_secs_f64());
    print_line("failed_transiently", tally.failed.get() as f64);
    print_line("copies", tally.copies.get() as f64);
    print_line("events", tally.events.get() as f64);
    print_line("rss_mib_peak", memory::peak());
    print_line("rss_mib_final", memory::resident());
}

fn print_line(name: &str, value: f64) {
    println!("{name:<34} {value:>12.3}");
}
