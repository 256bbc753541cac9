//! What a file looks like before it is read: for people to judge how it would be.

use std::io::Write;
use std::sync::Arc;

use super::columns::Layout;
use super::delimited::find::{self, Found};
use super::delimited::record::Dialect;
use super::delimited::text::{self, Text};
use super::delimited::{self, translate};
use super::error::IngestError;
use super::reject::Reject;
use super::sniff::{self, Compression, Format};
use super::stream::{Body, Cutter, Source};
use super::{CHUNK, Input, Options, csv};

/// What is taken of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// What it gives, in our own words.
    Gives(String),
    /// Nothing: it is left out.
    Nothing,
    /// It is not known; this may be meant.
    Unknown(Option<String>),
}

/// How a file looks.
#[derive(Debug)]
pub struct Look {
    /// How it is compressed.
    pub compression: Compression,
    /// What its decompressed bytes are.
    pub format: Format,
    /// Of text, its encoding.
    pub encoding: Option<&'static str>,
    /// Of delimited text, how it is written: what and how.
    pub dialect: Vec<(&'static str, String)>,
    /// Of delimited text, the columns and what is taken of them.
    pub columns: Vec<(String, Proposed)>,
    /// Whether a row names its platform.
    pub platform: bool,
    /// The first rows, as they are read; none of a file of people.
    pub rows: Vec<Vec<String>>,
}

/// How many rows a look shows at most.
const ROWS: usize = 100;

/// Looks at the first bytes of a file.
///
/// # Errors
///
/// Where it can't be read, is of no known format, or is written in a way that can't be told.
pub fn look(input: &Input, options: &Options) -> Result<Look, IngestError> {
    let name = input.name.as_str();
    let (compression, bytes) = sniff::open(input)?;
    let mut look = Look {
        compression,
        format: Format::Csv,
        encoding: None,
        dialect: vec![],
        columns: vec![],
        platform: false,
        rows: vec![],
    };
    if let Some(exported) = &options.exported {
        look.format = Format::Export(exported.format);
        return Ok(look);
    }
    let (format, text) = text::open(name, compression, bytes, &options.source)?;
    look.format = format;
    if !matches!(format, Format::Csv | Format::Json | Format::Ndjson) {
        return Ok(look);
    }
    look.encoding = Some(text.encoding.name());
    if format != Format::Csv {
        return Ok(look);
    }
    let marked = text.sample.starts_with(sniff::MARK);
    let found = found(name, compression, &text, options)?;
    look.dialect = dialect(&found, &text, marked);
    let layout = Layout::decide(name, &found.names, options)?;
    let sample = text.sample.get(found.start..).unwrap_or_default();
    let dated = delimited::dated(sample, text.whole, &found.dialect, found.width);
    let told = |wanted: &str| {
        found
            .names
            .iter()
            .any(|n| gives(&layout, n) == Proposed::Gives(wanted.into()))
    };
    look.platform = told("platform");
    let day = ["day", "date", "timestamp", "time", "as_of"]
        .iter()
        .any(|name| told(name));
    for (place, name) in found.names.iter().enumerate() {
        let proposed = match gives(&layout, name) {
            Proposed::Unknown(_) if !day && dated == Some(place) => {
                Proposed::Unknown(Some("day".to_owned()))
            }
            other => other,
        };
        look.columns.push((name.to_string(), proposed));
    }
    if !layout.grain.of_people() {
        let all: Vec<usize> = (0..found.names.len()).collect();
        let short = sample.get(..sample.len().min(1 << 16)).unwrap_or_default();
        let whole = text.whole && short.len() == sample.len();
        let columns = delimited::texts(short, whole, &found.dialect, found.width, &all);
        let rows = columns.first().map_or(0, Vec::len).min(ROWS);
        let row = |row: usize| columns.iter().filter_map(|c| c.get(row).cloned()).collect();
        look.rows = (0..rows).map(row).collect();
    }
    let slots = layout.slots(&found.names);
    if let Ok(slots) = slots {
        let of = (&found.dialect, found.width);
        let spellings = delimited::decide(
            name,
            sample,
            text.whole,
            of,
            (&found.names, &slots),
            options,
        )?;
        for words in spellings.unwrap_or_default().words(&found.names) {
            look.dialect.push(("read as", words));
        }
    }
    Ok(look)
}

fn gives(layout: &Layout, name: &str) -> Proposed {
    match layout.gives(name) {
        Ok(Some(ours)) => Proposed::Gives(ours),
        Ok(None) => Proposed::Nothing,
        Err(IngestError::UnknownColumn { near, .. }) => Proposed::Unknown(near),
        Err(_) => Proposed::Unknown(None),
    }
}

/// How a text is written, also where that is as most are.
fn found(
    name: &str,
    compression: Compression,
    text: &Text,
    options: &Options,
) -> Result<Found, IngestError> {
    if let Some(found) = find::find(name, &text.sample, text.whole, &options.source)? {
        return Ok(found);
    }
    // The header is read as `csv` reads it, with its errors.
    let sample: sniff::Bytes = Box::new(std::io::Cursor::new(text.sample.clone()));
    let (rows, names) = csv::open(Source::new(name, compression, sample, CHUNK))?;
    let dialect = Dialect {
        separator: rows.dialect.separator,
        ..Dialect::COMMON
    };
    let header = text::header(&text.sample, dialect);
    Ok(Found::common(dialect, &names, header))
}

/// How a text is written, in words.
fn dialect(found: &Found, text: &Text, marked: bool) -> Vec<(&'static str, String)> {
    let shown = |byte: Option<u8>| byte.map_or("none".to_owned(), |b| char::from(b).to_string());
    let written = found.dialect;
    let has = |needle: &[u8]| memchr::memmem::find(&text.sample, needle).is_some();
    let ends = match (written.returns, has(b"\r\n")) {
        (true, _) if !has(b"\n") => "CR",
        (true, _) => "CR, LF and CRLF mixed",
        (false, false) => "LF",
        (false, true) => "CRLF",
    };
    let header = match found.named {
        true => format!("{} columns", found.names.len()),
        false => format!("none; {} columns", found.names.len()),
    };
    let preamble = match found.preamble {
        0 => "none".to_owned(),
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let mut words = vec![
        ("delimiter", find::shown(written.separator)),
        ("quote", shown(written.quote)),
        (
            "quotes inside",
            written.escape.map_or("doubled".to_owned(), |e| {
                format!("behind {}", char::from(e))
            }),
        ),
        ("line ends", ends.to_owned()),
        ("preamble", preamble),
        ("header", header),
    ];
    if marked {
        words.insert(0, ("byte order mark", "yes".to_owned()));
    }
    if written.padded {
        words.push(("blanks", "around fields, no part of them".to_owned()));
    }
    words
}

/// What came of writing a file back.
#[derive(Debug, Default)]
pub struct Copied {
    /// The rows written.
    pub rows: u64,
    /// How many rows were not.
    pub rejected: u64,
    /// The first of them.
    pub rejects: Vec<Reject>,
}

/// Writes delimited text back clean: UTF-8, commas, doubled quotes, one header line, LF; every field as it is read. `keep`
/// is how many rejects are kept.
///
/// # Errors
///
/// Where it can't be read or is no delimited text, or `out` can't be written.
pub fn copy<E: From<IngestError> + From<std::io::Error>>(
    input: &Input,
    options: &Options,
    keep: usize,
    out: &mut dyn Write,
) -> Result<Copied, E> {
    let name = input.name.as_str();
    let (compression, bytes) = sniff::open(input)?;
    let (_, text) = text::open(name, compression, bytes, &options.source)?;
    let found = found(name, compression, &text, options)?;
    let decoded = text.decoded();
    let names: Vec<Arc<str>> = found.names.clone();
    // As it stands in the file, blanks and all.
    let as_written = |name: &Vec<u8>| Arc::from(String::from_utf8_lossy(name).as_ref());
    let header: Vec<Arc<str>> = found.header.iter().map(as_written).collect();
    let source = text.from(name, compression, found.start, CHUNK)?;
    let mut rows = translate::Rows::new(source, found, Default::default(), decoded);
    match header.is_empty() {
        true => out.write_all(&translate::header(&names))?,
        false => out.write_all(&translate::header(&header))?,
    }
    let mut copied = Copied::default();
    while let Some(chunk) = rows.next()? {
        if let Body::Csv { bytes, .. } = &chunk.body {
            // The first line is empty, for Polars.
            out.write_all(bytes.get(1..).unwrap_or_default())?;
        }
        copied.rows += u64::from(chunk.lines.rows());
        copied.rejected += chunk.rejects.len() as u64;
        let room = keep.saturating_sub(copied.rejects.len());
        copied.rejects.extend(chunk.rejects.into_iter().take(room));
    }
    Ok(copied)
}
