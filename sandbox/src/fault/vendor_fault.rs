//! What a vendor adds to the vocabulary.

use std::fmt::Debug;

use serde_json::Value;

use super::fields::{Fields, InvalidField};

/// The faults that only one vendor has.
pub trait VendorFault: Clone + Debug + Send + Sync + 'static {
    /// The explanation of its words, one line each; empty if there are none.
    const VOCABULARY: &'static str;

    /// Parses the vendor's words, if there are any.
    ///
    /// # Errors
    /// When one of them is wrong.
    fn parse(fields: &mut Fields) -> Result<Option<Self>, InvalidField>;

    /// The words that it is parsed from.
    fn words(&self) -> Vec<(&'static str, Value)>;
}
