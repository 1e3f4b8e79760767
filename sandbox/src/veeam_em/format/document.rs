//! A reply body as a tree, and the tree as XML.
//!
//! The vendor has one model behind two wire formats, so a reply is built once, of [`Element`]s, and written in
//! the format that the request accepts.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use crate::veeam_em::settings::{Ampersands, AttributeOrder, ByteOrderMark, Settings};

/// One namespace for every product release and API version.
const NAMESPACE: &str = "http://www.veeam.com/ent/v1.0";

/// The order in which real servers write attributes; the others follow in their given order.
const REAL_ORDER: [&str; 4] = ["Href", "Name", "Type", "Rel"];

/// A text, a number or a boolean: the same in XML, different in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text(String),
    Number(i64),
    Bool(bool),
}

impl Scalar {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Scalar::Text(text) => Cow::Borrowed(text),
            Scalar::Number(number) => Cow::Owned(number.to_string()),
            Scalar::Bool(value) => Cow::Owned(value.to_string()),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Scalar::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Scalar::Text(text)
    }
}

/// One element with its attributes.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    pub(crate) attributes: Vec<(&'static str, Scalar)>,
    pub(crate) content: Content,
}

/// What is inside an element. Members and items look the same in XML and differ in JSON.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Scalar(Scalar),
    Members(Vec<Element>),
    Items(Vec<Element>),
}

impl Element {
    /// An element with differently named children.
    pub(crate) fn object(name: &'static str, members: Vec<Element>) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Members(members) }
    }

    /// An element with any number of children of one name.
    pub(crate) fn list(name: &'static str, items: Vec<Element>) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Items(items) }
    }

    /// An element with one value.
    pub(crate) fn value(name: &'static str, value: impl Into<Scalar>) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Scalar(value.into()) }
    }

    /// The same element with one more attribute.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

/// A link. Real servers leave out `Type` and `Name` on some.
pub(crate) fn link(rel: &str, kind: Option<&str>, href: String, name: Option<&str>) -> Element {
    let mut link = Element::object("Link", Vec::new()).with("Rel", rel);
    if let Some(kind) = kind {
        link = link.with("Type", kind);
    }
    link = link.with("Href", href);
    if let Some(name) = name {
        link = link.with("Name", name);
    }
    link
}

/// The whole body in XML, on one line as servers send it.
///
/// # Errors
/// Writing to memory does not fail.
pub(crate) fn to_xml(root: &Element, settings: &Settings) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    if settings.byte_order_mark == ByteOrderMark::Present {
        writer.write_bom()?;
    }
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let mut namespaces = vec![("xmlns", NAMESPACE)];
    if settings.attribute_order == AttributeOrder::RealServer {
        namespaces.push(("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"));
        namespaces.push(("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"));
    }
    write(&mut writer, root, &namespaces, settings)?;
    Ok(writer.into_inner())
}

fn write(
    writer: &mut Writer<Vec<u8>>,
    element: &Element,
    namespaces: &[(&str, &str)],
    settings: &Settings,
) -> io::Result<()> {
    let mut start = BytesStart::new(element.name);
    for namespace in namespaces {
        start.push_attribute(*namespace);
    }
    for (name, value) in ordered(&element.attributes, settings.attribute_order) {
        let value = value.text();
        match settings.ampersands {
            Ampersands::Escaped => start.push_attribute((*name, value)),
            Ampersands::Raw => {
                let escaped = Attribute::from((*name, value.as_ref())).value.replace("&amp;", "&");
                start.push_attribute(Attribute { key: QName(name), value: escaped.into() });
            }
        }
    }
    let children = match &element.content {
        Content::Members(children) | Content::Items(children) if children.is_empty() => {
            return writer.write_event(Event::Empty(start));
        }
        Content::Members(children) | Content::Items(children) => children.as_slice(),
        Content::Scalar(_) => &[],
    };
    writer.write_event(Event::Start(start))?;
    if let Content::Scalar(value) = &element.content {
        writer.write_event(Event::Text(BytesText::new(&value.text())))?;
    }
    for child in children {
        write(writer, child, &[], settings)?;
    }
    writer.write_event(Event::End(BytesEnd::new(element.name)))
}

fn ordered<'a>(
    attributes: &'a [(&'static str, Scalar)],
    order: AttributeOrder,
) -> Vec<&'a (&'static str, Scalar)> {
    let mut attributes: Vec<_> = attributes.iter().collect();
    if order == AttributeOrder::RealServer {
        attributes.sort_by_key(|(name, _)| {
            REAL_ORDER.iter().position(|known| known == name).unwrap_or(REAL_ORDER.len())
        });
    }
    attributes
}
