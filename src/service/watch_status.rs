//! WatchStatus: checks what is to be watched, and hands on what there is to tell.

use std::collections::HashSet;
use std::time::Duration;

use super::Gateway;
use crate::model::{BackendId, CollectionName, Error, Invalid, PointRef};
use crate::proto;
use crate::watch::{Follow, Session, Target};

const MOST_NAMES: usize = 100;
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(20);
const HEARTBEATS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(600);

impl Gateway {
    pub(super) fn watch(&self, request: proto::WatchStatusRequest) -> Result<Session, Error> {
        let targets = targets(&request)?;
        for (index, target) in targets.iter().enumerate() {
            let (backend, field) = whose(target, index);
            self.registry.get(backend).map_err(|error| error.in_field(&field))?;
        }
        let heartbeat = heartbeat(request.heartbeat_interval)?;
        let follow = if request.follow { Follow::Forever } else { Follow::UntilTerminal };
        let draining = self.draining.clone();
        Session::begin(&self.hub, targets, &request.resume_token, follow, heartbeat, draining)
    }
}

fn targets(request: &proto::WatchStatusRequest) -> Result<Vec<Target>, Error> {
    match (request.names.len(), request.parent.is_empty()) {
        (0, true) => Err(Error::invalid(
            Invalid::Value,
            "names",
            "name what to watch: 1 to 100 points in `names`, or a collection in `parent`",
        )),
        (0, false) => {
            Ok(vec![Target::Collection(CollectionName::parse(&request.parent, "parent")?)])
        }
        (_, false) => Err(Error::invalid(
            Invalid::Value,
            "parent",
            "watch points by `names` or a collection by `parent`, not both in one stream",
        )),
        (count, true) if count > MOST_NAMES => Err(Error::invalid(
            Invalid::Value,
            "names",
            format!("{count} are more than {MOST_NAMES}; use several streams, or `parent`"),
        )),
        (_, true) => points(&request.names),
    }
}

fn points(names: &[String]) -> Result<Vec<Target>, Error> {
    let mut seen = HashSet::new();
    let mut targets = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let field = format!("names[{index}]");
        let point = PointRef::parse(name, &field)?;
        if !seen.insert(name.to_lowercase()) {
            return Err(Error::invalid(Invalid::Value, &field, "it is named twice"));
        }
        targets.push(Target::Point(point));
    }
    Ok(targets)
}

fn whose(target: &Target, index: usize) -> (&BackendId, String) {
    match target {
        Target::Point(point) => (&point.backend, format!("names[{index}]")),
        Target::Collection(collection) => (&collection.backend, "parent".to_owned()),
    }
}

fn heartbeat(asked: Option<prost_types::Duration>) -> Result<Duration, Error> {
    let Some(asked) = asked else { return Ok(DEFAULT_HEARTBEAT) };
    Duration::try_from(asked).ok().filter(|asked| HEARTBEATS.contains(asked)).ok_or_else(|| {
        Error::invalid(Invalid::Value, "heartbeat_interval", "it must be 1 s to 600 s")
    })
}
