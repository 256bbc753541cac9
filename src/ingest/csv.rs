//! CSV: rows are checked and cut by [`super::scan`], their fields read by Polars.

use std::collections::HashSet;
use std::sync::Arc;

use polars::prelude::{CsvParseOptions, CsvReadOptions, DataType, PlSmallStr, Schema, SerReader};

use super::clean::Context;
use super::columns::Slots;
use super::error::IngestError;
use super::interchange;
use super::reject::{Lines, Reason};
use super::scan::{self, Dialect};
use super::sniff::MARK;
use super::stream::{Body, Chunk, Cutter, Source};
use super::table::Table;

/// Reads a header and decides the dialect.
pub(super) fn open(mut source: Source) -> Result<(Rows, Vec<Arc<str>>), IngestError> {
    let mut buffer = source.buffer(&[]);
    loop {
        source.fill(&mut buffer)?;
        let marked = if buffer.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        // A carriage return before the header is a blank line's.
        let blank = buffer[marked..]
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        let start = marked + blank;
        let line = 1 + memchr::memchr_iter(b'\n', &buffer[..start]).count() as u64;
        if let Some((end, lines, names, separator)) =
            header(&source.name, &buffer, start, source.ended)?
        {
            source.line = line + lines;
            source.leave(&mut buffer, end);
            let dialect = Dialect {
                separator,
                width: names.len(),
            };
            return Ok((
                Rows {
                    source,
                    dialect,
                    names: names.clone(),
                    decoded: false,
                },
                names,
            ));
        }
        if source.ended {
            return Err(IngestError::Empty { name: source.name });
        }
        source.bounded(buffer.len())?;
    }
}

type Header = (usize, u64, Vec<Arc<str>>, u8);

/// The header that starts at `start`, once all of it is there.
fn header(
    file: &str,
    bytes: &[u8],
    start: usize,
    last: bool,
) -> Result<Option<Header>, IngestError> {
    let wrong = |detail: String| IngestError::Header {
        name: file.to_owned(),
        detail,
    };
    let Some(feed) = memchr::memchr(b'\n', &bytes[start..]) else {
        return Ok(None);
    };
    let separator = separator(&bytes[start..start + feed]);
    let (end, lines) = match scan::first(bytes, start, last, separator) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(reason) => return Err(wrong(reason.text().into_owned())),
    };
    let row = &bytes[start..end];
    let mut record = csv::ByteRecord::new();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .from_reader(row);
    reader
        .read_byte_record(&mut record)
        .map_err(|e| wrong(e.to_string()))?;
    let mut names: Vec<Arc<str>> = vec![];
    for (field, place) in record.iter().zip(1..) {
        let name = std::str::from_utf8(field).map_err(|_| {
            wrong(format!(
                "the name of column {place} is not UTF-8; save the file as UTF-8"
            ))
        })?;
        names.push(Arc::from(name.trim()));
    }
    sound(&names).map_err(wrong)?;
    Ok(Some((end, lines, names, separator)))
}

/// Whether each column has a name of its own.
pub(super) fn sound(names: &[Arc<str>]) -> Result<(), String> {
    let mut seen = HashSet::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(format!("column {} has no name; give it one", place + 1));
        }
        if !seen.insert(name) {
            return Err(format!(
                "two columns are named `{name}`; rename or remove one"
            ));
        }
    }
    Ok(())
}

/// The separator that stands in the header most often, outside of quotes.
pub(super) fn separator(line: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts
            .iter_mut()
            .find(|(separator, _)| separator == byte && !quoted)
        {
            *count += 1;
        }
    }
    // Reversed, since of equal counts the last wins, and the comma should.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(separator, _)| separator)
}

/// The rows behind a header.
pub(super) struct Rows {
    source: Source,
    pub dialect: Dialect,
    names: Vec<Arc<str>>,
    /// Whether the bytes were decoded: what is no text then was none in the file's encoding.
    pub decoded: bool,
}

