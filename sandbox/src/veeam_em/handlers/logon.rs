//! Logging on: Basic credentials of a user, and optionally those of a tenant in the body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;

use super::service_documents;
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::logon_sessions::{API_VERSIONS, LogonSessions, TOKEN, token};
use crate::veeam_em::model::principal::{self, Account, Principal, Tenant};
use crate::veeam_em::parameters::Parameters;
use crate::veeam_em::request_body::{Malformed, Node};
use crate::veeam_em::settings::Installation;

/// `POST /sessionMngr`: 201 with a new session.
pub(crate) fn log_on(
    (headers, parameters): (&HeaderMap, &Parameters),
    body: Result<Option<Node>, Malformed>,
    sessions: &mut LogonSessions,
    installation: Installation,
    now: Timestamp,
) -> Result<Reply, ApiError> {
    let Some(account) = account_of(headers, installation) else {
        return Ok(Reply::unauthorized("The user name or password is incorrect."));
    };
    let version = parameters.get("v").unwrap_or_default();
    if version != "latest" && !API_VERSIONS.contains(&version) {
        return Err(ApiError::BadRequest(format!("Version '{version}' is not supported.")));
    }
    let principal = match requested_tenant(body?.as_ref()) {
        RequestedTenant::None => Principal::Account(account),
        RequestedTenant::Known(tenant) if installation == Installation::CloudConnect => {
            Principal::Tenant(tenant)
        }
        RequestedTenant::Known(_) | RequestedTenant::Unknown => {
            return Ok(Reply::unauthorized("The tenant name or password is incorrect."));
        }
    };
    let id = sessions.open(principal, account.username(installation), now);
    let session = sessions.get(id).ok_or(ApiError::Forbidden)?;
    let token = token(id);
    let body = service_documents::session(id, session, installation);
    Ok(Reply::document(StatusCode::CREATED, body)
        .header(LOCATION, service_documents::session_href(id))
        .header(SET_COOKIE, format!("{TOKEN}={token}; Path=/api;"))
        .header(HeaderName::from_static("x-restsvcsessionid"), token))
}

/// The token of a request. The cookie takes precedence over the header.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == TOKEN)
        .map(|(_, value)| value)
        .or_else(|| headers.get(TOKEN)?.to_str().ok())
}

/// The account with the Basic credentials of a request.
fn account_of(headers: &HeaderMap, installation: Installation) -> Option<&'static Account> {
    let basic = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, encoded) =
        basic.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))?;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    principal::find_account(name, password, installation)
}

/// The tenant credentials in the body of a logon.
enum RequestedTenant {
    /// The body is empty or has none.
    None,
    Known(&'static Tenant),
    Unknown,
}

/// Reads the body of a logon, a `LoginSpec`.
fn requested_tenant(body: Option<&Node>) -> RequestedTenant {
    let find = |organization, username, password| {
        let known = principal::tenants().iter().find(|tenant| {
            tenant.organization == organization
                && Some(tenant.username) == username
                && Some(tenant.password) == password
        });
        known.map_or(RequestedTenant::Unknown, RequestedTenant::Known)
    };
    let Some(body) = body else { return RequestedTenant::None };
    if let Some(given) = body.child("TenantCredentials") {
        return find(None, given.text_of("Username"), given.text_of("Password"));
    }
    match body.child("VCloudOrganizationCredentials") {
        None => RequestedTenant::None,
        Some(given) => {
            // A missing organization matches no known one.
            let organization = Some(given.text_of("OrganizationName").unwrap_or_default());
            find(organization, given.text_of("Login"), given.text_of("Password"))
        }
    }
}
