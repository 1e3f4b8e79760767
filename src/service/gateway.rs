//! What the handlers share. Each RPC has a file of its own.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::frames::FrameEncoder;
use crate::backend::Registry;
use crate::model::Sealer;
use crate::watch::Hub;

/// The service over the configured backends. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub(super) registry: Registry,
    pub(super) sealer: Arc<Sealer>,
    pub(super) hub: Hub,
    pub(super) frame_encoder: FrameEncoder,
    pub(super) draining: CancellationToken,
}

impl Gateway {
    /// A service over `registry`. Its streams end when `draining` is cancelled.
    pub fn new(
        registry: Registry,
        sealer: Arc<Sealer>,
        hub: Hub,
        draining: CancellationToken,
    ) -> Self {
        let frame_encoder = FrameEncoder::new(Arc::clone(&sealer));
        Self { registry, sealer, hub, frame_encoder, draining }
    }
}
