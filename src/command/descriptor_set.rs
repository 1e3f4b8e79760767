//! `descriptor-set`: the contract in compiled form, for tools that cannot use server reflection.

use std::io::{self, Write};

use crate::proto::FILE_DESCRIPTOR_SET;

/// Writes the contract with its imports and comments as a serialized FileDescriptorSet to stdout.
///
/// # Errors
/// When stdout does not take it.
pub fn descriptor_set() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(FILE_DESCRIPTOR_SET)?;
    stdout.flush()
}
