//! Seeded storms: clients, watchers and slow readers, gateways in front of both simulated vendors, faults, kills, clocks
//! that jump, calls that are cancelled, the same Copy from several clients. After each storm: no lost and no double effect,
//! no stale `usable`, every watcher knows the last state, and no task, session, connection or polled target is left. The
//! simulators are the oracle; what gateways say is only ever compared with it.
//!
//! A hundred seeds by default, or as many as `STORM_SEEDS` says; `SEED=7 cargo test --test storm` replays one.
//!
//! The sockets are real, on loopback, and so is the time that calls take, since the connections of reqwest cannot be
//! replaced by simulated ones. So a seed decides what happens and in which order events begin, but the interleaving of
//! tasks and packets is the kernel's: a rare failure may need several replays. Partitions, reordered packets and skewed
//! clocks are left out. The vendors' clock stands still between jumps; a gateway's runs, and jumps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod gateways;
mod plan;
mod storm;
mod tally;
mod vendors;
mod watchers;

use std::any::Any;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use plan::Plan;

const DEFAULT_SEEDS: u64 = 100;

#[test]
fn every_storm_leaves_the_truth() {
    let variable = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seeds = match variable("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("STORM_SEEDS").unwrap_or(DEFAULT_SEEDS),
    };
    let next = AtomicU64::new(seeds.start);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    // On a thread of its own, so that its panic ends it alone.
                    if let Err(panic) = thread::spawn(move || run(seed)).join() {
                        let why = message(&*panic);
                        let replay = format!("SEED={seed} cargo test --test storm");
                        failures.lock().unwrap().push(format!("{replay}\n    {why}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} storms failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_plan_follows_from_its_seed() {
    assert_eq!(Plan::of(7), Plan::of(7));
    assert_ne!(Plan::of(7), Plan::of(8));
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut plan = Plan::of(seed);
    let clients = std::mem::take(&mut plan.clients).into_iter().map(Vec::into_iter).collect();
    let events = std::mem::take(&mut plan.events).into_iter();
    runtime.block_on(Box::pin(storm::run(plan, clients, events, Rc::default())));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}
