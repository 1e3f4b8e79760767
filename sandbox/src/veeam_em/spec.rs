//! The body of a request, as a tree, from XML or JSON.
//!
//! The server wants namespaces from nobody, and names its members in JSON as in XML.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// What is wrong with a body, in the words of the error that answers it.
pub(super) type Malformed = String;

/// More open elements than this are refused, to spare the stack.
const DEEPEST: usize = 32;

/// One element or member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Reads one XML element.
    ///
    /// # Errors
    /// When it is not well-formed.
    pub(super) fn from_xml(body: &[u8]) -> Result<Node, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.".to_owned())?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Node::default()];
        loop {
            match reader.read_event().map_err(|error| format!("Malformed XML: {error}."))? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if open.len() > DEEPEST {
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

    /// Reads one JSON object, which has no name.
    ///
    /// # Errors
    /// When it is no object: the server then misses what it calls the root.
    pub(super) fn from_json(body: &[u8]) -> Result<Node, Malformed> {
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
