//! One gateway in front of a hostile vendor, and what a caller of it must be told.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use restore_point_gateway::backend::{Backend, Backends, Registry, azure, decorated, veeam_em};
use restore_point_gateway::model::BackendId;
use restore_point_gateway::upstream::{RateLimit, Trust};
use tokio::time::timeout;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use crate::fixture::{Client, Replica};
use crate::hostile_vendor::{Answer, Vendor};

/// Builds for tests take some seconds over the largest bodies.
const PATIENCE: Duration = Duration::from_secs(60);

pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

/// A gateway whose one backend, `azure` or `veeam`, is hostile.
pub struct Gateway {
    pub client: Client,
    pub vendor: Vendor,
}

impl Gateway {
    /// In front of a resource manager.
    pub async fn azure(play: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let vendor = Vendor::start(play).await;
        let id = BackendId::new("azure").unwrap();
        let azure = azure::Azure::new(azure::Settings {
            id: id.clone(),
            subscription_id: SUBSCRIPTION.to_owned(),
            endpoint: vendor.url().parse().unwrap(),
            authority: "https://localhost".parse().unwrap(),
            api_version: azure::DEFAULT_API_VERSION.to_owned(),
            credential: azure::Credential::StaticToken("SENSITIVE".into()),
            trust: Trust::Pinned([0; 32]),
            rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
        });
        Self::over(vendor, id, Arc::new(azure.unwrap())).await
    }

    /// In front of an Enterprise Manager that lets everybody log on.
    pub async fn veeam(play: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::veeam_from_the_start(move |line| match line {
            "POST /api/sessionMngr/?v=latest" => log_on(),
            line => play(line),
        })
        .await
    }

    /// In front of an Enterprise Manager whose logons are hostile too.
    pub async fn veeam_from_the_start(
        play: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let vendor = Vendor::start(play).await;
        let id = BackendId::new("veeam").unwrap();
        let veeam = veeam_em::VeeamEm::new(veeam_em::Settings {
            id: id.clone(),
            url: vendor.url().parse().unwrap(),
            username: "user".to_owned(),
            password: "SENSITIVE".into(),
            tenant: None,
            trust: Trust::Pinned([0; 32]),
            rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
        });
        Self::over(vendor, id, Arc::new(veeam.unwrap())).await
    }

    async fn over(vendor: Vendor, id: BackendId, backend: Arc<dyn Backend>) -> Self {
        let replica =
            Replica::start(Registry::new(Backends::from([(id, decorated(backend))]))).await;
        Self { client: replica.client, vendor }
    }
}

fn log_on() -> Answer {
    let id = "8fff3b8e-c3f1-4ef5-aecc-561f07bf9982";
    let body = format!(
        "<LogonSession><Links><Link Rel=\"Down\" Href=\"https://em/api/cloud\"/></Links>\
         <SessionId>{id}</SessionId></LogonSession>"
    );
    Answer::new(201, &["X-RestSvcSessionId: SENSITIVE"], body)
}

/// What a call fails with.
pub async fn failure<T: Debug>(
    what: &str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Status {
    let answer = timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("{what}: it hangs"));
    let status = match answer {
        Err(status) => status,
        Ok(answer) => panic!("{what}: {:.300}", format!("{answer:?}")),
    };
    let said = format!("{status:?}");
    assert!(said.len() < 12_000 && !said.contains("SENSITIVE"), "{what}: {said:.300}");
    status
}

/// Asserts that the vendor's answer is told to make no sense.
pub fn assert_invalid_response(what: &str, status: &Status) {
    assert_is(what, status, Code::Internal, "BACKEND_RESPONSE_INVALID");
}

/// Asserts that the response would have been too large to send.
pub fn assert_response_too_large(what: &str, status: &Status) {
    assert_is(what, status, Code::ResourceExhausted, "RESPONSE_TOO_LARGE");
}

pub fn assert_is(what: &str, status: &Status, code: Code, reason: &str) {
    let told = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    assert_eq!((status.code(), told.as_str()), (code, reason), "{what}: {}", status.message());
}
