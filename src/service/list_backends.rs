//! ListBackends: the configured backends, what each can do, and whether it responds now.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::gateway::Gateway;
use crate::backend::{self, Backend};
use crate::convert;
use crate::model::BackendId;
use crate::proto;
use crate::proto::backend::Reachability;
use crate::status;

const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn list_backends(gateway: &Gateway) -> proto::ListBackendsResponse {
    let backends = gateway.registry.all();
    let described = backends.iter().map(|(id, backend)| describe(id, &**backend));
    proto::ListBackendsResponse { backends: join_all(described).await }
}

async fn describe(id: &BackendId, backend: &dyn Backend) -> proto::Backend {
    let probed = backend::probe(id, backend, PROBE_TIMEOUT).await;
    let reachability = match probed {
        Ok(()) => Reachability::Reachable,
        Err(_) => Reachability::Unreachable,
    };
    proto::Backend {
        name: id.to_string(),
        kind: convert::backend_kind(backend.kind()).into(),
        capabilities: Some(convert::capabilities(backend.capabilities())),
        reachability: reachability.into(),
        check_time: Some(convert::timestamp(Timestamp::now())),
        error: probed.err().map(status::to_proto),
    }
}
