//! A file's text with its first bytes at hand, decoded where it is not UTF-8.

use std::io::Read;

use super::encoding::{self, Found};
use super::record::{self, Dialect, Fields, Row};
use crate::ingest::error::IngestError;
use crate::ingest::sniff::{self, Bytes, Compression, Format};
use crate::ingest::stream::Source as Stream;
use crate::project::Source;

/// How many bytes a text's way of writing is told by.
const SAMPLE: usize = 1 << 20;

/// The bytes of a file, as UTF-8 where it is text.
pub(crate) struct Text {
    pub bytes: Bytes,
    /// The first of them; empty of what is no delimited text.
    pub sample: Vec<u8>,
    /// Whether these are all.
    pub whole: bool,
    /// What they were decoded from.
    pub encoding: Found,
}

impl Text {
    /// Bytes that are read as they are.
    pub(crate) fn of(bytes: Bytes) -> Self {
        Text {
            bytes,
            sample: vec![],
            whole: false,
            encoding: encoding_rs::UTF_8,
        }
    }

    /// Whether they were decoded.
    pub(crate) fn decoded(&self) -> bool {
        self.encoding != encoding_rs::UTF_8
    }

    /// The text from a place within the sample on.
    pub(crate) fn from(
        self,
        name: &str,
        compression: Compression,
        start: usize,
        chunk: usize,
    ) -> Result<Stream, IngestError> {
        let mut bytes = self.bytes;
        let before = bytes.by_ref().take(start as u64);
        std::io::copy(&mut { before }, &mut std::io::sink())
            .map_err(|source| crate::ingest::failed(name, compression, source))?;
        Ok(Stream::new(name, compression, bytes, chunk))
    }
}

/// What a file is, and its text decoded.
pub(crate) fn open(
    name: &str,
    compression: Compression,
    bytes: Bytes,
    source: &Source,
) -> Result<(Format, Text), IngestError> {
    let failed = |source| crate::ingest::failed(name, compression, source);
    let (head, bytes) = sniff::peek(bytes, sniff::HEAD).map_err(failed)?;
    let format = sniff::format(name, &head);
    let zeros = encoding::find(
        name,
        &head,
        head.len() < sniff::HEAD,
        source.encoding.as_deref(),
    )
    .is_ok_and(|found| found == encoding_rs::UTF_16LE || found == encoding_rs::UTF_16BE);
    if !zeros && !matches!(format, Ok(Format::Csv)) {
        return Ok((format?, Text::of(bytes)));
    }
    let (sample, bytes) = sniff::peek(bytes, SAMPLE).map_err(failed)?;
    let whole = sample.len() < SAMPLE;
    let encoding = encoding::find(name, &sample, whole, source.encoding.as_deref())?;
    if encoding == encoding_rs::UTF_8 {
        let text = Text {
            bytes,
            sample,
            whole,
            encoding,
        };
        return Ok((format?, text));
    }
    let decoded = encoding::decoded(bytes, encoding);
    let (sample, bytes) = sniff::peek(decoded, SAMPLE).map_err(failed)?;
    let format = sniff::format(name, &sample[..sample.len().min(sniff::HEAD)])?;
    let text = Text {
        bytes,
        whole: sample.len() < SAMPLE,
        sample,
        encoding,
    };
    Ok((format, text))
}

/// The header of a text that is written as most are.
pub(crate) struct Header {
    /// Its fields, as they are written.
    pub fields: Vec<Vec<u8>>,
    /// Where the row behind it begins, and on which line.
    pub end: usize,
    pub line: u64,
}

/// The header of a text that begins so.
pub(crate) fn header(sample: &[u8], dialect: Dialect) -> Header {
    let marked = match sample.starts_with(sniff::MARK) {
        true => sniff::MARK.len(),
        false => 0,
    };
    let blank = |b: &&u8| matches!(b, b'\n' | b'\r');
    let start = marked + sample[marked..].iter().take_while(blank).count();
    let above = memchr::memchr_iter(b'\n', &sample[..start]).count() as u64;
    let mut fields = Fields::default();
    let (end, lines) = match record::read(sample, start, true, &dialect, &mut fields) {
        Row::Sound { end, lines } => (end, lines),
        _ => (sample.len(), 0),
    };
    Header {
        fields: fields.iter().map(<[u8]>::to_vec).collect(),
        end,
        line: 1 + above + lines,
    }
}
