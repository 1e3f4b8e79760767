//! ListBackends: what is configured, what it can do, and whether it answers now.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::Gateway;
use crate::backend::{self, Backend};
use crate::convert;
use crate::model::BackendId;
use crate::proto;
use crate::proto::backend::Reachability;
use crate::status;

/// How long a backend may take to show that it is there.
const PATIENCE: Duration = Duration::from_secs(10);

impl Gateway {
    pub(super) async fn describe_backends(&self) -> proto::ListBackendsResponse {
        let backends = self.registry.all();
        let described = backends.iter().map(|(id, backend)| describe(id, &**backend));
        proto::ListBackendsResponse { backends: join_all(described).await }
    }
}

async fn describe(id: &BackendId, described: &dyn Backend) -> proto::Backend {
    let probed = backend::probe(id, described, PATIENCE).await;
    let reachability = match probed {
        Ok(()) => Reachability::Reachable,
        Err(_) => Reachability::Unreachable,
    };
    proto::Backend {
        name: id.to_string(),
        kind: described.kind().into(),
        capabilities: Some(described.capabilities()),
        reachability: reachability.into(),
        check_time: Some(convert::timestamp(Timestamp::now())),
        error: probed.err().map(status::embedded),
    }
}
