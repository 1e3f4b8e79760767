//! The metrics of a gateway: what it costs, how fast it delivers changes, and how much it requests from the
//! backends.
//!
//! Label values are few and come from the gateway alone: methods that are served, backends that are configured.
//! README shows how to query the metrics together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::exposition::{Exposition, Family};
use super::process;
use crate::backend::Registry;
use crate::server::{CallMetrics, CertificateExpiry, Connections};
use crate::watch::{BackendTargets, Hub};

/// Reads the metrics from the parts of the gateway at each scrape.
#[derive(Debug)]
pub(super) struct GatewayCollector {
    pub calls: Arc<CallMetrics>,
    pub connections: Arc<Connections>,
    pub certificate: Option<Arc<CertificateExpiry>>,
    pub backends: Registry,
    pub hub: Hub,
}

impl Collector for GatewayCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut exposition = Exposition(encoder);
        process(&mut exposition)?;
        self.calls(&mut exposition)?;
        self.connections(&mut exposition)?;
        self.responses(&mut exposition)?;
        self.certificate(&mut exposition)?;
        self.backend_requests(&mut exposition)?;
        self.watch_targets(&mut exposition)?;
        self.watch_events(&mut exposition)
    }
}

/// A number as the exposition takes it.
fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn process(exposition: &mut Exposition<'_>) -> fmt::Result {
    exposition.gauges(
        Family::with_unit("process_resident_memory", Unit::Bytes, "Resident memory size"),
        process::resident_bytes().map(|bytes| ([], bytes)),
    )?;
    exposition.counters(
        Family::with_unit("process_cpu", Unit::Seconds, "User and system CPU time"),
        process::cpu_seconds().map(|seconds| ([], seconds)),
    )
}

impl GatewayCollector {
    fn calls(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let methods = || self.calls.methods();
        exposition.gauges(
            Family::new("restorepoint_calls_in_flight", "Calls in flight, open streams included"),
            methods().map(|method| ([("method", method.name())], method.in_flight())),
        )?;
        let completed = methods().flat_map(|method| {
            // OK from the start, so that rate() sees the first call; the other codes when they occur.
            let codes = method.completed().filter(|(code, count)| *count > 0 || *code == "OK");
            codes.map(|(code, count)| ([("method", method.name()), ("code", code)], count))
        });
        exposition.counters(
            Family::new("restorepoint_calls", "Completed calls and streams by status code"),
            completed,
        )?;
        exposition.histograms(
            Family::with_unit(
                "restorepoint_call_duration",
                Unit::Seconds,
                "Duration of unary calls",
            ),
            methods().filter_map(|method| Some(([("method", method.name())], method.duration()?))),
        )
    }

    fn connections(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let connections = &self.connections;
        exposition.gauges(
            Family::new("restorepoint_connections", "Open connections of clients"),
            [([], count(connections.open()))],
        )?;
        exposition.gauges(
            Family::new("restorepoint_connections_limit", "Connections that may be open"),
            [([], count(connections.limits().max_connections))],
        )?;
        exposition.counters(
            Family::new("restorepoint_connections_accepted", "Accepted connections"),
            [([], connections.accepted())],
        )?;
        exposition.counters(
            Family::new(
                "restorepoint_connections_closed",
                "Connections without calls that the gateway closed: after too long, or to make room for others",
            ),
            connections.closed().map(|(reason, count)| ([("reason", reason.label())], count)),
        )?;
        exposition.counters(
            Family::new(
                "restorepoint_connections_refused",
                "Connections that were refused because as many had calls as may be open",
            ),
            [([], connections.refused())],
        )
    }

