//! What is counted of calls: how many are under way, how they ended, and how long those took that are no
//! streams.
//!
//! By method, and by none but those that are served: a caller's own text must not become the name of a figure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::reflection::DESCRIPTOR_SETS;
use crate::histogram::{Histogram, HistogramSnapshot};

/// What is counted under no name of its own.
const OTHER: &str = "other";

/// The codes by their numbers, as the protocol spells them.
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

/// The counts of all calls of a server.
#[derive(Debug)]
pub struct Calls {
    /// By the path of a request.
    methods: BTreeMap<String, Arc<Method>>,
    other: Arc<Method>,
}

/// The counts of one method.
#[derive(Debug)]
pub(super) struct Method {
    name: String,
    open: AtomicU64,
    ended: [AtomicU64; CODES.len()],
    /// Not of streams, which last as long as they like.
    timing: Option<Histogram>,
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Open(Arc<Method>);

impl Calls {
    /// Counts of the methods of all services that are served.
    ///
    /// # Errors
    /// When a compiled-in descriptor set is not one.
    pub fn new() -> Result<Self, DecodeError> {
        let mut methods = BTreeMap::new();
        for set in DESCRIPTOR_SETS {
            for file in FileDescriptorSet::decode(set)?.file {
                for service in &file.service {
                    for method in &service.method {
                        let name =
                            format!("{}.{}/{}", file.package(), service.name(), method.name());
                        let streams = method.client_streaming() || method.server_streaming();
                        let timing = (!streams).then(Histogram::default);
                        methods.insert(format!("/{name}"), Method::new(name, timing));
                    }
                }
            }
        }
        Ok(Self { methods, other: Method::new(OTHER.to_owned(), None) })
    }

    /// Counts a call to `path` as under way.
    pub(super) fn begin(&self, path: &str) -> Open {
        let method = Arc::clone(self.methods.get(path).unwrap_or(&self.other));
        method.open.fetch_add(1, Ordering::Relaxed);
        Open(method)
    }

    /// The counts by method.
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values().chain([&self.other]).map(|method| &**method)
    }
}

impl Method {
    fn new(name: String, timing: Option<Histogram>) -> Arc<Self> {
        Arc::new(Self { name, open: AtomicU64::default(), ended: Default::default(), timing })
    }

    /// Service and method, or `other`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many calls are under way.
    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many calls ended with each code.
    pub(super) fn ended(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.ended.iter().map(|count| count.load(Ordering::Relaxed));
        CODES.into_iter().zip(counts)
    }

    /// How long calls took.
    pub(super) fn timed(&self) -> Option<HistogramSnapshot> {
        self.timing.as_ref().map(Histogram::snapshot)
    }
}

impl Open {
    /// The call is over.
    pub(super) fn end(&self, code: Code, took: Duration) {
        let Self(method) = self;
        method.open.fetch_sub(1, Ordering::Relaxed);
        method.ended[code as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(timing) = &method.timing {
            timing.observe(took);
        }
    }
}
