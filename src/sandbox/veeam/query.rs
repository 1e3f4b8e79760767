//! The query service: filtering, sorting and paging over one kind.
//!
//! There is no cursor and no snapshot, and no total but the number of pages: a point that lands
//! between two pages shifts the rest. What an installation can have and this one has not gives an empty
//! page; tasks, which a real server can be asked for too, are unknown here.

use std::cmp::Reverse;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::Refusal;
use super::directory::{self, Empty};
use super::document::{Element, Scalar, link};
use super::estate::Entity;
use super::filter::{Complaint, Filter, column};
use super::kinds::Kind;
use super::settings::{CloudQuery, Installation, Product, Settings};
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

/// The answer to `GET /query`.
///
/// # Errors
/// What is wrong with the parameters, for a 400.
pub(super) fn answer(
    parameters: &Parameters,
    view: View<'_>,
    settings: &Settings,
) -> Result<Element, Refusal> {
    let name = parameters.get("type").unwrap_or_default();
    let Some(kind) = kind(name, settings) else {
        let known = directory::empty_type(name);
        return known.map(|known| nothing(known, parameters, settings)).unwrap_or_else(|| {
            Err(Refusal::Malformed(format!("Unknown resource type '{name}'.")))
        });
    };
    if !view.who.may_read(kind) {
        return Err(Refusal::Forbidden);
    }
    let estate = view.estate;
    let form = form(parameters.get("format"))?;
    let filter = parameters.get("filter").filter(|text| !text.trim().is_empty());
    let filter = filter.map(|text| Filter::parse(text, kind)).transpose()?;
    let size = parameters.positive("pageSize")?.unwrap_or(settings.page_size).max(1);
    let page = parameters.positive("page")?.unwrap_or(1);

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

    let pages = found.len().div_ceil(size);
    let on_page = found.into_iter().skip((page - 1).saturating_mul(size)).take(size);
    let result = match form {
        Form::Reference => wire::references("Refs", on_page, estate, settings),
        Form::Entity => {
            let list = wire::entities(kind, on_page, estate, settings);
            Element::object("Entities", vec![list])
        }
    };
    let paging = paging(parameters, settings, size, page, pages);
    Ok(Element::object("QueryResult", vec![result, paging]))
}

/// The answer where there is nothing of a kind.
fn nothing(
    known: &Empty,
    parameters: &Parameters,
    settings: &Settings,
) -> Result<Element, Refusal> {
    let result = match form(parameters.get("format"))? {
        Form::Reference => Element::list("Refs", Vec::new()),
        Form::Entity => Element::object("Entities", vec![Element::list(known.plural, Vec::new())]),
    };
    let size = parameters.positive("pageSize")?.unwrap_or(settings.page_size).max(1);
    let page = parameters.positive("page")?.unwrap_or(1);
    let paging = paging(parameters, settings, size, page, 0);
    Ok(Element::object("QueryResult", vec![result, paging]))
}

fn paging(
    parameters: &Parameters,
    settings: &Settings,
    size: usize,
    page: usize,
    pages: usize,
) -> Element {
    let links = page_links(parameters, settings, size, page, pages);
    Element::object("PagingInfo", vec![Element::list("Links", links)])
        .with("PageNum", number(page))
        .with("PageSize", number(size))
        .with("PagesCount", number(pages))
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

fn page_links(
    parameters: &Parameters,
    settings: &Settings,
    size: usize,
    page: usize,
    pages: usize,
) -> Vec<Element> {
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
    let to = |rel: &str, page: usize| {
        link(rel, None, format!("{BASE}/query?{query}pageSize={size}&page={page}"), None)
    };
    let mut links = vec![to("First", 1)];
    if page > 1 {
        links.push(to("Previous", page - 1));
    }
    if page < pages {
        links.push(to("Next", page + 1));
    }
    links.push(to("Last", pages.max(1)));
    links
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
