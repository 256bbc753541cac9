//! What a file is, told by its bytes and never by its name.

use std::io::{self, Cursor, Read};

use super::error::IngestError;
use super::unpack::{Capped, Counted, XZ_MEMORY};
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
    /// bzip2, of one stream or several.
    Bzip2,
    /// xz, of one stream or several.
    Xz,
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
    /// What some program exports, by the name of its format.
    Export(&'static str),
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
            Format::Export(name) => name,
        }
    }

    /// The names of the formats of tables.
    pub(super) const NAMES: [&'static str; 6] =
        ["csv", "ndjson", "json", "parquet", "arrow", "arrow-stream"];
}

impl Compression {
    /// The name that is stored and shown; empty where there is none.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }
}

/// How bytes are compressed that begin so.
pub fn compression(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        _ => Compression::None,
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
    let (head, raw) = peek(raw, 6).map_err(failed)?;
    let compression = compression(&head);
    if compression == Compression::None {
        return Ok((compression, raw));
    }
    let (raw, packed) = Counted::new(raw);
    let bytes: Bytes = match compression {
        Compression::None => Box::new(raw),
        // 128 KiB a read: the decoders ask for a few bytes at a time.
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(
            io::BufReader::with_capacity(1 << 17, raw),
        )),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(raw).map_err(failed)?),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(raw)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY,
                liblzma::stream::CONCATENATED,
            );
            let stream = stream.map_err(|e| failed(e.into()))?;
            Box::new(liblzma::read::XzDecoder::new_stream(raw, stream))
        }
    };
    let capped = Capped::new(bytes, packed, input.limits);
    Ok((compression, Box::new(capped)))
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
        [b'P', b'K', 3, 4, ..] => return other("a ZIP archive"),
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
