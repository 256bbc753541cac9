//! Bytes of an export for decoders that read on until a row ends, however long it is.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ingest::LONGEST_ROW;
use crate::ingest::sniff::{Bytes, MARK};

/// How far a decoder has read.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    since: Arc<AtomicU64>,
    feeds: Arc<AtomicU64>,
}

impl Progress {
    /// A row begins here: only from here on its length counts.
    pub(super) fn row(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// The line that was read last; exact where the decoder reads byte by byte.
    pub(super) fn line(&self) -> u64 {
        1 + self.feeds.load(Ordering::Relaxed)
    }
}

/// Bytes of which no row may take more than a row may: a quote that is never closed would take all of a file.
pub(super) struct Bounded<R> {
    bytes: R,
    progress: Progress,
}

impl Bounded<io::BufReader<Bytes>> {
    /// For decoders that read byte by byte.
    pub(super) fn buffered(bytes: Bytes, progress: &Progress) -> Self {
        Bounded {
            bytes: io::BufReader::with_capacity(1 << 16, bytes),
            progress: progress.clone(),
        }
    }

    /// Skips a byte order mark.
    pub(super) fn skip_mark(&mut self) -> io::Result<()> {
        if self.bytes.fill_buf()?.starts_with(MARK) {
            self.bytes.consume(MARK.len());
        }
        Ok(())
    }
}

impl Bounded<Bytes> {
    pub(super) fn new(bytes: Bytes, progress: &Progress) -> Self {
        Bounded {
            bytes,
            progress: progress.clone(),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        let feeds = memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count();
        if feeds > 0 {
            self.progress
                .feeds
                .fetch_add(feeds as u64, Ordering::Relaxed);
        }
        let before = self
            .progress
            .since
            .fetch_add(read as u64, Ordering::Relaxed);
        if before > LONGEST_ROW as u64 {
            let why = "a row of more than 16 MiB: a quote or bracket may not be closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(read)
    }
}
