//! Copy: names the new point so that a retry finds it, starts the copy, and returns the resume token that holds the
//! vendor's handle of it.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Gateway, resume_token, write_request};
use crate::backend::{NewCopy, WriteMode};
use crate::convert;
use crate::model::{
    Capability, CollectionName, CopyEncryption, DiskKey, Error, InvalidKind, PointRef,
    RestorePointName, check_id,
};
use crate::proto;
use crate::proto::disk_encryption::Key;

/// A virtual machine at Azure has at most 64 data disks.
const MAX_DISKS: usize = 65;

pub(super) async fn copy(
    gateway: &Gateway,
    request: proto::CopyRequest,
) -> Result<proto::CopyResponse, Error> {
    let source = PointRef::parse(&request.source, "source")?;
    // First, so that a backend without the capability says so, whatever the other fields hold.
    let backend = gateway.registry.get_capable(&source.backend, Capability::Copy);
    let backend = backend.map_err(|error| error.in_field("source"))?;
    let request_id = write_request::request_id(&request.request_id)?;
    let encryption = encryption(request.encryption, request.disk_encryption)?;
    let destination = destination(gateway, &source, &request.destination)?;
    source.collection_id().map_err(|error| error.in_field("source"))?;
    let restore_point = match request.restore_point_id.as_str() {
        "" => derived_id(&source, &destination, request_id),
        id => {
            check_id(id, "restore_point_id")?;
            id.to_owned()
        }
    };
    let target = RestorePointName { collection: destination, restore_point };
    let new = NewCopy { source, target, encryption, request_id };
    let mode = write_request::mode(request.validate_only);
    let started = backend.copy(&new, mode).await?;

    let resume_token = match mode {
        WriteMode::ValidateOnly => String::new(),
        WriteMode::Execute => {
            resume_token::of_copy(&gateway.sealer, &new.target, started.operation.as_ref())?
        }
    };
    Ok(proto::CopyResponse {
        restore_point: Some(convert::restore_point(started.point)),
        resume_token,
    })
}

fn destination(gateway: &Gateway, source: &PointRef, name: &str) -> Result<CollectionName, Error> {
    let destination = CollectionName::parse(name, "destination")?;
    let backend = gateway.registry.get(&destination.backend);
    backend.map_err(|error| error.in_field("destination"))?;
    if destination.backend != source.backend {
        let problem =
            format!("expected a collection of {}: no vendor copies to another", source.backend);
        return Err(Error::invalid(InvalidKind::Value, "destination", problem));
    }
    Ok(destination)
}

fn encryption(
    others: Option<proto::DiskEncryption>,
    disks: HashMap<String, proto::DiskEncryption>,
) -> Result<CopyEncryption, Error> {
    if disks.len() > MAX_DISKS {
        let problem = format!("more than {MAX_DISKS} disks");
        return Err(Error::invalid(InvalidKind::Value, "disk_encryption", problem));
    }
    let others = others.map(|key| disk_key(key, "encryption")).transpose()?;
    let disks = disks.into_iter().map(|(name, key)| {
        let key = disk_key(key, "disk_encryption")?;
        Ok((name, key))
    });
    Ok(CopyEncryption { others, disks: disks.collect::<Result<_, Error>>()? })
}

fn disk_key(encryption: proto::DiskEncryption, field: &str) -> Result<DiskKey, Error> {
    match encryption.key {
        Some(Key::PlatformKey(())) => Ok(DiskKey::Platform),
        Some(Key::DiskEncryptionSet(id)) => Ok(DiskKey::Customer(id)),
        None => {
            let problem = "required: `platform_key` or `disk_encryption_set`";
            Err(Error::invalid(InvalidKind::Value, field, problem))
        }
    }
}

/// The same for the same request, so that a retry finds what the first call created.
fn derived_id(source: &PointRef, destination: &CollectionName, request_id: Option<Uuid>) -> String {
    let request_id = request_id.map(|id| id.to_string()).unwrap_or_default();
    let request = format!("{source}\n{destination}\n{request_id}").to_lowercase();
    format!("copy-{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, request.as_bytes()))
}
