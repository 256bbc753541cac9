//! What makes two loads the same: the bytes, and what is declared of them.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::IngestError;
use super::{Input, Options, exports, sniff};
use crate::schema;

/// The hash of a file's decompressed bytes, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// BLAKE3, as 64 hexadecimal digits.
    pub hash: String,
    /// The decompressed bytes.
    pub bytes: u64,
}

/// Hashes an input without reading its rows: enough to know whether it was loaded before.
pub fn content(input: &Input) -> Result<Content, IngestError> {
    let (compression, bytes) = sniff::open(input)?;
    let tally = Tally::default();
    let mut hashed = tally.over(bytes);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match hashed.read(&mut buffer) {
            Ok(0) => return Ok(tally.content()),
            Ok(_) => {}
            Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(super::failed(&input.name, compression, source)),
        }
    }
}

/// The identity of a load, as 64 hexadecimal digits: the content with the declared platform,
/// server and mapping. Identical bytes from two servers are two loads.
pub fn identity(content: &Content, options: &Options) -> String {
    let source = &options.source;
    let mut hasher = blake3::Hasher::new();
    // Each part goes in with its length, so that no two declarations run together into one.
    let mut part = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    part("essor load");
    part(&schema::VERSION.to_string());
    let live = options.exported.as_ref().and_then(|e| e.live.as_ref());
    part(&live.map_or_else(|| content.hash.clone(), exports::Live::said));
    part(source.grain.map_or("", schema::Grain::name));
    part(source.platform.as_deref().unwrap_or(""));
    part(source.server.as_deref().unwrap_or(""));
    part(source.day.as_deref().unwrap_or(""));
    part(options.zone.name());
    for (theirs, ours) in &source.columns {
        part(theirs);
        part(ours);
    }
    part(&format!("{:?} {:?}", source.rows, source.active));
    for list in [&source.cumulative, &source.ignore, &options.dimensions] {
        part(&list.len().to_string());
        list.iter().for_each(|name| part(name));
    }
    // Said of few files: what was loaded before these could be said keeps its identity.
    let said = [
        ("metric", &source.metric),
        ("dimension", &source.dimension),
        ("status", &source.status),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            part(key);
            part(value);
        }
    }
    // Only where something is declared, so that what was loaded before keeps its identity.
    let skip = source.skip.map(|lines| lines.to_string());
    let order = source.date_format.map(|order| order.name().to_owned());
    for (key, declared) in [
        ("encoding", &source.encoding),
        ("delimiter", &source.delimiter),
        ("skip", &skip),
        ("date_format", &order),
        ("decimal", &source.decimal),
        ("thousands", &source.thousands),
    ] {
        if let Some(declared) = declared {
            part(key);
            part(declared);
        }
    }
    if let Some(exported) = &options.exported {
        part(exported.format);
        part(exported.grain.name());
        part(&options.at.map(|day| day.to_string()).unwrap_or_default());
    }
    hasher.finalize().to_hex().to_string()
}

/// A running hash that outlives the stream it is taken of.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<(blake3::Hasher, u64)>>);

impl Tally {
    /// The same bytes, hashed as they pass.
    pub(super) fn over(&self, bytes: sniff::Bytes) -> sniff::Bytes {
        Box::new(Hashed {
            bytes,
            tally: self.clone(),
        })
    }

    pub(super) fn content(&self) -> Content {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Content {
            hash: state.0.finalize().to_hex().to_string(),
            bytes: state.1,
        }
    }
}

struct Hashed {
    bytes: sniff::Bytes,
    tally: Tally,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        let mut state = self.tally.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(&buffer[..read]);
        state.1 += read as u64;
        Ok(read)
    }
}
