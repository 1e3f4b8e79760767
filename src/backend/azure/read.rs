//! Reading one collection or one point.
//!
//! What never changes about a collection, and that a copy has arrived, is remembered; everything else
//! is asked for each time.

use bytes::Bytes;
use futures::future::try_join;

use super::Azure;
use super::client::Expand;
use super::id::{CollectionId, PointId, same};
use super::map::{self, Home};
use super::state::{self, Arrival};
use super::{raw, wire};
use crate::backend::Operation;
use crate::model::{Error, PointFailure, PointRef, RestorePoint, State, View};
use crate::upstream::DEFAULT_RETRY_AFTER;

/// A point with its collection and the body it was read from.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) home: Home,
    pub(super) wire: wire::Point,
    pub(super) point: RestorePoint,
}

impl Azure {
    /// The ids of a point that a caller named.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a wildcard, since ARM's points have no ids of their own, and for ids that
    /// are none of ARM's.
    pub(super) fn point_id(&self, point: &PointRef) -> Result<PointId, Error> {
        let collection = CollectionId::parse(point.collection_id()?, "name")?;
        Ok(PointId { collection, name: point.restore_point.clone() })
    }

    /// Reads a point of this view.
    pub(super) async fn read_point(&self, id: &PointId, view: View) -> Result<Found, Error> {
        let expand = if view == View::Basic { Expand::Nothing } else { Expand::InstanceView };
        let (body, home) = try_join(self.point_body(id, expand), self.home(&id.collection))
            .await
            .inspect_err(|error| {
            if matches!(error, Error::NotFound { .. }) {
                self.homes.remove(&id.collection.key());
            }
        })?;
        let wire = self.decode_point(id, &body)?;
        if expand == Expand::Nothing && self.must_look_up(&wire) {
            let body = self.point_body(id, Expand::InstanceView).await?;
            let wire = self.decode_point(id, &body)?;
            return self.found(home, wire, &body, view).await;
        }
        self.found(home, wire, &body, view).await
    }

    /// Reads a point whose collection was just read, with its instance view.
    pub(super) async fn look_up(
        &self,
        home: &Home,
        name: &str,
        view: View,
    ) -> Result<RestorePoint, Error> {
        let id = PointId { collection: home.id.clone(), name: name.to_owned() };
        let body = self.point_body(&id, Expand::InstanceView).await?;
        let wire = self.decode_point(&id, &body)?;
        Ok(self.found(home.clone(), wire, &body, view).await?.point)
    }

    async fn point_body(&self, id: &PointId, expand: Expand) -> Result<Bytes, Error> {
        let url = self.arm.url(&id.path(&self.arm.subscription), expand);
        self.arm.read(&url, &id.point_name(&self.arm.backend).to_string()).await
    }

    fn decode_point(&self, id: &PointId, body: &[u8]) -> Result<wire::Point, Error> {
        let wire: wire::Point = wire::decode(body).map_err(|why| self.arm.invalid_response(why))?;
        if same(&wire.name, &id.name) {
            Ok(wire)
        } else {
            Err(self.arm.invalid_response("it is about another restore point than was asked for"))
        }
    }

    async fn found(
        &self,
        home: Home,
        wire: wire::Point,
        body: &[u8],
        view: View,
    ) -> Result<Found, Error> {
        let asked = wire.properties.instance_view.is_some() || self.seen(&wire).is_none();
        let disks = if asked && state::needs_disk_status(&wire) {
            self.disk_points(&PointId { collection: home.id.clone(), name: wire.name.clone() })
                .await
        } else {
            Vec::new()
        };
        let mut point = self.map_told(&home, &wire, &disks, view)?;
        if view == View::Raw {
            let body = wire::decode(body).map_err(|why| self.arm.invalid_response(why))?;
            point.raw = Some(raw::redacted(body));
        }
        Ok(Found { home, wire, point })
    }

    /// A point in our words; remembers a copy that has arrived.
    pub(super) fn map_point(
        &self,
        home: &Home,
        wire: &wire::Point,
        view: View,
    ) -> Result<RestorePoint, Error> {
        self.map_told(home, wire, &[], view)
    }

