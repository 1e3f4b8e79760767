//! Making a collection, once, of a machine's points or of copies of another collection's.

use super::Azure;
use super::client::{ATTEMPTS, Expand, Written};
use super::id::{ArmId, CollectionId, is_new_name, region, same};
use super::map::{self, Home};
use super::wire::{self, Id, NewCollectionProperties};
use crate::backend::WriteMode;
use crate::model::{Collection, CollectionName, Error, InvalidKind, NewCollection};

const LONGEST_GROUP: usize = 90;
/// ARM gives no rule of its own for these.
const LONGEST_NAME: usize = 260;
/// The longest region so far has 18 characters.
const LONGEST_REGION: usize = 64;
/// An ARM id of the longest names there are.
const LONGEST_ID: usize = 1024;

/// A collection to be made, checked as far as that goes without asking anyone.
struct Wanted {
    id: CollectionId,
    region: String,
    /// ARM id.
    source: String,
}

impl Azure {
    /// Makes a collection, or answers with the one that is there if it is the same.
    ///
    /// Labels are the same if the one that is there has all that are asked for: policies of a
    /// subscription add tags of their own to whatever is made, and a repetition must still succeed.
    pub(super) async fn create(
        &self,
        new: &NewCollection,
        mode: WriteMode,
    ) -> Result<Collection, Error> {
        let wanted = self.wanted(new)?;
        if let Some(existing) = self.existing_collection(new, &wanted).await? {
            return Ok(existing);
        }
        let source = self.check_source_collection(&wanted).await?;
        match mode {
            WriteMode::ValidateOnly => Ok(self.preview_collection(new, &wanted, source.as_ref())),
            WriteMode::Execute => self.put_collection(new, &wanted).await,
        }
    }

    fn wanted(&self, new: &NewCollection) -> Result<Wanted, Error> {
        let id = CollectionId::parse(&new.id, "collection_id")?;
        if !is_new_name(&id.group, LONGEST_GROUP) || !is_new_name(&id.name, LONGEST_NAME) {
            let problem = "ARM takes no such name; use letters, digits, `-`, `_` and `.` in both \
                           halves of `{resource_group}~{collection}`";
            return Err(Error::invalid(InvalidKind::Name, "collection_id", problem));
        }
        let region = region(&new.location);
        if region.is_empty() {
            let problem = "it is required: the region that the points shall lie in";
            return Err(Error::invalid(InvalidKind::Value, "collection.location", problem));
        }
        if region.len() > LONGEST_REGION || !region.chars().all(|c| c.is_ascii_alphanumeric()) {
            let problem = "it is no region; write `westeurope` or `West Europe`";
            return Err(Error::invalid(InvalidKind::Value, "collection.location", problem));
        }
        Ok(Wanted { id, region, source: self.source_id(&new.source)? })
    }

    /// The ARM id of a source, which is given as such or as the name of a collection.
    fn source_id(&self, source: &str) -> Result<String, Error> {
        const FIELD: &str = "collection.source";
        let refuse = |problem: &str| Err(Error::invalid(InvalidKind::Value, FIELD, problem));
        if source.len() > LONGEST_ID {
            return refuse("it is longer than any ARM id");
        }
        if source.starts_with('/') {
            return match ArmId::parse(source, &self.arm.subscription) {
                ArmId::Machine(_) | ArmId::Collection(_) | ArmId::ForeignCollection => {
                    Ok(source.to_owned())
                }
                ArmId::Point(_) | ArmId::Other => refuse(
                    "it must be the ARM id of a virtual machine or of a restore point collection",
                ),
            };
        }
        if source.is_empty() {
            return refuse(
                "it is required: the ARM id of a virtual machine, or a collection's name",
            );
        }
        let Ok(CollectionName { backend, collection }) = CollectionName::parse(source, FIELD)
        else {
            return refuse("it is neither an ARM id nor the name of a collection");
        };
        if backend != self.arm.backend {
            return refuse("a collection is made from one of the same backend only");
        }
        match CollectionId::parse(&collection, FIELD) {
            Ok(id) => Ok(id.arm(&self.arm.subscription)),
            Err(_) => refuse("its last part is not `{resource_group}~{collection}`"),
        }
    }

