//! JSON documents of an export: one alone, one a line, or the elements of an array.

use rayon::prelude::*;
use serde_json::Value;

use super::Opening;
use crate::ingest::error::IngestError;
use crate::ingest::json_cut::{ByElement, ByLine};
use crate::ingest::sniff::{self, Compression};
use crate::ingest::stream::{Body, Chunk, Cutter, Source};
use crate::ingest::{CHUNK, LONGEST_ROW};

/// Documents one after the other, each with the line that it begins on.
pub(super) struct Documents<T = Value> {
    cutter: Box<dyn Cutter>,
    read: Read<T>,
    waiting: std::vec::IntoIter<Document<T>>,
}

/// What stands on a line, or is an element.
pub(super) type Document<T = Value> = (u64, Result<T, NotJson>);

/// Reads one document: all of it, or what a format looks at.
type Read<T> = fn(&[u8]) -> Result<T, NotJson>;

/// A line or element that is no JSON.
pub(super) struct NotJson;

impl NotJson {
    /// What a reject says of it.
    pub(super) const REASON: &str = "not a JSON document, or cut short";
}

impl Documents {
    /// Begins to read the documents of an export.
    pub(super) fn open(opening: Opening) -> Result<Self, IngestError> {
        Self::open_as(opening, |bytes| {
            serde_json::from_slice(bytes).map_err(|_| NotJson)
        })
    }
}

impl<T: Send> Documents<T> {
    /// Begins to read the documents of an export, each by `read`, which several threads call at once.
    pub(super) fn open_as(opening: Opening, read: Read<T>) -> Result<Self, IngestError> {
        let name = opening.name;
        let failed = |source| IngestError::Read {
            name: name.to_owned(),
            source,
        };
        let (head, bytes) = sniff::peek(opening.bytes, LONGEST_ROW).map_err(failed)?;
        let text = head.strip_prefix(sniff::MARK).unwrap_or(&head);
        let array = text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
        // An object that is printed over several lines stands alone.
        let first = text
            .split(|b| *b == b'\n')
            .find(|line| !line.iter().all(u8::is_ascii_whitespace));
        let line = first.is_some_and(|line| serde_json::from_slice::<Value>(line).is_ok());
        if !array
            && !line
            && head.len() < LONGEST_ROW
            && let Ok(value) = read(text)
        {
            return Ok(Documents {
                cutter: Box::new(Nothing),
                read,
                waiting: vec![(1, Ok(value))].into_iter(),
            });
        }
        let source = Source::new(name, Compression::None, bytes, CHUNK);
        let cutter: Box<dyn Cutter> = match array {
            true => Box::new(ByElement::new(source)),
            false => Box::new(ByLine { source }),
        };
        Ok(Documents {
            cutter,
            read,
            waiting: vec![].into_iter(),
        })
    }

    /// The next document; none where there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Document<T>>, IngestError> {
        loop {
            if let Some(next) = self.waiting.next() {
                return Ok(Some(next));
            }
            let Some(chunk) = self.cutter.next()? else {
                return Ok(None);
            };
            let Body::Json { bytes, rows } = chunk.body else {
                return Ok(None);
            };
            let (read, lines) = (self.read, &chunk.lines);
            let document = |(row, (from, to)): (usize, (usize, usize))| {
                let document = read(bytes.get(from..to).unwrap_or_default());
                (lines.of(row as u32), document)
            };
            let documents: Vec<_> = rows.into_par_iter().enumerate().map(document).collect();
            self.waiting = documents.into_iter();
        }
    }
}

struct Nothing;

impl Cutter for Nothing {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        Ok(None)
    }
}
