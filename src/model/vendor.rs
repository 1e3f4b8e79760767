//! The kinds of backends, and what only one vendor reports of a restore point.
//!
//! The gateway decides nothing by these properties: a backend fills them, `convert` turns them into messages. Texts are
//! as the vendor sends them, empty where it sends none.

/// Which vendor's API a backend calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendKind {
    /// Azure Resource Manager, one subscription.
    Azure,
    /// Veeam Backup Enterprise Manager.
    VeeamEnterpriseManager,
}

impl BackendKind {
    /// Its name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Azure => "AZURE",
            Self::VeeamEnterpriseManager => "VEEAM_ENTERPRISE_MANAGER",
        }
    }
}

/// What only one vendor reports of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorProperties {
    /// Of an Azure backend.
    Azure(AzureProperties),
    /// Of a Veeam backend.
    Veeam(VeeamProperties),
}

/// What only one vendor reports of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskVendorProperties {
    /// Of an Azure backend.
    Azure(AzureDiskProperties),
}

/// What only Azure reports of a point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AzureProperties {
    /// `provisioningState`. `Succeeded` of a copy means only that the copy has begun.
    pub provisioning_state: String,
    /// `consistencyMode`.
    pub consistency_mode: String,
    /// The aggregate replication code of the instance view, such as `ReplicationState/replicating`.
    pub replication_code: String,
    /// Size of the virtual machine, such as `Standard_D4s_v5`.
    pub vm_size: String,
    /// `V1` or `V2`.
    pub hyper_v_generation: String,
    /// `Windows` or `Linux`, of the operating system's disk.
    pub os_type: String,
    /// ARM id of the point that this one is a copy of.
    pub source_restore_point_id: String,
    /// Kinds of encryption of the disks, each once.
    pub encryption_types: Vec<String>,
    /// For how many minutes the disks of an instant access point may be restored from at once.
    pub instant_access_duration_minutes: Option<i32>,
    /// The state of instant access as a whole.
    pub instant_access_state: String,
    /// Security type of the virtual machine, such as `TrustedLaunch`.
    pub security_type: String,
    /// Names of the virtual machine's disks that the point does not hold.
    pub excluded_disks: Vec<String>,
}

/// What only Azure reports of a disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AzureDiskProperties {
    /// ARM id of the managed disk.
    pub managed_disk_id: String,
    /// Storage of that disk, such as `Premium_LRS`.
    pub storage_account_type: String,
    /// Encryption of this disk's restore point.
    pub encryption_type: String,
    /// ARM id of the disk encryption set.
    pub disk_encryption_set_id: String,
    /// State of a disk in instant access.
    pub snapshot_access_state: String,
}

/// Which of Veeam's resources a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VeeamPointKind {
    /// `CloudVmReplicaPoint`, in a `CloudReplica`.
    CloudVmReplicaPoint,
    /// `VmReplicaPoint`, in a `Replica`.
    VmReplicaPoint,
    /// `VmRestorePoint`, in a `Backup`.
    VmRestorePoint,
}

/// What only Veeam reports of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VeeamProperties {
    /// Which kind of point it is.
    pub kind: VeeamPointKind,
    /// `PointType`, such as `Full` or `Snapshot`.
    pub point_type: String,
    /// `Algorithm`, such as `Incremental`.
    pub algorithm: String,
    /// `State`.
    pub raw_state: String,
    /// Name of the backup server that made the point.
    pub backup_server: String,
    /// UID of that backup server.
    pub backup_server_uid: String,
    /// Name of the replica that the point belongs to.
    pub replica: String,
    /// Name of the backup that the point belongs to.
    pub backup: String,
    /// Name of the job run that made the point.
    pub job_run: String,
    /// UID of that run.
    pub job_run_uid: String,
    /// Name of the backup file that holds the point.
    pub backup_file: String,
    /// UID of that file.
    pub backup_file_uid: String,
    /// `HierarchyObjRef`, the virtual machine as its hypervisor identifies it.
    pub hierarchy_obj_ref: String,
}
