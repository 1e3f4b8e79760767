//! Resource names (AIP-122): `backends/{b}`, `…/collections/{c}`, `…/restorePoints/{p}`, and the wildcard `-` (AIP-159).
//!
//! What a segment holds is its backend's business: only the backend knows that an Azure collection is
//! `{resource_group}~{collection}`.

use std::fmt;

use super::{Error, InvalidKind};

/// In bytes.
const MAX_SEGMENT: usize = 300;
/// In characters: a name in an error may be anything that a client sends.
const MAX_QUOTED: usize = 120;

/// The id of a backend, as the configuration names it: `[a-z0-9-]`, not `-` alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendId(String);

impl BackendId {
    /// Checks an id as it stands in the configuration file.
    ///
    /// # Errors
    /// The rule that it violates, for people.
    pub fn new(id: &str) -> Result<Self, String> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > 63 || id.starts_with('-') || !id.chars().all(legal) {
            return Err(format!(
                "invalid backend id `{id}`: expected 1 to 63 of a-z, 0-9 and `-`, not beginning with `-`"
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
            Segment::Any => Err(malformed(
                name,
                field,
                "backends/{backend}",
                "the wildcard `-` is not allowed here",
            )),
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
    const PATTERN: &str = "backends/{backend}/collections/{collection}";

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
            _ => Err(malformed(name, field, Self::PATTERN, "the wildcard `-` is not allowed here")),
        }
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/collections/{}", self.backend, self.collection)
    }
}

/// The parent of a list: one collection, all collections of a backend, or all of all backends.
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
    /// INVALID_ARGUMENT that shows the pattern; also for one collection of all backends.
    pub fn parse(name: &str, field: &str) -> Result<Self, Error> {
        let [backend, collection] =
            segments(name, field, CollectionName::PATTERN, ["backends", "collections"])?;
        let parent = Self { backend: Segment::new(backend), collection: Segment::new(collection) };
        match parent {
            Self { backend: Segment::Any, collection: Segment::Id(_) } => Err(malformed(
                name,
                field,
                CollectionName::PATTERN,
                "a collection belongs to one backend: name the backend, or use `-` for both",
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

/// The canonical name of a restore point.
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

/// A point as a caller addresses it: its name, or `collections/-` where ids are unique within the backend.
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
            return Err(malformed(
                name,
                field,
                PATTERN,
                "the wildcard `-` is allowed only for the collection",
            ));
        }
        Ok(Self {
            backend: BackendId(backend.to_owned()),
            collection: Segment::new(collection),
            restore_point: restore_point.to_owned(),
        })
    }
}

impl PointRef {
    /// The id of the collection, for backends whose points have no ids of their own.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `name` for the wildcard.
    pub fn collection_id(&self) -> Result<&str, Error> {
        match &self.collection {
            Segment::Id(id) => Ok(id),
            Segment::Any => Err(Error::invalid(
                InvalidKind::Name,
                "name",
                format!(
                    "`{self}` needs its collection: {} does not accept `collections/-`, since ids of restore \
                     points are unique only within a collection",
                    self.backend
                ),
            )),
        }
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

/// Splits `name` into the ids that follow each of `literals`.
fn segments<'a, const N: usize>(
    name: &'a str,
    field: &str,
    pattern: &str,
    literals: [&str; N],
) -> Result<[&'a str; N], Error> {
    if name.is_empty() {
        let problem = format!("required: `{pattern}`");
        return Err(Error::invalid(InvalidKind::Name, field, problem));
    }
    let mut parts = name.split('/');
    let mut ids = [""; N];
    for (id, literal) in ids.iter_mut().zip(literals) {
        if parts.next() != Some(literal) {
            return Err(malformed(name, field, pattern, &format!("`{literal}/` is missing")));
        }
        *id = parts.next().unwrap_or_default();
        check_segment(id).map_err(|problem| malformed(name, field, pattern, &problem))?;
    }
    match parts.next() {
        None => Ok(ids),
        Some(_) => Err(malformed(name, field, pattern, "it has more segments")),
    }
}

fn check_segment(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("a segment is empty".to_owned());
    }
    if id.len() > MAX_SEGMENT {
        return Err(format!("a segment is longer than {MAX_SEGMENT} bytes"));
    }
    if id == "." || id == ".." || id.chars().any(|c| c.is_control() || "/\\?#".contains(c)) {
        return Err("a segment has a character that no vendor allows in a name".to_owned());
    }
    Ok(())
}

/// Checks that an id which a caller chooses can be one segment of a name.
///
/// # Errors
/// INVALID_ARGUMENT on `field`.
pub(crate) fn check_id(id: &str, field: &str) -> Result<(), Error> {
    match check_segment(id) {
        Ok(()) if id != "-" => Ok(()),
        Ok(()) => {
            Err(Error::invalid(InvalidKind::Name, field, "`-` is the wildcard and not an id"))
        }
        Err(problem) => Err(Error::invalid(InvalidKind::Name, field, problem)),
    }
}

fn malformed(name: &str, field: &str, pattern: &str, problem: &str) -> Error {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(MAX_QUOTED).collect();
    Error::invalid(
        InvalidKind::Name,
        field,
        format!("invalid name `{shown}`: expected `{pattern}`: {problem}"),
    )
}
