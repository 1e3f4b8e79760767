//! Enterprise Manager has no fault of its own: a proxy or a network can cause all of them too. Its points and
//! sessions are changed by admin routes.

use serde_json::Value;

use crate::fault::{self, Fields, InvalidField};

/// A fault that can be injected into requests to the simulated Enterprise Manager.
pub type Fault = fault::Fault<VendorFault>;

/// What only this vendor can do to a request: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorFault {}

impl fault::VendorFault for VendorFault {
    const VOCABULARY: &'static str = "";

    fn parse(_: &mut Fields) -> Result<Option<Self>, InvalidField> {
        Ok(None)
    }

    fn words(&self) -> Vec<(&'static str, Value)> {
        match *self {}
    }
}
