//! Parses a rule from words or JSON.
//!
//! The words are explained in `vocabulary.txt`. Words that exclude each other are rejected.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::effect::{
    BodyEnd, Canned, Content, Delivery, Effect, Fault, Framing, NoResponse, Portion,
};
use super::fields::{Fields, InvalidField, give, invalid};
use super::rule::{Matching, Rule};
use super::vendor_fault::VendorFault;

/// An hour.
const MAX_LATENCY_MS: u64 = 3_600_000;

const PORTION: &str = "a number of bytes or a percentage such as 50%";

impl<V: VendorFault> FromStr for Rule<V> {
    type Err = InvalidField;

    /// Parses a line of words, or JSON.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        Self::parse(Fields::parse(text)?)
    }
}

impl<V: VendorFault> Rule<V> {
    pub(crate) fn parse(mut fields: Fields) -> Result<Self, InvalidField> {
        let method = match fields.text("method")? {
            None => None,
            Some(name) => Some(method(&name)?),
        };
        let target = fields.text("target")?.unwrap_or_default();
        let skip = fields.read("skip", "the number of matching requests to skip")?.unwrap_or(0);
        let times = fields.read::<NonZeroUsize>("times", "the number of requests, 1 or more")?;
        let fault = fault(&mut fields)?;
        fields.finish()?;
        let fault = fault.ok_or_else(|| {
            let remedy = "give latency_ms, status, html, body, content_type, bytes_per_second, \
                          chunked, truncate, reset, lose_reply, hang_up or silence";
            InvalidField::new("fault", "no effect is given", remedy)
        })?;
        Ok(Self { matching: Matching { method, target, skip }, times, fault })
    }
}

fn fault<V: VendorFault>(fields: &mut Fields) -> Result<Option<Fault<V>>, InvalidField> {
    let latency = fields.read::<u64>("latency_ms", "whole milliseconds, an hour at most")?;
    if latency.is_some_and(|latency| latency > MAX_LATENCY_MS) {
        let remedy = format!("give at most {MAX_LATENCY_MS}");
        return Err(InvalidField::new("latency_ms", "it is longer than an hour", remedy));
    }
    let (interruption, delivery) = (interruption(fields)?, delivery(fields)?);
    let content_type = fields.read("content_type", "a media type such as text/html")?;
    let content = content(fields)?;
    let changes_response = content_type.is_some() || delivery.is_some();
    let effect = match (interruption, content) {
        (None, None) if latency.is_none() && !changes_response => return Ok(None),
        (Some((word, Interruption::NoResponse(_))), Some((other, _))) => {
            return Err(conflict(word, other));
        }
        (Some((word, Interruption::NoResponse(_) | Interruption::ReplyLost)), _)
            if changes_response =>
        {
            return Err(conflict(word, "content_type, bytes_per_second or chunked"));
        }
        (Some((_, Interruption::NoResponse(reason))), None) => Effect::NoResponse(reason),
        (Some((_, Interruption::ReplyLost)), None) => Effect::ReplyLost(None),
        (Some((_, Interruption::ReplyLost)), Some((_, Content::VendorFault(fault)))) => {
            Effect::ReplyLost(Some(fault))
        }
        (Some((word, Interruption::ReplyLost)), Some((other, _))) => {
            return Err(conflict(word, other));
        }
        (interruption, content) => {
            let end = match interruption {
                Some((_, Interruption::BodyEnd(end))) => end,
                _ => BodyEnd::Complete,
            };
            let content = content.map_or(Content::Real, |(_, content)| content);
            let delivery = Delivery { end, ..delivery.unwrap_or_default() };
            Effect::Response { content, content_type, delivery }
        }
    };
    let latency = Duration::from_millis(latency.unwrap_or(0));
    Ok(Some(Fault { latency, effect }))
}

/// The ways in which a response does not arrive completely.
enum Interruption {
    NoResponse(NoResponse),
    ReplyLost,
    BodyEnd(BodyEnd),
}

fn interruption(fields: &mut Fields) -> Result<Option<(&'static str, Interruption)>, InvalidField> {
    let mut found = Vec::new();
    for (name, interruption) in [
        ("hang_up", Interruption::NoResponse(NoResponse::Closed)),
        ("silence", Interruption::NoResponse(NoResponse::Silence)),
        ("lose_reply", Interruption::ReplyLost),
    ] {
        found.extend(fields.flag(name)?.then_some((name, interruption)));
    }
    let portion = fields.read::<Portion>("truncate", PORTION)?;
    let truncated = |portion| Interruption::BodyEnd(BodyEnd::Truncated(portion));
    found.extend(portion.map(|portion| ("truncate", truncated(portion))));
    if let Some(time) = fields.text("reset")? {
        found.push(("reset", reset(&time)?));
    }
    if let [(first, _), (second, _), ..] = found.as_slice() {
        return Err(conflict(first, second));
    }
    Ok(found.pop())
}

