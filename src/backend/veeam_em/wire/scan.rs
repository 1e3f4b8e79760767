//! XML arriving in pieces, turned into tokens as it arrives. Cache is bounded by one token, however
//! long the document is.
//!
//! It knows XML and nothing of Enterprise Manager. Namespaces are not resolved: the vendor has one, the
//! same in every release. DTDs are refused, so there is nothing to expand.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion, escape};

/// The largest tag with all its attributes, or the longest stretch of text. Real ones are below 4 KiB.
const LARGEST_TOKEN: usize = 64 * 1024;
/// `QueryResult/Entities/…/Links/Link` is 5; nothing the vendor documents is deeper than a dozen.
const DEEPEST: usize = 32;
/// The quadratic search for duplicates among attributes stays cheap. Real tags have up to eight.
const MOST_ATTRIBUTES: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a document is not what it should be, for people. It never quotes the document at length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Problem(pub(in super::super) String);

impl Problem {
    pub(in super::super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A step through a document.
pub(in super::super) enum Token<'a> {
    /// An element begins.
    Open(Tag<'a>),
    /// A part of its text, references resolved. One text may come in several parts.
    Text(Cow<'a, str>),
    /// It ends.
    Close,
}

/// The beginning of an element.
pub(in super::super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// Its name without a prefix.
    pub(in super::super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Its attributes, names without prefixes, values unescaped and normalised.
    pub(in super::super) fn attributes(
        &self,
    ) -> impl Iterator<Item = Result<(&str, Cow<'_, str>), Problem>> {
        self.0.attributes().enumerate().map(|(count, attribute)| {
            if count == MOST_ATTRIBUTES {
                return Err(Problem::new(format!("more than {MOST_ATTRIBUTES} attributes")));
            }
            let attribute = attribute.map_err(|_| Problem::new("a malformed attribute"))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| Problem::new("a malformed attribute value"))?;
            Ok((attribute.key.local_name().into_inner(), value))
        })
    }

    /// One attribute.
    pub(in super::super) fn attribute(&self, name: &str) -> Result<Option<String>, Problem> {
        for attribute in self.attributes() {
            let (key, value) = attribute?;
            if key == name {
                return Ok(Some(value.into_owned()));
            }
        }
        Ok(None)
    }
}

/// Takes the tokens of one document.
pub(in super::super) trait Sink {
    /// Takes one token. `depth` is the number of elements around it, 0 for the root's own ends; `raw` is
    /// the token as it came.
    ///
    /// # Errors
    /// Ends the reading.
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem>;
}

/// Cuts pieces of a document into tokens.
///
/// quick-xml cannot go on after the end of its input, so each piece gets a reader of its own, which
/// stops before the first token that is not complete; that rest waits for the next piece. What the
/// readers cannot know of each other, the open elements, is kept here.
#[derive(Debug, Default)]
pub(in super::super) struct Scanner {
    rest: Vec<u8>,
    stage: Stage,
    /// Names of the open elements, one after another, and where each begins.
    names: String,
    starts: Vec<usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not a byte yet: a byte order mark may come.
    #[default]
    Start,
    Prolog,
    Root,
    /// Behind the root.
    Epilog,
}

impl Scanner {
    /// Takes the next piece.
    ///
    /// # Errors
    /// What is wrong with the document, or what the sink finds wrong.
    pub(in super::super) fn push(
        &mut self,
        piece: &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), Problem> {
        // No XML has one, and every text in UTF-16 or UTF-32 has.
        if piece.contains(&0) {
            return Err(Problem::new("a NUL byte: it is not XML, or not in UTF-8"));
        }
        if self.rest.is_empty() {
            let done = self.scan(piece, sink)?;
            self.rest.extend_from_slice(&piece[done..]);
        } else {
            let mut all = std::mem::take(&mut self.rest);
            all.extend_from_slice(piece);
            let done = self.scan(&all, sink)?;
            all.drain(..done);
            self.rest = all;
        }
        if self.rest.len() > LARGEST_TOKEN {
            return Err(Problem::new("not XML, or a tag or text beyond all measure"));
        }
        Ok(())
    }

    /// Ends the document.
    ///
    /// # Errors
    /// When it is not at its end.
    pub(in super::super) fn finish(self) -> Result<(), Problem> {
        match self.stage {
            Stage::Start | Stage::Prolog => Err(Problem::new("it is not XML")),
            Stage::Root => Err(Problem::new("it ends in the middle, or is not XML from there on")),
            Stage::Epilog if self.rest.trim_ascii().is_empty() => Ok(()),
            Stage::Epilog => Err(Problem::new("it goes on after its end")),
        }
    }

    /// Hands on the complete tokens of `input` and says where they end.
    fn scan(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<usize, Problem> {
        let mut done = 0;
        if input.starts_with(BYTE_ORDER_MARK) {
            // The reader below would swallow it wherever a piece happens to begin. Only the first is no
            // part of the text.
            if self.stage != Stage::Start {
                let mark = Token::Text(Cow::Borrowed("\u{FEFF}"));
                self.hand_on(&mark, BYTE_ORDER_MARK, sink)?;
            }
            done = BYTE_ORDER_MARK.len();
        } else if BYTE_ORDER_MARK.starts_with(input) {
            return Ok(0);
        }
        if self.stage == Stage::Start {
            self.stage = Stage::Prolog;
        }

        let input = &input[done..];
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut begin = 0;
        // An error may be a token cut in two: if it is none, it stays when there is more, and the bound
        // on the rest or the end of the document brings it up.
        while let Ok(event) = reader.read_event() {
            let end = usize::try_from(reader.buffer_position())
                .map_err(|_| Problem::new("it is larger than memory"))?;
            // Text up to the end of the piece may go on in the next, in the middle of a character.
            if matches!(event, Event::Eof) || matches!(event, Event::Text(_)) && end == input.len()
            {
                break;
            }
            self.event(event, &input[begin..end], sink)?;
            begin = end;
        }
        Ok(done + begin)
    }

    fn event(&mut self, event: Event<'_>, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        match event {
            Event::Start(tag) => self.open(tag, raw, sink),
            Event::Empty(tag) => {
                self.open(tag, raw, sink)?;
                self.close(&[], sink)
            }
            Event::End(tag) => {
                let start = self.starts.last().copied().unwrap_or_default();
                if self.starts.is_empty() || self.names[start..] != *tag.name().as_ref() {
                    return Err(Problem::new("an end tag without its beginning"));
                }
                self.close(raw, sink)
            }
            Event::Text(text) => self.hand_on(&Token::Text(text.xml10_content()), raw, sink),
            Event::CData(text) => self.hand_on(&Token::Text(text.xml10_content()), raw, sink),
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|_| Problem::new("a malformed character reference"))?;
                let text = match character {
                    Some(character) => Cow::Owned(character.to_string()),
                    None => escape::resolve_xml_entity(&reference.xml10_content())
                        .map(Cow::Borrowed)
                        .ok_or_else(|| Problem::new("an entity that is not XML's own"))?,
                };
                self.hand_on(&Token::Text(text), raw, sink)
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
        tag: BytesStart<'_>,
        raw: &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), Problem> {
        match self.stage {
            Stage::Epilog => return Err(Problem::new("it goes on after its end")),
            _ if self.starts.len() == DEEPEST => {
                return Err(Problem::new("elements nested too deep"));
            }
            // Empty elements have passed this bound in one piece.
            _ if raw.len() > LARGEST_TOKEN => return Err(Problem::new("a tag beyond all measure")),
            _ => self.stage = Stage::Root,
        }
        let depth = self.starts.len();
        self.starts.push(self.names.len());
        self.names.push_str(tag.name().as_ref());
        sink.token(&Token::Open(Tag(tag)), depth, raw)
    }

    fn close(&mut self, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        if let Some(start) = self.starts.pop() {
            self.names.truncate(start);
        }
        if self.starts.is_empty() {
            self.stage = Stage::Epilog;
        }
        sink.token(&Token::Close, self.starts.len(), raw)
    }

    fn hand_on(&self, token: &Token<'_>, raw: &[u8], sink: &mut impl Sink) -> Result<(), Problem> {
        match self.stage {
            Stage::Root => sink.token(token, self.starts.len(), raw),
            _ if raw.trim_ascii().is_empty() => Ok(()),
            _ => Err(Problem::new("text outside of its root element")),
        }
    }
}