impl Rows {
    /// The bytes behind the header.
    pub(super) fn into_source(self) -> Source {
        self.source
    }
}

impl Cutter for Rows {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        // The bytes begin with an empty line, which Polars is told to skip: a chunk that began with
        // `x^` would else be taken for compressed data.
        let mut buffer = self.source.buffer(b"\n");
        let mut line = self.source.line;
        let mut found = loop {
            self.source.fill(&mut buffer)?;
            if buffer.len() == 1 {
                return Ok(None);
            }
            let mut next = line;
            let found = scan::scan(&buffer, 1, self.source.ended, &mut next, self.dialect);
            if found.end > 1 || self.source.ended {
                line = next;
                break found;
            }
            self.source.bounded(buffer.len())?;
        };
        self.source.line = line;
        self.source.leave(&mut buffer, found.end);
        if !matches!(found.sound.as_slice(), [(1, end)] if *end == buffer.len()) {
            compact(&mut buffer, &found.sound);
        }
        for (reject, field) in found.not_text {
            if let (Some(reject), Some(name)) =
                (found.rejects.get_mut(reject), self.names.get(field))
            {
                reject.column = name.clone();
                if self.decoded {
                    reject.reason = Reason::NotDecoded.text();
                }
            }
        }
        let body = Body::Csv {
            bytes: buffer,
            quotes: found.quotes,
        };
        Ok(Some(Chunk {
            body,
            lines: found.lines,
            rejects: found.rejects,
        }))
    }
}

/// Moves the sound rows together, behind the empty line.
fn compact(buffer: &mut Vec<u8>, sound: &[(usize, usize)]) {
    let mut to = 1;
    for (start, end) in sound {
        buffer.copy_within(*start..*end, to);
        to += end - start;
    }
    buffer.truncate(to);
}

/// Reads the fields of a chunk's rows with Polars: all as text, nothing guessed, nothing null.
pub(super) fn parse(
    bytes: &[u8],
    quotes: bool,
    lines: &Lines,
    dialect: Dialect,
    slots: &Slots,
    context: &Context,
) -> Result<Vec<Table>, IngestError> {
    let rows = lines.rows();
    if rows == 0 {
        return Ok(vec![]);
    }
    // Columns by number: what the file calls them plays no part here.
    let schema: Schema = (0..dialect.width)
        .map(|i| (PlSmallStr::from_string(i.to_string()), DataType::String))
        .collect();
    let parse = CsvParseOptions::default()
        .with_separator(dialect.separator)
        .with_quote_char(quotes.then_some(b'"'))
        .with_missing_is_null(false);
    let frame = CsvReadOptions::default()
        .with_has_header(false)
        .with_skip_lines(1)
        .with_schema(Some(Arc::new(schema)))
        .with_infer_schema_length(Some(0))
        .with_n_threads(Some(1))
        .with_parse_options(parse)
        .into_reader_with_file_handle(std::io::Cursor::new(bytes))
        .finish()
        .map_err(|e| context.internal(e))?;
    let mut chunks: Vec<Vec<_>> = vec![];
    for column in frame.columns() {
        for (number, chunk) in interchange::text_chunks(column)
            .map_err(|e| context.internal(e))?
            .into_iter()
            .enumerate()
        {
            match chunks.get_mut(number) {
                Some(columns) => columns.push(chunk),
                None => chunks.push(vec![chunk]),
            }
        }
    }
    let mut tables = vec![];
    let mut first = 0;
    for columns in chunks {
        let count = interchange::rows(&columns).filter(|_| columns.len() == dialect.width);
        let count = count.ok_or_else(|| context.internal("columns of unequal length"))?;
        tables.push(Table {
            columns,
            slots: slots.clone(),
            rows: count,
            lines: lines.slice(first, count as u32),
            rejects: vec![],
        });
        first += count as u32;
    }
    // What passed the check must come out again, row for row: else lines would be put down wrongly.
    if first != rows {
        return Err(context.internal(format!("{rows} rows were checked and {first} read")));
    }
    Ok(tables)
}
