//! Text in another dialect, put into the common one chunk by chunk: what is sound goes on as every
//! other file's rows do, the rest is rejected here.

use std::sync::Arc;

use super::columns::Spellings;
use super::find::{self, Found};
use super::record::{self, Fields, Row};
use crate::ingest::error::IngestError;
use crate::ingest::reject::{Lines, Reason, Reject};
use crate::ingest::scan;
use crate::ingest::stream::{Body, Chunk, Cutter, Source};

/// The rows of a text in another dialect.
pub(crate) struct Rows {
    source: Source,
    found: Found,
    spellings: Spellings,
    /// Whether the last line was blank.
    apart: bool,
    /// Whether another table has begun, which is not read.
    over: bool,
    /// Whether the bytes were decoded, so that what is no text was none in the file's encoding.
    decoded: bool,
}

impl Rows {
    /// The rows behind the header; the source stands at the first.
    pub(crate) fn new(
        mut source: Source,
        found: Found,
        spellings: Spellings,
        decoded: bool,
    ) -> Self {
        source.line = found.line;
        Rows {
            source,
            found,
            spellings,
            apart: false,
            over: false,
            decoded,
        }
    }

    /// How the fields stand in the bytes of a chunk.
    pub(crate) fn form(&self) -> scan::Dialect {
        scan::Dialect {
            separator: b',',
            width: self.found.names.len(),
        }
    }

    /// Writes a row as the common dialect has it, or says what is wrong with it and in which column.
    fn row(&mut self, fields: &mut Fields, out: &mut Vec<u8>) -> Result<bool, (Arc<str>, Reason)> {
        let whole = |reason| (Arc::from(""), reason);
        if fields.blank() {
            self.apart = true;
            return Ok(false);
        }
        let apart = std::mem::replace(&mut self.apart, false);
        let columns = self.found.names.len();
        if self.over {
            return Err(whole(Reason::AnotherTable));
        }
        if fields.len() != self.found.width {
            return Err(whole(Reason::Fields(fields.len(), self.found.width)));
        }
        for extra in columns..self.found.width {
            if !fields.get(extra).trim_ascii().is_empty() {
                return Err(whole(Reason::Fields(extra + 1, columns)));
            }
        }
        while fields.len() > columns {
            fields.pop();
        }
        if fields
            .iter()
            .eq(self.found.header.iter().map(Vec::as_slice))
        {
            return Err(whole(Reason::HeaderAgain));
        }
        self.apart = fields.iter().all(|field| field.trim_ascii().is_empty());
        if apart {
            let all: Vec<&[u8]> = fields.iter().collect();
            self.over = find::another_header(&all, &self.found.figures);
            if self.over {
                return Err(whole(Reason::AnotherTable));
            }
        }
        let start = out.len();
        for column in 0..columns {
            if column > 0 {
                out.push(b',');
            }
            let name = || self.found.names.get(column).cloned().unwrap_or_default();
            let written = std::str::from_utf8(fields.get(column))
                .map_err(|_| match self.decoded {
                    true => Reason::NotDecoded,
                    false => Reason::NotUtf8,
                })
                .and_then(|text| Ok((text, self.spellings.read(column, text)?)));
            match written {
                Ok((text, read)) => {
                    let text = read.as_deref().unwrap_or(text);
                    write(text.as_bytes(), columns, out);
                }
                Err(reason) => {
                    out.truncate(start);
                    return Err((name(), reason));
                }
            }
        }
        out.push(b'\n');
        Ok(true)
    }
}

/// Writes a field, quoted where it must be.
fn write(text: &[u8], columns: usize, out: &mut Vec<u8>) {
    let special = |b: &u8| matches!(b, b',' | b'"' | b'\n' | b'\r');
    if !(text.iter().any(special) || text.is_empty() && columns == 1) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// A row of names, as the common dialect has it.
pub(crate) fn header(names: &[Arc<str>]) -> Vec<u8> {
    let mut out = vec![];
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(name.as_bytes(), names.len(), &mut out);
    }
    out.push(b'\n');
    out
}

impl Cutter for Rows {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        let mut buffer = self.source.buffer(b"");
        let mut fields = Fields::default();
        let dialect = self.found.dialect;
        let mut out = vec![b'\n'];
        let (mut lines, mut rejects, mut at) = (Lines::default(), vec![], 0);
        let mut line = self.source.line;
        loop {
            self.source.fill(&mut buffer)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            while at < buffer.len() {
                let read = record::read(&buffer, at, self.source.ended, &dialect, &mut fields);
                let (end, took, result) = match read {
                    Row::Open => break,
                    Row::Bad { end, reason } => (end, 1, Err((Arc::from(""), reason))),
                    Row::Sound { end, lines } => (end, lines, self.row(&mut fields, &mut out)),
                };
                match result {
                    Ok(true) => lines.push(line),
                    Ok(false) => {}
                    Err((column, reason)) => rejects.push(Reject {
                        line,
                        column,
                        reason: reason.text(),
                        by_rule: false,
                    }),
                }
                (at, line) = (end, line + took);
            }
            if at > 0 || self.source.ended {
                break;
            }
            self.source.bounded(buffer.len())?;
        }
        self.source.line = line;
        self.source.leave(&mut buffer, at);
        Ok(Some(Chunk {
            body: Body::Csv {
                bytes: out,
                quotes: true,
            },
            lines,
            rejects,
        }))
    }
}
