//! Resource names: `backends/{b}`, `…/collections/{c}`, `…/restorePoints/{p}`, and `-` for "any".
//!
//! What a segment may hold beyond that is its backend's business: only the backend knows that an Azure
//! collection is `{resource_group}~{collection}`.

use std::fmt;

use super::{Error, Invalid};

const MAX_SEGMENT: usize = 300;

/// The id of a backend, as the configuration names it: `[a-z0-9-]`, not `-` alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendId(String);

impl BackendId {
    /// Checks an id as it stands in the configuration file.
    ///
    /// # Errors
    /// The rule that it breaks, for people.
    pub fn new(id: &str) -> Result<Self, String> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > 63 || id.starts_with('-') || !id.chars().all(legal) {
            return Err(format!(
                "`{id}` must be 1 to 63 of a-z, 0-9 and `-`, and must not begin with `-`"
            ));
        }
        Ok(Self(id.to_owned()))
    }

    /// The bare id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads `backends/{backend}` out of the request field `field`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that shows the pattern.
    pub fn parse(name: &str, field: &str) -> Result<Self, Error> {
        match Segment::parse_backend(name, field)? {
            Segment::Id(id) => Ok(Self(id)),
            Segment::Any => Err(malformed(name, field, "backends/{backend}", "`-` is not one")),
        }
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backends/{}", self.0)
    }
}

/// One segment of a name that may be the wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// `-`.
    Any,
    /// An id.
    Id(String),
}

impl Segment {
    /// Reads `backends/{backend}` or `backends/-` out of the request field `field`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that shows the pattern.
    pub fn parse_backend(name: &str, field: &str) -> Result<Self, Error> {
        let [backend] = segments(name, field, "backends/{backend}", ["backends"])?;
        Ok(Self::new(backend))
    }

    fn new(text: &str) -> Self {
        if text == "-" { Self::Any } else { Self::Id(text.to_owned()) }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Any => "-",
            Self::Id(id) => id,
        }
    }
}

/// `backends/{backend}/collections/{collection}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionName {
    /// The backend.
    pub backend: BackendId,
    /// The last segment.
    pub collection: String,
}

impl CollectionName {
    /// The pattern, as error messages show it.
    pub const PATTERN: &str = "backends/{backend}/collections/{collection}";

    /// Reads a name out of the request field `field`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that shows the pattern.
    pub fn parse(name: &str, field: &str) -> Result<Self, Error> {
        let ListParent { backend, collection } = ListParent::parse(name, field)?;
        match (backend, collection) {
            (Segment::Id(backend), Segment::Id(collection)) => {
                Ok(Self { backend: BackendId(backend), collection })
            }
            _ => Err(malformed(name, field, Self::PATTERN, "`-` stands for many")),
        }
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/collections/{}", self.backend, self.collection)
    }
}

/// What `List` may cover: one collection, all of a backend, or all of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListParent {
    /// One backend or all.
    pub backend: Segment,
    /// One collection or all.
    pub collection: Segment,
}

impl ListParent {
    /// Reads a parent out of the request field `field`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that shows the pattern; also for one collection of all backends, which means
    /// nothing.
    pub fn parse(name: &str, field: &str) -> Result<Self, Error> {
        let [backend, collection] =
            segments(name, field, CollectionName::PATTERN, ["backends", "collections"])?;
        let parent = Self { backend: Segment::new(backend), collection: Segment::new(collection) };
        match parent {
            Self { backend: Segment::Any, collection: Segment::Id(_) } => Err(malformed(
                name,
                field,
                CollectionName::PATTERN,
                "a collection belongs to one backend, so name it or use `-` for both",
            )),
            _ => Ok(parent),
        }
    }
}

impl fmt::Display for ListParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backends/{}/collections/{}", self.backend.as_str(), self.collection.as_str())
    }
}

/// The full and only name of a restore point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RestorePointName {
    /// Its collection.
    pub collection: CollectionName,
    /// The last segment.
    pub restore_point: String,
}

impl fmt::Display for RestorePointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/restorePoints/{}", self.collection, self.restore_point)
    }
}

/// A point as a caller may address it: its name, or with `collections/-` where the backend's ids are
/// unique by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PointRef {
    /// The backend.
    pub backend: BackendId,
    /// Its collection, or the wildcard.
    pub collection: Segment,
    /// The last segment.
    pub restore_point: String,
}

impl PointRef {
    /// Reads a name out of the request field `field`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that shows the pattern.
    pub fn parse(name: &str, field: &str) -> Result<Self, Error> {
        const PATTERN: &str =
            "backends/{backend}/collections/{collection}/restorePoints/{restore_point}";
        let [backend, collection, restore_point] =
            segments(name, field, PATTERN, ["backends", "collections", "restorePoints"])?;
        if backend == "-" || restore_point == "-" {
            return Err(malformed(name, field, PATTERN, "`-` is taken for the collection only"));
        }
        Ok(Self {
            backend: BackendId(backend.to_owned()),
            collection: Segment::new(collection),
            restore_point: restore_point.to_owned(),
        })
    }
}

impl From<&RestorePointName> for PointRef {
    fn from(name: &RestorePointName) -> Self {
        Self {
            backend: name.collection.backend.clone(),
            collection: Segment::Id(name.collection.collection.clone()),
            restore_point: name.restore_point.clone(),
        }
    }
}

impl fmt::Display for PointRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, collection, restore_point } = self;
        write!(f, "{backend}/collections/{}/restorePoints/{restore_point}", collection.as_str())
    }
}

/// Splits `name` into the ids that follow each of `words`.
fn segments<'a, const N: usize>(
    name: &'a str,
    field: &str,
    pattern: &str,
    words: [&str; N],
) -> Result<[&'a str; N], Error> {
    if name.is_empty() {
        let problem = format!("it is required: `{pattern}`");
        return Err(Error::invalid(Invalid::Name, field, problem));
    }
    let mut parts = name.split('/');
    let mut ids = [""; N];
    for (id, word) in ids.iter_mut().zip(words) {
        if parts.next() != Some(word) {
            return Err(malformed(name, field, pattern, &format!("`{word}/` is missing")));
        }
        *id = parts.next().unwrap_or_default();
        check_segment(id).map_err(|problem| malformed(name, field, pattern, &problem))?;
    }
    match parts.next() {
        None => Ok(ids),
        Some(_) => Err(malformed(name, field, pattern, "it goes on after its last part")),
    }
}

fn check_segment(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("a part of it is empty".to_owned());
    }
    if id.len() > MAX_SEGMENT {
        return Err(format!("a part of it is longer than {MAX_SEGMENT} bytes"));
    }
    if id == "." || id == ".." || id.chars().any(|c| c.is_control() || "/\\?#".contains(c)) {
        return Err("a part of it holds what no vendor takes in a name".to_owned());
    }
    Ok(())
}

/// Whether `id` can stand as one segment of a name; for ids that a caller chooses.
///
/// # Errors
/// INVALID_ARGUMENT on `field`.
pub(crate) fn check_id(id: &str, field: &str) -> Result<(), Error> {
    match check_segment(id) {
        Ok(()) if id != "-" => Ok(()),
        Ok(()) => Err(Error::invalid(Invalid::Name, field, "`-` is the wildcard and no id")),
        Err(problem) => Err(Error::invalid(Invalid::Name, field, problem)),
    }
}

fn malformed(name: &str, field: &str, pattern: &str, problem: &str) -> Error {
    // A name can be anything that a client sends; only so much of it goes back.
    let shown: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    Error::invalid(Invalid::Name, field, format!("`{shown}` is not `{pattern}`: {problem}"))
}
