//! Tenants, subscriptions and resource groups: read only, and only as much as the vendor's clients need to
//! find the restore point collections.

use serde_json::{Value, json};

use crate::azure::call::Call;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::subscription::Subscription;
use crate::azure::reply::Reply;
use crate::azure::resource_path::DirectoryResource;

/// The region of every resource group.
const GROUP_REGION: &str = "eastus";

pub(crate) fn get(
    subscription: &Subscription,
    call: &Call,
    resource: &DirectoryResource,
) -> Result<Reply, ErrorResponse> {
    let tenant = &call.tenant;
    let body = match resource {
        DirectoryResource::Tenants => page(vec![json!({
            "id": format!("/tenants/{tenant}"),
            "tenantId": tenant,
            "countryCode": "US",
            "displayName": "Restore Point Sandbox",
            "domains": ["sandbox.onmicrosoft.com"],
            "tenantCategory": "Home",
        })]),
        DirectoryResource::Subscriptions => page(vec![describe(subscription, tenant)]),
        DirectoryResource::Subscription => describe(subscription, tenant),
        DirectoryResource::Groups => {
            page(subscription.groups.iter().map(|name| group(&subscription.id, name)).collect())
        }
        DirectoryResource::Group { name } => {
            let mut groups = subscription.groups.iter();
            let known = groups.find(|known| known.eq_ignore_ascii_case(name));
            let known = known.ok_or_else(|| ErrorResponse::group_not_found(name))?;
            group(&subscription.id, known)
        }
    };
    Ok(Reply::gateway(&body))
}

fn page(value: Vec<Value>) -> Value {
    json!({"value": value})
}

fn describe(subscription: &Subscription, tenant: &str) -> Value {
    let id = &subscription.id;
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
