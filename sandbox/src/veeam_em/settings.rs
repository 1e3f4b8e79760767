//! How one simulated Enterprise Manager behaves: its size, and the habits in which real servers and
//! the vendor's pages differ.
//!
//! Every habit defaults to what a present-day Windows server does, the only kind with Cloud Connect.
//! What a server always does is not a setting.

use jiff::SignedDuration;

use crate::Clock;

/// What to simulate. [`Settings::new`] gives the habits of a real server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time the server lives in.
    pub clock: Clock,
    /// How many cloud points there are beside the six well-known ones; of backups' and of replicas'
    /// points there are a quarter as many each, beside three well-known ones.
    pub points: usize,
    /// What those points are drawn from: the same seed gives the same points.
    pub seed: u64,
    /// Where the server is installed, and with which licence.
    pub installation: Installation,
    /// The product release, which shows in JSON names and in how page links are escaped.
    pub product: Product,
    /// By which name links call the server.
    pub hrefs: Hrefs,
    /// How the time inside the name of a point is written.
    pub name_style: NameStyle,
    /// How many fraction digits the server's database keeps of a time, 0 to 9: 3 on SQL Server and 6
    /// on PostgreSQL. Trailing zeros are never written.
    pub fraction_digits: u8,
    /// The order of XML attributes.
    pub attribute_order: AttributeOrder,
    /// Whether a cloud point has a `VmName` element: the schema says so, every sample says no.
    pub vm_name: VmName,
    /// The name of one item in a list of cloud points.
    pub list_item: ListItem,
    /// The name of one item in a list of plain replica points.
    pub replica_list_item: ReplicaListItem,
    /// Which link tells that a point is still being written.
    pub unfinished_link: UnfinishedLink,
    /// Whether a body begins with a UTF-8 byte order mark, as JSON of version 11 did.
    pub byte_order_mark: ByteOrderMark,
    /// How `&` is written in XML attributes.
    pub ampersands: Ampersands,
    /// Whether the query service knows cloud points. It does, but its own directory does not list
    /// them, so a client may want to live without.
    pub cloud_query: CloudQuery,
    /// The page size of a query that names none; 100 in all recorded replies.
    pub page_size: usize,
    /// How long a logon session lives without a request: 15 minutes.
    pub idle_timeout: SignedDuration,
    /// How often the database asks the backup servers what is new: 15 minutes. At zero it always
    /// knows.
    pub collection_interval: SignedDuration,
    /// How long the operation behind a task takes at the backup server.
    pub task_running: SignedDuration,
    /// How long it takes from there until the database has the data.
    pub task_settling: SignedDuration,
    /// What is said of a point that is listed, but no longer at the backup server.
    pub vanished: Vanished,
    /// How the body of a request is read.
    pub request_bodies: RequestBodies,
    /// How much an error tells.
    pub error_detail: ErrorDetail,
    /// What the list of hypervisors calls them.
    pub hierarchy_roots: HierarchyRoots,
}

impl Settings {
    /// A server with the well-known points only and the habits of a real one.
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
            vanished: Vanished::Lingers,
            request_bodies: RequestBodies::ByContentType,
            error_detail: ErrorDetail::StackTrace,
            hierarchy_roots: HierarchyRoots::AsInPoints,
        }
    }
}

/// Where Enterprise Manager runs. Only on Windows can it have Cloud Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// On Windows, at a service provider's.
    CloudConnect,
    /// On Windows, without a licence for Cloud Connect: there is nothing under `/cloud`.
    Windows,
    /// On Linux, where there is no Cloud Connect either, and users are called `user@domain`.
    Linux,
}

/// A product release. Both speak API version `v1_7`, and yet differ on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// JSON in PascalCase; page links escaped in lower-case hex.
    V12,
    /// JSON in camelCase; page links escaped in upper-case hex.
    V13,
}

/// The name of the server in links. Public clients follow the link to the next page as it is, and so rely
/// on a name that they can reach; nothing promises them one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hrefs {
    /// What the server calls itself, which its clients may not be able to reach.
    InternalName,
    /// The name and port in the request.
    AsAsked,
}

/// The time in `srv39@2015-12-25 20:00:47`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStyle {
    /// Never a fraction, as on SQL Server.
    WholeSeconds,
    /// Up to six digits, as on PostgreSQL.
    Microseconds,
}

/// The order of attributes, which must not matter to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeOrder {
    /// `Rel, Type, Href, Name`, as the vendor's pages print it.
    Documented,
    /// `Href, Name, Type, Rel`, as servers send it; roots also declare `xsd` and `xsi`.
    RealServer,
}

/// Whether cloud points have a `VmName` element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmName {
    /// Left out, as in every sample.
    Absent,
    /// Sent, as the schema demands.
    Present,
}

/// What an item of a `CloudVmReplicaPoints` list is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListItem {
    /// `CloudReplica`, which schema and pages agree on although it is a point.
    CloudReplica,
    /// `CloudVmReplicaPoint`, which anyone would expect.
    CloudVmReplicaPoint,
}

/// What an item of a `VmReplicaPoints` list is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaListItem {
    /// `VmReplicaPoint`, as on the vendor's pages of version 13.1.
    VmReplicaPoint,
    /// `VmRestorePoint`, as in the schema of 2016; its `Type` tells the truth.
    VmRestorePoint,
}

/// Which link of a `VmRestorePoint` has a `Rel` other than `Up` while the point is being written. One
/// public client looks at both; the vendor's pages say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfinishedLink {
    /// That to the file.
    BackupFile,
    /// That to the job's run.
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
    /// A bare `&`, as the vendor's pages print it: what comes out is not XML.
    Raw,
}

/// What the query service says to `type=CloudVmReplicaPoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudQuery {
    /// The points.
    Answered,
    /// 400, as to a type it has never heard of.
    Refused,
}

/// What is said of a point that the database still has and the backup server no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanished {
    /// It is there to be read until the next data collection.
    Lingers,
    /// It is listed, and 404 when asked for alone.
    NotFound,
}

/// How the body of a request is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBodies {
    /// As its `Content-Type` says, XML if it says nothing.
    ByContentType,
    /// As JSON as soon as JSON is accepted in return: the bug of 9.5 U4, since mended.
    ByAccept,
}

/// How much an error tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorDetail {
    /// What happened, and where in the vendor's code: not for the eyes of callers.
    StackTrace,
    /// Message and status code only.
    Bare,
}

/// Whether filters built from `/hierarchyRoots` find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyRoots {
    /// The id is the one inside the references to VMs.
    AsInPoints,
    /// Another id, as in version 12 before its hotfix: such filters find nothing, and say nothing.
    Mistaken,
}
