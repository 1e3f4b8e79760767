//! What the vendor's clients ask beside restore points: where to log on, which endpoints the cloud
//! has, and which tenants, subscriptions and resource groups there are.
//!
//! Reading only, and only what such a client needs to find its way. Whether a login host is one of the
//! vendor's is not answered here: clients ask that of the public cloud, whatever host they log on to.

use http::StatusCode;
use serde_json::{Value, json};

use super::login::Login;
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::world::World;

/// Every group of the simulated subscription was made there.
const GROUP_REGION: &str = "eastus";

/// What is told to anyone: a client asks before it has a token.
#[derive(Debug, Clone)]
pub(super) enum Signpost {
    /// The OpenID metadata of a tenant.
    OpenId { tenant: String },
    /// The endpoints of the cloud that this resource manager belongs to.
    Cloud,
}

/// What is told to whoever has a token.
#[derive(Debug, Clone)]
pub(super) enum Directory {
    Tenants,
    Subscriptions,
    Subscription,
    Groups,
    Group { name: String },
}

impl Signpost {
    /// `path` in lower case, taken apart.
    pub(super) fn parse(path: &[&str]) -> Option<Self> {
        match path {
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                Some(Self::OpenId { tenant: (*tenant).to_owned() })
            }
            ["metadata", "endpoints"] => Some(Self::Cloud),
            _ => None,
        }
    }

    /// The answer, `origin` being `https://{host}` as the client named it.
    pub(super) fn answer(&self, login: &Login, origin: &str) -> (StatusCode, Value) {
        let ok = |body| (StatusCode::OK, body);
        match self {
            Self::OpenId { tenant } if tenant.eq_ignore_ascii_case(&login.tenant) => {
                ok(openid(&login.tenant, origin))
            }
            Self::OpenId { tenant } => (StatusCode::BAD_REQUEST, no_tenant(tenant)),
            Self::Cloud => ok(cloud(origin)),
        }
    }
}

impl Directory {
    /// `lower` is the path in lower case, taken apart, and `given` the same in its own casing.
    pub(super) fn parse(lower: &[&str], given: &[String]) -> Option<Self> {
        match lower {
            ["tenants"] => Some(Self::Tenants),
            ["subscriptions"] => Some(Self::Subscriptions),
            ["subscriptions", _] => Some(Self::Subscription),
            ["subscriptions", _, "resourcegroups"] => Some(Self::Groups),
            ["subscriptions", _, "resourcegroups", _] => {
                given.last().map(|name| Self::Group { name: name.clone() })
            }
            _ => None,
        }
    }

    /// GET.
    pub(super) fn answer(&self, world: &World, call: &Call) -> Result<Reply, Refusal> {
        let tenant = &call.tenant;
        let body = match self {
            Self::Tenants => page(vec![json!({
                "id": format!("/tenants/{tenant}"),
                "tenantId": tenant,
                "countryCode": "US",
                "displayName": "Restore Point Sandbox",
                "domains": ["sandbox.onmicrosoft.com"],
                "tenantCategory": "Home",
            })]),
            Self::Subscriptions => page(vec![subscription(world, tenant)]),
            Self::Subscription => subscription(world, tenant),
            Self::Groups => {
                page(world.groups.iter().map(|name| group(&world.subscription, name)).collect())
            }
            Self::Group { name } => {
                let known = world.groups.iter().find(|known| known.eq_ignore_ascii_case(name));
                let known = known.ok_or_else(|| Refusal::group_not_found(name))?;
                group(&world.subscription, known)
            }
        };
        Ok(Reply::gateway(&body))
    }
}

fn openid(tenant: &str, origin: &str) -> Value {
    json!({
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{origin}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/logout"),
        "tenant_region_scope": "NA",
    })
}

fn no_tenant(tenant: &str) -> Value {
    json!({
        "error": "invalid_tenant",
        "error_description": format!("AADSTS90002: Tenant '{tenant}' not found."),
        "error_codes": [90002],
    })
}

fn cloud(origin: &str) -> Value {
    json!({
        "portal": format!("{origin}/portal"),
        "authentication": {
            "loginEndpoint": origin,
            "audiences": [format!("{origin}/"), origin],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graphAudience": format!("{origin}/graph"),
        "graph": format!("{origin}/graph"),
        "name": "RestorePointSandbox",
        "suffixes": {},
        "resourceManager": format!("{origin}/"),
    })
}

fn page(value: Vec<Value>) -> Value {
    json!({"value": value})
}

fn subscription(world: &World, tenant: &str) -> Value {
    let id = &world.subscription;
    json!({
        "id": format!("/subscriptions/{id}"),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": id,
        "tenantId": tenant,
        "displayName": "Restore Point Sandbox",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}

fn group(subscription: &str, name: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{name}"),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": GROUP_REGION,
        "properties": {"provisioningState": "Succeeded"},
    })
}
