//! The exposition of metrics: families of samples with their names, units and labels, in the types of
//! `prometheus_client`.
//!
//! Which metrics there are is not known here.

use std::fmt;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::histogram::{BUCKET_BOUNDS, HistogramSnapshot};

/// The name and description of the samples of one metric.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static str,
    unit: Option<Unit>,
    help: &'static str,
}

impl Family {
    /// A family without a unit, such as a count.
    pub(super) fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, unit: None, help }
    }

    /// A family in `unit`, which is appended to `name`.
    pub(super) fn with_unit(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self { name, unit: Some(unit), help }
    }
}

/// The labels of a sample, as name and value.
pub(super) type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// The response to a scrape while it is encoded.
#[derive(Debug)]
pub(super) struct Exposition<'a>(pub DescriptorEncoder<'a>);

impl Exposition<'_> {
    /// Encodes values that rise and fall.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Gauge, samples, |sample, value| sample.encode_gauge(value))
    }

    /// Encodes counts that only grow.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, impl EncodeCounterValue)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Counter, samples, |sample, value| {
            sample.encode_counter::<NoLabelSet, _, f64>(value, None)
        })
    }

    /// Encodes histograms of durations.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, HistogramSnapshot)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Histogram, samples, |sample, histogram| {
            let bounds = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(histogram.counts).collect();
            let (sum, count) = (histogram.sum.as_secs_f64(), histogram.counts.iter().sum());
            sample.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        })
    }

    fn family<'l, const N: usize, V>(
        &mut self,
        family: &Family,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'l, N>, V)>,
        encode: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in samples {
            match N {
                // encode_family would write empty braces.
                0 => encode(&mut encoder, &value)?,
                _ => encode(&mut encoder.encode_family(&labels)?, &value)?,
            }
        }
        Ok(())
    }
}
