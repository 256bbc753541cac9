//! What a file is, told by its bytes and never by its name.

use std::io::{self, Cursor, Read};

use super::error::IngestError;
use super::{Input, Origin};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

/// The format of the decompressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Fields separated by comma, semicolon or tab.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
    /// The Arrow IPC file format.
    ArrowFile,
    /// The Arrow IPC streaming format.
    ArrowStream,
}

impl Format {
    /// The name that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Json => "json",
            Format::Parquet => "parquet",
            Format::ArrowFile => "arrow",
            Format::ArrowStream => "arrow-stream",
        }
    }
}

impl Compression {
    /// The name that is stored and shown; empty where there is none.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// A stream of bytes that can cross to the reading thread.
pub(super) type Bytes = Box<dyn Read + Send>;

/// The decompressed bytes of an input.
pub(super) fn open(input: &Input) -> Result<(Compression, Bytes), IngestError> {
    let failed = |source| IngestError::Read {
        name: input.name.clone(),
        source,
    };
    let raw: Bytes = match &input.origin {
        Origin::Path(path) => Box::new(std::fs::File::open(path).map_err(failed)?),
        Origin::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
    };
    let (head, raw) = peek(raw, 4).map_err(failed)?;
    let compression = match head.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::None,
    };
    let bytes: Bytes = match compression {
        Compression::None => raw,
        // 128 KiB a read: the decoders ask for a few bytes at a time.
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(
            io::BufReader::with_capacity(1 << 17, raw),
        )),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(raw).map_err(failed)?),
    };
    Ok((compression, bytes))
}

/// The first `wanted` bytes (fewer where there are no more), and the stream from its start again.
pub(super) fn peek(mut bytes: Bytes, wanted: usize) -> io::Result<(Vec<u8>, Bytes)> {
    let mut head = Vec::with_capacity(wanted);
    bytes.by_ref().take(wanted as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(bytes))))
}

/// The byte order mark that some programs put before UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// How many bytes [`format`] looks at.
pub(super) const HEAD: usize = 4096;

/// The format that a file's first bytes show.
pub(super) fn format(name: &str, head: &[u8]) -> Result<Format, IngestError> {
    let other = |found| {
        Err(IngestError::Format {
            name: name.to_owned(),
            found,
        })
    };
    match head {
        [b'P', b'A', b'R', b'1', ..] => return Ok(Format::Parquet),
        [b'P', b'A', b'R', b'E', ..] => return other("encrypted Parquet"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => return Ok(Format::ArrowFile),
        [0xff, 0xff, 0xff, 0xff, ..] => return Ok(Format::ArrowStream),
        [b'P', b'K', 3, 4, ..] => return other("a ZIP archive or an Excel workbook"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return other("UTF-16 text (save it as UTF-8)"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return other("an old Excel workbook"),
        _ => {}
    }
    let text = head.strip_prefix(MARK).unwrap_or(head);
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        None if head.len() < HEAD => Err(IngestError::Empty {
            name: name.to_owned(),
        }),
        None => other("nothing but white space"),
        Some(b'{') => Ok(Format::Ndjson),
        Some(b'[') => Ok(Format::Json),
        Some(_)
            if text
                .iter()
                .take_while(|b| **b != b'\n')
                .any(|b| *b < b' ' && !matches!(b, b'\t' | b'\r')) =>
        {
            other("binary data of an unknown kind")
        }
        Some(_) => Ok(Format::Csv),
    }
}
