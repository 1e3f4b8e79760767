//! The initial content of a subscription: a database server with several points, copies of these in every
//! state, an empty collection, one of Azure Backup, and a configurable number of generated points.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::bucket::Buckets;
use super::consistency::Consistency;
use super::encryption::KeyVault;
use super::machine::{Guest, Sku};
use super::operation::UrlSigner;
use super::quota::Quotas;
use super::seed_builder::SeedBuilder;
use super::subscription::Subscription;
use crate::azure::rng::Rng;
use crate::azure::settings::Settings;

const POINTS_PER_COLLECTION: usize = 50;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The ids of the well-known resources of the seed, in the casing that responses keep.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    /// A Linux machine in eastus with one system disk of 127 GB and two data disks.
    pub vm: String,
    /// A Windows machine in eastus.
    pub windows_vm: String,
    /// A Linux machine without a usable guest agent, in a canary region with unusual casing.
    pub agentless_vm: String,
    /// The collection of [`Seeded::vm`], in eastus.
    pub collection: String,
    /// Its points, oldest first, all of them ready.
    pub points: Vec<String>,
    /// A collection in westus that takes copies of [`Seeded::collection`].
    pub target: String,
    /// In [`Seeded::target`]: the finished copy of the oldest point.
    pub finished_copy: String,
    /// In [`Seeded::target`]: the copy of the second point, a third of its duration after its start.
    pub running_copy: String,
    /// In a collection in centralus: the copy of the oldest point, with one failed disk.
    pub failed_copy: String,
    /// The name of the disk that failed.
    pub failed_disk: String,
    /// The collection of [`Seeded::windows_vm`], without points.
    pub empty_collection: String,
    /// A collection of Azure Backup, which clients must not change. Empty without the quirk.
    pub backup_collection: String,
    /// A Windows machine in eastus that is switched off.
    pub stopped_vm: String,
    /// A Linux machine in eastus whose data disk is a Premium SSD v2, which needs instant access.
    pub instant_vm: String,
    /// A Linux machine in eastus whose data disk is an Ultra Disk, which needs instant access too.
    pub ultra_vm: String,
    /// A disk encryption set in eastus.
    pub encryption_set: String,
    /// A disk encryption set in northeurope.
    pub far_encryption_set: String,
    /// A disk encryption set in eastus whose key vault was deleted.
    pub orphan_encryption_set: String,
}

/// A subscription with its initial content.
pub(crate) fn subscription(settings: Settings) -> (Subscription, Seeded) {
    let mut rng = Rng::new(settings.seed);
    let url_signer = UrlSigner::new(&mut rng, &settings.quirks);
    let id = rng.guid().to_string();
    let now = settings.clock.now();
    let points = settings.points;
    let subscription = Subscription {
        id,
        settings,
        rng,
        url_signer,
        groups: Vec::new(),
        machines: Vec::new(),
        encryption_sets: Vec::new(),
        collections: BTreeMap::new(),
        operations: BTreeMap::new(),
        locks: Vec::new(),
        buckets: Buckets::default(),
        quotas: Quotas::default(),
        point_writes: BTreeMap::new(),
        pending_deletions: Vec::new(),
    };
    let mut builder = SeedBuilder { subscription, now };
    let mut seeded = builder.well_known();
    builder.generated(points);
    // Last, so that the identifiers of everything else do not depend on it.
    seeded.ultra_vm = builder.ultra();
    (builder.subscription, seeded)
}

