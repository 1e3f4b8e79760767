//! What the handlers of the admin API work on.

use std::sync::Arc;

use super::response::{AdminError, not_found};
use crate::clock::Clock;
use crate::simulated_vendor::SimulatedVendor;

#[derive(Debug, Clone)]
pub(crate) struct AdminState {
    pub(crate) vendors: Arc<[Arc<dyn SimulatedVendor>]>,
    /// The clock that the vendors' clocks advance with.
    pub(crate) clock: Clock,
}

impl AdminState {
    /// The simulator that a path names.
    pub(crate) fn vendor(&self, name: &str) -> Result<&dyn SimulatedVendor, AdminError> {
        let mut vendors = self.vendors.iter();
        let found = vendors.find(|vendor| vendor.info().name() == name).map(Arc::as_ref);
        found.ok_or_else(|| {
            let problem = format!("'{name}' is not a simulated vendor");
            not_found("vendor", problem, format!("the vendors are {}", self.names()))
        })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.vendors.iter().map(|vendor| vendor.info().name()).collect();
        names.join(", ")
    }
}
