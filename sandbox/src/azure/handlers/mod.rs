//! One file for each kind of resource or rule: what a request may do, and its response.

pub(crate) mod collection_body;
pub(crate) mod collections;
pub(crate) mod copies;
pub(crate) mod directory;
pub(crate) mod disk_access;
pub(crate) mod disk_points;
pub(crate) mod encryption;
pub(crate) mod instant_access;
pub(crate) mod lists;
pub(crate) mod local_points;
pub(crate) mod locks;
pub(crate) mod metadata;
pub(crate) mod not_found;
pub(crate) mod paging;
pub(crate) mod point_body;
pub(crate) mod points;
pub(crate) mod response_size;
pub(crate) mod source_metadata;