    /// The collection if it is there and is what is wanted.
    async fn existing_collection(
        &self,
        new: &NewCollection,
        wanted: &Wanted,
    ) -> Result<Option<Collection>, Error> {
        match self.read_collection(&wanted.id, Expand::Nothing).await {
            Err(Error::NotFound { detail, .. }) if detail.starts_with("ResourceGroupNotFound") => {
                Err(Error::FailedPrecondition {
                    rule: "RESOURCE_GROUP_NOT_FOUND",
                    subject: format!("resource group {}", wanted.id.group),
                    description: format!(
                        "there is no resource group `{}`; make it at Azure first, or choose another \
                         `collection_id`: `{{resource_group}}~{{collection}}`",
                        wanted.id.group
                    ),
                })
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
            Ok((home, wire, _)) => self.same_collection(new, wanted, &home, wire).map(Some),
        }
    }

    fn same_collection(
        &self,
        new: &NewCollection,
        wanted: &Wanted,
        home: &Home,
        wire: wire::Collection,
    ) -> Result<Collection, Error> {
        let collection =
            map::collection(self.scope(), wire).map_err(|why| self.arm.invalid_response(why))?;
        let missing = new.labels.iter().find(|(key, value)| {
            !collection.labels.iter().any(|(other, found)| same(key, other) && *value == found)
        });
        let difference = if home.region != wanted.region {
            format!("its location is {}", home.region)
        } else if !same(&home.source, &wanted.source) {
            format!("its source is {}", collection.source)
        } else if let Some((key, _)) = missing {
            format!("its label `{key}` has another value or none")
        } else {
            return Ok(collection);
        };
        Err(Error::AlreadyExists { name: collection.name.to_string(), difference })
    }

    /// The source, if it is a collection of this subscription.
    async fn check_source_collection(&self, wanted: &Wanted) -> Result<Option<Home>, Error> {
        let ArmId::Collection(id) = ArmId::parse(&wanted.source, &self.arm.subscription) else {
            return Ok(None);
        };
        let source = self.read_collection(&id, Expand::Nothing).await;
        let (home, ..) = source.map_err(|error| error.in_field("collection.source"))?;
        if home.region == wanted.region {
            return Err(Error::FailedPrecondition {
                rule: "SAME_REGION",
                subject: home.id.collection_name(&self.arm.backend).to_string(),
                description: format!(
                    "the source is in {} too; ARM copies to another region only",
                    home.region
                ),
            });
        }
        Ok(Some(home))
    }

    async fn put_collection(
        &self,
        new: &NewCollection,
        wanted: &Wanted,
    ) -> Result<Collection, Error> {
        let source = Id { id: wanted.source.clone() };
        let properties = NewCollectionProperties { source };
        let body = wire::NewCollection { location: &wanted.region, tags: &new.labels, properties };
        let body = serde_json::to_vec(&body)
            .map_err(|error| Error::Internal { problem: error.to_string() })?;
        let url = self.arm.url(&wanted.id.path(&self.arm.subscription), Expand::Nothing);
        let name = wanted.id.collection_name(&self.arm.backend).to_string();

        let mut attempt = 1;
        loop {
            match self.arm.put(&url, body.clone(), new.request_id).await? {
                Written::Accepted(answer) => {
                    if let Ok(wire) = wire::decode::<wire::Collection>(&answer.body) {
                        let home = self.remember_home(&wire)?;
                        return self.same_collection(new, wanted, &home, wire);
                    }
                    // It was accepted, whatever became of the body.
                    let read = self.read_collection(&wanted.id, Expand::Nothing).await;
                    let (home, wire, _) = read.map_err(|error| self.not_shown_yet(error))?;
                    return self.same_collection(new, wanted, &home, wire);
                }
                Written::Refused(refusal) => {
                    return Err(match refusal.of_write(self.arm.backend.as_str(), &name) {
                        // The group is there, so that what is absent is the source.
                        Error::NotFound { detail, .. } => {
                            let (name, field) = (wanted.source.clone(), "collection.source");
                            Error::NotFound { name, field: Some(field.to_owned()), detail }
                        }
                        error => error,
                    });
                }
                Written::Unknown(error) => {
                    if let Some(existing) = self.existing_collection(new, wanted).await? {
                        return Ok(existing);
                    }
                    if attempt == ATTEMPTS {
                        return Err(error);
                    }
                    attempt += 1;
                }
            }
        }
    }

    /// What the collection would be.
    fn preview_collection(
        &self,
        new: &NewCollection,
        wanted: &Wanted,
        source: Option<&Home>,
    ) -> Collection {
        let vendor_id = wanted.id.arm(&self.arm.subscription);
        let source_name = source.map(|home| home.id.collection_name(&self.arm.backend).to_string());
        Collection {
            name: wanted.id.collection_name(&self.arm.backend),
            uid: vendor_id.to_lowercase(),
            vendor_id,
            display_name: wanted.id.name.clone(),
            location: wanted.region.clone(),
            source: source_name.unwrap_or_else(|| wanted.source.clone()),
            source_location: source.map(|home| home.region.clone()).unwrap_or_default(),
            labels: new.labels.clone(),
            create_time: None,
            platform: String::new(),
            instant_access: None,
        }
    }
}
