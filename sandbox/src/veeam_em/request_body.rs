//! The body of a request as a tree, from XML or JSON.
//!
//! The server ignores namespaces. Members have the same names in JSON and XML.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// What is wrong with a body: the text of the error reply.
pub(crate) type Malformed = String;

/// Deeper nesting is rejected, to protect the stack.
const MAX_DEPTH: usize = 32;

/// One element or member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Parses one XML element.
    ///
    /// # Errors
    /// When it is not well-formed.
    pub(crate) fn from_xml(body: &[u8]) -> Result<Node, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.".to_owned())?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Node::default()];
        loop {
            match reader.read_event().map_err(|error| format!("Malformed XML: {error}."))? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if open.len() > MAX_DEPTH {
                        return Err("Elements are nested too deep.".to_owned());
                    }
                    open.push(Node { name, ..Node::default() });
                }
                Event::Text(text) => add_text(&mut open, &text),
                Event::GeneralRef(name) => {
                    let reference = format!("&{};", &*name);
                    let text = quick_xml::escape::unescape(&reference)
                        .map_err(|error| format!("Malformed text: {error}."))?;
                    add_text(&mut open, &text);
                }
                Event::End(_) => {
                    let done = open.pop().unwrap_or_default();
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(done);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.len(), open.pop().unwrap_or_default().children.pop()) {
            (1, Some(root)) => Ok(root),
            _ => Err("Root element is missing.".to_owned()),
        }
    }

    /// Parses one JSON object, which has no name.
    ///
    /// # Errors
    /// When it is not an object.
    pub(crate) fn from_json(body: &[u8]) -> Result<Node, Malformed> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(from_value(String::new(), Value::Object(members))),
            _ => Err("Node [root] does not exist.".to_owned()),
        }
    }
}

fn add_text(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn from_value(name: String, value: Value) -> Node {
    match value {
        Value::Object(members) => {
            let children = members.into_iter().map(|(name, value)| from_value(name, value));
            Node { name, children: children.collect(), ..Node::default() }
        }
        Value::String(text) => Node { name, text, ..Node::default() },
        Value::Null => Node { name, ..Node::default() },
        other => Node { name, text: other.to_string(), ..Node::default() },
    }
}
