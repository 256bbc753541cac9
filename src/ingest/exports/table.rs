//! CSV of an export: fields by the names of its header, in whatever order they stand.

use std::collections::HashMap;
use std::io;

use super::Opening;
use super::bounded::{Bounded, Progress};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::sniff::{self, Bytes};

/// The line that a row begins on, and what is wrong where it can't be read.
pub(super) type Row = (u64, Result<(), Reason>);

/// Rows of a CSV file, one at a time.
pub(super) struct Table {
    name: String,
    reader: csv::Reader<Bounded<Bytes>>,
    progress: Progress,
    columns: HashMap<String, usize>,
    width: usize,
    record: csv::ByteRecord,
}

impl Table {
    /// Reads the header.
    pub(super) fn open(opening: Opening) -> Result<Self, IngestError> {
        let progress = Progress::default();
        let unread = |source| IngestError::Read {
            name: opening.name.to_owned(),
            source,
        };
        let (head, bytes) = sniff::peek(opening.bytes, 4096).map_err(unread)?;
        let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
        let delimiter = separator(&String::from_utf8_lossy(line));
        let bounded = Bounded::new(bytes, &progress);
        // Where lines end with CR and LF the reader would count a row's line from the one before; so a CR is
        // part of the last field here, and is trimmed away with the blanks.
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter as u8)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(bounded);
        let name = opening.name.to_owned();
        let header = reader.byte_headers().map_err(|e| failed(&name, e))?;
        let names = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned());
        let columns = names
            .enumerate()
            .map(|(column, name)| (name, column))
            .collect();
        let width = header.len();
        Ok(Table {
            name,
            reader,
            progress,
            columns,
            width,
            record: csv::ByteRecord::new(),
        })
    }

    /// Goes on to the next row; none where there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Row>, IngestError> {
        loop {
            self.progress.row();
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|e| failed(&self.name, e))? {
                return Ok(None);
            }
            if self.record.len() > 1 || self.record.as_slice() != b"\r" {
                break;
            }
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        let found = match self.record.len() == self.width {
            true => Ok(()),
            false => Err(Reason::Fields(self.record.len(), self.width)),
        };
        Ok(Some((line, found)))
    }

    /// The field of a column, without the blanks around it; none where the column is missing or its field is empty.
    pub(super) fn field(&self, column: &str) -> Result<Option<&str>, Reason> {
        let Some(bytes) = self.columns.get(column).and_then(|at| self.record.get(*at)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Reason::NotUtf8)?
            .trim();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// What stands between the names of a header: tabs where there are any, as `psql` copies tables.
fn separator(line: &str) -> char {
    ['\t', ';']
        .into_iter()
        .find(|c| line.contains(*c))
        .unwrap_or(',')
}

/// The names of a CSV header, as far as the first line shows them.
pub(super) fn header(line: &str) -> Vec<&str> {
    line.split(separator(line))
        .map(|name| name.trim().trim_matches('"'))
        .collect()
}

fn failed(name: &str, error: csv::Error) -> IngestError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        _ => io::Error::from(io::ErrorKind::InvalidData),
    };
    IngestError::Read {
        name: name.to_owned(),
        source,
    }
}
