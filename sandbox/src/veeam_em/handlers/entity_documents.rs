//! Entities as documents: references, entities, and lists of both.

use crate::veeam_em::format::document::{Element, link};
use crate::veeam_em::model::inventory::{Entity, Inventory, Stage};
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::settings::{ListItem, ReplicaListItem, Settings, UnfinishedLink};

/// The two representations of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Reference,
    Entity,
}

/// One reference. `name` is `EntityRef` alone and `Ref` in a list.
pub(crate) fn reference(
    name: &'static str,
    entity: &Entity,
    inventory: &Inventory,
    settings: &Settings,
) -> Element {
    let schema = entity.kind.schema();
    let alternate =
        link("Alternate", Some(schema.element), entity_href(entity), Some(&entity.name));
    Element::object(
        name,
        vec![Element::list("Links", links(entity, inventory, alternate, settings))],
    )
    .with("Type", format!("{}Reference", schema.element))
    .with("Href", entity.kind.href(entity.id))
    .with("Name", entity.name.as_str())
    .with("UID", entity.uid())
}

/// One entity alone.
pub(crate) fn entity(entity: &Entity, inventory: &Inventory, settings: &Settings) -> Element {
    named_entity(entity.kind.schema().element, entity, inventory, settings)
}

/// A whole collection, or the children of an entity.
pub(crate) fn list<'a>(
    kind: Kind,
    form: Form,
    found: impl Iterator<Item = &'a Entity>,
    inventory: &Inventory,
    settings: &Settings,
) -> Element {
    match form {
        Form::Reference => references("EntityReferences", found, inventory, settings),
        Form::Entity => entities(kind, found, inventory, settings),
    }
}

/// A list of references, alone or inside a query result.
pub(crate) fn references<'a>(
    name: &'static str,
    entities: impl Iterator<Item = &'a Entity>,
    inventory: &Inventory,
    settings: &Settings,
) -> Element {
    let references = entities.map(|entity| reference("Ref", entity, inventory, settings));
    Element::list(name, references.collect())
}

/// A list of entities of one kind. The items of a list of cloud points have the name of another kind, and those of
/// a list of plain replica points may have; their `Type` is correct.
pub(crate) fn entities<'a>(
    kind: Kind,
    entities: impl Iterator<Item = &'a Entity>,
    inventory: &Inventory,
    settings: &Settings,
) -> Element {
    let schema = kind.schema();
    let item = match (kind, settings.list_item, settings.replica_list_item) {
        (Kind::CloudVmReplicaPoint, ListItem::CloudReplica, _) => "CloudReplica",
        (Kind::VmReplicaPoint, _, ReplicaListItem::VmRestorePoint) => "VmRestorePoint",
        _ => schema.element,
    };
    let items = entities.map(|one| named_entity(item, one, inventory, settings));
    Element::list(schema.plural, items.collect())
}

fn named_entity(
    name: &'static str,
    entity: &Entity,
    inventory: &Inventory,
    settings: &Settings,
) -> Element {
    let schema = entity.kind.schema();
    let to_reference = link(
        "Alternate",
        Some(&format!("{}Reference", schema.element)),
        entity.kind.href(entity.id),
        Some(&entity.name),
    );
    let mut members =
        vec![Element::list("Links", links(entity, inventory, to_reference, settings))];
    for (field, value) in &entity.fields {
        members.push(Element::value(field, value.to_scalar()));
    }
    let mut element = Element::object(name, members)
        .with("Type", schema.element)
        .with("Href", entity_href(entity))
        .with("Name", entity.name.as_str())
        .with("UID", entity.uid());
    if let (Some(attribute), Some(vm)) = (schema.machine, &entity.vm) {
        element = element.with(attribute, vm.as_str());
    }
    element
}

fn links(
    entity: &Entity,
    inventory: &Inventory,
    alternate: Element,
    settings: &Settings,
) -> Vec<Element> {
    let mut links = Vec::new();
    for (rel, action) in entity.kind.schema().actions {
        let href = format!("{}?action={action}", entity.kind.href(entity.id));
        links.push(link(rel, None, href, None));
    }
    for parent in inventory.parents(entity) {
        let kind = format!("{}Reference", parent.kind.schema().element);
        let rel = rel(entity, parent, settings);
        links.push(link(rel, Some(&kind), parent.kind.href(parent.id), Some(&parent.name)));
    }
    links.push(alternate);
    let schema = entity.kind.schema();
    for (rel, segment, child) in schema.children {
        let Some(rel) = rel else { continue };
        let kind = format!("{}ReferenceList", child.schema().element);
        let below = format!("{}/{segment}", entity.kind.href(entity.id));
        links.push(link(rel, Some(&kind), below, None));
    }
    if let Some((mount, _)) = schema.mounts {
        let below = format!("{}/mounts", entity.kind.href(entity.id));
        links.push(link("Down", Some(&format!("{mount}List")), below.clone(), None));
        links.push(link("Create", Some(mount), below, None));
    }
    links
}

/// `Up`, except for one parent of a point that is still being written.
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

fn entity_href(entity: &Entity) -> String {
    entity.kind.href(entity.id) + "?format=Entity"
}
