//! What the vendor says, in the words of the house.
//!
//! A word that is not known stays as it came, beside [`State::Unknown`]; nothing is made up for what is
//! missing.

use jiff::Timestamp;
use uuid::Uuid;

use super::wire::{Entity, Link, Problem, guid};
use crate::http::redact_text;
use crate::model::{
    BackendId, Collection, CollectionName, Consistency, Error, Invalid, Raw, RestorePoint,
    RestorePointName, Source, State, Vendor,
};
use crate::proto::VeeamProperties;

const COLLECTION_PREFIX: &str = "cloud-replica~";
/// 1753-01-01T00:00:00Z, the least date of SQL Server, says "never".
const NEVER: Timestamp = Timestamp::constant(-6_847_804_800, 0);

/// A restore point.
///
/// # Errors
/// When it lacks the link to its replica, without which it has no name, or its date.
pub(super) fn point(backend: &BackendId, entity: Entity) -> Result<RestorePoint, Problem> {
    let replica = entity.replica.ok_or_else(|| Problem::new("a point without its replica"))?;
    let created = entity.created.ok_or_else(|| Problem::new("a point without CreationTimeUTC"))?;
    let vm_name = [entity.vm_name, entity.vm_display_name]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .or_else(|| entity.name.rsplit_once('@').map(|(vm, _)| vm.to_owned()))
        .unwrap_or_default();
    let raw_state = entity.state.unwrap_or_default();
    let (state, state_reason) = state(&raw_state);
    let (backup_server, backup_server_uid) = match entity.backup_server {
        Some(Link { id, name }) => (name, format!("urn:veeam:BackupServer:{id}")),
        None => Default::default(),
    };
    Ok(RestorePoint {
        name: RestorePointName {
            collection: collection_name(backend, replica.id),
            restore_point: entity.id.to_string(),
        },
        uid: format!("urn:veeam:CloudVmReplicaPoint:{}", entity.id),
        vendor_id: entity.uid,
        display_name: entity.name,
        state,
        state_reason,
        point_time: (created != NEVER).then_some(created),
        source: Source { vm_name, ..Source::default() },
        location: String::new(),
        consistency: Consistency::Unspecified,
        source_restore_point: None,
        copy_progress_percent: None,
        disks: Vec::new(),
        failure: None,
        vendor: Vendor::Veeam(VeeamProperties {
            point_type: entity.point_type.unwrap_or_default(),
            algorithm: entity.algorithm.unwrap_or_default(),
            raw_state,
            backup_server,
            backup_server_uid,
            replica: replica.name,
        }),
        raw: entity.raw.map(|body| Raw { content_type: "application/xml", body }),
    })
}

/// A cloud replica, which is what a tenant's replication job keeps its points in.
pub(super) fn collection(backend: &BackendId, entity: Entity) -> Collection {
    Collection {
        name: collection_name(backend, entity.id),
        uid: format!("urn:veeam:CloudReplica:{}", entity.id),
        vendor_id: entity.uid,
        display_name: entity.name,
        location: String::new(),
        source: String::new(),
        source_location: String::new(),
        labels: Default::default(),
        create_time: None,
        platform: entity.platform.unwrap_or_default(),
    }
}

fn state(raw: &str) -> (State, String) {
    let (state, reason) = match raw {
        "Ready" => (State::Ready, ""),
        "Failover" => (State::InUse, "a failover runs from this point"),
        "Failback" => (State::InUse, "a failback runs from this point"),
        "PermanentFailover" => (State::Retired, "a permanent failover has used this point up"),
        "" => (State::Unknown, "Enterprise Manager tells no state"),
        other => {
            let reason = format!("Enterprise Manager says `{}`", redact_text(other));
            return (State::Unknown, reason);
        }
    };
    (state, reason.to_owned())
}

/// The name of the collection that is a cloud replica.
pub(super) fn collection_name(backend: &BackendId, replica: Uuid) -> CollectionName {
    CollectionName { backend: backend.clone(), collection: format!("{COLLECTION_PREFIX}{replica}") }
}

/// The cloud replica that a collection's id names.
///
/// # Errors
/// INVALID_ARGUMENT on `field`.
pub(super) fn replica_id(collection: &str, field: &str) -> Result<Uuid, Error> {
    collection.strip_prefix(COLLECTION_PREFIX).and_then(guid).ok_or_else(|| {
        let problem = "a collection of this backend is `cloud-replica~{guid}`; \
                       replicas and backups (`replica~`, `backup~`) are not served yet";
        Error::invalid(Invalid::Name, field, problem)
    })
}

/// The GUID that a restore point's id is.
///
/// # Errors
/// INVALID_ARGUMENT on `field`.
pub(super) fn point_id(restore_point: &str, field: &str) -> Result<Uuid, Error> {
    guid(restore_point).ok_or_else(|| {
        let problem = "a restore point of this backend is a GUID such as \
                       `93081441-6e3c-4584-b47a-08dc1ce24f84`";
        Error::invalid(Invalid::Name, field, problem)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn mapped(change: impl FnOnce(&mut Entity)) -> Result<RestorePoint, Problem> {
        let mut entity = Entity {
            name: "a@b@2025-12-25 20:00:47".to_owned(),
            replica: Some(Link { id: Uuid::from_u128(7), name: "job".to_owned() }),
            created: "2025-12-25T20:00:47Z".parse().ok(),
            ..Entity::default()
        };
        change(&mut entity);
        point(&BackendId::new("em").unwrap(), entity)
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
    fn without_its_replica_or_date_it_is_no_point() {
        assert!(mapped(|entity| entity.replica = None).is_err());
        assert!(mapped(|entity| entity.created = None).is_err());
    }

    #[test]
    fn without_a_state_it_is_not_usable() {
        let point = mapped(|_| {}).unwrap();
        assert_eq!(point.state, State::Unknown);
        assert_eq!(point.state_reason, "Enterprise Manager tells no state");
    }
}
