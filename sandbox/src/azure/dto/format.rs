//! How bodies, times and ids are printed.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// Two spaces and CRLF, as the compute provider prints.
pub(crate) fn pretty(body: &impl Serialize) -> String {
    // Line breaks inside strings are escaped, so every bare one comes from the printer.
    serde_json::to_string_pretty(body).unwrap_or_default().replace('\n', "\r\n")
}

/// One line, as the gateway prints.
pub(crate) fn compact(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// Up to seven fraction digits without trailing zeros, and a numeric offset.
pub(crate) fn time(at: Timestamp) -> String {
    let fraction = format!("{:07}", at.subsec_nanosecond() / 100);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// A time as a member of a structure.
pub(crate) fn as_time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time(*at))
}

/// An id as some lists write it: with the resource group in upper case.
pub(crate) fn with_upper_group(id: &str) -> String {
    let upper = |(index, part): (usize, &str)| {
        // The empty piece before the first slash counts: group names are the fifth.
        if index == 4 { part.to_uppercase() } else { part.to_owned() }
    };
    id.split('/').enumerate().map(upper).collect::<Vec<_>>().join("/")
}
