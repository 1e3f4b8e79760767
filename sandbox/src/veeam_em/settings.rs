//! The settings of a simulated Enterprise Manager: its size, and the behaviour in which real servers differ
//! from each other and from the vendor's documentation.
//!
//! Each defaults to the behaviour of a current Windows server, the only kind with Cloud Connect.

use jiff::SignedDuration;

use crate::Clock;

/// The settings of one server. [`Settings::new`] gives the behaviour of a current one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time that all states are computed from.
    pub clock: Clock,
    /// The number of generated cloud points in addition to the six well-known ones. A quarter as many points of
    /// backups and of plain replicas each are generated in addition to three well-known ones.
    pub points: usize,
    /// The same seed generates the same points.
    pub seed: u64,
    /// The operating system and the licence.
    pub installation: Installation,
    /// The product release. It decides about JSON names and the escaping of page links.
    pub product: Product,
    /// The name of the server in links.
    pub hrefs: Hrefs,
    /// The format of the time in the name of a point.
    pub name_style: NameStyle,
    /// The number of fraction digits of a time in the server's database, 0 to 9: 3 for SQL Server, 6 for
    /// PostgreSQL. Trailing zeros are never written.
    pub fraction_digits: u8,
    /// The order of XML attributes.
    pub attribute_order: AttributeOrder,
    /// Whether a cloud point has a `VmName` element. The schema requires it, and no sample has it.
    pub vm_name: VmName,
    /// The element name of an item in a list of cloud points.
    pub list_item: ListItem,
    /// The element name of an item in a list of plain replica points.
    pub replica_list_item: ReplicaListItem,
    /// Which link shows that a point is still being written.
    pub unfinished_link: UnfinishedLink,
    /// Whether a body begins with a UTF-8 byte order mark, as JSON of version 11 does.
    pub byte_order_mark: ByteOrderMark,
    /// How `&` is written in XML attributes.
    pub ampersands: Ampersands,
    /// Whether the query service supports cloud points. A real one does, but its own list of queries does not
    /// have them.
    pub cloud_query: CloudQuery,
    /// The page size of a query without `pageSize`; 100 in all recorded replies.
    pub page_size: usize,
    /// How long a logon session stays alive without a request: 15 minutes.
    pub idle_timeout: SignedDuration,
    /// The interval of the data collection from the backup servers: 15 minutes. With zero the database is always
    /// up to date.
    pub collection_interval: SignedDuration,
    /// The duration of the operation of a task at the backup server.
    pub task_running: SignedDuration,
    /// The time from then until the database has the data.
    pub task_settling: SignedDuration,
    /// The reply for a point that is in the database, but was removed from the backup server.
    pub removed_points: RemovedPoint,
    /// Which format of a request body is assumed.
    pub request_bodies: RequestBodies,
    /// How much detail an error has.
    pub error_detail: ErrorDetail,
    /// The ids in the list of hypervisors.
    pub hierarchy_roots: HierarchyRoots,
}

impl Settings {
    /// A server with the well-known points only and the behaviour of a current one.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            points: 0,
            seed: 1,
            installation: Installation::CloudConnect,
            product: Product::V13,
            hrefs: Hrefs::InternalName,
            name_style: NameStyle::WholeSeconds,
            fraction_digits: 3,
            attribute_order: AttributeOrder::RealServer,
            vm_name: VmName::Absent,
            list_item: ListItem::CloudReplica,
            replica_list_item: ReplicaListItem::VmReplicaPoint,
            unfinished_link: UnfinishedLink::BackupFile,
            byte_order_mark: ByteOrderMark::Absent,
            ampersands: Ampersands::Escaped,
            cloud_query: CloudQuery::Answered,
            page_size: 100,
            idle_timeout: SignedDuration::from_mins(15),
            collection_interval: SignedDuration::from_mins(15),
            task_running: SignedDuration::from_secs(10),
            task_settling: SignedDuration::from_secs(5),
            removed_points: RemovedPoint::Listed,
            request_bodies: RequestBodies::ByContentType,
            error_detail: ErrorDetail::StackTrace,
            hierarchy_roots: HierarchyRoots::AsInPoints,
        }
    }
}

