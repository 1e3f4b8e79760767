//! Faults between a client and a simulated vendor: one vocabulary for all vendors, used by tests, the admin
//! API and the command line.
//!
//! A fault can come from the network or a proxy as well as from the vendor, so it is applied before the vendor
//! sees the request. Faults that only one vendor has implement [`VendorFault`] beside the vendor.

mod delivery;
mod effect;
mod fields;
mod parse;
mod rule;
mod rule_list;
mod vendor_fault;
mod words;

pub(crate) use delivery::{canned_response, deliver, html_page};
pub use effect::{Canned, Fault, Portion, ResetTime};
pub(crate) use effect::{Content, Effect, NoResponse};
pub use fields::{Fields, InvalidField};
pub use rule::{Matching, Rule};
pub(crate) use rule_list::RuleList;
pub use vendor_fault::VendorFault;

/// The explanation of the words that every vendor has.
pub(crate) const VOCABULARY: &str = include_str!("vocabulary.txt");

/// How the words are combined and written.
pub(crate) const SYNTAX: &str = "\
One fault applies to a request: the oldest one that is not used up. In JSON the words are members:
{\"status\": 503} is status=503, and a word without a value is true.
";
