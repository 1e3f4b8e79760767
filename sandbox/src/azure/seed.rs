//! The story a subscription starts with: a database server with a history, copies of it in every
//! state, an empty collection, one that belongs to Azure Backup, and as much more as is wanted.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::consistency::Consistency;
use super::dice::Dice;
use super::encryption::Vault;
use super::limits::Spent;
use super::machine::{Guest, Sku};
use super::operation::Signer;
use super::planting::Planting;
use super::settings::Settings;
use super::world::World;

/// How many of the extra points one collection holds.
const POINTS_EACH: usize = 50;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The ids of what is there at the start, in the casing that answers keep.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    /// A Linux machine in eastus with one system disk of 127 GB and two data disks.
    pub vm: String,
    /// A Windows machine in eastus.
    pub windows_vm: String,
    /// A machine without a usable guest agent, in a canary region with unusual casing.
    pub mute_vm: String,
    /// The collection of [`Seeded::vm`], in eastus.
    pub collection: String,
    /// Its points, oldest first, all of them ready.
    pub points: Vec<String>,
    /// A collection in westus that takes copies of [`Seeded::collection`].
    pub target: String,
    /// In there: the finished copy of the oldest point.
    pub finished_copy: String,
    /// In there: the copy of the second point, a third of its way done.
    pub running_copy: String,
    /// In a collection in centralus: the copy of the oldest point, one disk of which failed.
    pub failed_copy: String,
    /// The name of the disk that failed.
    pub failed_disk: String,
    /// The collection of [`Seeded::windows_vm`], without points.
    pub empty_collection: String,
    /// A collection that Azure Backup made; not to be touched. Empty without the quirk.
    pub backup_collection: String,
    /// A Windows machine in eastus that is switched off.
    pub off_vm: String,
    /// A Linux machine in eastus whose data disk is a Premium SSD v2, which needs instant access.
    pub instant_vm: String,
    /// A disk encryption set in eastus.
    pub encryption_set: String,
    /// One in northeurope.
    pub far_encryption_set: String,
    /// One in eastus whose key vault is gone.
    pub orphan_encryption_set: String,
}

pub(super) fn world(settings: Settings) -> (World, Seeded) {
    let mut dice = Dice::new(settings.seed);
    let signer = Signer::new(&mut dice, &settings.quirks);
    let subscription = dice.guid().to_string();
    let now = settings.clock.now();
    let extra = settings.points;
    let world = World {
        settings,
        dice,
        signer,
        subscription,
        groups: Vec::new(),
        machines: Vec::new(),
        encryption_sets: Vec::new(),
        collections: BTreeMap::new(),
        operations: BTreeMap::new(),
        locks: Vec::new(),
        spent: Spent::default(),
        departures: Vec::new(),
    };
    let mut planting = Planting { world, now };
    let seeded = planting.story();
    planting.fleet(extra);
    (planting.world, seeded)
}

impl Planting {
    fn story(&mut self) -> Seeded {
        let vm =
            self.machine("RG-Prod", "vm-db01", "eastus", Guest::Linux, &premium([127, 512, 1023]));
        let web = self.machine("RG-Prod", "vm-web02", "eastus", Guest::Windows, &premium([127]));
        let mute = self.machine("RG-Lab", "vm-old03", "EastUS2EUAP", Guest::Mute, &premium([30]));
        let mut seeded = Seeded {
            vm: vm.id.clone(),
            windows_vm: web.id.clone(),
            mute_vm: mute.id.clone(),
            ..Seeded::default()
        };

        let home = self.collection("RG-Prod", "rpc-db01", &vm, &[("department", "finance")]);
        let modes = [Consistency::FileSystem, Consistency::Application, Consistency::Crash];
        for (day, mode) in modes.iter().cycle().take(6).enumerate() {
            let age = HOUR * (24 * (6 - i32::try_from(day).unwrap_or(0)));
            let id = self.local(&home, &format!("db01-day{}", day + 1), &vm, *mode, age);
            seeded.points.push(id);
        }
        seeded.collection = home.id(&self.world.subscription);

        let (whole, tick) = (self.world.settings.replication, self.world.settings.progress_tick);
        let west = self.target("RG-Prod", "rpc-db01-westus", "westus", &home);
        seeded.target = west.id(&self.world.subscription);
        let long_ago = self.now - (whole + tick + HOUR);
        seeded.finished_copy = self.copy(&west, "db01-day1-copy", (&home, "db01-day1"), long_ago);
        let lately = self.now - whole / 3;
        seeded.running_copy = self.copy(&west, "db01-day2-copy", (&home, "db01-day2"), lately);

        let central = self.target("RG-Prod", "rpc-db01-centralus", "centralus", &home);
        let source = (&home, "db01-day1");
        seeded.failed_copy = self.copy(&central, "db01-day1-failed", source, long_ago);
        seeded.failed_disk.clone_from(&vm.disks[2].name);
        let copies = self.world.collection_mut(&central).into_iter();
        for disk in copies.flat_map(|one| &mut one.points).flat_map(|one| &mut one.disks) {
            if let (2, Some(arrival)) = (disk.disk, disk.arrival_mut()) {
                arrival.replication.failed = Some(long_ago);
            }
        }

        let empty = self.collection("RG-Prod", "rpc-empty", &web, &[]);
        seeded.empty_collection = empty.id(&self.world.subscription);
        if self.world.settings.quirks.backup_collections {
            let backup = "AzureBackup_vm-db01_2814749767";
            let backup = self.collection("AzureBackupRG_eastus_1", backup, &vm, &[]);
            let name = "AzureBackup_20240826_100218";
            self.local(&backup, name, &vm, Consistency::Application, HOUR * 30);
            seeded.backup_collection = backup.id(&self.world.subscription);
        }
        self.specialities(&mut seeded);
        seeded
    }

    /// What points can be made of and with, without having any yet.
    fn specialities(&mut self, seeded: &mut Seeded) {
        let off = self.machine("RG-Lab", "vm-off04", "eastus", Guest::Off, &premium([127]));
        seeded.off_vm.clone_from(&off.id);
        let disks = [(64, Sku::Premium), (2048, Sku::PremiumV2)];
        let instant = self.machine("RG-Lab", "vm-sap05", "eastus", Guest::Linux, &disks);
        seeded.instant_vm.clone_from(&instant.id);
        let mut set = |name, region, vault| self.encryption_set("RG-Keys", name, region, vault);
        seeded.encryption_set = set("des-east", "eastus", Vault::There);
        seeded.far_encryption_set = set("des-north", "northeurope", Vault::There);
        seeded.orphan_encryption_set = set("des-orphan", "eastus", Vault::Gone);
    }

    /// One machine and one collection for every so many of the extra points.
    fn fleet(&mut self, points: usize) {
        for (number, first) in (0..points).step_by(POINTS_EACH).enumerate() {
            let name = format!("vm-fleet-{number:05}");
            let vm = self.machine("rg-fleet", &name, "eastus", Guest::Linux, &premium([64]));
            let home = self.collection("rg-fleet", &format!("rpc-fleet-{number:05}"), &vm, &[]);
            for index in first..points.min(first + POINTS_EACH) {
                let age = HOUR * i32::try_from(first + POINTS_EACH - index).unwrap_or(1);
                let name = format!("fleet-{index:07}");
                self.local(&home, &name, &vm, Consistency::FileSystem, age);
            }
        }
    }
}

fn premium<const N: usize>(sizes: [u32; N]) -> [(u32, Sku); N] {
    sizes.map(|gigabytes| (gigabytes, Sku::Premium))
}