/// Where Enterprise Manager runs. Cloud Connect needs Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// On Windows, with a licence for Cloud Connect.
    CloudConnect,
    /// On Windows, without a licence for Cloud Connect: there is nothing below `/cloud`.
    Windows,
    /// On Linux, without Cloud Connect, with user names in the form `user@domain`.
    Linux,
}

/// A product release. Both have API version `v1_7`, but differ on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// JSON in PascalCase; page links escaped in lower-case hex.
    V12,
    /// JSON in camelCase; page links escaped in upper-case hex.
    V13,
}

/// The name of the server in links. Public clients follow the link to the next page as it is, and need a name
/// that they can reach; the vendor does not guarantee one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hrefs {
    /// The server's own name, which clients may not be able to reach.
    InternalName,
    /// The host and port of the request.
    RequestHost,
}

/// The time in `srv39@2015-12-25 20:00:47`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStyle {
    /// No fraction, as with SQL Server.
    WholeSeconds,
    /// Up to six digits, as with PostgreSQL.
    Microseconds,
}

/// The order of XML attributes. Clients must not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeOrder {
    /// `Rel, Type, Href, Name`, as in the vendor's documentation.
    Documented,
    /// `Href, Name, Type, Rel`, as real servers send it; roots also declare `xsd` and `xsi`.
    RealServer,
}

/// Whether cloud points have a `VmName` element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmName {
    /// They have none, as in every sample.
    Absent,
    /// They have one, as the schema requires.
    Present,
}

/// The element name of an item in `CloudVmReplicaPoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListItem {
    /// `CloudReplica`, as in the schema and in the documentation, although the item is a point.
    CloudReplica,
    /// `CloudVmReplicaPoint`, the name of a point alone.
    CloudVmReplicaPoint,
}

/// The element name of an item in `VmReplicaPoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaListItem {
    /// `VmReplicaPoint`, as in the documentation of version 13.1.
    VmReplicaPoint,
    /// `VmRestorePoint`, as in the schema of 2016; its `Type` is correct.
    VmRestorePoint,
}

/// Which link of a `VmRestorePoint` has a `Rel` other than `Up` while the point is being written. The vendor does
/// not document it; one public client checks both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfinishedLink {
    /// The link to the file.
    BackupFile,
    /// The link to the job run.
    RestorePoint,
}

/// Whether bodies begin with a byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrderMark {
    /// They do not.
    Absent,
    /// They do.
    Present,
}

/// How `&` is written in an XML attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ampersands {
    /// `&amp;`.
    Escaped,
    /// A bare `&`, as in the vendor's documentation: the result is not well-formed XML.
    Raw,
}

/// The reply of the query service to `type=CloudVmReplicaPoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudQuery {
    /// The points.
    Answered,
    /// 400, as for an unknown type.
    Refused,
}

/// The reply for a point that is in the database, but was removed from the backup server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedPoint {
    /// It can be read until the next data collection.
    Listed,
    /// It is in lists, but 404 when it is read by itself.
    NotFound,
}

/// The assumed format of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBodies {
    /// The one of `Content-Type`, XML without one.
    ByContentType,
    /// JSON if the request accepts JSON: a bug of 9.5 U4, fixed since.
    ByAccept,
}

/// How much detail an error has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorDetail {
    /// With a stack trace of the vendor's code, which the gateway must not forward.
    StackTrace,
    /// Message and status code only.
    Bare,
}

/// Whether filters built from `/hierarchyRoots` find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyRoots {
    /// The id is the one inside the references to VMs.
    AsInPoints,
    /// Another id, as in version 12 before its hotfix: such filters find nothing, without an error.
    Mismatched,
}
