//! A fault with the vendor it is for, as the command line takes it: `azure: GET /operations/ status=502`.

use crate::fault::{Fields, InvalidField};
use crate::vendor_info::VendorInfo;

/// A fault that was checked against the vocabulary of its vendor.
#[derive(Debug, Clone)]
pub struct FaultSpec {
    vendor: &'static str,
    fields: Fields,
}

impl FaultSpec {
    /// Parses `VENDOR: WORDS` for one of `vendors`.
    ///
    /// # Errors
    /// When the vendor is unknown, or a word is wrong.
    pub fn parse(text: &str, vendors: &[VendorInfo]) -> Result<Self, InvalidField> {
        let unknown = |name: &str| {
            let names: Vec<String> =
                vendors.iter().map(|vendor| format!("'{}:'", vendor.name())).collect();
            let problem = format!("'{}' is not a simulated vendor", name.trim());
            InvalidField::new("vendor", problem, format!("begin with {}", names.join(" or ")))
        };
        let (name, words) = text.split_once(':').ok_or_else(|| unknown(text))?;
        let vendor = vendors.iter().find(|vendor| vendor.name() == name.trim());
        let vendor = vendor.ok_or_else(|| unknown(name))?;
        let fields = Fields::parse(words)?;
        vendor.check_fault(fields.clone())?;
        Ok(Self { vendor: vendor.name(), fields })
    }

    /// The name of the vendor.
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// The fields of the fault.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}
