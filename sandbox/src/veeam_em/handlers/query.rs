//! The query service: filtering, sorting and paging over one kind.
//!
//! There is no cursor and no snapshot, and no total except the number of pages: a point that is added between
//! two pages shifts the rest. Kinds that the simulated installation does not have give an empty page.

use std::cmp::Reverse;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::entity_documents::{self, Form};
use super::filter::{Filter, InvalidQuery, column};
use super::service_documents;
use crate::veeam_em::context::{ApiRequest, Context};
use crate::veeam_em::format::document::{Element, Scalar, link};
use crate::veeam_em::format::links::BASE;
use crate::veeam_em::format::reply::{ApiError, Reply};
use crate::veeam_em::model::inventory::Entity;
use crate::veeam_em::model::kind::Kind;
use crate::veeam_em::model::principal::Principal;
use crate::veeam_em::model::tasks::Tasks;
use crate::veeam_em::model::visible_inventory::VisibleInventory;
use crate::veeam_em::parameters::Parameters;
use crate::veeam_em::settings::{CloudQuery, Installation, Product, Settings};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `/query`.
pub(crate) fn get(context: &mut Context<'_>, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
    request.only_get()?;
    let (settings, principal, now) = (context.settings, context.principal, context.now);
    let is_task = |name: &str| name.eq_ignore_ascii_case("Task");
    let result = if request.parameters.get("type").is_some_and(is_task) {
        let tasks = &context.own_session()?.tasks;
        query_tasks(request.parameters, tasks, (principal, now), settings)
    } else {
        query_entities(request.parameters, context.visible(), settings)
    };
    result.map(Reply::ok)
}

fn query_entities(
    parameters: &Parameters,
    visible: VisibleInventory<'_>,
    settings: &Settings,
) -> Result<Element, ApiError> {
    let name = parameters.get("type").unwrap_or_default();
    let form = form(parameters.get("format"))?;
    let (list, paging) = match (kind(name, settings), service_documents::empty_type(name)) {
        (Some(kind), _) if !visible.principal.may_read(kind) => return Err(ApiError::Forbidden),
        (Some(kind), _) => {
            let page = Page::read(parameters, kind, visible, settings)?;
            let found = page.found.iter().copied();
            let list = match form {
                Form::Reference => {
                    entity_documents::references("Refs", found, visible.inventory, settings)
                }
                Form::Entity => {
                    entity_documents::entities(kind, found, visible.inventory, settings)
                }
            };
            (list, page.info(parameters, settings))
        }
        (None, Some(_)) if matches!(visible.principal, Principal::Tenant(_)) => {
            return Err(ApiError::Forbidden);
        }
        (None, Some(empty)) => {
            let page = Page::cut(parameters, Vec::new(), settings)?;
            let list = match form {
                Form::Reference => "Refs",
                Form::Entity => empty.plural,
            };
            (Element::list(list, Vec::new()), page.info(parameters, settings))
        }
        (None, None) => {
            return Err(ApiError::BadRequest(format!("Unknown resource type '{name}'.")));
        }
    };
    let result = match form {
        Form::Reference => list,
        Form::Entity => Element::object("Entities", vec![list]),
    };
    Ok(Element::object("QueryResult", vec![result, paging]))
}

/// Tasks are in `Resources`, because they are not entities.
fn query_tasks(
    parameters: &Parameters,
    tasks: &Tasks,
    (principal, now): (Principal, Timestamp),
    settings: &Settings,
) -> Result<Element, ApiError> {
    let inventory = tasks.to_inventory(now, settings);
    let visible = VisibleInventory { inventory: &inventory, principal };
    let page = Page::read(parameters, Kind::Task, visible, settings)?;
    let found = page.found.iter().filter_map(|task| tasks.find(&task.name));
    let list = Element::list("Tasks", found.map(|task| task.document(now, settings)).collect());
    let result = Element::object("Resources", vec![list]);
    Ok(Element::object("QueryResult", vec![result, page.info(parameters, settings)]))
}

/// One page of the result.
struct Page<'a> {
    found: Vec<&'a Entity>,
    number: usize,
    size: usize,
    count: usize,
}