fn reset(time: &str) -> Result<Interruption, InvalidField> {
    Ok(match time {
        "before" => Interruption::NoResponse(NoResponse::Reset),
        "during" => Interruption::BodyEnd(BodyEnd::Reset(Portion::HALF)),
        "after" => Interruption::BodyEnd(BodyEnd::ResetAfter),
        portion => Interruption::BodyEnd(BodyEnd::Reset(portion.parse().map_err(|()| {
            let remedy = format!("give before, during, after, {PORTION}");
            InvalidField::new("reset", invalid(portion), remedy)
        })?)),
    })
}

fn delivery(fields: &mut Fields) -> Result<Option<Delivery>, InvalidField> {
    let rate = "a number of bytes per second, 1 or more";
    let bytes_per_second = fields.read("bytes_per_second", rate)?;
    let framing = if fields.flag("chunked")? { Framing::Chunked } else { Framing::Length };
    let delivery = Delivery { framing, bytes_per_second, end: BodyEnd::Complete };
    Ok((delivery != Delivery::default()).then_some(delivery))
}

fn content<V: VendorFault>(
    fields: &mut Fields,
) -> Result<Option<(&'static str, Content<V>)>, InvalidField> {
    let status = fields.read::<StatusCode>("status", "an HTTP status such as 503")?;
    if let Some(status) = status.filter(|status| status.is_informational()) {
        let problem = format!("{} is not a final status", status.as_u16());
        return Err(InvalidField::new("status", problem, "give one from 200 to 999"));
    }
    let retry_after = fields.read("retry_after", "whole seconds")?;
    let html = fields.flag("html")?;
    let (body, headers) = (fields.text("body")?, headers(fields)?);
    let vendor_fault = V::parse(fields)?;
    let is_canned = body.is_some() || !headers.is_empty();
    if retry_after.is_some() && (html || is_canned || status.is_none()) {
        let remedy = "give it with status only; with body it is header=\"Retry-After: 5\"";
        return Err(InvalidField::new("retry_after", "it needs an error status", remedy));
    }
    if let Some(fault) = vendor_fault {
        let word = fault.words().first().map_or("fault", |(word, _)| *word);
        let other = match () {
            () if status.is_some() => Some("status"),
            () if html => Some("html"),
            () if is_canned => Some("body or header"),
            () => None,
        };
        return match other {
            Some(other) => Err(conflict(word, other)),
            None => Ok(Some((word, Content::VendorFault(fault)))),
        };
    }
    if html && is_canned {
        return Err(conflict("html", "body or header"));
    }
    let status_or_ok = status.unwrap_or(StatusCode::OK);
    if html {
        return Ok(Some(("html", Content::Html(status_or_ok))));
    }
    if is_canned {
        let (status, body) = (status_or_ok.as_u16(), body.unwrap_or_default().into());
        return Ok(Some(("body", Content::Canned(Canned { status, headers, body }))));
    }
    match status {
        None => Ok(None),
        Some(status) if status.is_client_error() || status.is_server_error() => {
            Ok(Some(("status", Content::Error { status, retry_after })))
        }
        Some(status) => {
            let problem = format!("{} is not an error", status.as_u16());
            let remedy = "give one from 400 to 599, or a body with it";
            Err(InvalidField::new("status", problem, remedy))
        }
    }
}

fn headers(fields: &mut Fields) -> Result<Vec<(String, String)>, InvalidField> {
    let mut headers = Vec::new();
    for header in fields.all("header") {
        let parsed = header.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_str(name.trim()).ok()?;
            HeaderValue::from_str(value.trim()).ok()?;
            Some((name.to_string(), value.trim().to_owned()))
        });
        headers.push(parsed.ok_or_else(|| {
            InvalidField::new("header", invalid(&header), give("\"Name: value\""))
        })?);
    }
    Ok(headers)
}

fn method(name: &str) -> Result<Method, InvalidField> {
    const KNOWN: [Method; 6] =
        [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::HEAD];
    KNOWN.into_iter().find(|known| known.as_str() == name).ok_or_else(|| {
        InvalidField::new("method", invalid(name), give("GET, PUT, POST, PATCH, DELETE or HEAD"))
    })
}

fn conflict(word: &str, other: &str) -> InvalidField {
    InvalidField::new(word, format!("it cannot be combined with {other}"), "give one of them")
}

impl FromStr for Portion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Bytes).map_err(|_| ()),
            Some(percent) => match percent.parse() {
                Ok(percent) if percent <= 100 => Ok(Self::Percent(percent)),
                _ => Err(()),
            },
        }
    }
}
