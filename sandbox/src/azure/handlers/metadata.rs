//! The documents that a client reads before it has a token: the OpenID metadata of a tenant, and the
//! endpoints of the cloud.
//!
//! Whether a login host belongs to the vendor is not answered here: clients ask the public cloud for that,
//! whatever host they log on to.

use http::StatusCode;
use serde_json::{Value, json};

use crate::azure::resource_path::MetadataDocument;

/// Status and body of the response. `origin` is `https://{host}` with the host of the request, and `tenant`
/// is the existing tenant.
pub(crate) fn get(document: &MetadataDocument, tenant: &str, origin: &str) -> (StatusCode, Value) {
    let ok = |body| (StatusCode::OK, body);
    match document {
        MetadataDocument::OpenId { tenant: requested }
            if requested.eq_ignore_ascii_case(tenant) =>
        {
            ok(open_id(tenant, origin))
        }
        MetadataDocument::OpenId { tenant } => (StatusCode::BAD_REQUEST, unknown_tenant(tenant)),
        MetadataDocument::CloudEndpoints => ok(cloud_endpoints(origin)),
    }
}

fn open_id(tenant: &str, origin: &str) -> Value {
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

fn unknown_tenant(tenant: &str) -> Value {
    json!({
        "error": "invalid_tenant",
        "error_description": format!("AADSTS90002: Tenant '{tenant}' not found."),
        "error_codes": [90002],
    })
}

fn cloud_endpoints(origin: &str) -> Value {
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