    fn map_told(
        &self,
        home: &Home,
        wire: &wire::Point,
        disks: &[wire::DiskPoint],
        view: View,
    ) -> Result<RestorePoint, Error> {
        // What was asked for with its instance view is told by that, and by the disk provider.
        let told = wire.properties.instance_view.is_some() || !disks.is_empty();
        let seen = if told { None } else { self.seen(wire) };
        let arrival = seen.as_deref().map_or(Arrival::Told(disks), Arrival::Seen);
        let point = map::point(self.scope(), home, wire, arrival, view)
            .map_err(|why| self.arm.invalid_response(why))?;
        if let (true, State::Ready, Some(_), Some(copy)) =
            (told, point.state, wire.copied_from(), map::fingerprint(wire))
        {
            self.arrived.insert(copy, map::replication_code(wire));
        }
        Ok(point)
    }

    /// The aggregate code of a copy that was seen to be complete.
    fn seen(&self, wire: &wire::Point) -> Option<String> {
        self.arrived.get(&map::fingerprint(wire)?)
    }

    /// Whether only another call can tell the state.
    pub(super) fn must_look_up(&self, wire: &wire::Point) -> bool {
        map::needs_instance_view(wire)
            && wire.properties.instance_view.is_none()
            && self.seen(wire).is_none()
    }

    /// The point with what its operation says of its failure, if it failed and the handle is known.
    pub(super) async fn with_reason(
        &self,
        found: Found,
        operation: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        let Found { wire, mut point, .. } = found;
        if !map::failed_in_operation(&wire) {
            return Ok(point);
        }
        let remembered = self.operations.get(&point.uid);
        if let Some(operation) = operation.or(remembered.as_ref()) {
            let failure: PointFailure = self.reason(operation).await?;
            point.state_reason = failure.message.clone();
            point.failure = Some(failure);
        }
        Ok(point)
    }

    /// What never changes about a collection.
    pub(super) async fn home(&self, id: &CollectionId) -> Result<Home, Error> {
        match self.homes.get(&id.key()) {
            Some(home) => Ok(home),
            None => Ok(self.read_collection(id, Expand::Nothing).await?.0),
        }
    }

    /// Reads a collection; remembers what never changes about it.
    pub(super) async fn read_collection(
        &self,
        id: &CollectionId,
        expand: Expand,
    ) -> Result<(Home, wire::Collection, Bytes), Error> {
        let url = self.arm.url(&id.path(&self.arm.subscription), expand);
        let name = id.collection_name(&self.arm.backend).to_string();
        let body = match expand {
            Expand::RestorePoints => self.arm.read_list(url, name).await,
            Expand::Nothing | Expand::InstanceView => self.arm.read(&url, &name).await,
        };
        let body = body.inspect_err(|error| {
            if matches!(error, Error::NotFound { .. }) {
                self.homes.remove(&id.key());
            }
        })?;
        let wire: wire::Collection =
            wire::decode(&body).map_err(|why| self.arm.invalid_response(why))?;
        let home = self.remember_home(&wire)?;
        if home.id.key() != id.key() {
            return Err(self
                .arm
                .invalid_response("it is about another collection than was asked for"));
        }
        Ok((home, wire, body))
    }

    /// The failure to read what ARM has accepted: that it is not there is then no answer.
    pub(super) fn not_shown_yet(&self, error: Error) -> Error {
        match error {
            Error::NotFound { name, .. } => Error::Unavailable {
                backend: self.arm.backend.as_str().to_owned(),
                retry_after: DEFAULT_RETRY_AFTER,
                detail: format!("ARM has accepted {name} but does not show it yet"),
            },
            error => error,
        }
    }

    /// What never changes about a collection that was just read.
    pub(super) fn remember_home(&self, wire: &wire::Collection) -> Result<Home, Error> {
        let home = map::home(self.scope(), wire).map_err(|why| self.arm.invalid_response(why))?;
        self.homes.insert(home.id.key(), home.clone());
        Ok(home)
    }
}
