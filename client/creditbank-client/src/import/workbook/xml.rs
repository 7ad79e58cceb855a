//! XML as a stream, with bounds: one event, and how deep elements stand in each other.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::import::rows::ImportError;

/// Most bytes of one tag or one text.
const EVENT_LEN_MAX: usize = 4 << 20;
/// Most elements within each other.
const DEPTH_MAX: usize = 200;

/// A reader that gives up when one event asks for too much.
struct Bounded<R> {
    input: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(read);
        self.left.set(left.ok_or_else(|| std::io::Error::other("a value that is too long"))?);
        Ok(read)
    }
}

/// One part of a workbook.
pub(super) struct Xml<R: Read> {
    reader: Reader<BufReader<Bounded<R>>>,
    left: Rc<Cell<usize>>,
    depth: usize,
}

/// Why a workbook cannot be read.
pub(super) fn wrong(error: impl std::fmt::Display) -> ImportError {
    ImportError::Workbook(error.to_string())
}

impl<R: Read> Xml<R> {
    pub(super) fn new(input: R) -> Self {
        let left = Rc::new(Cell::new(EVENT_LEN_MAX));
        let bounded = Bounded { input, left: Rc::clone(&left) };
        let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, bounded));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, left, depth: 0 }
    }

    /// The next event.
    pub(super) fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Event<'b>, ImportError> {
        buffer.clear();
        self.left.set(EVENT_LEN_MAX);
        // What the parser says may quote the part.
        let event = self.reader.read_event_into(buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) => wrong(error),
            _ => wrong("its XML is damaged"),
        })?;
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Eof if self.depth > 0 => return Err(wrong("its XML ends too early")),
            _ => {}
        }
        if self.depth > DEPTH_MAX { Err(wrong("its XML is too deep")) } else { Ok(event) }
    }

    /// Goes behind the end of the element whose beginning was read last.
    pub(super) fn skip(&mut self, buffer: &mut Vec<u8>) -> Result<(), ImportError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.next(buffer)?, Event::Eof) {
                break;
            }
        }
        Ok(())
    }

    /// The text of the element whose beginning was read last, without what is marked in it.
    pub(super) fn text(&mut self, buffer: &mut Vec<u8>) -> Result<String, ImportError> {
        let outside = self.depth.saturating_sub(1);
        let mut text = String::new();
        while self.depth > outside {
            let event = self.next(buffer)?;
            if matches!(event, Event::Eof) {
                break;
            }
            push_text(&event, &mut text)?;
        }
        Ok(text)
    }
}

/// Appends what an event says as text.
pub(super) fn push_text(event: &Event<'_>, text: &mut String) -> Result<(), ImportError> {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::CData(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(reference) => text.push_str(&entity(reference)?),
        _ => {}
    }
    Ok(())
}

fn entity(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, ImportError> {
    let unknown = || wrong("its XML has an entity that is not known");
    match reference.resolve_char_ref().map_err(|_| unknown())? {
        Some(letter) => Ok(letter.to_string().into()),
        None => resolve_predefined_entity(reference).map(Cow::Borrowed).ok_or_else(unknown),
    }
}

/// An attribute: by its whole name where that has a prefix, else whatever its prefix is.
pub(super) fn attribute<'a>(element: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).flatten().find(|attribute| {
        if name.contains(':') { attribute.key.as_ref() == name } else { attribute.key.local_name().as_ref() == name }
    })?;
    let plain = |value: &str| unescape(value).map_or_else(|_| value.to_owned(), Cow::into_owned);
    Some(if found.value.contains('&') { plain(&found.value).into() } else { found.value })
}

/// Whether an attribute says yes.
pub(super) fn is_set(element: &BytesStart<'_>, name: &str) -> bool {
    attribute(element, name).is_some_and(|value| matches!(&*value, "1" | "true" | "on"))
}
