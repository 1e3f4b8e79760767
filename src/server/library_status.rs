//! The statuses that tonic makes itself, for requests that it cannot read or route: here each gets the code that the
//! status codes document of gRPC asks for, an ErrorInfo and a text that says what to do.
//!
//! They are known by having no details, which every status of the gateway has. Only their texts tell them apart, so the
//! texts are matched; `tests/wire/server/requests.rs` fails when a new tonic words them differently. The size limit itself
//! is set on each service.

use http::{HeaderMap, Uri};
use tonic::{Code, Status};

use super::status::status;

/// What tonic, prost and tonic-reflection say.
const TOO_LONG: &str = "Error, decoded message length too large: ";
const INFLATES_TOO_FAR: &str = "Error decompressing: size limit, ";
const MISSING: &str = "Missing request message.";
const MALFORMED: [&str; 4] = [
    "failed to decode Protobuf message",
    "protocol error: received message with ",
    "Error decompressing: ",
    "Unexpected EOF decoding stream.",
];
const OTHER_COMPRESSION: &str = "Content is compressed with ";

/// How much of a text that a client may have sent goes into a status: a client takes a few KiB of headers.
const MAX_QUOTED_BYTES: usize = 300;

/// Completes the status in a response head or in trailers if it is one of tonic's; others pass. `method` is what was
/// called.
pub(super) fn complete(headers: &mut HeaderMap, method: &Uri) {
    let is_error = headers.get(Status::GRPC_STATUS).is_some_and(|code| code != "0");
    if !is_error || headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return;
    }
    let Some(original) = Status::from_header_map(headers) else { return };
    // Other headers of the response stay, such as grpc-accept-encoding.
    if let Err(error) = explain(original.code(), original.message(), method).add_header(headers) {
        tracing::error!(%error, "a status does not fit into headers");
    }
}

/// The status in place of tonic's with this code and text.
fn explain(code: Code, text: &str, method: &Uri) -> Status {
    let text = beginning(text);
    let too_large = |sizes| {
        let text = format!("the request message is too large: {sizes}");
        status(Code::ResourceExhausted, "REQUEST_TOO_LARGE", text)
    };
    match code {
        Code::OutOfRange if let Some(sizes) = text.strip_prefix(TOO_LONG) => too_large(sizes),
        Code::ResourceExhausted if let Some(sizes) = text.strip_prefix(INFLATES_TOO_FAR) => {
            too_large(sizes)
        }
        Code::Internal if text == MISSING => status(
            Code::Unimplemented,
            "REQUEST_MESSAGE_MISSING",
            "the request has no message; this method takes exactly one",
        ),
        Code::Internal if MALFORMED.iter().any(|prefix| text.starts_with(prefix)) => {
            let text = format!("the request message cannot be read: {text}");
            status(Code::Internal, "REQUEST_MALFORMED", text)
        }
        Code::Unimplemented if text.starts_with(OTHER_COMPRESSION) => status(
            Code::Unimplemented,
            "COMPRESSION_NOT_SUPPORTED",
            format!("{text}; grpc-accept-encoding names what is"),
        ),
        Code::Unimplemented if text.is_empty() => status(
            Code::Unimplemented,
            "METHOD_NOT_FOUND",
            format!(
                "the method `{}` is not served; reflection lists what is",
                beginning(method.path())
            ),
        ),
        Code::NotFound => status(Code::NotFound, "DESCRIPTOR_NOT_FOUND", text),
        _ => status(code, "INTERNAL", text),
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_QUOTED_BYTES)]
}
