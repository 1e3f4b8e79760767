//! The cost of WatchStatus: many streams on one running copy, measured at the gateway in a process of its own and at a
//! floor in the same run.
//!
//! `cargo bench --bench watch -- --streams 10000`
//!
//! The floor is the least that a tonic server does: it sends a message of the same length once to each stream. Memory is
//! the resident memory per stream, and CPU the CPU time of the server's process. Delivery takes from the read at the
//! vendor (at the floor, from the creation of the message) until the client has the event. The simulated vendor and the
//! clients share another process. Each line of the output is a name and a number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, reason = "the results are approximate")]

mod coalescing;
mod floor;
mod gateway;
mod process;
mod schedule;
mod watchers;

use std::time::Duration;

use process::Process;
use tikv_jemallocator::Jemalloc;
use watchers::Watchers;

/// The gateway's, for the floor too.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How many events each stream receives.
const EVENTS: usize = 20;
/// For how long polls are counted.
const POLL_PERIOD: Duration = Duration::from_secs(5);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| {
        let position = arguments.iter().position(|argument| argument == name);
        position.map_or(default, |name| arguments[name + 1].parse().expect("a number"))
    };
    match number("--floor", 0) {
        0 => {}
        length => return floor::serve(length),
    }
    let streams = number("--streams", 1000);
    let points = number("--points", 10_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (gateway, floor) = runtime.block_on(async {
        let gateway = measure_gateway(streams).await;
        let floor = measure_floor(streams, gateway.event_length).await;
        (gateway, floor)
    });
    let print = |name: &str, value: f64| println!("{name:<34} {value:>12.3}");
    print("streams", streams as f64);
    print("bytes_per_event", gateway.event_length as f64);
    print("upstream_polls", gateway.polls);
    print("upstream_polls_one_watcher", gateway.polls_of_one_stream);
    print("upstream_polls_ratio", gateway.polls / gateway.polls_of_one_stream);
    for (name, gateway, floor) in [
        ("bytes_per_stream", gateway.cost.bytes_per_stream, floor.bytes_per_stream),
        ("cpu_us_per_event", gateway.cost.cpu_us_per_event, floor.cpu_us_per_event),
        ("p99_delivery_ms", gateway.cost.p99_delivery_ms, floor.p99_delivery_ms),
    ] {
        print(name, gateway);
        print(&format!("{name}_floor"), floor);
        print(&format!("{name}_ratio"), gateway / floor);
    }
    coalescing::measure(&runtime).into_iter().for_each(|(name, value)| print(name, value));
    schedule::measure(points).into_iter().for_each(|(name, value)| print(name, value));
}

struct GatewayResult {
    /// Within [`POLL_PERIOD`], with all streams.
    polls: f64,
    /// Within [`POLL_PERIOD`], with one stream.
    polls_of_one_stream: f64,
    /// In bytes.
    event_length: usize,
    cost: Cost,
}

struct Cost {
    bytes_per_stream: f64,
    cpu_us_per_event: f64,
    p99_delivery_ms: f64,
}

async fn measure_gateway(streams: usize) -> GatewayResult {
    let gateway = gateway::Gateway::start().await;
    let one = Watchers::open(&gateway.address, &gateway.copy, 1).await;
    let polls_of_one_stream = gateway.polls_in(POLL_PERIOD).await;
    drop(one);
    let memory = gateway.process.resident_bytes();
    let mut watchers = Watchers::open(&gateway.address, &gateway.copy, streams).await;
    let memory = gateway.process.resident_bytes().saturating_sub(memory);
    let polls = gateway.polls_in(POLL_PERIOD).await;
    let cpu = gateway.process.cpu_time();
    for _ in 0..EVENTS {
        gateway.advance_copy();
        watchers.wait_for_event().await;
    }
    let cpu = gateway.process.cpu_time() - cpu;
    let event_length = watchers.event_length();
    let cost = cost(streams, memory, cpu, watchers);
    GatewayResult { polls, polls_of_one_stream, event_length, cost }
}

async fn measure_floor(streams: usize, event_length: usize) -> Cost {
    let (process, address) = Process::start_floor(event_length);
    // The first stream allocates what all streams share.
    drop(Watchers::open(&address, "any", 1).await);
    let memory = process.resident_bytes();
    let mut watchers = Watchers::open(&address, "any", streams).await;
    let memory = process.resident_bytes().saturating_sub(memory);
    let cpu = process.cpu_time();
    for _ in 0..EVENTS {
        floor::send_event(&address).await;
        watchers.wait_for_event().await;
    }
    cost(streams, memory, process.cpu_time() - cpu, watchers)
}

fn cost(streams: usize, memory: usize, cpu: Duration, mut watchers: Watchers) -> Cost {
    let events = (EVENTS * streams) as f64;
    Cost {
        bytes_per_stream: memory as f64 / streams as f64,
        cpu_us_per_event: cpu.as_secs_f64() * 1e6 / events,
        p99_delivery_ms: watchers.p99_delay().as_secs_f64() * 1e3,
    }
}
