//! Entities as the documents that carry them: references, entities, and lists of both.
//!
//! Links name the server by what it calls itself; see [`super::hrefs`].

use uuid::Uuid;

use super::document::{Element, link};
use super::estate::{Entity, Estate, Stage};
use super::kinds::Kind;
use super::settings::{ListItem, ReplicaListItem, Settings, UnfinishedLink};

/// The server's own idea of its address, in every link it sends.
pub(super) const BASE: &str = "https://localhost:9398/api";

/// Which of the two representations of a resource is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Reference,
    Entity,
}

/// One reference: `EntityRef` when alone, `Ref` in a list.
pub(super) fn reference(
    name: &'static str,
    entity: &Entity,
    estate: &Estate,
    settings: &Settings,
) -> Element {
    let shape = entity.kind.shape();
    let alternate = link("Alternate", Some(shape.element), entity_href(entity), Some(&entity.name));
    Element::object(name, vec![Element::list("Links", links(entity, estate, alternate, settings))])
        .with("Type", format!("{}Reference", shape.element))
        .with("Href", href(entity.kind, entity.id))
        .with("Name", entity.name.as_str())
        .with("UID", entity.uid())
}

/// One entity alone.
pub(super) fn entity(entity: &Entity, estate: &Estate, settings: &Settings) -> Element {
    named_entity(entity.kind.shape().element, entity, estate, settings)
}

/// A whole collection, or what of it is below another entity.
pub(super) fn list<'a>(
    kind: Kind,
    form: Form,
    found: impl Iterator<Item = &'a Entity>,
    estate: &Estate,
    settings: &Settings,
) -> Element {
    match form {
        Form::Reference => references("EntityReferences", found, estate, settings),
        Form::Entity => entities(kind, found, estate, settings),
    }
}

/// A list of references, alone or inside a query's answer.
pub(super) fn references<'a>(
    name: &'static str,
    entities: impl Iterator<Item = &'a Entity>,
    estate: &Estate,
    settings: &Settings,
) -> Element {
    let references = entities.map(|entity| reference("Ref", entity, estate, settings));
    Element::list(name, references.collect())
}

/// A list of entities of one kind. Items of a list of cloud points are named after the replica they
/// belong to, and those of plain replica points may be after another kind; their `Type` tells the
/// truth.
pub(super) fn entities<'a>(
    kind: Kind,
    entities: impl Iterator<Item = &'a Entity>,
    estate: &Estate,
    settings: &Settings,
) -> Element {
    let shape = kind.shape();
    let item = match (kind, settings.list_item, settings.replica_list_item) {
        (Kind::CloudVmReplicaPoint, ListItem::CloudReplica, _) => "CloudReplica",
        (Kind::VmReplicaPoint, _, ReplicaListItem::VmRestorePoint) => "VmRestorePoint",
        _ => shape.element,
    };
    let items = entities.map(|one| named_entity(item, one, estate, settings));
    Element::list(shape.plural, items.collect())
}

fn named_entity(
    name: &'static str,
    entity: &Entity,
    estate: &Estate,
    settings: &Settings,
) -> Element {
    let shape = entity.kind.shape();
    let to_reference = link(
        "Alternate",
        Some(&format!("{}Reference", shape.element)),
        href(entity.kind, entity.id),
        Some(&entity.name),
    );
    let mut members = vec![Element::list("Links", links(entity, estate, to_reference, settings))];
    for (field, value) in &entity.fields {
        members.push(Element::value(field, value.to_scalar()));
    }
    let mut element = Element::object(name, members)
        .with("Type", shape.element)
        .with("Href", entity_href(entity))
        .with("Name", entity.name.as_str())
        .with("UID", entity.uid());
    if let (Some(attribute), Some(vm)) = (shape.machine, &entity.vm) {
        element = element.with(attribute, vm.as_str());
    }
    element
}

fn links(
    entity: &Entity,
    estate: &Estate,
    alternate: Element,
    settings: &Settings,
) -> Vec<Element> {
    let mut links = Vec::new();
    for (rel, action) in entity.kind.shape().actions {
        let start = format!("{}?action={action}", href(entity.kind, entity.id));
        links.push(link(rel, None, start, None));
    }
    for parent in estate.parents(entity) {
        let kind = format!("{}Reference", parent.kind.shape().element);
        let rel = rel(entity, parent, settings);
        links.push(link(rel, Some(&kind), href(parent.kind, parent.id), Some(&parent.name)));
    }
    links.push(alternate);
    let shape = entity.kind.shape();
    for (rel, segment, child) in shape.children {
        let Some(rel) = rel else { continue };
        let kind = format!("{}ReferenceList", child.shape().element);
        let below = format!("{}/{segment}", href(entity.kind, entity.id));
        links.push(link(rel, Some(&kind), below, None));
    }
    if let Some((mount, _)) = shape.mounts {
        let below = format!("{}/mounts", href(entity.kind, entity.id));
        links.push(link("Down", Some(&format!("{mount}List")), below.clone(), None));
        links.push(link("Create", Some(mount), below, None));
    }
    links
}

/// `Up`, but not yet to all parents of a point that is still being written.
fn rel(entity: &Entity, parent: &Entity, settings: &Settings) -> &'static str {
    let marked = match settings.unfinished_link {
        UnfinishedLink::BackupFile => Kind::BackupFile,
        UnfinishedLink::RestorePoint => Kind::RestorePoint,
    };
    match entity.stage {
        Stage::BeingWritten if parent.kind == marked => "Related",
        _ => "Up",
    }
}

/// Where an entity is, as a reference.
pub(super) fn href(kind: Kind, id: Uuid) -> String {
    format!("{BASE}/{}/{id}", kind.shape().collection)
}

fn entity_href(entity: &Entity) -> String {
    href(entity.kind, entity.id) + "?format=Entity"
}
