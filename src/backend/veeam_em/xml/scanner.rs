//! Splits an XML document that arrives in pieces into tokens. Memory is bounded by the size of one token, however long
//! the document is.
//!
//! It implements XML and nothing of Enterprise Manager. Namespaces are not resolved: the vendor uses a single one, the
//! same in every release. Document type declarations are refused, so there are no entities to expand.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, escape};

use super::problem::Problem;
use super::token::{Sink, Tag, Token};

/// A tag with all its attributes, or a section of text. Real ones are below 4 KiB.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// `QueryResult/Entities/…/Links/Link` has depth 5; the vendor documents no element deeper than 12.
const MAX_DEPTH: usize = 32;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Splits one document into tokens.
///
/// quick-xml cannot continue after the end of its input, so each piece gets a reader of its own. The reader stops before
/// the first incomplete token, which is kept until the next piece arrives. The open elements, which no single reader
/// knows, are tracked here.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    incomplete: Vec<u8>,
    section: Section,
    /// The concatenated names of the open elements, and the offset of each.
    names: String,
    offsets: Vec<usize>,
}

/// The section of the document that the scanner is in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// No byte has arrived: a byte order mark is allowed.
    #[default]
    Start,
    /// Before the root element.
    Prolog,
    Root,
    /// After the root element.
    Epilog,
}

impl Scanner {
    /// Passes the tokens of the next piece to `sink`.
    ///
    /// # Errors
    /// When the document is malformed, and those of the sink.
    pub(crate) fn push(&mut self, piece: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        // XML allows no NUL (XML 1.0 §2.2), and every markup in UTF-16 or UTF-32 contains one.
        if piece.contains(&0) {
            return Err(Problem::new("a NUL byte: it is not XML, or not in UTF-8"));
        }
        if self.incomplete.is_empty() {
            let consumed = self.scan(piece, sink)?;
            self.incomplete.extend_from_slice(&piece[consumed..]);
        } else {
            let mut input = std::mem::take(&mut self.incomplete);
            input.extend_from_slice(piece);
            let consumed = self.scan(&input, sink)?;
            input.drain(..consumed);
            self.incomplete = input;
        }
        if self.incomplete.len() > MAX_TOKEN_BYTES {
            let problem = format!("not XML, or a tag or text of more than {MAX_TOKEN_BYTES} bytes");
            return Err(Problem::new(problem));
        }
        Ok(())
    }

    /// Ends the document.
    ///
    /// # Errors
    /// When the document is not complete.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.section {
            Section::Start | Section::Prolog => Err(Problem::new("the body is not XML")),
            Section::Root => Err(Problem::new("the document is truncated or malformed")),
            Section::Epilog if self.incomplete.trim_ascii().is_empty() => Ok(()),
            Section::Epilog => Err(Problem::new("content after the root element")),
        }
    }

    /// Passes the complete tokens of `input` to `sink`, and returns the offset of their end.
    fn scan(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<usize, Problem> {
        let mut start = 0;
        if input.starts_with(BYTE_ORDER_MARK) {
            // quick-xml would drop it at the start of any piece. Only at the start of the document is it not text.
            if self.section != Section::Start {
                let mark = Token::Text(Cow::Borrowed("\u{FEFF}"));
                self.text(&mark, BYTE_ORDER_MARK, sink)?;
            }
            start = BYTE_ORDER_MARK.len();
        } else if BYTE_ORDER_MARK.starts_with(input) {
            return Ok(0);
        }
        if self.section == Section::Start {
            self.section = Section::Prolog;
        }

        let input = &input[start..];
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut consumed = 0;
        // An error may be due to a token that is cut in two. If it is not, it persists when more has arrived, until the
        // bound on the incomplete token or the end of the document reports it.
        while let Ok(event) = reader.read_event() {
            let end = usize::try_from(reader.buffer_position())
                .map_err(|_| Problem::new("the document is too large"))?;
            // Text at the end of a piece may continue in the next one, in the middle of a character.
            if matches!(event, Event::Eof) || matches!(event, Event::Text(_)) && end == input.len()
            {
                break;
            }
            self.event(event, &input[consumed..end], sink)?;
            consumed = end;
        }
        Ok(start + consumed)
    }

    fn event(&mut self, event: Event<'_>, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        match event {
            Event::Start(tag) => self.open(tag, raw, sink),
            Event::Empty(tag) => {
                self.open(tag, raw, sink)?;
                self.close(&[], sink)
            }
            Event::End(tag) => {
                let offset = self.offsets.last().copied().unwrap_or_default();
                if self.offsets.is_empty() || self.names[offset..] != *tag.name().as_ref() {
                    return Err(Problem::new("an end tag without a matching start tag"));
                }
                self.close(raw, sink)
            }
            Event::Text(text) => self.text(&Token::Text(text.xml10_content()), raw, sink),
            Event::CData(text) => self.text(&Token::Text(text.xml10_content()), raw, sink),
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|_| Problem::new("a malformed character reference"))?;
                let text = match character {
                    Some(character) => Cow::Owned(character.to_string()),
                    None => escape::resolve_xml_entity(&reference.xml10_content())
                        .map(Cow::Borrowed)
                        .ok_or_else(|| Problem::new("a reference to an undefined entity"))?,
                };
                self.text(&Token::Text(text), raw, sink)
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") => {
                    Err(Problem::new("an encoding other than UTF-8"))
                }
                Some(Err(_)) => Err(Problem::new("a malformed XML declaration")),
                _ => Ok(()),
            },
            Event::DocType(_) => Err(Problem::new("a document type declaration")),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(
        &mut self,
        start: BytesStart<'_>,
        raw: &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), Problem> {
        match self.section {
            Section::Epilog => return Err(Problem::new("content after the root element")),
            _ if self.offsets.len() == MAX_DEPTH => {
                return Err(Problem::new(format!("more than {MAX_DEPTH} nested elements")));
            }
            // A tag that arrived in one piece has not been checked yet.
            _ if raw.len() > MAX_TOKEN_BYTES => {
                return Err(Problem::new(format!("a tag of more than {MAX_TOKEN_BYTES} bytes")));
            }
            _ => self.section = Section::Root,
        }
        let depth = self.offsets.len();
        self.offsets.push(self.names.len());
        self.names.push_str(start.name().as_ref());
        sink.token(&Token::Open(Tag::new(start)), depth, raw)
    }

    fn close(&mut self, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        if let Some(offset) = self.offsets.pop() {
            self.names.truncate(offset);
        }
        if self.offsets.is_empty() {
            self.section = Section::Epilog;
        }
        sink.token(&Token::Close, self.offsets.len(), raw)
    }

    fn text(&self, token: &Token<'_>, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        match self.section {
            Section::Root => sink.token(token, self.offsets.len(), raw),
            _ if raw.trim_ascii().is_empty() => Ok(()),
            _ => Err(Problem::new("text outside of the root element")),
        }
    }
}
