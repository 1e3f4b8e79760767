//! How figures are written down: families of samples with their names, units and labels.
//!
//! Which figures there are is not known here.

use std::fmt;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::histogram::{BUCKET_BOUNDS, HistogramSnapshot};

/// Samples that belong together.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static str,
    unit: Option<Unit>,
    help: &'static str,
}

impl Family {
    /// Numbers of something that `name` says.
    pub(super) fn of(name: &'static str, help: &'static str) -> Self {
        Self { name, unit: None, help }
    }

    /// `name` is without the unit, which is added to it.
    pub(super) fn in_unit(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self { name, unit: Some(unit), help }
    }
}

/// What tells samples of a family apart.
pub(super) type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// A page that is being written.
#[derive(Debug)]
pub(super) struct Page<'a>(pub DescriptorEncoder<'a>);

impl Page<'_> {
    /// Writes values that come and go.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Gauge, samples, |sample, value| sample.encode_gauge(value))
    }

    /// Writes counts that only grow.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, impl EncodeCounterValue)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Counter, samples, |sample, value| {
            sample.encode_counter::<NoLabelSet, _, f64>(value, None)
        })
    }

    /// Writes durations by their bounds.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels<'l, N>, HistogramSnapshot)>,
    ) -> fmt::Result {
        self.family(&family, MetricType::Histogram, samples, |sample, timed| {
            let bounds = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(timed.counts).collect();
            let count = timed.counts.iter().sum();
            sample.encode_histogram::<NoLabelSet>(timed.sum.as_secs_f64(), count, &buckets, None)
        })
    }

    fn family<'l, const N: usize, V>(
        &mut self,
        family: &Family,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'l, N>, V)>,
        write: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in samples {
            match N {
                // Without empty braces.
                0 => write(&mut encoder, &value)?,
                _ => write(&mut encoder.encode_family(&labels)?, &value)?,
            }
        }
        Ok(())
    }
}
