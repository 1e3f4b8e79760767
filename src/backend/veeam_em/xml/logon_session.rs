//! The response to a logon: `LogonSession` with its `SessionId` and `Links`.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::problem::Problem;
use super::root_element::check_root;
use super::token::{Sink, Token};
use super::value::parse_guid;

/// The element `LogonSession`.
#[derive(Debug, Default)]
pub(crate) struct LogonSession {
    child: String,
    id: String,
    links: BTreeSet<String>,
}

impl LogonSession {
    /// The GUID of the session, and the paths that it links to: the first segment of each below `/api/`, in lower case.
    ///
    /// # Errors
    /// When it has no `SessionId`.
    pub(crate) fn finish(self) -> Result<(Uuid, BTreeSet<String>), Problem> {
        let id = parse_guid(self.id.trim());
        let id = id.ok_or_else(|| Problem::new("a `LogonSession` without a valid `SessionId`"))?;
        Ok((id, self.links))
    }
}

impl Sink for LogonSession {
    fn token(&mut self, token: &Token<'_>, depth: usize, _: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => check_root(tag, "LogonSession")?,
            (Token::Open(tag), 1) => tag.name().clone_into(&mut self.child),
            (Token::Open(tag), 2) if self.child == "Links" => {
                let href = tag.attribute("Href")?.unwrap_or_default();
                let path = href.split_once("/api/").map(|(_, path)| path);
                let segment = path.and_then(|path| path.split(['/', '?', '#']).next());
                self.links.extend(segment.map(str::to_ascii_lowercase));
            }
            (Token::Text(text), 2) if self.child == "SessionId" => self.id.push_str(text),
            _ => {}
        }
        Ok(())
    }
}
