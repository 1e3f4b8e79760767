//! Which handler serves the path of an authenticated request.

use super::context::{ApiRequest, Context};
use super::format::reply::{ApiError, Reply};
use super::handlers::{logon_sessions, query, resources, services, tasks};
use super::settings::Installation;

pub(crate) fn dispatch(
    context: &mut Context<'_>,
    request: ApiRequest<'_>,
) -> Result<Reply, ApiError> {
    let segments: Vec<&str> = request.path.split('/').collect();
    match *segments {
        ["logonSessions"] => logon_sessions::list(context, &request),
        ["logonSessions", id] => logon_sessions::one(context, &request, id),
        ["tasks"] => tasks::list(context, &request),
        ["tasks", name] => tasks::one(context, &request, name),
        ["query"] => query::get(context, &request),
        ["cloud"] if context.settings.installation == Installation::CloudConnect => {
            services::cloud(context, &request)
        }
        ["querySvc" | "lookupSvc" | "agents"] => services::get(context, &request),
        _ => resources::respond(context, request),
    }
}
