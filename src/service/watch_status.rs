//! WatchStatus: checks what is to be watched, and turns a watcher's events into messages.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use tonic::Status;

use super::Gateway;
use crate::convert;
use crate::model::{BackendId, CollectionName, Error, Invalid, PointRef};
use crate::proto;
use crate::proto::watch_status_response::Event as Kind;
use crate::status;
use crate::watch::{Event, Follow, Session, Target, What};

const MOST_NAMES: usize = 100;
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(20);
const HEARTBEATS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(600);

/// The events of one watch.
pub struct Events(Pin<Box<dyn Stream<Item = Result<proto::WatchStatusResponse, Status>> + Send>>);

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events(…)")
    }
}

impl Stream for Events {
    type Item = Result<proto::WatchStatusResponse, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl Gateway {
    pub(super) fn watch(&self, request: proto::WatchStatusRequest) -> Result<Events, Error> {
        let targets = targets(&request)?;
        for (index, target) in targets.iter().enumerate() {
            let (backend, field) = whose(target, index);
            self.registry.get(backend).map_err(|error| error.in_field(&field))?;
        }
        let heartbeat = heartbeat(request.heartbeat_interval)?;
        let follow = if request.follow { Follow::Forever } else { Follow::UntilTerminal };
        let session = Session::begin(
            &self.hub,
            targets,
            &request.resume_token,
            follow,
            heartbeat,
            self.draining.clone(),
        )?;
        let events = stream::unfold(Some(session), |session| async {
            let mut session = session?;
            match session.next().await {
                Ok(Some(event)) => Some((Ok(message(event)), Some(session))),
                Ok(None) if session.is_drained() => Some((Err(status::draining()), None)),
                Ok(None) => None,
                Err(error) => Some((Err(Status::from(error)), None)),
            }
        });
        Ok(Events(Box::pin(events)))
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

fn message(event: Event) -> proto::WatchStatusResponse {
    let point =
        |point: Arc<proto::RestorePoint>| (point.name.clone(), Some(Arc::unwrap_or_clone(point)));
    let mut error = None;
    let (kind, (name, restore_point)) = match event.what {
        What::Snapshot(seen) => (Kind::Snapshot, point(seen)),
        What::Changed(seen) => (Kind::Changed, point(seen)),
        What::Deleted(name) => (Kind::Deleted, (name, None)),
        What::Recovered(name) => (Kind::Recovered, (name, None)),
        What::Degraded(name, trouble) => {
            error = Some(status::embedded(trouble));
            (Kind::Degraded, (name, None))
        }
        What::Synced => (Kind::Synced, (String::new(), None)),
        What::Heartbeat => (Kind::Heartbeat, (String::new(), None)),
        What::Reset => (Kind::Reset, (String::new(), None)),
        What::Draining => (Kind::Draining, (String::new(), None)),
    };
    proto::WatchStatusResponse {
        event: kind.into(),
        name,
        restore_point,
        resume_token: event.resume_token,
        observe_time: event.observed.map(convert::timestamp),
        error,
    }
}
