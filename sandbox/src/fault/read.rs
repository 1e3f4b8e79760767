//! Faults out of words and back into words.
//!
//! | word | what happens |
//! |---|---|
//! | `latency_ms` | the request is on its way for so long |
//! | `status`, `retry_after` | the vendor refuses, in its own words for that status |
//! | `html` | a proxy's page under `status`, or 200 |
//! | `body`, `header`, `status` | exactly this answer |
//! | `content_type` | the answer under another type |
//! | `bytes_per_second`, `chunked` | how the body comes |
//! | `truncate`, `reset` | where the body ends, or that nothing comes |
//! | `lose_reply`, `hang_up`, `silence` | nothing comes |

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value};

use super::words::{Complaint, Fields};
use super::{
    Answer, Canned, Delivery, End, Fault, Framing, Matching, Outcome, Portion, Rule, Unheard,
};

/// What only one vendor can do to a request.
pub trait Own: Clone + Debug + Send + Sync + 'static {
    /// Reads it, if it is ordered.
    ///
    /// # Errors
    /// When it is ordered wrongly.
    fn read(fields: &mut Fields) -> Result<Option<Self>, Complaint>;

    /// The words it was read from.
    fn words(&self) -> Vec<(&'static str, Value)>;
}

/// No request waits longer: an hour.
const LONGEST_MS: u64 = 3_600_000;

const SHORTER: &str = "a number of bytes or a percentage such as 50%";

impl<O: Own> FromStr for Rule<O> {
    type Err = Complaint;

    /// Reads a line of words, or JSON.
    fn from_str(text: &str) -> Result<Self, Complaint> {
        Self::read(Fields::parse(text)?)
    }
}

impl<O: Own> Rule<O> {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, Complaint> {
        let method = match fields.text("method")? {
            None => None,
            Some(name) => Some(method(&name)?),
        };
        let target = fields.text("target")?.unwrap_or_default();
        let skip = fields.read("skip", "how many matching requests pass first")?.unwrap_or(0);
        let times = fields.read::<NonZeroUsize>("times", "how many requests it hits, 1 or more")?;
        let fault = Fault::read(&mut fields)?;
        fields.finish()?;
        let fault = fault.ok_or_else(|| {
            let remedy = "give latency_ms, status, html, body, content_type, bytes_per_second, \
                          chunked, truncate, reset, lose_reply, hang_up or silence";
            Complaint::new("fault", "nothing is to happen", remedy)
        })?;
        Ok(Self { matching: Matching { method, target, skip }, times, fault })
    }

