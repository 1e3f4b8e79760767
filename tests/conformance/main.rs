//! What every backend owes its callers, whoever the vendor is: one set of behaviours, run on each kind of
//! collection that the gateway serves.
//!
//! A capability is held to its word both ways: a backend that claims it must pass the behaviours behind it,
//! and one that does not must refuse them as the contract says. What only one vendor does is tested in
//! `wire/` and beside that vendor's adapter.
//!
//! A new kind needs a [`stage::Stage`] and one line below.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure;
mod listing;
mod reading;
mod stage;
mod veeam;
mod watching;
mod writing;

macro_rules! behaviours {
    ($stage:ty: $($room:ident::$behaviour:ident,)*) => {$(
        #[tokio::test]
        async fn $behaviour() {
            let stage = <$stage as crate::stage::Stage>::start().await;
            crate::$room::$behaviour(&stage).await;
        }
    )*};
}

macro_rules! stages {
    ($($kind:ident: $stage:ty,)*) => {$(
        mod $kind {
            behaviours! { $stage:
                reading::the_backend_says_what_it_is,
                reading::a_listed_point_is_the_point_that_is_got,
                reading::a_view_adds_and_never_contradicts,
                reading::usable_means_ready,
                reading::what_is_absent_is_not_found_by_name,
                reading::ids_of_another_vendor_are_refused_by_field,
                reading::a_point_is_got_without_its_collection_if_that_is_claimed,
                reading::details_are_told_exactly_if_they_are_claimed,
                reading::a_listed_collection_is_the_collection_that_is_got,
                listing::a_list_is_what_the_vendor_has_at_any_page_size,
                listing::the_whole_is_the_sum_of_its_collections,
                listing::a_filter_is_the_list_without_the_others,
                listing::an_order_holds_over_pages,
                listing::a_page_token_serves_its_own_list_only,
                listing::a_vendor_that_fails_midway_makes_no_shorter_list,
                watching::what_is_at_rest_is_told_once_and_the_watch_ends,
                watching::a_point_in_the_making_is_watched_to_its_end,
                watching::a_deletion_is_told_and_not_told_again,
                watching::a_collection_tells_of_what_appears_and_vanishes,
                watching::an_outage_degrades_and_ends,
                watching::a_resumed_watch_hears_what_it_missed,
                writing::a_collection_is_made_once_or_refused_as_unsupported,
                writing::a_copy_is_made_once_or_refused_as_unsupported,
                writing::a_check_writes_nothing,
            }
        }
    )*};
}

stages! {
    azure_collection: crate::azure::Collections,
    veeam_cloud_replica: crate::veeam::CloudReplicas,
    veeam_replica: crate::veeam::Replicas,
    veeam_backup: crate::veeam::Backups,
}
