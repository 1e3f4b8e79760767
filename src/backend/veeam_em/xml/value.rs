//! The spelling of values: GUIDs and dates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::problem::Problem;

/// Parses a GUID with dashes, in upper or lower case. No other spelling is accepted.
pub(crate) fn parse_guid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// Parses a date as the vendor writes it: in seconds, with up to seven fraction digits whose trailing zeros are cut,
/// with or without `Z`. Both mean UTC.
pub(super) fn parse_date(text: &str) -> Result<Timestamp, Problem> {
    let bare = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let is_well_formed = bare.len() >= "2015-12-25T20:00:47".len()
        && bare.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            _ => byte.is_ascii_digit(),
        });
    is_well_formed
        .then(|| bare.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok())
        .flatten()
        .map(|time| time.timestamp())
        .ok_or_else(|| Problem::new("an invalid date"))
}
