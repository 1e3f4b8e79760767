//! What clients have written of a restore point.

use std::time::Instant;

/// The PUT requests for one restore point that were executed with success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PointWrites {
    /// Those that created it, in real time.
    pub created: Vec<Instant>,
    /// Those that found it created.
    pub repeated: usize,
}
