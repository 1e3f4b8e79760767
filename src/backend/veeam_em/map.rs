//! What the vendor says, in the words of the house.
//!
//! A word that is not known stays as it came, beside [`State::Unknown`]; nothing is made up for what is
//! missing.

use jiff::Timestamp;

use super::kind::{Kind, Place};
use super::wire::{Entity, Link, Problem, To};
use crate::model::{
    BackendId, Collection, CollectionName, Consistency, RawBody, RestorePoint, RestorePointName,
    Source, State, VeeamProperties, VendorProperties,
};
use crate::upstream::redact_text;

/// 1753-01-01T00:00:00Z, the least date of SQL Server, says "never".
const NEVER: Timestamp = Timestamp::constant(-6_847_804_800, 0);

/// A restore point in the collection that `parent` leads to.
///
/// # Errors
/// When it has no date.
pub(super) fn point(
    backend: &BackendId,
    kind: Kind,
    parent: Link,
    mut entity: Entity,
) -> Result<RestorePoint, Problem> {
    let created = entity.created.ok_or_else(|| Problem::new("a point without CreationTimeUTC"))?;
    let (state, state_reason) = state(kind, &entity);
    let source = Source {
        vm_uid: entity.hierarchy_ref.clone().unwrap_or_default(),
        vm_name: vm_name(&entity),
        ..Source::default()
    };
    Ok(RestorePoint {
        name: RestorePointName {
            collection: collection_name(backend, Place { kind, id: parent.id }),
            restore_point: entity.id.to_string(),
        },
        uid: kind.shape().point.uid(entity.id),
        vendor: VendorProperties::Veeam(properties(kind, parent, &mut entity)),
        vendor_id: entity.uid,
        display_name: entity.name,
        state,
        state_reason,
        point_time: (created != NEVER).then_some(created),
        source,
        location: String::new(),
        consistency: Consistency::Unspecified,
        source_restore_point: None,
        copy_progress_percent: None,
        disks: Vec::new(),
        failure: None,
        raw: entity.raw.map(|body| RawBody { content_type: "application/xml", body }),
    })
}

/// What only Veeam has, taken out of the entity.
fn properties(kind: Kind, parent: Link, entity: &mut Entity) -> VeeamProperties {
    let mut named = |to: To| match entity.links.iter_mut().find(|link| link.to == to) {
        Some(link) => {
            (std::mem::take(&mut link.name), format!("urn:veeam:{}:{}", to.entity(), link.id))
        }
        None => Default::default(),
    };
    let (backup_server, backup_server_uid) = named(To::BackupServer);
    let (job_run, job_run_uid) = named(To::RestorePoint);
    let (backup_file, backup_file_uid) = named(To::BackupFile);
    let (replica, backup) = match kind {
        Kind::CloudReplica | Kind::Replica => (parent.name, String::new()),
        Kind::Backup => (String::new(), parent.name),
    };
    VeeamProperties {
        point_type: entity.point_type.take().unwrap_or_default(),
        algorithm: entity.algorithm.take().unwrap_or_default(),
        raw_state: entity.state.take().unwrap_or_default(),
        backup_server,
        backup_server_uid,
        replica,
        kind: kind.shape().point_kind,
        backup,
        job_run,
        job_run_uid,
        backup_file,
        backup_file_uid,
        hierarchy_obj_ref: entity.hierarchy_ref.take().unwrap_or_default(),
    }
}

/// The first that names the machine. A name may hold an `@` itself; the last one stands before the time.
fn vm_name(entity: &Entity) -> String {
    [&entity.vm_name, &entity.vm_display_name]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .cloned()
        .or_else(|| entity.name.rsplit_once('@').map(|(vm, _)| vm.to_owned()))
        .unwrap_or_default()
}

/// A collection of points.
pub(super) fn collection(backend: &BackendId, kind: Kind, entity: Entity) -> Collection {
    let place = Place { kind, id: entity.id };
    Collection {
        name: collection_name(backend, place),
        uid: place.uid(),
        vendor_id: entity.uid,
        display_name: entity.name,
        location: String::new(),
        source: String::new(),
        source_location: String::new(),
        labels: Default::default(),
        create_time: None,
        platform: entity.platform.unwrap_or_default(),
        instant_access: None,
    }
}

