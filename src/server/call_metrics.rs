//! Metrics of calls: how many are in flight, with which status they ended, and how long unary calls took.
//!
//! They are counted by method, and only for methods that are served: a path that a client makes up must not become
//! a label.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::reflection::DESCRIPTOR_SETS;
use super::request_body::RequestMessages;
use crate::histogram::{Histogram, HistogramSnapshot};

/// The label of calls to methods that are not served.
const OTHER: &str = "other";

/// The names of the status codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The metrics of all calls of a server.
#[derive(Debug)]
pub struct CallMetrics {
    /// By the path of a request.
    methods: BTreeMap<String, Arc<MethodMetrics>>,
    other: Arc<MethodMetrics>,
}

/// The metrics of one method.
#[derive(Debug)]
pub(super) struct MethodMetrics {
    name: String,
    in_flight: AtomicU64,
    completed: [AtomicU64; CODES.len()],
    /// None for a streaming method: how long its calls last is up to the client.
    duration: Option<Histogram>,
    request_messages: RequestMessages,
}

/// A call that has started and not yet completed.
#[derive(Debug)]
pub(super) struct InFlightCall(Arc<MethodMetrics>);

impl CallMetrics {
    /// Metrics of the methods of all services that are served, each at zero.
    ///
    /// # Errors
    /// When a compiled-in descriptor set cannot be decoded.
    pub fn new() -> Result<Self, DecodeError> {
        let mut methods = BTreeMap::new();
        let other = MethodMetrics::new(OTHER.to_owned(), None, RequestMessages::One);
        for set in DESCRIPTOR_SETS {
            for file in FileDescriptorSet::decode(set)?.file {
                for service in &file.service {
                    for method in &service.method {
                        let name =
                            format!("{}.{}/{}", file.package(), service.name(), method.name());
                        let streaming = method.client_streaming() || method.server_streaming();
                        let duration = (!streaming).then(Histogram::default);
                        let requests = match method.client_streaming() {
                            true => RequestMessages::Stream,
                            false => RequestMessages::One,
                        };
                        let metrics = MethodMetrics::new(name.clone(), duration, requests);
                        methods.insert(format!("/{name}"), metrics);
                    }
                }
            }
        }
        Ok(Self { methods, other })
    }

    /// Counts a call to `path` as in flight.
    pub(super) fn start(&self, path: &str) -> InFlightCall {
        let method = Arc::clone(self.methods.get(path).unwrap_or(&self.other));
        method.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlightCall(method)
    }

    /// The metrics by method.
    pub(super) fn methods(&self) -> impl Iterator<Item = &MethodMetrics> {
        self.methods.values().chain([&self.other]).map(|method| &**method)
    }
}

impl MethodMetrics {
    fn new(
        name: String,
        duration: Option<Histogram>,
        request_messages: RequestMessages,
    ) -> Arc<Self> {
        let (in_flight, completed) = Default::default();
        Arc::new(Self { name, in_flight, completed, duration, request_messages })
    }

    /// `package.Service/Method`, or `other`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many calls are in flight.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many calls completed with each status code.
    pub(super) fn completed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.completed.iter().map(|count| count.load(Ordering::Relaxed));
        CODES.into_iter().zip(counts)
    }

    /// How long the calls took, for a unary method.
    pub(super) fn duration(&self) -> Option<HistogramSnapshot> {
        self.duration.as_ref().map(Histogram::snapshot)
    }
}

impl InFlightCall {
    /// How many messages its method takes.
    pub(super) fn request_messages(&self) -> RequestMessages {
        self.0.request_messages
    }

    /// Counts the call as completed. Called once, at its end.
    pub(super) fn complete(&self, code: Code, took: Duration) {
        let Self(method) = self;
        method.in_flight.fetch_sub(1, Ordering::Relaxed);
        method.completed[code as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(duration) = &method.duration {
            duration.observe(took);
        }
    }
}
