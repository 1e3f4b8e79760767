//! What Enterprise Manager alone does wrong to a request: nothing that a proxy or a network could not do
//! as well. Its points and sessions are changed by the simulator's own methods.

use serde_json::Value;

use crate::fault::{self, Complaint, Fields};

/// What happens to a request of this vendor.
pub type Fault = fault::Fault<Own>;

/// What only this vendor can do to a request: there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {}

impl fault::Own for Own {
    fn read(_: &mut Fields) -> Result<Option<Self>, Complaint> {
        Ok(None)
    }

    fn words(&self) -> Vec<(&'static str, Value)> {
        match *self {}
    }
}
