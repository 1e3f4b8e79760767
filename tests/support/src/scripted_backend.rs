//! A gateway with one backend, whose vendor is scripted.

use std::sync::Arc;

use restore_point_gateway::backend::{Backend, Backends, Registry, azure, decorated, veeam_em};
use restore_point_gateway::model::BackendId;
use restore_point_gateway::upstream::{Proxy, Trust};

use crate::failure::SENSITIVE;
use crate::fixture::{Client, Replica, UNLIMITED};
use crate::scripted_vendor::{Reply, ScriptedVendor};

/// The subscription of the Azure backend.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

/// The backend `azure` or `veeam` of a gateway of its own.
pub struct ScriptedBackend {
    /// The vendor.
    pub vendor: ScriptedVendor,
    client: Client,
}

impl ScriptedBackend {
    /// The backend `azure`. The script gets every request except those for a token, of which there are none.
    pub async fn azure(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let vendor = ScriptedVendor::start(script).await;
        let id = BackendId::new("azure").unwrap();
        let azure = azure::Azure::new(azure::Settings {
            id: id.clone(),
            subscription_id: SUBSCRIPTION.to_owned(),
            endpoint: vendor.url().parse().unwrap(),
            authority: "https://localhost".parse().unwrap(),
            api_version: azure::DEFAULT_API_VERSION.to_owned(),
            credential: azure::Credential::StaticToken(SENSITIVE.into()),
            trust: Trust::Pinned([0; 32]),
            proxy: Proxy::Direct,
            rate_limit: UNLIMITED,
        });
        Self::start(vendor, id, Arc::new(azure.unwrap())).await
    }

    /// The backend `veeam`. The script gets every request except the logon, which succeeds.
    pub async fn veeam(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::veeam_with_logon(move |line| match line {
            "POST /api/sessionMngr/?v=latest" => successful_logon(),
            line => script(line),
        })
        .await
    }

    /// The backend `veeam`. The script gets every request, including the logon.
    pub async fn veeam_with_logon(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let vendor = ScriptedVendor::start(script).await;
        let id = BackendId::new("veeam").unwrap();
        let veeam = veeam_em::VeeamEm::new(veeam_em::Settings {
            id: id.clone(),
            url: vendor.url().parse().unwrap(),
            username: "user".to_owned(),
            password: SENSITIVE.into(),
            tenant: None,
            trust: Trust::Pinned([0; 32]),
            proxy: Proxy::Direct,
            rate_limit: UNLIMITED,
        });
        Self::start(vendor, id, Arc::new(veeam.unwrap())).await
    }

    async fn start(vendor: ScriptedVendor, id: BackendId, backend: Arc<dyn Backend>) -> Self {
        let registry = Registry::new(Backends::from([(id, decorated(backend))]));
        Self { vendor, client: Replica::start(registry).await.client }
    }

    /// A client of the gateway.
    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

fn successful_logon() -> Reply {
    let body = "<LogonSession><Links><Link Rel=\"Down\" Href=\"https://em/api/cloud\"/></Links>\
                <SessionId>8fff3b8e-c3f1-4ef5-aecc-561f07bf9982</SessionId></LogonSession>";
    Reply::new(201, &[&format!("X-RestSvcSessionId: {SENSITIVE}")], body)
}