impl<'a> Page<'a> {
    /// Filters, sorts and cuts.
    fn read(
        parameters: &Parameters,
        kind: Kind,
        visible: VisibleInventory<'a>,
        settings: &Settings,
    ) -> Result<Self, InvalidQuery> {
        let inventory = visible.inventory;
        let filter = parameters.get("filter").filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| Filter::parse(text, kind)).transpose()?;
        let mut found: Vec<&Entity> = visible
            .all(kind)
            .filter(|entity| filter.as_ref().is_none_or(|filter| filter.matches(entity, inventory)))
            .collect();
        if let Some(name) = parameters.get("sortAsc") {
            let column = column(kind, name)?;
            found.sort_by_cached_key(|entity| column.key(entity, inventory));
        } else if let Some(name) = parameters.get("sortDesc") {
            let column = column(kind, name)?;
            found.sort_by_cached_key(|entity| Reverse(column.key(entity, inventory)));
        }
        Self::cut(parameters, found, settings)
    }

    fn cut(
        parameters: &Parameters,
        found: Vec<&'a Entity>,
        settings: &Settings,
    ) -> Result<Self, InvalidQuery> {
        let size = parameters.positive("pageSize")?.unwrap_or(settings.page_size).max(1);
        let number = parameters.positive("page")?.unwrap_or(1);
        let count = found.len().div_ceil(size);
        let before = (number - 1).saturating_mul(size);
        let found = found.into_iter().skip(before).take(size).collect();
        Ok(Self { found, number, size, count })
    }

    fn info(&self, parameters: &Parameters, settings: &Settings) -> Element {
        let links = self.links(parameters, settings);
        Element::object("PagingInfo", vec![Element::list("Links", links)])
            .with("PageNum", number(self.number))
            .with("PageSize", number(self.size))
            .with("PagesCount", number(self.count))
    }

    fn links(&self, parameters: &Parameters, settings: &Settings) -> Vec<Element> {
        let mut query = String::new();
        for (name, value) in parameters.iter() {
            let value = match name.to_ascii_lowercase().as_str() {
                "page" | "pagesize" => continue,
                // The server re-serializes the parsed filter.
                "filter" if !value.starts_with('(') => format!("({value})"),
                _ => value.clone(),
            };
            query.push_str(&format!("{name}={}&", escaped(&value, settings.product)));
        }
        let size = self.size;
        let to = |rel: &str, page: usize| {
            link(rel, None, format!("{BASE}/query?{query}pageSize={size}&page={page}"), None)
        };
        let mut links = vec![to("First", 1)];
        if self.number > 1 {
            links.push(to("Previous", self.number - 1));
        }
        if self.number < self.count {
            links.push(to("Next", self.number + 1));
        }
        links.push(to("Last", self.count.max(1)));
        links
    }
}

fn kind(name: &str, settings: &Settings) -> Option<Kind> {
    Kind::ALL
        .into_iter()
        .filter(|kind| {
            settings.cloud_query == CloudQuery::Answered || *kind != Kind::CloudVmReplicaPoint
        })
        .filter(|kind| settings.installation == Installation::CloudConnect || !kind.is_cloud())
        .find(|kind| kind.schema().element.eq_ignore_ascii_case(name))
}

/// The plural, unlike the `format` of resources.
fn form(format: Option<&str>) -> Result<Form, InvalidQuery> {
    match format.unwrap_or("References") {
        text if text.eq_ignore_ascii_case("References") => Ok(Form::Reference),
        text if text.eq_ignore_ascii_case("Entities") => Ok(Form::Entity),
        text => Err(format!("Unknown result format '{text}'.")),
    }
}

fn escaped(value: &str, product: Product) -> String {
    let parts = utf8_percent_encode(value, ESCAPED);
    match product {
        Product::V13 => parts.to_string(),
        Product::V12 => parts
            .map(|part| if part.starts_with('%') { part.to_lowercase() } else { part.to_owned() })
            .collect(),
    }
}

fn number(value: usize) -> Scalar {
    Scalar::Number(i64::try_from(value).unwrap_or(i64::MAX))
}
