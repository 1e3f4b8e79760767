//! The logon sessions as resources: all of them for an administrator, only its own for any other
//! principal.

use http::Method;
use uuid::Uuid;

use super::service_documents;
use crate::veeam_em::context::{ApiRequest, Context};
use crate::veeam_em::format::document::Element;
use crate::veeam_em::format::reply::{ApiError, Reply};

/// `/logonSessions`.
pub(crate) fn list(context: &Context<'_>, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
    request.only_get()?;
    let installation = context.settings.installation;
    let sessions = context.sessions.all().filter(|(id, _)| is_visible(context, *id));
    let sessions =
        sessions.map(|(id, session)| service_documents::session(id, session, installation));
    Ok(Reply::ok(Element::list("LogonSessions", sessions.collect())))
}

/// `/logonSessions/ID`. DELETE logs off.
pub(crate) fn one(
    context: &mut Context<'_>,
    request: &ApiRequest<'_>,
    id: &str,
) -> Result<Reply, ApiError> {
    let id: Uuid = id.parse().map_err(|_| ApiError::NotFound)?;
    if !is_visible(context, id) {
        return Err(ApiError::NotFound);
    }
    let installation = context.settings.installation;
    let session = context.sessions.get(id).ok_or(ApiError::NotFound)?;
    match *request.method {
        Method::GET => Ok(Reply::ok(service_documents::session(id, session, installation))),
        Method::DELETE => {
            context.sessions.close(id);
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::MethodNotAllowed("GET, DELETE")),
    }
}

fn is_visible(context: &Context<'_>, id: Uuid) -> bool {
    context.principal.is_administrator() || id == context.session
}
