//! The description of a virtual machine inside a restore point.
//!
//! It contains what a real one leaks: user names, keys and user data, marked `SENSITIVE` so that a test can
//! search for them where they must not appear.

use crate::azure::api_version;
use crate::azure::dto::source_metadata::{
    DiskBody, DiskPointRef, HardwareProfile, LinuxConfiguration, ManagedDisk, OsProfile, PublicKey,
    SecurityProfile, SourceMetadata, Ssh, StorageProfile, UefiSettings, WindowsConfiguration,
};
use crate::azure::model::machine::{Guest, Machine};

/// `sourceMetadata` with a reference to the disk restore point of each disk that has one by now.
pub(crate) fn describe(
    machine: &Machine,
    mut disk_points: Vec<Option<DiskPointRef>>,
    version: &str,
) -> SourceMetadata {
    disk_points.resize_with(machine.disks.len(), || None);
    let mut disks = machine.disks.iter().zip(disk_points).enumerate().map(
        |(index, (disk, disk_restore_point))| DiskBody {
            os_type: (index == 0).then_some(machine.os_type()),
            lun: index.checked_sub(1),
            name: disk.name.clone(),
            disk_size_gb: disk.gigabytes,
            caching: if index == 0 { "ReadWrite" } else { "ReadOnly" },
            managed_disk: ManagedDisk {
                storage_account_type: disk.sku.storage_account_type(),
                id: disk.id.clone(),
            },
            disk_restore_point,
            write_accelerator_enabled: false,
        },
    );
    let os_disk = disks.next();
    SourceMetadata {
        vm_id: machine.vm_id.clone(),
        location: machine.region.clone(),
        hardware_profile: HardwareProfile { vm_size: "Standard_D4s_v5" },
        hyper_v_generation: "V2",
        storage_profile: StorageProfile {
            os_disk,
            data_disks: disks.collect(),
            disk_controller_type: api_version::supports(version, "2023-09-01").then_some("SCSI"),
        },
        os_profile: os_profile(machine),
        security_profile: SecurityProfile {
            uefi_settings: UefiSettings { secure_boot_enabled: true, v_tpm_enabled: true },
            security_type: "TrustedLaunch",
        },
        user_data: "SENSITIVEuserdat",
    }
}

fn os_profile(machine: &Machine) -> OsProfile {
    let (windows, linux) = if machine.is_windows() {
        let windows =
            WindowsConfiguration { provision_vm_agent: true, enable_automatic_updates: true };
        (Some(windows), None)
    } else {
        let key = PublicKey {
            path: "/home/SENSITIVE-admin/.ssh/authorized_keys",
            key_data: "ssh-rsa SENSITIVE-key admin@SENSITIVE-host",
        };
        let linux = LinuxConfiguration {
            disable_password_authentication: true,
            ssh: Ssh { public_keys: vec![key] },
            provision_vm_agent: machine.guest != Guest::LinuxWithoutAgent,
        };
        (None, Some(linux))
    };
    OsProfile {
        computer_name: machine.name.clone(),
        admin_username: "SENSITIVE-admin",
        windows_configuration: windows,
        linux_configuration: linux,
        secrets: [],
        allow_extension_operations: true,
        require_guest_provision_signal: true,
    }
}
