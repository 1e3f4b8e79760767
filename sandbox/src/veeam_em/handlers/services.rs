//! The pages of the services: Cloud Connect, queries, lookups and agents.

use super::service_documents;
use crate::veeam_em::context::{ApiRequest, Context};
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::principal::Principal;

/// `/cloud`.
pub(crate) fn cloud(context: &Context<'_>, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
    request.only_get()?;
    Ok(Reply::ok(service_documents::cloud_service(context.session, context.principal)))
}

/// `/querySvc`, `/lookupSvc` and `/agents`, which tenants may not read.
pub(crate) fn get(context: &mut Context<'_>, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
    request.only_get()?;
    if matches!(context.principal, Principal::Tenant(_)) {
        return Err(ApiError::Forbidden);
    }
    let session = context.session;
    Ok(Reply::ok(match request.path {
        "querySvc" => service_documents::query_service(session),
        "lookupSvc" => service_documents::lookup_service(session, context.visible()),
        _ => service_documents::agents_service(session),
    }))
}
