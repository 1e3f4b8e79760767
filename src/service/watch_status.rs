//! WatchStatus: checks the targets and opens the resume token; the rest is [`crate::watch`].

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Gateway, resume_token};
use crate::model::{CollectionName, Error, InvalidKind, PointRef};
use crate::proto;
use crate::watch::{Follow, Target, Watch, Watcher};

const MAX_NAMES: usize = 100;
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(20);
const HEARTBEATS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);

pub(super) fn watch_status(
    gateway: &Gateway,
    request: proto::WatchStatusRequest,
) -> Result<Watcher, Error> {
    let targets = targets(&request)?;
    for (index, target) in targets.iter().enumerate() {
        check_backend(gateway, target, index)?;
    }
    let heartbeat = heartbeat(request.heartbeat_interval)?;
    let follow = if request.follow { Follow::Forever } else { Follow::UntilTerminal };
    let (start, resume) = resume_token::open(&gateway.sealer, &targets, &request.resume_token)?;
    let targets = targets.into_iter().map(|target| {
        let (delivered, operation) = (resume.delivered(&target), resume.operation(&target));
        (target, delivered, operation)
    });
    let watch = Watch { targets: targets.collect(), start, follow, heartbeat };
    Ok(Watcher::new(&gateway.hub, watch, gateway.draining.clone()))
}

fn targets(request: &proto::WatchStatusRequest) -> Result<Vec<Target>, Error> {
    match (request.names.len(), request.parent.is_empty()) {
        (0, true) => Err(Error::invalid(
            InvalidKind::Value,
            "names",
            "required: 1 to 100 restore points in `names`, or a collection in `parent`",
        )),
        (0, false) => {
            Ok(vec![Target::Collection(CollectionName::parse(&request.parent, "parent")?)])
        }
        (_, false) => Err(Error::invalid(
            InvalidKind::Value,
            "parent",
            "`names` and `parent` exclude each other in one stream",
        )),
        (count, true) if count > MAX_NAMES => Err(Error::invalid(
            InvalidKind::Value,
            "names",
            format!("{count} names are more than {MAX_NAMES}: use several streams, or `parent`"),
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
            return Err(Error::invalid(InvalidKind::Value, &field, "the name is a duplicate"));
        }
        targets.push(Target::Point(point));
    }
    Ok(targets)
}

fn check_backend(gateway: &Gateway, target: &Target, index: usize) -> Result<(), Error> {
    match target {
        Target::Point(point) => {
            let backend = gateway.registry.get_for_point(point);
            backend.map(drop).map_err(|error| error.in_field(&format!("names[{index}]")))
        }
        Target::Collection(collection) => {
            let backend = gateway.registry.get(&collection.backend);
            backend.map(drop).map_err(|error| error.in_field("parent"))
        }
    }
}

fn heartbeat(requested: Option<prost_types::Duration>) -> Result<Duration, Error> {
    let Some(requested) = requested else { return Ok(DEFAULT_HEARTBEAT) };
    let duration = Duration::try_from(requested).ok();
    duration.filter(|duration| HEARTBEATS.contains(duration)).ok_or_else(|| {
        let problem = format!("invalid duration {requested}: expected 1s to 600s");
        Error::invalid(InvalidKind::Value, "heartbeat_interval", problem)
    })
}
