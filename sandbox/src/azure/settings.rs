//! What a simulated subscription is started with: its clock, its size, its timings and its quirks.
//!
//! The defaults are what the real service was seen to do. Nothing here changes while it runs.

use jiff::SignedDuration;

use super::limits::Throttling;
use crate::Clock;

/// How a simulator behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time everything is computed from.
    pub clock: Clock,
    /// Extra local restore points beyond the small seeded story, for long lists.
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
    /// How often the shown progress moves; every ten minutes by the documentation.
    pub progress_tick: SignedDuration,
    /// Deletion of a restore point; 5 to 15 s.
    pub deletion: SignedDuration,
    /// Deletion of a collection; 0.02 to 0.13 s.
    pub collection_deletion: SignedDuration,
    /// How long an operation can be read after it ended.
    pub operation_retention: SignedDuration,
    /// How many collections one page of a list holds; the real size is unknown.
    pub page_size: usize,
    /// How many local points one machine has at most, in all its collections.
    pub points_per_machine: usize,
    /// How many collections one region of the subscription has at most.
    pub collections_per_region: usize,
    /// How large the token buckets are, in percent of the real ones. They refill on the clock: more
    /// than 100 is for those who ask often while it stands still. The hourly quotas stay.
    pub bucket_percent: u32,
    /// How long an issued bearer lives, in real seconds: its holder counts those, not simulated ones.
    pub token_lifetime: std::time::Duration,
    /// Deviations from what one would expect.
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

/// Where the real service surprises; each default is the recorded behaviour.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// The subscription-wide list answers ids with the resource group in upper case.
    pub upper_case_groups: bool,
    /// Which policies count requests, and what the headers tell of them.
    pub throttling: Throttling,
    /// The answer to a creation carries `Location` too, as documented but never recorded.
    pub location_on_create: bool,
    /// `Retry-After` in whole seconds on answers that start or report an operation; never recorded.
    pub retry_after: Option<u32>,
    /// URLs of operations are signed, as they have been since October 2023, and so over 3,000 bytes.
    pub signed_urls: bool,
    /// A collection answers its region in lower case without spaces, whatever was sent.
    pub plain_locations: bool,
    /// A copy has the `timeCreated` of its source, not its own.
    pub inherited_time: bool,
    /// Disk encryption sets are answered with the resource group in upper case.
    pub upper_case_encryption_sets: bool,
    /// A machine that is off or has no agent gets a crash consistent point; else the creation fails.
    pub silent_downgrade: bool,
    /// The collections of Azure Backup are there, beside one's own.
    pub backup_collections: bool,
    /// The gateway answers 500 where the provider's answer has more bytes.
    pub answer_limit: Option<usize>,
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
            backup_collections: true,
            answer_limit: Some(8 << 20),
        }
    }
}
