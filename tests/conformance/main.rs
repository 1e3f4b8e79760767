//! Conformance of the backends: one set of tests, run on each kind of collection that the gateway serves.
//!
//! A capability is tested both ways: a backend that declares it must pass its tests, and one that does not must return
//! the error that the contract defines. What only one vendor does is tested in `wire/` and `backends/`.
//!
//! A new kind of collection needs a [`fixture::Fixture`] and one line at the end of this file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure;
mod fixture;
mod get;
mod list;
mod veeam;
mod watch;
mod write;

macro_rules! tests {
    ($fixture:ty: $($module:ident::$test:ident,)*) => {$(
        #[tokio::test]
        async fn $test() {
            let fixture = <$fixture as crate::fixture::Fixture>::start().await;
            crate::$module::$test(&fixture).await;
        }
    )*};
}

macro_rules! conformance_tests {
    ($($kind:ident: $fixture:ty,)*) => {$(
        mod $kind {
            tests! { $fixture:
                get::a_backend_is_listed_with_its_capabilities,
                get::a_point_is_the_same_in_list_and_get,
                get::views_agree_on_their_common_fields,
                get::a_point_is_usable_only_if_it_is_ready,
                get::absent_resources_are_not_found,
                get::ids_of_another_vendor_are_invalid,
                get::a_point_is_found_without_its_collection_if_the_capability_is_declared,
                get::consistency_and_disks_are_reported_if_the_capabilities_are_declared,
                get::a_collection_is_the_same_in_list_and_get,
                list::a_list_is_complete_at_any_page_size,
                list::the_wildcard_lists_the_points_of_all_collections,
                list::a_filter_selects_the_matching_points,
                list::an_order_spans_pages,
                list::a_page_token_is_valid_for_its_own_list_only,
                list::a_failure_between_pages_is_never_a_shorter_list,
                watch::a_watch_of_terminal_points_sends_snapshots_and_ends,
                watch::a_new_point_is_watched_until_it_is_ready,
                watch::a_deletion_is_sent_once,
                watch::a_watched_collection_reports_added_and_deleted_points,
                watch::an_outage_degrades_the_watch_until_it_ends,
                watch::a_resumed_watch_receives_what_it_missed,
                write::a_collection_is_created_once_or_unsupported,
                write::a_copy_is_started_once_or_unsupported,
                write::validate_only_writes_nothing,
            }
        }
    )*};
}

conformance_tests! {
    azure_collection: crate::azure::AzureCollection,
    veeam_cloud_replica: crate::veeam::CloudReplica,
    veeam_replica: crate::veeam::Replica,
    veeam_backup: crate::veeam::Backup,
}
