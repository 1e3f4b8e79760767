//! What watching costs: many streams on one copying point, against the real program in a process of its own,
//! beside a floor measured in the same run.
//!
//! `cargo bench --bench watch -- --streams 10000`
//!
//! The floor is the least that a server of tonic's does: a message of the same length written once to each stream. Memory is resident memory a stream, CPU that of the server's process alone; delivery is
//! counted from the reading of the vendor (for the floor, from the moment of writing) to the client. The simulated
//! vendor and the clients share another process. Rows: name, figure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod coalescing;
mod floor;
mod gateway;
mod process;
mod schedule;
mod watchers;

use std::time::Duration;

use process::Process;
use watchers::Watchers;

/// How many changes are told.
const EVENTS: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(default, |at| arguments[at + 1].parse().expect("a number"))
    };
    match number("--floor", 0) {
        0 => {}
        length => return floor::serve(length),
    }
    let streams = number("--streams", 1000);
    let points = number("--points", 10_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (ours, floor) = runtime.block_on(async {
        let ours = ours(streams).await;
        let floor = bare(streams, ours.length).await;
        (ours, floor)
    });
    let row = |name: &str, figure: f64| println!("{name:<34} {figure:>12.3}");
    row("streams", streams as f64);
    row("bytes_per_event", ours.length as f64);
    row("upstream_polls", ours.polls);
    row("upstream_polls_one_watcher", ours.polls_one);
    row("upstream_polls_ratio", ours.polls / ours.polls_one);
    for (name, ours, floor) in [
        ("bytes_per_stream", ours.cost.bytes, floor.bytes),
        ("cpu_us_per_event", ours.cost.cpu, floor.cpu),
        ("p99_delivery_ms", ours.cost.p99, floor.p99),
    ] {
        row(name, ours);
        row(&format!("{name}_floor"), floor);
        row(&format!("{name}_ratio"), ours / floor);
    }
    coalescing::measure(&runtime).into_iter().for_each(|(name, figure)| row(name, figure));
    schedule::measure(points).into_iter().for_each(|(name, figure)| row(name, figure));
}

struct Ours {
    polls: f64,
    polls_one: f64,
    /// Of an event, in bytes.
    length: usize,
    cost: Cost,
}

/// What streams cost.
struct Cost {
    bytes: f64,
    cpu: f64,
    p99: f64,
}

async fn ours(streams: usize) -> Ours {
    let mut gateway = gateway::Gateway::start().await;
    let one = Watchers::open(&gateway.address, &gateway.name, 1).await;
    let polls_one = gateway.polls_in(gateway::SPAN).await;
    drop(one);
    let before = gateway.process.resident();
    let mut watchers = Watchers::open(&gateway.address, &gateway.name, streams).await;
    let bytes = gateway.process.resident().saturating_sub(before) as f64 / streams as f64;
    let polls = gateway.polls_in(gateway::SPAN).await;
    let cpu = gateway.process.cpu();
    for _ in 0..EVENTS {
        gateway.change();
        watchers.next_event().await;
    }
    let length = watchers.length();
    let cost = cost(bytes, gateway.process.cpu() - cpu, streams, watchers);
    Ours { polls, polls_one, length, cost }
}

async fn bare(streams: usize, length: usize) -> Cost {
    let (process, address) = Process::floor(length);
    // The first stream opens what all share.
    drop(Watchers::open(&address, "any", 1).await);
    let before = process.resident();
    let mut watchers = Watchers::open(&address, "any", streams).await;
    let bytes = process.resident().saturating_sub(before) as f64 / streams as f64;
    let cpu = process.cpu();
    for _ in 0..EVENTS {
        floor::write(&address).await;
        watchers.next_event().await;
    }
    cost(bytes, process.cpu() - cpu, streams, watchers)
}

fn cost(bytes: f64, cpu: Duration, streams: usize, mut watchers: Watchers) -> Cost {
    let events = (EVENTS * streams) as f64;
    Cost { bytes, cpu: cpu.as_secs_f64() * 1e6 / events, p99: watchers.p99() }
}
