//! A reply before it is written in XML or JSON, and the errors of the API.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, DATE, SERVER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::document::{Element, Scalar, to_xml};
use super::json::to_json;
use super::links::LinkRewriter;
use crate::veeam_em::settings::{ErrorDetail, Installation, Settings};

#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Content,
}

#[derive(Debug)]
enum Content {
    Empty,
    Document(Element),
    Error(String),
}

/// Why a request fails.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400 with this text.
    BadRequest(String),
    /// 403: the role or the scope does not allow it.
    Forbidden,
    /// 404.
    NotFound,
    /// 405 with the allowed methods.
    MethodNotAllowed(&'static str),
    /// 500: the vendor's status for a task that the logon session does not have.
    UnknownTask(String),
    /// 501: a real server would do something that is not simulated.
    NotSimulated(String),
}

impl From<String> for ApiError {
    fn from(message: String) -> Self {
        ApiError::BadRequest(message)
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::BadRequest(message) => Self::error(StatusCode::BAD_REQUEST, &message),
            ApiError::Forbidden => Self::error(StatusCode::FORBIDDEN, "Access denied."),
            ApiError::NotFound => {
                Self::error(StatusCode::NOT_FOUND, "The requested resource is not found.")
            }
            ApiError::MethodNotAllowed(methods) => {
                Self::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.")
                    .header(ALLOW, methods.to_owned())
            }
            ApiError::UnknownTask(name) => Self::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                &format!("There is no backup task with id [{name}] in current rest session"),
            ),
            ApiError::NotSimulated(what) => {
                Self::error(StatusCode::NOT_IMPLEMENTED, &format!("Not simulated: {what}"))
            }
        }
    }
}

impl Reply {
    pub(crate) fn document(status: StatusCode, body: Element) -> Self {
        Self { status, headers: Vec::new(), body: Content::Document(body) }
    }

    pub(crate) fn ok(body: Element) -> Self {
        Self::document(StatusCode::OK, body)
    }

    pub(crate) fn accepted(body: Element) -> Self {
        Self::document(StatusCode::ACCEPTED, body)
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Content::Empty }
    }

    pub(crate) fn error(status: StatusCode, message: &str) -> Self {
        Self { status, headers: Vec::new(), body: Content::Error(message.to_owned()) }
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        let challenge = "Basic Realm=RestSvc".to_owned();
        Self::error(StatusCode::UNAUTHORIZED, message).header(WWW_AUTHENTICATE, challenge)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The response on the wire, in the format that the request accepts.
    pub(crate) fn write(self, request: &HeaderMap, settings: &Settings) -> Response {
        let document = match self.body {
            Content::Empty => None,
            Content::Document(document) => Some(document),
            Content::Error(message) => Some(error(self.status, &message, settings.error_detail)),
        };
        let (kind, body) = match &document {
            None => (None, Vec::new()),
            Some(document) if accepts_json(request) => {
                (Some("application/json"), to_json(document, settings))
            }
            Some(document) => {
                (Some("application/xml"), to_xml(document, settings).unwrap_or_default())
            }
        };
        let links = LinkRewriter::new(request, settings.hrefs);
        let mut response = Response::new(Body::from(links.body(body)));
        *response.status_mut() = self.status;
        if let Ok(reason) = ReasonPhrase::try_from(reason(self.status).into_bytes()) {
            response.extensions_mut().insert(reason);
        }
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&settings.clock.now());
        // The `Server` header of a server on Linux is not known.
        let windows = settings.installation != Installation::Linux;
        let standard = [
            kind.map(|kind| (CONTENT_TYPE, kind.to_owned())),
            date.ok().map(|date| (DATE, date)),
            windows.then(|| (SERVER, "Microsoft-HTTPAPI/2.0".to_owned())),
        ];
        for (name, value) in self.headers.into_iter().chain(standard.into_iter().flatten()) {
            if let Ok(value) = HeaderValue::try_from(links.header(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Whether `Accept` contains `application/json` anywhere.
pub(crate) fn accepts_json(request: &HeaderMap) -> bool {
    let mut accepted = request.get_all(http::header::ACCEPT).into_iter();
    accepted.any(|accept| {
        accept.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("application/json"))
    })
}

fn error(status: StatusCode, message: &str, detail: ErrorDetail) -> Element {
    let trace = "SENSITIVE stack\n   at Veeam.Backup.Enterprise.RestAPI";
    let children = match detail {
        ErrorDetail::Bare => Vec::new(),
        ErrorDetail::StackTrace => vec![
            Element::value("FirstChanceExceptionMessage", message),
            Element::value("StackTrace", trace),
        ],
    };
    let error = Element::object("Error", children)
        .with("Message", message)
        .with("StatusCode", Scalar::Number(i64::from(status.as_u16())));
    match detail {
        ErrorDetail::Bare => error,
        ErrorDetail::StackTrace => error.with("Status", reason(status)),
    }
}

/// The reason phrase of .NET: the name without blanks, as in `400 BadRequest`.
fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}
