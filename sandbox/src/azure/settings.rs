//! The settings of a simulated subscription: its clock, its size, its timings and its quirks.
//!
//! The defaults are the recorded behaviour of the real service. Settings do not change while a simulator
//! runs.

use jiff::SignedDuration;

use crate::Clock;

/// How a simulator behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time that all states are computed from.
    pub clock: Clock,
    /// Generated local restore points in addition to the well-known ones, for long lists.
    pub points: usize,
    /// The same seed gives the same identifiers.
    pub seed: u64,
    /// Local creation; a Linux machine took 35 to 52 s.
    pub creation: SignedDuration,
    /// Local creation with instant access; about 300 s.
    pub instant_creation: SignedDuration,
    /// The operation that starts a copy; 5.5 to 6.8 s, whatever the size of the disks.
    pub copy_operation: SignedDuration,
    /// How long the largest disk of a copy replicates after that operation, and a disk in instant
    /// access is copied in the background; minutes to days.
    pub replication: SignedDuration,
    /// How often the reported progress is refreshed; every ten minutes by the documentation.
    pub progress_tick: SignedDuration,
    /// Deletion of a restore point; 5 to 15 s.
    pub deletion: SignedDuration,
    /// Deletion of a collection; 0.02 to 0.13 s.
    pub collection_deletion: SignedDuration,
    /// How long an operation can be read after it ended.
    pub operation_retention: SignedDuration,
    /// How many collections one page of a list holds; the real size is unknown.
    pub page_size: usize,
    /// The maximum number of local points of one machine, in all its collections.
    pub points_per_machine: usize,
    /// The maximum number of collections in one region of the subscription.
    pub collections_per_region: usize,
    /// The size of the token buckets, in percent of the real ones. They refill on the clock: tests that
    /// send many requests while it stands still set more than 100. The hourly quotas are not scaled.
    pub bucket_percent: u32,
    /// The lifetime of an issued bearer token in real time: its holder does not know the simulated clock.
    pub token_lifetime: std::time::Duration,
    /// Deviations from what a client would expect.
    pub quirks: Quirks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::running(1.0),
            points: 0,
            seed: 1,
            creation: SignedDuration::from_secs(40),
            instant_creation: SignedDuration::from_secs(300),
            copy_operation: SignedDuration::from_secs(6),
            replication: SignedDuration::from_mins(30),
            progress_tick: SignedDuration::from_mins(10),
            deletion: SignedDuration::from_secs(8),
            collection_deletion: SignedDuration::from_millis(100),
            operation_retention: SignedDuration::from_hours(24),
            page_size: 100,
            points_per_machine: 500,
            collections_per_region: 10_000,
            bucket_percent: 100,
            token_lifetime: std::time::Duration::from_secs(3599),
            quirks: Quirks::default(),
        }
    }
}

/// Surprising behaviour of the real service; each default is the recorded one.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// The list over the subscription shows ids with the resource group in upper case.
    pub upper_case_groups: bool,
    /// Which policies count requests, and what the headers report about them.
    pub throttling: Throttling,
    /// The response to a creation has `Location` too, as documented but never recorded.
    pub location_on_create: bool,
    /// `Retry-After` in whole seconds on responses that start or report an operation; never recorded.
    pub retry_after: Option<u32>,
    /// URLs of operations are signed, as they have been since October 2023, and so over 3,000 bytes.
    pub signed_urls: bool,
    /// A collection shows its region in lower case without spaces, whatever was sent.
    pub plain_locations: bool,
    /// A copy has the `timeCreated` of its source, not its own.
    pub inherited_time: bool,
    /// Disk encryption sets are shown with the resource group in upper case.
    pub upper_case_encryption_sets: bool,
    /// A machine that is off or has no agent gets a crash consistent point; without the quirk the creation
    /// fails.
    pub silent_downgrade: bool,
    /// Points of Premium SSD v2 and Ultra Disks are created in collections with instant access only, as until 2025.
    /// Without the quirk an ordinary point is accepted, and its disks are `Pending` until their background copy ends.
    pub background_copy_needs_instant_access: bool,
    /// The subscription has collections of Azure Backup beside the customer's.
    pub backup_collections: bool,
    /// The gateway replaces a larger response of the provider by a 500; in bytes.
    pub max_response_bytes: Option<usize>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            upper_case_groups: true,
            throttling: Throttling::Unreported,
            location_on_create: false,
            retry_after: None,
            signed_urls: true,
            plain_locations: true,
            inherited_time: true,
            upper_case_encryption_sets: true,
            silent_downgrade: true,
            background_copy_needs_instant_access: true,
            backup_collections: true,
            max_response_bytes: Some(8 << 20),
        }
    }
}

/// How throttling worked at a time; the policies and the headers changed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Throttling {
    /// Until 2023: a number of requests an hour at the gateway, counted down from 11999 reads, 1199 writes
    /// and 14999 deletions; windows of 3 and 30 minutes at the provider.
    Windows,
    /// Since 2024: buckets that refill by the second at the gateway and by the minute at the
    /// provider, correctly reported.
    Buckets,
    /// 2026, `x-ms-throttling-version: v2`: the same buckets, and the gateway reports `0` remaining on
    /// every successful response.
    #[default]
    Unreported,
}
