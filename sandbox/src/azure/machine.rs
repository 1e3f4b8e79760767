//! The virtual machines that restore points are taken of, and how a restore point describes one.
//!
//! Machines never change here. Their descriptions hold what a real one leaks: user names, keys and
//! user data, marked `SENSITIVE` so that a test can look for them where they must not be.

use serde::Serialize;

use super::encryption::ComputeEncryption;
use super::versions;
use super::wire::Id;

/// What the guest lets a restore point be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guest {
    Linux,
    Windows,
    /// Linux without a usable agent: every point of it is silently crash consistent.
    Mute,
    /// Windows, shut down: the same.
    Off,
}

/// What a disk is sold as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sku {
    Premium,
    /// Restore points of these need instant access.
    PremiumV2,
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) vm_id: String,
    /// In the provider's casing.
    pub(super) region: String,
    pub(super) guest: Guest,
    /// The first is the operating system's.
    pub(super) disks: Vec<Disk>,
}

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) gigabytes: u32,
    pub(super) sku: Sku,
}

impl Machine {
    /// `sourceMetadata`, with the disk restore points that exist by now, one place per disk.
    pub(super) fn describe(&self, mut made: Vec<Option<DiskPointRef>>, version: &str) -> Metadata {
        made.resize_with(self.disks.len(), || None);
        let mut disks =
            self.disks.iter().zip(made).enumerate().map(|(index, (disk, made))| DiskBody {
                os_type: (index == 0).then_some(self.os_type()),
                lun: index.checked_sub(1),
                name: disk.name.clone(),
                disk_size_gb: disk.gigabytes,
                caching: if index == 0 { "ReadWrite" } else { "ReadOnly" },
                managed_disk: ManagedDisk {
                    storage_account_type: match disk.sku {
                        Sku::Premium => "Premium_LRS",
                        Sku::PremiumV2 => "PremiumV2_LRS",
                    },
                    id: disk.id.clone(),
                },
                disk_restore_point: made,
                write_accelerator_enabled: false,
            });
        let os_disk = disks.next();
        Metadata {
            vm_id: self.vm_id.clone(),
            location: self.region.clone(),
            hardware_profile: HardwareProfile { vm_size: "Standard_D4s_v5" },
            hyper_v_generation: "V2",
            storage_profile: StorageProfile {
                os_disk,
                data_disks: disks.collect(),
                disk_controller_type: versions::knows(version, "2023-09-01").then_some("SCSI"),
            },
            os_profile: self.os_profile(),
            security_profile: SecurityProfile {
                uefi_settings: UefiSettings { secure_boot_enabled: true, v_tpm_enabled: true },
                security_type: "TrustedLaunch",
            },
            user_data: "SENSITIVEuserdat",
        }
    }

    fn is_windows(&self) -> bool {
        matches!(self.guest, Guest::Windows | Guest::Off)
    }

    pub(super) fn os_type(&self) -> &'static str {
        if self.is_windows() { "Windows" } else { "Linux" }
    }

    fn os_profile(&self) -> OsProfile {
        let (windows, linux) = if self.is_windows() {
            let windows =
                WindowsConfiguration { provision_vm_agent: true, enable_automatic_updates: true };
            (Some(windows), None)
        } else {
            let key = PublicKey {
                path: "/home/SENSITIVE-admin/.ssh/authorized_keys",
                key_data: "ssh-rsa SENSITIVE-key admin@SENSITIVE-host",
            };
            let ssh = Ssh { public_keys: vec![key] };
            let linux = LinuxConfiguration {
                disable_password_authentication: true,
                ssh,
                provision_vm_agent: self.guest != Guest::Mute,
            };
            (None, Some(linux))
        };
        OsProfile {
            computer_name: self.name.clone(),
            admin_username: "SENSITIVE-admin",
            windows_configuration: windows,
            linux_configuration: linux,
            secrets: [],
            allow_extension_operations: true,
            require_guest_provision_signal: true,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    vm_id: String,
    location: String,
    hardware_profile: HardwareProfile,
    hyper_v_generation: &'static str,
    storage_profile: StorageProfile,
    os_profile: OsProfile,
    security_profile: SecurityProfile,
    user_data: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HardwareProfile {
    vm_size: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StorageProfile {
    os_disk: Option<DiskBody>,
    data_disks: Vec<DiskBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_controller_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiskBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    os_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lun: Option<usize>,
    name: String,
    #[serde(rename = "diskSizeGB")]
    disk_size_gb: u32,
    caching: &'static str,
    managed_disk: ManagedDisk,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_restore_point: Option<DiskPointRef>,
    write_accelerator_enabled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagedDisk {
    storage_account_type: &'static str,
    id: String,
}

/// How the description of a disk names its disk restore point.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskPointRef {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_disk_restore_point: Option<Id>,
    pub(super) encryption: ComputeEncryption,
    pub(super) id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OsProfile {
    computer_name: String,
    admin_username: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    windows_configuration: Option<WindowsConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linux_configuration: Option<LinuxConfiguration>,
    secrets: [&'static str; 0],
    allow_extension_operations: bool,
    require_guest_provision_signal: bool,
}

#[derive(Debug, Serialize)]
struct WindowsConfiguration {
    #[serde(rename = "provisionVMAgent")]
    provision_vm_agent: bool,
    #[serde(rename = "enableAutomaticUpdates")]
    enable_automatic_updates: bool,
}

#[derive(Debug, Serialize)]
struct LinuxConfiguration {
    #[serde(rename = "disablePasswordAuthentication")]
    disable_password_authentication: bool,
    ssh: Ssh,
    #[serde(rename = "provisionVMAgent")]
    provision_vm_agent: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ssh {
    public_keys: Vec<PublicKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicKey {
    path: &'static str,
    key_data: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecurityProfile {
    uefi_settings: UefiSettings,
    security_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UefiSettings {
    secure_boot_enabled: bool,
    v_tpm_enabled: bool,
}
