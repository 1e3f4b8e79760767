//! Server reflection (`grpc.reflection.v1` and `v1alpha`), so that tools such as `grpcurl` work without the proto
//! files.
//!
//! Both versions are served, because clients that know only one of them are common. Each describes the health
//! service and the other version too.

use tonic::service::Routes;
use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error};

use crate::proto::FILE_DESCRIPTOR_SET;

/// The descriptors of every service that is served.
pub(super) const DESCRIPTOR_SETS: [&[u8]; 4] = [
    FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    pb::v1::FILE_DESCRIPTOR_SET,
    pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Adds both versions of the reflection service.
///
/// # Errors
/// When a compiled-in descriptor set cannot be decoded.
pub fn add_to(routes: Routes) -> Result<Routes, Error> {
    Ok(routes.add_service(builder().build_v1()?).add_service(builder().build_v1alpha()?))
}

fn builder() -> Builder<'static> {
    let empty = Builder::configure().include_reflection_service(false);
    DESCRIPTOR_SETS.into_iter().fold(empty, Builder::register_encoded_file_descriptor_set)
}
