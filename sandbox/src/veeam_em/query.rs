//! The query service: filtering, sorting and paging over one kind.
//!
//! There is no cursor and no snapshot, and no total but the number of pages: a point that lands
//! between two pages shifts the rest. What an installation can have and this one has not gives an empty
//! page.

use std::cmp::Reverse;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::accounts::Who;
use super::answer::Refusal;
use super::directory;
use super::document::{Element, Scalar, link};
use super::estate::Entity;
use super::filter::{Complaint, Filter, column};
use super::kinds::Kind;
use super::settings::{CloudQuery, Installation, Product, Settings};
use super::tasks::Tasks;
use super::view::View;
use super::wire::{self, BASE, Form};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The parameters of a request, whose names are in any case.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the part of a URL after `?`.
    pub(super) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value under a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    fn positive(&self, name: &str) -> Result<Option<usize>, Complaint> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(format!("Parameter '{name}' has an invalid value '{text}'.")),
            },
        }
    }
}

/// The answer to `GET /query`, for anything but tasks.
///
/// # Errors
/// What is wrong with the parameters, or a kind that is not for this visitor.
pub(super) fn answer(
    parameters: &Parameters,
    view: View<'_>,
    settings: &Settings,
) -> Result<Element, Refusal> {
    let name = parameters.get("type").unwrap_or_default();
    let form = form(parameters.get("format"))?;
    let (list, paging) = match (kind(name, settings), directory::empty_type(name)) {
        (Some(kind), _) if !view.who.may_read(kind) => return Err(Refusal::Forbidden),
        (Some(kind), _) => {
            let page = Page::read(parameters, kind, view, settings)?;
            let found = page.found.iter().copied();
            let list = match form {
                Form::Reference => wire::references("Refs", found, view.estate, settings),
                Form::Entity => wire::entities(kind, found, view.estate, settings),
            };
            (list, page.info(parameters, settings))
        }
        (None, Some(_)) if matches!(view.who, Who::Tenant(_)) => return Err(Refusal::Forbidden),
        (None, Some(known)) => {
            let page = Page::cut(parameters, Vec::new(), settings)?;
            let list = match form {
                Form::Reference => "Refs",
                Form::Entity => known.plural,
            };
            (Element::list(list, Vec::new()), page.info(parameters, settings))
        }
        (None, None) => {
            return Err(Refusal::Malformed(format!("Unknown resource type '{name}'.")));
        }
    };
    let result = match form {
        Form::Reference => list,
        Form::Entity => Element::object("Entities", vec![list]),
    };
    Ok(Element::object("QueryResult", vec![result, paging]))
}

/// The answer to `GET /query?type=Task`: resources, because tasks are no entities.
///
/// # Errors
/// What is wrong with the parameters.
pub(super) fn tasks(
    parameters: &Parameters,
    tasks: &Tasks,
    (who, now): (Who, Timestamp),
    settings: &Settings,
) -> Result<Element, Refusal> {
    let estate = tasks.as_estate(now, settings);
    let page = Page::read(parameters, Kind::Task, View { estate: &estate, who }, settings)?;
    let found = page.found.iter().filter_map(|task| tasks.find(&task.name));
    let list = Element::list("Tasks", found.map(|task| task.document(now, settings)).collect());
    let result = Element::object("Resources", vec![list]);
    Ok(Element::object("QueryResult", vec![result, page.info(parameters, settings)]))
}

/// One page of what was found.
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
        view: View<'a>,
        settings: &Settings,
    ) -> Result<Self, Complaint> {
        let estate = view.estate;
        let filter = parameters.get("filter").filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| Filter::parse(text, kind)).transpose()?;
        let mut found: Vec<&Entity> = view
            .all(kind)
            .filter(|entity| filter.as_ref().is_none_or(|filter| filter.matches(entity, estate)))
            .collect();
        if let Some(name) = parameters.get("sortAsc") {
            let column = column(kind, name)?;
            found.sort_by_cached_key(|entity| column.key(entity, estate));
        } else if let Some(name) = parameters.get("sortDesc") {
            let column = column(kind, name)?;
            found.sort_by_cached_key(|entity| Reverse(column.key(entity, estate)));
        }
        Self::cut(parameters, found, settings)
    }

    fn cut(
        parameters: &Parameters,
        found: Vec<&'a Entity>,
        settings: &Settings,
    ) -> Result<Self, Complaint> {
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
        for (name, value) in &parameters.0 {
            let value = match name.to_ascii_lowercase().as_str() {
                "page" | "pagesize" => continue,
                // The server writes out what it understood, not what it was sent.
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
        .find(|kind| kind.shape().element.eq_ignore_ascii_case(name))
}

/// Plural here, unlike everywhere else.
fn form(format: Option<&str>) -> Result<Form, Complaint> {
    match format.unwrap_or("References") {
        text if text.eq_ignore_ascii_case("References") => Ok(Form::Reference),
        text if text.eq_ignore_ascii_case("Entities") => Ok(Form::Entity),
        text => Err(format!("Unknown result format '{text}'.")),
    }
}

fn escaped(value: &str, product: Product) -> String {
    let parts = utf8_percent_encode(value, KEPT);
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
