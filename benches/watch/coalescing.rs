//! How many requests to the vendor identical concurrent Gets lead to.

use std::sync::Arc;

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::azure::{Azure, Credential, Settings};
use restore_point_gateway::backend::decorated;
use restore_point_gateway::model::{PointRef, View};
use restore_point_sandbox::CertificateAuthority;
use restore_point_sandbox::azure::{self, Kind};
use restore_point_test_support::fixture::{azure_backend, manual_clock};
use restore_point_test_support::names::azure_point;
use tokio::runtime::Runtime;

const CALLS: usize = 1000;

pub(crate) fn measure(runtime: &Runtime) -> Vec<(&'static str, f64)> {
    runtime.block_on(async {
        let authority = CertificateAuthority::generate().unwrap();
        let settings = azure::Settings { clock: manual_clock(), ..azure::Settings::default() };
        let simulator = azure::Azure::start(settings, &authority).unwrap();
        let backend = Azure::new(Settings {
            credential: Credential::StaticToken(simulator.static_token().into()),
            ..azure_backend("azure", &simulator, &authority)
        });
        let backend = decorated(Arc::new(backend.unwrap()));
        let point = PointRef::parse(&azure_point(&simulator.seeded().points[0]), "name").unwrap();
        let gets = (0..CALLS).map(|_| backend.get(&point, View::Full));
        join_all(gets).await.into_iter().for_each(|result| drop(result.unwrap()));
        let reads = simulator.calls().count(&Method::GET, Kind::Point) as f64;
        vec![
            ("identical_gets", CALLS as f64),
            ("upstream_reads_for_them", reads),
            ("upstream_calls_per_client_call", reads / CALLS as f64),
        ]
    })
}
