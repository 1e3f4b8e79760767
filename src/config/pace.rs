//! How often the targets of one backend are read: what its own table says, else `[watch]`, else what is usual for
//! its kind.

use std::time::Duration;

use super::backend::BackendConfig;
use super::raw;
use super::source::{ConfigError, Source};
use crate::backend::azure;
use crate::watch::Pace;

/// What is usual for a kind of vendor.
fn usual(backend: &BackendConfig) -> Pace {
    match backend {
        BackendConfig::Azure(_) => Pace { progress: azure::PROGRESS_EVERY, ..Pace::default() },
        BackendConfig::Veeam(_) => Pace::default(),
    }
}

/// The pace of `backend` by `[watch]` and the table of its own.
pub(super) fn check(
    source: &Source,
    backend: &BackendConfig,
    general: Option<&raw::Watch>,
    own: Option<&raw::Watch>,
) -> Result<Pace, ConfigError> {
    let mut pace = usual(backend);
    for table in [general, own].into_iter().flatten() {
        lay_over(source, &mut pace, table)?;
    }
    if pace.slowest < pace.quickest {
        // Either may come from either table: what is special is blamed before what is general.
        let mut tables = [own, general].into_iter().flatten();
        let given = tables.find_map(|table| table.slowest.as_ref().or(table.quickest.as_ref()));
        let place = given.map_or_else(|| source.place(0..0), |given| source.at(given));
        return Err(place.error(format!(
            "`slowest`, {:?}, must not be shorter than `quickest`, {:?}; set both",
            pace.slowest, pace.quickest
        )));
    }
    Ok(pace)
}

fn lay_over(source: &Source, pace: &mut Pace, table: &raw::Watch) -> Result<(), ConfigError> {
    for (text, value) in [
        (&table.quickest, &mut pace.quickest),
        (&table.slowest, &mut pace.slowest),
        (&table.progress, &mut pace.progress),
        (&table.linger, &mut pace.linger),
    ] {
        if let Some(given) = source.duration(text.as_ref())? {
            *value = given;
        }
    }
    match &table.quickest {
        Some(given) if pace.quickest == Duration::ZERO => Err(source
            .at(given)
            .error("`quickest` must be more than 0, or the vendor is asked without a pause")),
        _ => Ok(()),
    }
}
