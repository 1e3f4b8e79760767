//! Server reflection, so that `grpcurl` and its like work without the proto files.
//!
//! Both versions are served: clients that know only one of them are common. Each of them describes the
//! health service and the other version too.

use tonic::service::Routes;
use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error};

use crate::proto::FILE_DESCRIPTOR_SET;

/// All that is served, described.
pub(super) const DESCRIPTOR_SETS: [&[u8]; 4] = [
    FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    pb::v1::FILE_DESCRIPTOR_SET,
    pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Adds both versions of the reflection service.
///
/// # Errors
/// When a compiled-in descriptor set is not one.
pub fn add_to(routes: Routes) -> Result<Routes, Error> {
    Ok(routes.add_service(described().build_v1()?).add_service(described().build_v1alpha()?))
}

fn described() -> Builder<'static> {
    let empty = Builder::configure().include_reflection_service(false);
    DESCRIPTOR_SETS.into_iter().fold(empty, Builder::register_encoded_file_descriptor_set)
}
