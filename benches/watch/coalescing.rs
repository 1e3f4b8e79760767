//! What identical reads cost the vendor when they come at once.

use std::sync::Arc;

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::azure::{Azure, Credential, DEFAULT_API_VERSION, Settings};
use restore_point_gateway::backend::decorated;
use restore_point_gateway::model::{BackendId, PointRef, View};
use restore_point_gateway::upstream::{RateLimit, Trust};
use restore_point_sandbox::azure::{self, Kind};
use restore_point_sandbox::{CertificateAuthority, Clock};
use tokio::runtime::Runtime;

const CALLERS: usize = 1000;

pub(crate) fn measure(runtime: &Runtime) -> Vec<(&'static str, f64)> {
    runtime.block_on(async {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let authority = CertificateAuthority::generate().unwrap();
        let settings = azure::Settings { clock, ..azure::Settings::default() };
        let vendor = azure::Azure::start(settings, &authority).unwrap();
        let id = BackendId::new("azure").unwrap();
        let adapter = Azure::new(Settings {
            id,
            subscription_id: vendor.subscription_id().to_owned(),
            endpoint: vendor.endpoint().parse().unwrap(),
            authority: vendor.authority_host().parse().unwrap(),
            api_version: DEFAULT_API_VERSION.to_owned(),
            credential: Credential::StaticToken(vendor.static_token().into()),
            trust: Trust::PlatformAnd(authority.pem().into_bytes()),
            rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
        });
        let backend = decorated(Arc::new(adapter.unwrap()));
        let name = "backends/azure/collections/rg-prod~rpc-db01/restorePoints/db01-day1";
        let point = PointRef::parse(name, "name").unwrap();
        let gets = (0..CALLERS).map(|_| backend.get(&point, View::Full));
        join_all(gets).await.into_iter().for_each(|got| drop(got.unwrap()));
        let reads = vendor.calls().count(&Method::GET, Kind::Point) as f64;
        vec![
            ("identical_gets", CALLERS as f64),
            ("upstream_reads_for_them", reads),
            ("upstream_calls_per_client_call", reads / CALLERS as f64),
        ]
    })
}
