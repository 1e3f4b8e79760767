//! Resources by path: a collection, one of its entities, or the children of one.
//!
//! A change without an action is rejected with 405. That is the vendor's behaviour for cloud points, and for
//! creating, copying and deleting points of any kind.

use http::Method;
use uuid::Uuid;

use super::entity_documents::{self, Form};
use super::service_documents::{self, EmptyCollection};
use super::{actions, mounts};
use crate::veeam_em::context::{ApiRequest, Context};
use crate::veeam_em::format::document::Element;
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::model::principal::Principal;
use crate::veeam_em::settings::{Installation, RemovedPoint};

/// What a path names.
enum ResourcePath<'p> {
    Empty(&'static EmptyCollection),
    Collection(Kind),
    Entity(Kind, Uuid),
    /// All mounts of an entity, or one by its number.
    Mounts(Kind, Uuid, Option<&'p str>),
    /// The children of an entity of one kind.
    Children(Kind, Uuid, Kind),
}

impl<'p> ResourcePath<'p> {
    fn parse(path: &'p str) -> Option<Self> {
        let found = Kind::ALL.into_iter().find_map(|kind| {
            let below = path.strip_prefix(kind.schema().collection)?;
            (below.is_empty() || below.starts_with('/')).then_some((kind, below))
        });
        let Some((kind, below)) = found else {
            return service_documents::empty_collection(path).map(ResourcePath::Empty);
        };
        let mut segments = below.split('/').skip(1);
        let Some(id) = segments.next() else { return Some(ResourcePath::Collection(kind)) };
        let (id, rest) = (id.parse().ok()?, segments.collect::<Vec<_>>());
        let schema = kind.schema();
        match *rest {
            [] => Some(ResourcePath::Entity(kind, id)),
            ["mounts"] if schema.mounts.is_some() => Some(ResourcePath::Mounts(kind, id, None)),
            ["mounts", number] if schema.mounts.is_some() => {
                Some(ResourcePath::Mounts(kind, id, Some(number)))
            }
            [segment] => {
                let (_, _, child) = schema.children.iter().find(|(_, name, _)| *name == segment)?;
                Some(ResourcePath::Children(kind, id, *child))
            }
            _ => None,
        }
    }

    /// The kinds that a principal must be allowed to read.
    fn kinds(&self) -> Vec<Kind> {
        match self {
            ResourcePath::Empty(_) => Vec::new(),
            ResourcePath::Collection(kind)
            | ResourcePath::Entity(kind, _)
            | ResourcePath::Mounts(kind, ..) => {
                vec![*kind]
            }
            ResourcePath::Children(kind, _, child) => vec![*kind, *child],
        }
    }
}

/// The reply for any path that is not one of a session or a service.
pub(crate) fn respond(
    context: &mut Context<'_>,
    request: ApiRequest<'_>,
) -> Result<Reply, ApiError> {
    // The singular here, unlike the `format` of queries; any other value is ignored.
    let form = match request.parameters.get("format") {
        Some(format) if format.eq_ignore_ascii_case("Entity") => Form::Entity,
        _ => Form::Reference,
    };
    let has_cloud = context.settings.installation == Installation::CloudConnect;
    if !has_cloud && request.path.starts_with("cloud/") {
        return Err(ApiError::NotFound);
    }
    let path = ResourcePath::parse(request.path).ok_or(ApiError::NotFound)?;
    if !path.kinds().into_iter().all(|kind| context.principal.may_read(kind)) {
        return Err(ApiError::Forbidden);
    }
    if let ResourcePath::Entity(kind, id)
    | ResourcePath::Mounts(kind, id, _)
    | ResourcePath::Children(kind, id, _) = path
    {
        context.visible().find(kind, id).ok_or(ApiError::NotFound)?;
    }
    let action = request.parameters.get("action");
    match (path, request.method, action) {
        (ResourcePath::Entity(kind, id), &Method::POST, Some(action)) => {
            actions::start(context, (kind, id), action, request.body?.as_ref())
        }
        (ResourcePath::Collection(Kind::BackupServer), &Method::POST, Some("create")) => {
            Err(ApiError::NotSimulated("another backup server".to_owned()))
        }
        (ResourcePath::Entity(Kind::Job, _), &Method::PUT | &Method::DELETE, _) => {
            Err(ApiError::NotSimulated("changing a job".to_owned()))
        }
        (ResourcePath::Mounts(kind, id, None), method, _) => {
            mounts::all(context, method, (kind, id))
        }
        (ResourcePath::Mounts(_, id, Some(number)), method, _) => {
            let number = number.parse().map_err(|_| ApiError::NotFound)?;
            mounts::one(context, method, id, number)
        }
        (path, _, _) => {
            request.only_get()?;
            read(context, path, form)
        }
    }
}

fn read(context: &mut Context<'_>, path: ResourcePath<'_>, form: Form) -> Result<Reply, ApiError> {
    let settings = context.settings;
    match path {
        ResourcePath::Empty(collection) => empty(context, collection, form),
        ResourcePath::Collection(kind) => {
            let visible = context.visible();
            let (found, inventory) = (visible.all(kind), visible.inventory);
            Ok(Reply::ok(entity_documents::list(kind, form, found, inventory, settings)))
        }
        ResourcePath::Children(kind, id, child) => {
            let visible = context.visible();
            let parent = visible.find(kind, id).ok_or(ApiError::NotFound)?;
            let (found, inventory) = (visible.below(parent, child), visible.inventory);
            Ok(Reply::ok(entity_documents::list(child, form, found, inventory, settings)))
        }
        ResourcePath::Entity(kind, id) => entity(context, kind, id, form),
        ResourcePath::Mounts(..) => Err(ApiError::NotFound),
    }
}

/// An always empty collection. Of these a tenant may only read failover plans.
fn empty(
    context: &Context<'_>,
    collection: &EmptyCollection,
    form: Form,
) -> Result<Reply, ApiError> {
    let is_tenant = matches!(context.principal, Principal::Tenant(_));
    if is_tenant && collection.element != "CloudFailoverPlan" {
        return Err(ApiError::Forbidden);
    }
    let name = match form {
        Form::Reference => "EntityReferences",
        Form::Entity => collection.plural,
    };
    Ok(Reply::ok(Element::list(name, Vec::new())))
}

fn entity(context: &mut Context<'_>, kind: Kind, id: Uuid, form: Form) -> Result<Reply, ApiError> {
    let (settings, now) = (context.settings, context.now);
    if settings.removed_points == RemovedPoint::NotFound
        && !context.inventories.exists_at_server(kind, id, now)
    {
        return Err(ApiError::NotFound);
    }
    let visible = context.visible();
    let entity = visible.find(kind, id).ok_or(ApiError::NotFound)?;
    Ok(Reply::ok(match form {
        Form::Reference => {
            entity_documents::reference("EntityRef", entity, visible.inventory, settings)
        }
        Form::Entity => entity_documents::entity(entity, visible.inventory, settings),
    }))
}
