//! The virtual machines that restore points are taken of. They never change.

/// Decides how consistent a restore point can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guest {
    Linux,
    Windows,
    /// Every point of it is crash consistent.
    LinuxWithoutAgent,
    /// Every point of it is crash consistent.
    WindowsStopped,
}

/// The storage type of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sku {
    Premium,
    /// Premium SSD v2.
    PremiumV2,
    /// Ultra Disk; a data disk only.
    Ultra,
}

impl Sku {
    pub(crate) fn storage_account_type(self) -> &'static str {
        match self {
            Self::Premium => "Premium_LRS",
            Self::PremiumV2 => "PremiumV2_LRS",
            Self::Ultra => "UltraSSD_LRS",
        }
    }

    /// Whether its snapshots hold no data at first: it is copied in the background, and usable before that only in
    /// instant access.
    pub(crate) fn is_copied_in_background(self) -> bool {
        match self {
            Self::Premium => false,
            Self::PremiumV2 | Self::Ultra => true,
        }
    }

    /// In bytes.
    pub(crate) fn logical_sector_size(self) -> u32 {
        match self {
            Self::Premium => 512,
            Self::PremiumV2 | Self::Ultra => 4096,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) vm_id: String,
    /// In the provider's casing.
    pub(crate) region: String,
    pub(crate) guest: Guest,
    /// The first is the operating system disk.
    pub(crate) disks: Vec<Disk>,
}

#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) gigabytes: u32,
    pub(crate) sku: Sku,
}

impl Machine {
    pub(crate) fn is_windows(&self) -> bool {
        matches!(self.guest, Guest::Windows | Guest::WindowsStopped)
    }

    pub(crate) fn os_type(&self) -> &'static str {
        if self.is_windows() { "Windows" } else { "Linux" }
    }
}
