//! A restore point collection as a response body.

use crate::azure::api_version::{self, INSTANT_ACCESS};
use crate::azure::call::Call;
use crate::azure::dto::collection::{CollectionBody, CollectionProperties, CollectionSource};
use crate::azure::model::collection::{Collection, Source};
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::{plain_region, provider_region};

pub(crate) fn collection_body(
    subscription: &Subscription,
    call: &Call,
    collection: &Collection,
) -> CollectionBody {
    let source_location = match &collection.source {
        // Only a virtual machine as the source keeps the provider's casing.
        Source::Machine(_) => provider_region(&collection.source_region).to_owned(),
        Source::Collection(_) => plain_region(&collection.source_region),
    };
    let plain = subscription.settings.quirks.plain_locations;
    let location = if plain { &collection.region } else { &collection.written_region };
    CollectionBody {
        name: collection.name.name.clone(),
        id: collection.name.id(&subscription.id),
        kind: "Microsoft.Compute/restorePointCollections",
        location: location.clone(),
        tags: collection.tags.clone(),
        properties: CollectionProperties {
            source: CollectionSource {
                location: source_location,
                id: collection.source_id.clone(),
            },
            restore_point_collection_id: collection.guid.clone(),
            restore_points: None,
            provisioning_state: "Succeeded",
            instant_access: collection
                .instant_access
                .filter(|_| api_version::supports(&call.api_version, INSTANT_ACCESS)),
        },
    }
}
