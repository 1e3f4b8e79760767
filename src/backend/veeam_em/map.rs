//! Maps the vendor's entities to the gateway's model.
//!
//! A value that the gateway does not know is kept beside [`State::Unknown`]; nothing is invented for a value that is
//! absent.

use jiff::Timestamp;

use super::id::CollectionId;
use super::kind::Kind;
use super::resource::LinkTarget;
use super::xml::{Entity, Link, Problem};
use crate::model::{
    BackendId, Collection, CollectionName, Consistency, OtherUses, RawBody, RestorePoint,
    RestorePointName, Source, State, VeeamProperties, VendorProperties,
};
use crate::upstream::redact_text;

/// 1753-01-01T00:00:00Z, the earliest `datetime` of SQL Server, which the vendor uses for "never".
const NEVER: Timestamp = Timestamp::constant(-6_847_804_800, 0);

/// A restore point in the collection that `parent` links to.
///
/// # Errors
/// When it has no creation time.
pub(super) fn restore_point(
    backend: &BackendId,
    kind: Kind,
    parent: Link,
    mut entity: Entity,
) -> Result<RestorePoint, Problem> {
    let created =
        entity.created.ok_or_else(|| Problem::new("a restore point without `CreationTimeUTC`"))?;
    let (state, state_reason) = state(kind, &entity);
    let source = Source {
        vm_uid: entity.hierarchy_ref.clone().unwrap_or_default(),
        vm_name: vm_name(&entity),
        ..Source::default()
    };
    Ok(RestorePoint {
        name: RestorePointName {
            collection: collection_name(backend, CollectionId { kind, guid: parent.id }),
            restore_point: entity.id.to_string(),
        },
        uid: kind.definition().point.uid(entity.id),
        vendor: VendorProperties::Veeam(properties(kind, parent, &mut entity)),
        vendor_id: entity.uid,
        display_name: entity.name,
        state,
        // Its API copies whole jobs and exports nothing.
        other_uses: OtherUses::default(),
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

/// The properties that only Veeam reports, moved out of the entity.
fn properties(kind: Kind, parent: Link, entity: &mut Entity) -> VeeamProperties {
    let mut take_link = |target: LinkTarget| {
        let link = entity.links.iter_mut().find(|link| link.target == target);
        link.map(|link| (std::mem::take(&mut link.name), target.uid(link.id))).unwrap_or_default()
    };
    let (backup_server, backup_server_uid) = take_link(LinkTarget::BackupServer);
    let (job_run, job_run_uid) = take_link(LinkTarget::RestorePoint);
    let (backup_file, backup_file_uid) = take_link(LinkTarget::BackupFile);
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
        kind: kind.definition().point_kind,
        backup,
        job_run,
        job_run_uid,
        backup_file,
        backup_file_uid,
        hierarchy_obj_ref: entity.hierarchy_ref.take().unwrap_or_default(),
    }
}

/// The name of the virtual machine: `VmName`, else `VmDisplayName`, else the part of `Name` before the time. The name
/// may itself contain an `@`; the last one precedes the time.
fn vm_name(entity: &Entity) -> String {
    [&entity.vm_name, &entity.vm_display_name]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .cloned()
        .or_else(|| entity.name.rsplit_once('@').map(|(vm, _)| vm.to_owned()))
        .unwrap_or_default()
}

/// A collection.
pub(super) fn collection(backend: &BackendId, kind: Kind, entity: Entity) -> Collection {
    let id = CollectionId { kind, guid: entity.id };
    Collection {
        name: collection_name(backend, id),
        uid: id.uid(),
        vendor_id: entity.uid,
        display_name: entity.name,
        location: String::new(),
        source: String::new(),
        source_vendor_id: String::new(),
        source_location: String::new(),
        labels: Default::default(),
        create_time: None,
        platform: entity.platform.unwrap_or_default(),
        instant_access: None,
        provisioning_state: String::new(),
    }
}

/// The state of a restore point, and why it has this state.
///
/// Only cloud replica points have an element `State`. Of the other kinds, a restore point that is still being written has
/// a link to its job run or to its backup file with a `Rel` other than `Up`, as public clients have found and the vendor
/// does not document; any other is complete, or it would not be listed. If a server reports a state for these kinds after
/// all, the state takes precedence.
fn state(kind: Kind, entity: &Entity) -> (State, String) {
    let unfinished = entity.links.iter().find(|link| {
        matches!(link.target, LinkTarget::RestorePoint | LinkTarget::BackupFile) && link.rel != "Up"
    });
    if let Some(Link { target, rel, .. }) = unfinished {
        let (target, rel) = (target.entity(), redact_text(rel));
        let reason =
            format!("the backup file is still being written: the link to {target} is `{rel}`");
        return (State::Creating, reason);
    }
    let (state, reason) = match (kind, entity.state.as_deref()) {
        (_, Some("Ready")) => (State::Ready, ""),
        (_, Some("Failover")) => (State::InUse, "a failover runs from this restore point"),
        (_, Some("Failback")) => (State::InUse, "a failback runs from this restore point"),
        (_, Some("PermanentFailover")) => {
            (State::Retired, "a permanent failover has consumed this restore point")
        }
        (Kind::Replica | Kind::Backup, None) => (
            State::Ready,
            "Enterprise Manager lists the restore point, and reports no state for this kind",
        ),
        (_, None | Some("")) => (State::Unknown, "Enterprise Manager reports no state"),
        (_, Some(other)) => {
            let reason = format!("Enterprise Manager reports the state `{}`", redact_text(other));
            return (State::Unknown, reason);
        }
    };
    (state, reason.to_owned())
}

/// The name of a collection.
pub(super) fn collection_name(backend: &BackendId, id: CollectionId) -> CollectionName {
    CollectionName { backend: backend.clone(), collection: id.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use uuid::Uuid;

    use super::*;

    fn link(target: LinkTarget, rel: &str) -> Link {
        Link { target, rel: rel.to_owned(), id: Uuid::from_u128(7), name: "job".to_owned() }
    }

    fn mapped_as(kind: Kind, change: impl FnOnce(&mut Entity)) -> Result<RestorePoint, Problem> {
        let mut entity = Entity {
            name: "a@b@2025-12-25 20:00:47".to_owned(),
            created: "2025-12-25T20:00:47Z".parse().ok(),
            ..Entity::default()
        };
        change(&mut entity);
        let parent = link(LinkTarget::CloudReplica, "Up");
        restore_point(&BackendId::new("em").unwrap(), kind, parent, entity)
    }

    fn mapped(change: impl FnOnce(&mut Entity)) -> Result<RestorePoint, Problem> {
        mapped_as(Kind::CloudReplica, change)
    }

    #[test]
    fn the_vm_name_is_the_first_of_three_sources() {
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
    fn the_date_for_never_is_no_point_time() {
        let never = mapped(|entity| entity.created = "1753-01-01T00:00:00Z".parse().ok()).unwrap();
        assert_eq!(never.point_time, None);
    }

    #[test]
    fn a_restore_point_without_a_creation_time_is_an_error() {
        assert!(mapped(|entity| entity.created = None).is_err());
    }

    #[test]
    fn without_a_state_a_cloud_replica_point_is_not_usable_and_others_are() {
        let point = mapped(|_| {}).unwrap();
        assert_eq!(point.state, State::Unknown);
        assert_eq!(point.state_reason, "Enterprise Manager reports no state");
        for kind in [Kind::Replica, Kind::Backup] {
            assert_eq!(mapped_as(kind, |_| {}).unwrap().state, State::Ready);
            let unknown = |entity: &mut Entity| entity.state = Some("Levitating".to_owned());
            assert_eq!(mapped_as(kind, unknown).unwrap().state, State::Unknown);
        }
    }

    #[test]
    fn a_link_other_than_up_shows_that_the_point_is_being_written() {
        use LinkTarget::{BackupFile, BackupServer, RestorePoint};
        for (links, state) in [
            (vec![link(RestorePoint, "Up"), link(BackupFile, "Up")], State::Ready),
            (vec![link(RestorePoint, "Up"), link(BackupFile, "Related")], State::Creating),
            (vec![link(RestorePoint, ""), link(BackupFile, "Up")], State::Creating),
            (vec![link(BackupServer, "Related")], State::Ready),
        ] {
            let point = mapped_as(Kind::Backup, |entity| entity.links = links.clone()).unwrap();
            assert_eq!(point.state, state, "{links:?}");
        }
    }
}
