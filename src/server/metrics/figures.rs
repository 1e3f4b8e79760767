//! Which figures there are: those by which one sees what the gateway costs, how fast it tells of changes, and
//! what it asks of the vendors.
//!
//! Labels are few and of this house: methods that are served, backends that are configured. README says how
//! the figures are read together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::page::{Family, Page};
use super::process;
use crate::backend::Registry;
use crate::server::Calls;
use crate::watch::{BackendTargets, Hub};

/// Where the figures are.
#[derive(Debug)]
pub(super) struct Figures {
    pub calls: Arc<Calls>,
    pub backends: Registry,
    pub hub: Hub,
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        process(&mut page)?;
        self.calls(&mut page)?;
        self.upstream(&mut page)?;
        self.watched(&mut page)?;
        self.told(&mut page)
    }
}

fn process(page: &mut Page<'_>) -> fmt::Result {
    page.gauges(
        Family::in_unit(
            "process_resident_memory",
            Unit::Bytes,
            "Memory in use and not swapped out",
        ),
        process::resident_bytes().map(|bytes| ([], bytes)),
    )?;
    page.counters(
        Family::in_unit("process_cpu", Unit::Seconds, "CPU time, user and system"),
        process::cpu_seconds().map(|seconds| ([], seconds)),
    )
}

impl Figures {
    fn calls(&self, page: &mut Page<'_>) -> fmt::Result {
        let methods = || self.calls.methods();
        page.gauges(
            Family::of("restorepoint_calls_open", "Calls and streams under way"),
            methods().map(|method| ([("method", method.name())], method.open())),
        )?;
        let ended = methods().flat_map(|method| {
            // OK from the beginning, so that the first call is seen as a rise; the rest as it comes.
            let codes = method.ended().filter(|(code, count)| *count > 0 || *code == "OK");
            codes.map(|(code, count)| ([("method", method.name()), ("code", code)], count))
        });
        page.counters(
            Family::of("restorepoint_calls", "Calls and streams that have ended, by status"),
            ended,
        )?;
        page.histograms(
            Family::in_unit(
                "restorepoint_call_duration",
                Unit::Seconds,
                "How long calls took that are no streams",
            ),
            methods().filter_map(|method| Some(([("method", method.name())], method.timed()?))),
        )
    }

    fn upstream(&self, page: &mut Page<'_>) -> fmt::Result {
        let backends = self.backends.all();
        let usages: Vec<_> = backends
            .iter()
            .map(|(id, backend)| (("backend", id.as_str()), backend.request_metrics()))
            .collect();
        let requests = usages.iter().flat_map(|(backend, usage)| {
            let requests = usage.requests.iter();
            requests.map(|(outcome, count)| ([*backend, ("status", outcome.label())], *count))
        });
        page.counters(
            Family::of(
                "restorepoint_upstream_requests",
                "Requests to a vendor by the class of the answer's status; none if there was no answer",
            ),
            requests,
        )?;
        page.histograms(
            Family::in_unit(
                "restorepoint_upstream_request_duration",
                Unit::Seconds,
                "From sending a request to a vendor to the head of the answer",
            ),
            usages.iter().map(|(backend, usage)| ([*backend], usage.durations)),
        )?;
        let allowances: Vec<_> = usages
            .iter()
            .filter_map(|(backend, usage)| Some(([*backend], usage.rate_limiter?)))
            .collect();
        page.gauges(
            Family::of(
                "restorepoint_upstream_budget_left",
                "Requests that the budget for a vendor allows at once",
            ),
            allowances.iter().map(|(backend, allowance)| (*backend, allowance.available)),
        )?;
        page.gauges(
            Family::of("restorepoint_upstream_waiting", "Requests that wait for the budget"),
            allowances.iter().map(|(backend, allowance)| (*backend, allowance.waiting)),
        )
    }

    fn watched(&self, page: &mut Page<'_>) -> fmt::Result {
        // Backends of which nothing is watched, and those that a reload has taken away from their watchers.
        let backends = self.backends.all();
        let mut watched: BTreeMap<_, _> =
            backends.keys().map(|id| (id.clone(), BackendTargets::default())).collect();
        watched.extend(self.hub.targets());
        let watched = || watched.iter().map(|(id, watched)| ([("backend", id.as_str())], watched));
        page.gauges(
            Family::of(
                "restorepoint_watched_targets",
                "Points and collections that are polled, and those left a moment ago",
            ),
            watched().map(|(backend, watched)| (backend, watched.count)),
        )?;
        page.gauges(
            Family::in_unit(
                "restorepoint_watch_longest_wait",
                Unit::Seconds,
                "How long the target that waits longest has waited beyond its time",
            ),
            watched().map(|(backend, watched)| (backend, watched.poll_lag.as_secs_f64())),
        )
    }

    fn told(&self, page: &mut Page<'_>) -> fmt::Result {
        let tally = self.hub.metrics();
        page.counters(
            Family::of("restorepoint_watch_events", "Events told to watchers"),
            tally.events().map(|(event, count)| ([("event", event.name())], count)),
        )?;
        page.histograms(
            Family::in_unit(
                "restorepoint_watch_delivery",
                Unit::Seconds,
                "From reading a change or a deletion at the vendor to handing it to a stream",
            ),
            [([], tally.delivery())],
        )
    }
}
