//! From the words of the house to the messages of the contract. Nothing is decided here.

use jiff::Timestamp;

use crate::model::{Collection, Consistency, Disk, RestorePoint, State, View};
use crate::proto;
use crate::proto::restore_point as pb;
use crate::status;

/// A point as the contract shows it.
pub(crate) fn restore_point(point: RestorePoint) -> proto::RestorePoint {
    proto::RestorePoint {
        name: point.name.to_string(),
        uid: point.uid,
        vendor_id: point.vendor_id,
        display_name: point.display_name,
        state: state(point.state).into(),
        state_reason: point.state_reason,
        usable: point.state.is_usable(),
        point_time: point.point_time.map(timestamp),
        source: Some(pb::Source {
            vm_name: point.source.vm_name,
            vm_uid: point.source.vm_uid,
            location: point.source.location,
        }),
        location: point.location,
        consistency: consistency(point.consistency).into(),
        source_restore_point: point
            .source_restore_point
            .map(|name| name.to_string())
            .unwrap_or_default(),
        copy_progress_percent: point.copy_progress_percent,
        disks: point.disks.into_iter().map(disk).collect(),
        error: point.failure.as_ref().map(status::failure),
        vendor: Some(point.vendor),
        raw: point
            .raw
            .map(|raw| pb::Raw { content_type: raw.content_type.to_owned(), body: raw.body }),
    }
}

/// A collection as the contract shows it.
pub(crate) fn collection(collection: Collection) -> proto::Collection {
    proto::Collection {
        name: collection.name.to_string(),
        uid: collection.uid,
        vendor_id: collection.vendor_id,
        display_name: collection.display_name,
        location: collection.location,
        source: collection.source,
        source_location: collection.source_location,
        labels: collection.labels.into_iter().collect(),
        create_time: collection.create_time.map(timestamp),
        platform: collection.platform,
        instant_access: collection.instant_access,
    }
}

/// A moment as the contract shows it.
pub(crate) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    // A jiff timestamp before 1970 counts its nanoseconds backwards, a protobuf one always forwards.
    let nanos = time.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp {
        seconds: i64::try_from(nanos.div_euclid(second)).unwrap_or_default(),
        nanos: i32::try_from(nanos.rem_euclid(second)).unwrap_or_default(),
    }
}

/// The view that a request asks for, or `default`; an unknown one, from a newer client, is refused by the
/// caller of this.
pub(crate) fn view(asked: i32, default: View) -> Option<View> {
    Some(match pb::View::try_from(asked).ok()? {
        pb::View::Unspecified => default,
        pb::View::Basic => View::Basic,
        pb::View::Full => View::Full,
        pb::View::Raw => View::Raw,
    })
}

fn disk(disk: Disk) -> pb::Disk {
    pb::Disk {
        name: disk.name,
        vendor_id: disk.vendor_id,
        lun: disk.lun,
        size_gib: disk.size_gib,
        state: state(disk.state).into(),
        progress_percent: disk.progress_percent,
        source_vendor_id: disk.source_vendor_id,
        vendor: disk.vendor,
    }
}

fn state(state: State) -> pb::State {
    match state {
        State::Creating => pb::State::Creating,
        State::Copying => pb::State::Copying,
        State::Ready => pb::State::Ready,
        State::InUse => pb::State::InUse,
        State::Retired => pb::State::Retired,
        State::Failed => pb::State::Failed,
        State::Deleting => pb::State::Deleting,
        State::Unknown => pb::State::Unknown,
    }
}

fn consistency(consistency: Consistency) -> pb::Consistency {
    match consistency {
        Consistency::Unspecified => pb::Consistency::Unspecified,
        Consistency::Crash => pb::Consistency::CrashConsistent,
        Consistency::FileSystem => pb::Consistency::FileSystemConsistent,
        Consistency::Application => pb::Consistency::ApplicationConsistent,
        Consistency::Unknown => pb::Consistency::UnknownConsistency,
    }
}