impl SeedBuilder {
    fn well_known(&mut self) -> Seeded {
        let vm =
            self.machine("RG-Prod", "vm-db01", "eastus", Guest::Linux, &premium([127, 512, 1023]));
        let web = self.machine("RG-Prod", "vm-web02", "eastus", Guest::Windows, &premium([127]));
        let agentless = self.machine(
            "RG-Lab",
            "vm-old03",
            "EastUS2EUAP",
            Guest::LinuxWithoutAgent,
            &premium([30]),
        );
        let mut seeded = Seeded {
            vm: vm.id.clone(),
            windows_vm: web.id.clone(),
            agentless_vm: agentless.id.clone(),
            ..Seeded::default()
        };

        let source = self.collection("RG-Prod", "rpc-db01", &vm, &[("department", "finance")]);
        let modes = [Consistency::FileSystem, Consistency::Application, Consistency::Crash];
        for (day, mode) in modes.iter().cycle().take(6).enumerate() {
            let age = HOUR * (24 * (6 - i32::try_from(day).unwrap_or(0)));
            let id = self.local(&source, &format!("db01-day{}", day + 1), &vm, *mode, age);
            seeded.points.push(id);
        }
        seeded.collection = source.id(&self.subscription.id);

        let (duration, tick) =
            (self.subscription.settings.replication, self.subscription.settings.progress_tick);
        let west = self.target("RG-Prod", "rpc-db01-westus", "westus", &source);
        seeded.target = west.id(&self.subscription.id);
        let long_ago = self.now - (duration + tick + HOUR);
        seeded.finished_copy = self.copy(&west, "db01-day1-copy", (&source, "db01-day1"), long_ago);
        let recently = self.now - duration / 3;
        seeded.running_copy = self.copy(&west, "db01-day2-copy", (&source, "db01-day2"), recently);

        let central = self.target("RG-Prod", "rpc-db01-centralus", "centralus", &source);
        let first = (&source, "db01-day1");
        seeded.failed_copy = self.copy(&central, "db01-day1-failed", first, long_ago);
        seeded.failed_disk.clone_from(&vm.disks[2].name);
        let copies = self.subscription.collection_mut(&central).into_iter();
        for disk in copies.flat_map(|one| &mut one.points).flat_map(|one| &mut one.disks) {
            if let (2, Some(copy)) = (disk.disk, disk.copy_mut()) {
                copy.replication.failed_at = Some(long_ago);
            }
        }

        let empty = self.collection("RG-Prod", "rpc-empty", &web, &[]);
        seeded.empty_collection = empty.id(&self.subscription.id);
        if self.subscription.settings.quirks.backup_collections {
            let backup = "AzureBackup_vm-db01_2814749767";
            let backup = self.collection("AzureBackupRG_eastus_1", backup, &vm, &[]);
            let name = "AzureBackup_20240826_100218";
            self.local(&backup, name, &vm, Consistency::Application, HOUR * 30);
            seeded.backup_collection = backup.id(&self.subscription.id);
        }
        self.special_sources(&mut seeded);
        seeded
    }

    /// Machines without points, and disk encryption sets.
    fn special_sources(&mut self, seeded: &mut Seeded) {
        let stopped =
            self.machine("RG-Lab", "vm-off04", "eastus", Guest::WindowsStopped, &premium([127]));
        seeded.stopped_vm.clone_from(&stopped.id);
        let disks = [(64, Sku::Premium), (2048, Sku::PremiumV2)];
        let instant = self.machine("RG-Lab", "vm-sap05", "eastus", Guest::Linux, &disks);
        seeded.instant_vm.clone_from(&instant.id);
        let mut set =
            |name, region, key_vault| self.encryption_set("RG-Keys", name, region, key_vault);
        seeded.encryption_set = set("des-east", "eastus", KeyVault::Present);
        seeded.far_encryption_set = set("des-north", "northeurope", KeyVault::Present);
        seeded.orphan_encryption_set = set("des-orphan", "eastus", KeyVault::Deleted);
    }

    /// A machine with an Ultra Disk, and without points.
    fn ultra(&mut self) -> String {
        let disks = [(64, Sku::Premium), (4096, Sku::Ultra)];
        self.machine("RG-Lab", "vm-hana06", "eastus", Guest::Linux, &disks).id.clone()
    }

    /// Generated points, with one machine and one collection for each [`POINTS_PER_COLLECTION`] of them.
    fn generated(&mut self, points: usize) {
        for (number, first) in (0..points).step_by(POINTS_PER_COLLECTION).enumerate() {
            let name = format!("vm-fleet-{number:05}");
            let vm = self.machine("rg-fleet", &name, "eastus", Guest::Linux, &premium([64]));
            let source = self.collection("rg-fleet", &format!("rpc-fleet-{number:05}"), &vm, &[]);
            for index in first..points.min(first + POINTS_PER_COLLECTION) {
                let age = HOUR * i32::try_from(first + POINTS_PER_COLLECTION - index).unwrap_or(1);
                let name = format!("fleet-{index:07}");
                self.local(&source, &name, &vm, Consistency::FileSystem, age);
            }
        }
    }
}

fn premium<const N: usize>(sizes: [u32; N]) -> [(u32, Sku); N] {
    sizes.map(|gigabytes| (gigabytes, Sku::Premium))
}