/// Where a point stands.
///
/// Only cloud replica points have a state of their own. Of the others, the one that is still being
/// written has a link to its run or to its backup file that is more than `Up` (so clients in the field
/// tell; the vendor's pages say nothing of it); any other is complete by being listed. Should a server
/// tell a state of them after all, that is what counts.
fn state(kind: Kind, entity: &Entity) -> (State, String) {
    let unfinished = entity
        .links
        .iter()
        .find(|link| matches!(link.to, To::RestorePoint | To::BackupFile) && link.rel != "Up");
    if let Some(Link { to, rel, .. }) = unfinished {
        let (to, rel) = (to.entity(), redact_text(rel));
        let reason =
            format!("the backup file is still being written (its link to {to} is `{rel}`)");
        return (State::Creating, reason);
    }
    let (state, reason) = match (kind, entity.state.as_deref()) {
        (_, Some("Ready")) => (State::Ready, ""),
        (_, Some("Failover")) => (State::InUse, "a failover runs from this point"),
        (_, Some("Failback")) => (State::InUse, "a failback runs from this point"),
        (_, Some("PermanentFailover")) => {
            (State::Retired, "a permanent failover has used this point up")
        }
        (Kind::Replica | Kind::Backup, None) => {
            (State::Ready, "Enterprise Manager lists it, and keeps no state of points like this")
        }
        (_, None | Some("")) => (State::Unknown, "Enterprise Manager tells no state"),
        (_, Some(other)) => {
            let reason = format!("Enterprise Manager says `{}`", redact_text(other));
            return (State::Unknown, reason);
        }
    };
    (state, reason.to_owned())
}

/// The name of a collection.
pub(super) fn collection_name(backend: &BackendId, place: Place) -> CollectionName {
    CollectionName { backend: backend.clone(), collection: place.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use uuid::Uuid;

    use super::*;

    fn link(to: To, rel: &str) -> Link {
        Link { to, rel: rel.to_owned(), id: Uuid::from_u128(7), name: "job".to_owned() }
    }

    fn mapped_as(kind: Kind, change: impl FnOnce(&mut Entity)) -> Result<RestorePoint, Problem> {
        let mut entity = Entity {
            name: "a@b@2025-12-25 20:00:47".to_owned(),
            created: "2025-12-25T20:00:47Z".parse().ok(),
            ..Entity::default()
        };
        change(&mut entity);
        point(&BackendId::new("em").unwrap(), kind, link(To::CloudReplica, "Up"), entity)
    }

    fn mapped(change: impl FnOnce(&mut Entity)) -> Result<RestorePoint, Problem> {
        mapped_as(Kind::CloudReplica, change)
    }

    #[test]
    fn the_machine_is_named_by_the_first_that_names_it() {
        let vm = |change: fn(&mut Entity)| mapped(change).unwrap().source.vm_name;
        assert_eq!(vm(|_| {}), "a@b");
        assert_eq!(vm(|entity| entity.name = "nothing".to_owned()), "");
        assert_eq!(vm(|entity| entity.vm_display_name = Some("shown".to_owned())), "shown");
        let both = |entity: &mut Entity| {
            entity.vm_display_name = Some("shown".to_owned());
            entity.vm_name = Some("own".to_owned());
        };
        assert_eq!(vm(both), "own");
        let empty = |entity: &mut Entity| {
            entity.vm_display_name = Some("shown".to_owned());
            entity.vm_name = Some(String::new());
        };
        assert_eq!(vm(empty), "shown");
    }

    #[test]
    fn never_is_no_date() {
        let never = mapped(|entity| entity.created = "1753-01-01T00:00:00Z".parse().ok()).unwrap();
        assert_eq!(never.point_time, None);
    }

    #[test]
    fn without_a_date_it_is_no_point() {
        assert!(mapped(|entity| entity.created = None).is_err());
    }

    #[test]
    fn without_a_state_a_cloud_point_is_not_usable_and_others_are() {
        let point = mapped(|_| {}).unwrap();
        assert_eq!(point.state, State::Unknown);
        assert_eq!(point.state_reason, "Enterprise Manager tells no state");
        for kind in [Kind::Replica, Kind::Backup] {
            assert_eq!(mapped_as(kind, |_| {}).unwrap().state, State::Ready);
            let told = |entity: &mut Entity| entity.state = Some("Levitating".to_owned());
            assert_eq!(mapped_as(kind, told).unwrap().state, State::Unknown);
        }
    }

    #[test]
    fn a_link_that_is_more_than_up_says_that_the_point_is_being_written() {
        for (links, state) in [
            (vec![link(To::RestorePoint, "Up"), link(To::BackupFile, "Up")], State::Ready),
            (vec![link(To::RestorePoint, "Up"), link(To::BackupFile, "Related")], State::Creating),
            (vec![link(To::RestorePoint, ""), link(To::BackupFile, "Up")], State::Creating),
            (vec![link(To::BackupServer, "Related")], State::Ready),
        ] {
            let point = mapped_as(Kind::Backup, |entity| entity.links = links.clone()).unwrap();
            assert_eq!(point.state, state, "{links:?}");
        }
    }
}