    fn responses(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let responses = self.connections.responses();
        exposition.gauges(
            Family::with_unit(
                "restorepoint_response_memory",
                Unit::Bytes,
                "Memory that is reserved for responses, until they have been sent",
            ),
            [([], count(responses.reserved()))],
        )?;
        exposition.gauges(
            Family::with_unit(
                "restorepoint_response_memory_limit",
                Unit::Bytes,
                "Memory that responses may take",
            ),
            [([], u64::from(responses.limit()))],
        )?;
        exposition.counters(
            Family::new(
                "restorepoint_responses_refused",
                "Responses that were refused memory, because clients had not read those before",
            ),
            [([], responses.refused())],
        )?;
        exposition.counters(
            Family::new(
                "restorepoint_calls_stalled",
                "Calls that were reset because their clients did not read for 30 s",
            ),
            [([], self.connections.stall_timeout().ended())],
        )
    }

    fn certificate(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        exposition.gauges(
            Family::with_unit(
                "restorepoint_certificate_expiry_timestamp",
                Unit::Seconds,
                "When the certificate of the listeners expires, in Unix time",
            ),
            self.certificate.as_ref().map(|expiry| ([], expiry.unix_seconds())),
        )
    }

    fn backend_requests(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let backends = self.backends.all();
        let metrics: Vec<_> = backends
            .iter()
            .flat_map(|(id, backend)| {
                let metrics = backend.request_metrics().into_iter();
                metrics.map(move |metrics| {
                    let upstream = metrics.upstream.label();
                    ([("backend", id.as_str()), ("upstream", upstream)], metrics)
                })
            })
            .collect();
        let requests = metrics.iter().flat_map(|([backend, upstream], metrics)| {
            let requests = metrics.requests.iter();
            requests
                .map(|(status, count)| ([*backend, *upstream, ("status", status.label())], *count))
        });
        exposition.counters(
            Family::new(
                "restorepoint_backend_requests",
                "Requests to a backend by class of the response status; none without a response",
            ),
            requests,
        )?;
        exposition.histograms(
            Family::with_unit(
                "restorepoint_backend_request_duration",
                Unit::Seconds,
                "Time from sending a request to a backend to the response head",
            ),
            metrics.iter().map(|(labels, metrics)| (*labels, metrics.durations)),
        )?;
        let rate_limiters: Vec<_> = metrics
            .iter()
            .filter_map(|(labels, metrics)| Some((*labels, metrics.rate_limiter?)))
            .collect();
        exposition.gauges(
            Family::new(
                "restorepoint_backend_rate_limit_available",
                "Requests that the rate limit of a backend allows immediately",
            ),
            rate_limiters.iter().map(|(labels, limiter)| (*labels, limiter.available)),
        )?;
        exposition.gauges(
            Family::new(
                "restorepoint_backend_rate_limit_waiting",
                "Requests that wait for the rate limit of a backend",
            ),
            rate_limiters.iter().map(|(labels, limiter)| (*labels, limiter.waiting)),
        )
    }

    fn watch_targets(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        // Backends without watches too, and those that a reload removed while they were watched.
        let backends = self.backends.all();
        let mut targets: BTreeMap<_, _> =
            backends.keys().map(|id| (id.clone(), BackendTargets::default())).collect();
        targets.extend(self.hub.targets());
        let targets = || targets.iter().map(|(id, targets)| ([("backend", id.as_str())], targets));
        exposition.gauges(
            Family::new(
                "restorepoint_watched_targets",
                "Restore points and collections that are polled for watches",
            ),
            targets().map(|(backend, targets)| (backend, targets.count)),
        )?;
        exposition.gauges(
            Family::with_unit(
                "restorepoint_watch_poll_lag",
                Unit::Seconds,
                "Time since the most overdue poll of a watched target was due",
            ),
            targets().map(|(backend, targets)| (backend, targets.poll_lag.as_secs_f64())),
        )
    }

    fn watch_events(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let metrics = self.hub.metrics();
        exposition.counters(
            Family::new("restorepoint_watch_events", "Events sent to watch streams"),
            metrics.events().map(|(event, count)| ([("event", event.name())], count)),
        )?;
        exposition.histograms(
            Family::with_unit(
                "restorepoint_watch_delivery",
                Unit::Seconds,
                "Time from reading a change or deletion from a backend to sending its event",
            ),
            [([], metrics.delivery())],
        )
    }
}
