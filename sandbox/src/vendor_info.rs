//! What is known of a vendor before a simulator of it runs: its name and its faults.

use std::fmt::Write;

use crate::fault::{self, Fields, InvalidField, Rule, VendorFault};

/// A vendor that can be simulated.
#[derive(Debug, Clone, Copy)]
pub struct VendorInfo {
    name: &'static str,
    vocabulary: &'static str,
    check_fault: fn(Fields) -> Result<(), InvalidField>,
}

impl VendorInfo {
    pub(crate) const fn new<F: VendorFault>(name: &'static str) -> Self {
        Self { name, vocabulary: F::VOCABULARY, check_fault: check_fault::<F> }
    }

    /// The name in admin paths, in the access file and in front of a fault on the command line.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a fault of this vendor can be read from `fields`.
    pub(crate) fn check_fault(&self, fields: Fields) -> Result<(), InvalidField> {
        (self.check_fault)(fields)
    }
}

fn check_fault<F: VendorFault>(fields: Fields) -> Result<(), InvalidField> {
    Rule::<F>::parse(fields).map(drop)
}

/// The explanation of all fault words, with those that only one of `vendors` has: for help texts.
pub fn fault_vocabulary(vendors: &[VendorInfo]) -> String {
    let mut text = fault::VOCABULARY.to_owned();
    for VendorInfo { name, vocabulary, .. } in vendors {
        if !vocabulary.is_empty() {
            // Writing to a string does not fail.
            write!(text, "\nOnly {name}:\n{vocabulary}").ok();
        }
    }
    text + "\n" + fault::SYNTAX
}
