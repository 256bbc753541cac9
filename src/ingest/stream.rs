//! Text in chunks of whole rows: the part that CSV and JSON share.

use std::io::{self, Read};

use super::columns::Slots;
use super::error::IngestError;
use super::reject::{Lines, Reject};
use super::sniff::{Bytes, Compression};
use super::table::Column;
use super::unpack::TooMuch;

/// A stretch of a file: whole rows, with their lines, and those that are rejected already.
pub(super) struct Chunk {
    pub body: Body,
    pub lines: Lines,
    pub rejects: Vec<Reject>,
}

/// The rows of a chunk in the file's own form.
pub(super) enum Body {
    /// Sound rows behind an empty line.
    Csv {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether any field may be quoted.
        quotes: bool,
    },
    /// JSON values, each between a start and an end.
    Json {
        /// The bytes.
        bytes: Vec<u8>,
        /// Where each row stands in them.
        rows: Vec<(usize, usize)>,
    },
    /// Columns read already.
    Columns {
        /// The columns that are taken.
        columns: Vec<Column>,
        /// What each of them is.
        slots: Slots,
    },
}

/// Cuts a file into chunks, in order.
pub(super) trait Cutter: Send {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError>;
}

/// Bytes from a file, with those that the last chunk left over.
pub(super) struct Source {
    pub name: String,
    compression: Compression,
    bytes: Bytes,
    rest: Vec<u8>,
    pub ended: bool,
    /// The line that the next row stands on.
    pub line: u64,
    chunk: usize,
}

impl Source {
    pub(super) fn new(name: &str, compression: Compression, bytes: Bytes, chunk: usize) -> Self {
        Source {
            name: name.to_owned(),
            compression,
            bytes,
            rest: vec![],
            ended: false,
            line: 1,
            chunk: chunk.max(16),
        }
    }

    /// A buffer that begins with `before` and what was left over, for [`Self::fill`] to add to.
    pub(super) fn buffer(&mut self, before: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(before.len() + self.rest.len() + self.chunk + 1);
        buffer.extend_from_slice(before);
        buffer.append(&mut self.rest);
        buffer
    }

    /// Reads on until the buffer has grown by a chunk or the file has ended. A text that ends
    /// without a line feed is given one.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>) -> Result<(), IngestError> {
        // Once a row turns out to be longer than a chunk, more is read at a time.
        let more = self.chunk.max(buffer.len());
        if self.ended {
            return Ok(());
        }
        match self.bytes.by_ref().take(more as u64).read_to_end(buffer) {
            Ok(read) if read == more => Ok(()),
            Ok(_) => {
                self.ended = true;
                if buffer.last().is_some_and(|b| *b != b'\n') {
                    buffer.push(b'\n');
                }
                Ok(())
            }
            Err(source) => Err(super::failed(&self.name, self.compression, source)),
        }
    }

    /// Keeps what stands behind `end` for the next chunk.
    pub(super) fn leave(&mut self, buffer: &mut Vec<u8>, end: usize) {
        self.rest = buffer.split_off(end.min(buffer.len()));
    }

    /// Refuses a row that goes on without an end.
    pub(super) fn bounded(&self, length: usize) -> Result<(), IngestError> {
        if length > super::LONGEST_ROW {
            return Err(IngestError::Endless {
                name: self.name.clone(),
                line: self.line,
            });
        }
        Ok(())
    }
}

/// The error of a stream that can't be read on: damage where it is compressed.
pub(super) fn failed(name: &str, compression: Compression, source: io::Error) -> IngestError {
    if let Some(much) = TooMuch::within(&source) {
        return much.error(name);
    }
    let name = name.to_owned();
    match compression {
        Compression::None => IngestError::Read { name, source },
        other => IngestError::Compression {
            name,
            compression: other.name(),
            source,
        },
    }
}
