//! The access file: how other programs reach the simulated vendors directly, with the temporary credentials of
//! this run and the certificates to trust.
//!
//! Only its owner can read it. Its content is never printed or logged.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use restore_point_sandbox::SimulatedVendor;
use serde_json::{Map, Value};

/// Writes the file with mode 0600: an object with one member for each vendor, by its name. An existing file is
/// replaced, and its mode with it.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, vendors: &[Arc<dyn SimulatedVendor>]) -> io::Result<()> {
    let access: Map<String, Value> =
        vendors.iter().map(|vendor| (vendor.info().name().to_owned(), vendor.access())).collect();
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{:#}", Value::from(access))
}