    /// The words that it can be read from.
    pub(crate) fn words(&self) -> Map<String, Value> {
        let Matching { method, target, skip } = &self.matching;
        let mut words: Vec<(&str, Value)> = Vec::new();
        words.extend(method.as_ref().map(|method| ("method", method.as_str().into())));
        words.extend((!target.is_empty()).then(|| ("target", target.as_str().into())));
        words.extend((*skip > 0).then(|| ("skip", (*skip).into())));
        words.extend(self.times.map(|times| ("times", times.get().into())));
        words.extend(self.fault.words());
        words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl<O: Own> Fault<O> {
    fn read(fields: &mut Fields) -> Result<Option<Self>, Complaint> {
        let latency = fields.read::<u64>("latency_ms", "whole milliseconds, an hour at most")?;
        if latency.is_some_and(|latency| latency > LONGEST_MS) {
            let remedy = format!("give at most {LONGEST_MS}");
            return Err(Complaint::new("latency_ms", "it is longer than an hour", remedy));
        }
        let (break_off, delivery) = (break_off(fields)?, delivery(fields)?);
        let content_type = fields.read("content_type", "a media type such as text/html")?;
        let answer = answer(fields)?;
        let shaped = content_type.is_some() || delivery.is_some();
        let outcome = match (break_off, answer) {
            (None, None) if latency.is_none() && !shaped => return Ok(None),
            (Some((word, Break::Unheard(_))), Some((other, _))) => {
                return Err(clash(word, other));
            }
            (Some((word, Break::Unheard(_) | Break::Lost)), _) if shaped => {
                return Err(clash(word, "content_type, bytes_per_second or chunked"));
            }
            (Some((_, Break::Unheard(unheard))), None) => Outcome::Unheard(unheard),
            (Some((_, Break::Lost)), None) => Outcome::Lost(None),
            (Some((_, Break::Lost)), Some((_, Answer::Own(own)))) => Outcome::Lost(Some(own)),
            (Some((word, Break::Lost)), Some((other, _))) => return Err(clash(word, other)),
            (break_off, answer) => {
                let end = match break_off {
                    Some((_, Break::End(end))) => end,
                    _ => End::Whole,
                };
                let answer = answer.map_or(Answer::Real, |(_, answer)| answer);
                let delivery = Delivery { end, ..delivery.unwrap_or_default() };
                Outcome::Answered { answer, content_type, delivery }
            }
        };
        let latency = Duration::from_millis(latency.unwrap_or(0));
        Ok(Some(Self { latency, outcome }))
    }

    fn words(&self) -> Vec<(&'static str, Value)> {
        let mut words = Vec::new();
        if !self.latency.is_zero() {
            let whole = u64::try_from(self.latency.as_millis()).unwrap_or(LONGEST_MS);
            words.push(("latency_ms", whole.into()));
        }
        let flag = |name| (name, Value::Bool(true));
        match &self.outcome {
            Outcome::Unheard(Unheard::HungUp) => words.push(flag("hang_up")),
            Outcome::Unheard(Unheard::Silence) => words.push(flag("silence")),
            Outcome::Unheard(Unheard::Reset) => words.push(("reset", "before".into())),
            Outcome::Lost(own) => {
                words.extend(own.iter().flat_map(Own::words));
                words.push(flag("lose_reply"));
            }
            Outcome::Answered { answer, content_type, delivery } => {
                match answer {
                    Answer::Real => {}
                    Answer::Own(own) => words.extend(own.words()),
                    Answer::Refusal { status, retry_after } => {
                        words.push(("status", status.as_u16().into()));
                        words.extend(retry_after.map(|after| ("retry_after", after.into())));
                    }
                    Answer::Html(status) => {
                        words.extend([flag("html"), ("status", status.as_u16().into())]);
                    }
                    Answer::Canned(canned) => {
                        words.push(("status", canned.status.into()));
                        let headers = canned.headers.iter();
                        let headers =
                            headers.map(|(name, value)| format!("{name}: {value}").into());
                        let headers: Vec<Value> = headers.collect();
                        words.extend((!headers.is_empty()).then(|| ("header", headers.into())));
                        words.push(("body", String::from_utf8_lossy(&canned.body).into()));
                    }
                }
                let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
                words.extend(content_type.map(|value| ("content_type", value.into())));
                let rate = delivery.bytes_per_second;
                words.extend(rate.map(|rate| ("bytes_per_second", rate.get().into())));
                words.extend((delivery.framing == Framing::Chunked).then(|| flag("chunked")));
                words.extend(match delivery.end {
                    End::Whole => None,
                    End::Truncated(portion) => Some(("truncate", portion.word())),
                    End::Reset(portion) => Some(("reset", portion.word())),
                    End::ResetAfter => Some(("reset", "after".into())),
                });
            }
        }
        words
    }
}

/// The ways in which an answer does not come whole.
enum Break {
    Unheard(Unheard),
    Lost,
    End(End),
}

fn break_off(fields: &mut Fields) -> Result<Option<(&'static str, Break)>, Complaint> {
    let mut breaks = Vec::new();
    for (name, broken) in [
        ("hang_up", Break::Unheard(Unheard::HungUp)),
        ("silence", Break::Unheard(Unheard::Silence)),
        ("lose_reply", Break::Lost),
    ] {
        breaks.extend(fields.flag(name)?.then_some((name, broken)));
    }
    let portion = fields.read::<Portion>("truncate", SHORTER)?;
    breaks.extend(portion.map(|portion| ("truncate", Break::End(End::Truncated(portion)))));
    if let Some(moment) = fields.text("reset")? {
        let broken = match moment.as_str() {
            "before" => Break::Unheard(Unheard::Reset),
            "during" => Break::End(End::Reset(Portion::HALF)),
            "after" => Break::End(End::ResetAfter),
            portion => Break::End(End::Reset(portion.parse().map_err(|()| {
                let problem = format!("'{portion}' cannot be taken");
                Complaint::new("reset", problem, format!("give before, during, after, {SHORTER}"))
            })?)),
        };
        breaks.push(("reset", broken));
    }
    if let [(first, _), (second, _), ..] = breaks.as_slice() {
        return Err(clash(first, second));
    }
    Ok(breaks.pop())
}

fn delivery(fields: &mut Fields) -> Result<Option<Delivery>, Complaint> {
    let rate = "how many bytes come a second, 1 or more";
    let bytes_per_second = fields.read("bytes_per_second", rate)?;
    let framing = if fields.flag("chunked")? { Framing::Chunked } else { Framing::Length };
    let delivery = Delivery { framing, bytes_per_second, end: End::Whole };
    Ok((delivery != Delivery::default()).then_some(delivery))
}

fn answer<O: Own>(fields: &mut Fields) -> Result<Option<(&'static str, Answer<O>)>, Complaint> {
    let status = fields.read::<StatusCode>("status", "an HTTP status such as 503")?;
    if let Some(status) = status.filter(|status| status.is_informational()) {
        let problem = format!("{} is no final status", status.as_u16());
        return Err(Complaint::new("status", problem, "give one from 200 to 999"));
    }
    let retry_after = fields.read("retry_after", "whole seconds")?;
    let html = fields.flag("html")?;
    let (body, headers) = (fields.text("body")?, headers(fields)?);
    let own = O::read(fields)?;
    let canned = body.is_some() || !headers.is_empty();
    if retry_after.is_some() && (html || canned || status.is_none()) {
        let remedy = "give it with status alone; beside body it is header=\"Retry-After: 5\"";
        return Err(Complaint::new("retry_after", "it goes with a refusal only", remedy));
    }
    let beside = |word: &'static str| match () {
        () if status.is_some() => Some(clash(word, "status")),
        () if html => Some(clash(word, "html")),
        () if canned => Some(clash(word, "body or header")),
        () => None,
    };
    let ok = status.unwrap_or(StatusCode::OK);
    Ok(match own {
        Some(own) => {
            let word = own.words().first().map_or("it", |(word, _)| *word);
            match beside(word) {
                Some(complaint) => return Err(complaint),
                None => Some((word, Answer::Own(own))),
            }
        }
        None if html && canned => return Err(clash("html", "body or header")),
        None if html => Some(("html", Answer::Html(ok))),
        None if canned => {
            let body = body.unwrap_or_default().into();
            Some(("body", Answer::Canned(Canned { status: ok.as_u16(), headers, body })))
        }
        None => match status {
            None => None,
            Some(status) if status.is_client_error() || status.is_server_error() => {
                Some(("status", Answer::Refusal { status, retry_after }))
            }
            Some(status) => {
                let problem = format!("{} is no refusal", status.as_u16());
                let remedy = "give one from 400 to 599, or a body with it";
                return Err(Complaint::new("status", problem, remedy));
            }
        },
    })
}

fn headers(fields: &mut Fields) -> Result<Vec<(String, String)>, Complaint> {
    let mut headers = Vec::new();
    for header in fields.all("header") {
        let parsed = header.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_str(name.trim()).ok()?;
            HeaderValue::from_str(value.trim()).ok()?;
            Some((name.to_string(), value.trim().to_owned()))
        });
        headers.push(parsed.ok_or_else(|| {
            let problem = format!("'{header}' is no header");
            Complaint::new("header", problem, "give it as \"Name: value\"")
        })?);
    }
    Ok(headers)
}

fn method(name: &str) -> Result<Method, Complaint> {
    const KNOWN: [Method; 6] =
        [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::HEAD];
    KNOWN.into_iter().find(|known| known.as_str() == name).ok_or_else(|| {
        let problem = format!("'{name}' is none that a vendor knows");
        Complaint::new("method", problem, "give GET, PUT, POST, PATCH, DELETE or HEAD")
    })
}

fn clash(word: &str, other: &str) -> Complaint {
    Complaint::new(word, format!("it does not go with {other}"), "give one of them")
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

impl Portion {
    fn word(self) -> Value {
        match self {
            Self::Bytes(bytes) => bytes.into(),
            Self::Percent(percent) => format!("{percent}%").into(),
        }
    }
}
