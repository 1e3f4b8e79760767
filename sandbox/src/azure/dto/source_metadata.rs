//! `sourceMetadata`: how a restore point describes the virtual machine that it was taken of.

use serde::Serialize;

use super::id::Id;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceMetadata {
    pub(crate) vm_id: String,
    pub(crate) location: String,
    pub(crate) hardware_profile: HardwareProfile,
    pub(crate) hyper_v_generation: &'static str,
    pub(crate) storage_profile: StorageProfile,
    pub(crate) os_profile: OsProfile,
    pub(crate) security_profile: SecurityProfile,
    pub(crate) user_data: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HardwareProfile {
    pub(crate) vm_size: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StorageProfile {
    pub(crate) os_disk: Option<DiskBody>,
    pub(crate) data_disks: Vec<DiskBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_controller_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) os_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lun: Option<usize>,
    pub(crate) name: String,
    #[serde(rename = "diskSizeGB")]
    pub(crate) disk_size_gb: u32,
    pub(crate) caching: &'static str,
    pub(crate) managed_disk: ManagedDisk,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_restore_point: Option<DiskPointRef>,
    pub(crate) write_accelerator_enabled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManagedDisk {
    pub(crate) storage_account_type: &'static str,
    pub(crate) id: String,
}

/// How the description of a disk names its disk restore point.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskPointRef {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_disk_restore_point: Option<Id>,
    pub(crate) encryption: ComputeEncryption,
    pub(crate) id: String,
}

/// Encryption as the compute provider shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComputeEncryption {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_encryption_set: Option<Id>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OsProfile {
    pub(crate) computer_name: String,
    pub(crate) admin_username: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) windows_configuration: Option<WindowsConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linux_configuration: Option<LinuxConfiguration>,
    pub(crate) secrets: [&'static str; 0],
    pub(crate) allow_extension_operations: bool,
    pub(crate) require_guest_provision_signal: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct WindowsConfiguration {
    #[serde(rename = "provisionVMAgent")]
    pub(crate) provision_vm_agent: bool,
    #[serde(rename = "enableAutomaticUpdates")]
    pub(crate) enable_automatic_updates: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct LinuxConfiguration {
    #[serde(rename = "disablePasswordAuthentication")]
    pub(crate) disable_password_authentication: bool,
    pub(crate) ssh: Ssh,
    #[serde(rename = "provisionVMAgent")]
    pub(crate) provision_vm_agent: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ssh {
    pub(crate) public_keys: Vec<PublicKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicKey {
    pub(crate) path: &'static str,
    pub(crate) key_data: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityProfile {
    pub(crate) uefi_settings: UefiSettings,
    pub(crate) security_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UefiSettings {
    pub(crate) secure_boot_enabled: bool,
    pub(crate) v_tpm_enabled: bool,
}
