//! The tasks of the own logon session.

use http::Method;

use crate::veeam_em::context::{ApiRequest, Context};
use crate::veeam_em::format::document::Element;
use crate::veeam_em::format::reply::{ApiError, Reply};

/// `/tasks`.
pub(crate) fn list(context: &mut Context<'_>, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
    request.only_get()?;
    let (now, settings) = (context.now, context.settings);
    let tasks = context.own_session()?.tasks.all().iter();
    let tasks = tasks.map(|task| task.document(now, settings)).collect();
    Ok(Reply::ok(Element::list("Tasks", tasks)))
}

/// `/tasks/task-N`.
pub(crate) fn one(
    context: &mut Context<'_>,
    request: &ApiRequest<'_>,
    name: &str,
) -> Result<Reply, ApiError> {
    let (now, settings) = (context.now, context.settings);
    let tasks = &mut context.own_session()?.tasks;
    let task = tasks.find(name).ok_or_else(|| ApiError::UnknownTask(name.to_owned()))?;
    match *request.method {
        Method::GET => Ok(Reply::ok(task.document(now, settings))),
        Method::DELETE => {
            tasks.remove(name);
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::MethodNotAllowed("GET, DELETE")),
    }
}
