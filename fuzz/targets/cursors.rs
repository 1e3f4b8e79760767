//! The cursors of the backends: whatever can be decoded is encoded to the same cursor, and the result has a bounded size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::{azure, veeam_em};

fuzz_target!(|bytes: &[u8]| {
    for reencode in [azure::fuzzing::cursor, veeam_em::fuzzing::cursor] {
        if let Some(encoded) = reencode(bytes) {
            // A field that occurs twice occurs once afterwards, so the cursor may be shorter.
            assert!(encoded.len() <= bytes.len() + 64);
            assert_eq!(reencode(&encoded), Some(encoded));
        }
    }
});
