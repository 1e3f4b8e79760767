//! The vendors' cursors: whatever decodes is written as what it was read as, and nothing is too large to be
//! looked at.

#![no_main]

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::{azure, veeam_em};

fuzz_target!(|bytes: &[u8]| {
    for read in [azure::fuzzing::cursor, veeam_em::fuzzing::cursor] {
        if let Some(written) = read(bytes) {
            // A field that comes twice is one afterwards, so that it may have become shorter.
            assert!(written.len() <= bytes.len() + 64);
            assert_eq!(read(&written), Some(written));
        }
    }
});
