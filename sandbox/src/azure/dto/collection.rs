//! Restore point collections: what a client may send, and what comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::point::PointBody;

pub(crate) type Tags = BTreeMap<String, String>;

#[derive(Debug, Serialize)]
pub(crate) struct CollectionBody {
    pub(crate) name: String,
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) location: String,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub(crate) tags: Tags,
    pub(crate) properties: CollectionProperties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CollectionProperties {
    pub(crate) source: CollectionSource,
    pub(crate) restore_point_collection_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) restore_points: Option<Vec<PointBody>>,
    pub(crate) provisioning_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instant_access: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CollectionSource {
    pub(crate) location: String,
    pub(crate) id: String,
}

/// Other members, such as the documented `name`, are tolerated and ignored.
#[derive(Debug, Deserialize, Default)]
pub(crate) struct CollectionRequest {
    pub(crate) location: Option<String>,
    pub(crate) tags: Option<Tags>,
    #[serde(default)]
    pub(crate) properties: CollectionRequestProperties,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CollectionRequestProperties {
    pub(crate) source: Option<Id>,
    pub(crate) instant_access: Option<bool>,
}
