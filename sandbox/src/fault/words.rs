//! A rule as the words that it can be parsed from.

use serde_json::{Map, Value};

use super::effect::{
    BodyEnd, Canned, Content, Delivery, Effect, Fault, Framing, NoResponse, Portion,
};
use super::rule::{Matching, Rule};
use super::vendor_fault::VendorFault;

type Words = Vec<(&'static str, Value)>;

impl<V: VendorFault> Rule<V> {
    pub(crate) fn words(&self) -> Map<String, Value> {
        let Matching { method, target, skip } = &self.matching;
        let mut words = Words::new();
        words.extend(method.as_ref().map(|method| ("method", method.as_str().into())));
        words.extend((!target.is_empty()).then(|| ("target", target.as_str().into())));
        words.extend((*skip > 0).then(|| ("skip", (*skip).into())));
        words.extend(self.times.map(|times| ("times", times.get().into())));
        words.extend(fault(&self.fault));
        words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn fault<V: VendorFault>(fault: &Fault<V>) -> Words {
    let mut words = Words::new();
    if !fault.latency.is_zero() {
        let milliseconds = u64::try_from(fault.latency.as_millis()).unwrap_or(u64::MAX);
        words.push(("latency_ms", milliseconds.into()));
    }
    match &fault.effect {
        Effect::NoResponse(NoResponse::Closed) => words.push(flag("hang_up")),
        Effect::NoResponse(NoResponse::Silence) => words.push(flag("silence")),
        Effect::NoResponse(NoResponse::Reset) => words.push(("reset", "before".into())),
        Effect::ReplyLost(fault) => {
            words.extend(fault.iter().flat_map(VendorFault::words));
            words.push(flag("lose_reply"));
        }
        Effect::Response { content, content_type, delivery } => {
            words.extend(self::content(content));
            let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
            words.extend(content_type.map(|value| ("content_type", value.into())));
            words.extend(self::delivery(delivery));
        }
    }
    words
}

fn content<V: VendorFault>(content: &Content<V>) -> Words {
    match content {
        Content::Real => Words::new(),
        Content::VendorFault(fault) => fault.words(),
        Content::Error { status, retry_after } => {
            let mut words = vec![("status", status.as_u16().into())];
            words.extend(retry_after.map(|after| ("retry_after", after.into())));
            words
        }
        Content::Html(status) => vec![flag("html"), ("status", status.as_u16().into())],
        Content::Canned(Canned { status, headers, body }) => {
            let mut words = vec![("status", Value::from(*status))];
            let headers = headers.iter().map(|(name, value)| format!("{name}: {value}").into());
            let headers: Vec<Value> = headers.collect();
            words.extend((!headers.is_empty()).then(|| ("header", headers.into())));
            words.push(("body", String::from_utf8_lossy(body).into()));
            words
        }
    }
}

fn delivery(delivery: &Delivery) -> Words {
    let mut words = Words::new();
    words.extend(delivery.bytes_per_second.map(|rate| ("bytes_per_second", rate.get().into())));
    words.extend((delivery.framing == Framing::Chunked).then(|| flag("chunked")));
    words.extend(match delivery.end {
        BodyEnd::Complete => None,
        BodyEnd::Truncated(portion) => Some(("truncate", self::portion(portion))),
        BodyEnd::Reset(portion) => Some(("reset", self::portion(portion))),
        BodyEnd::ResetAfter => Some(("reset", "after".into())),
    });
    words
}

fn portion(portion: Portion) -> Value {
    match portion {
        Portion::Bytes(bytes) => bytes.into(),
        Portion::Percent(percent) => format!("{percent}%").into(),
    }
}

fn flag(name: &'static str) -> (&'static str, Value) {
    (name, Value::Bool(true))
}
