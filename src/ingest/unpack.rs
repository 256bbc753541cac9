//! How much compressed bytes may unpack to: a file of a few kilobytes can stand for terabytes of nothing.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Limits;
use super::error::IngestError;
use super::sniff::Bytes;

/// So much may unpack from however little: below it, nothing is won by looking.
pub(super) const UNASKED: u64 = 256 << 20;

/// The memory that an xz file may ask for: the strongest preset takes 65 MiB.
pub(super) const XZ_MEMORY: u64 = 1 << 30;

/// More was unpacked than is taken unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// So many bytes.
    Bytes(u64),
    /// So many times its size.
    Times(u64),
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooMuch::Bytes(bytes) => write!(f, "unpacks to more than {bytes} bytes"),
            TooMuch::Times(times) => write!(
                f,
                "unpacks to more than {times} times its size, as no data do"
            ),
        }
    }
}

impl std::error::Error for TooMuch {}

impl TooMuch {
    /// What so many bytes exceed that came of so many packed ones.
    pub(super) fn of(unpacked: u64, packed: u64, limits: &Limits) -> Option<TooMuch> {
        if unpacked > limits.bytes {
            return Some(TooMuch::Bytes(limits.bytes));
        }
        let most = packed.saturating_mul(limits.ratio).max(UNASKED);
        (unpacked > most).then_some(TooMuch::Times(limits.ratio))
    }

    /// The error of a file.
    pub(super) fn error(self, name: &str) -> IngestError {
        IngestError::Cap {
            name: name.to_owned(),
            limit: self.to_string(),
            flag: match self {
                TooMuch::Bytes(_) => "--archive-size",
                TooMuch::Times(_) => "--unpack-ratio",
            },
        }
    }

    /// What an error of reading says of it, if that is what it is.
    pub(super) fn within(error: &io::Error) -> Option<TooMuch> {
        error.get_ref()?.downcast_ref::<TooMuch>().copied()
    }
}

/// Counts the packed bytes that a decoder takes.
pub(super) struct Counted<R> {
    bytes: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// The bytes, and how many of them were taken.
    pub(super) fn new(bytes: R) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::<AtomicU64>::default();
        let counted = Counted {
            bytes,
            taken: taken.clone(),
        };
        (counted, taken)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacked bytes, as far as they are taken unasked.
pub(super) struct Capped {
    bytes: Bytes,
    packed: Arc<AtomicU64>,
    unpacked: u64,
    limits: Limits,
}

impl Capped {
    pub(super) fn new(bytes: Bytes, packed: Arc<AtomicU64>, limits: Limits) -> Self {
        Capped {
            bytes,
            packed,
            unpacked: 0,
            limits,
        }
    }
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        match TooMuch::of(self.unpacked, packed, &self.limits) {
            Some(much) => Err(io::Error::other(much)),
            None => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_their_ratio_are_capped_and_little_is_not_looked_at() {
        let limits = Limits {
            bytes: 1 << 30,
            ratio: 100,
            ..Limits::default()
        };
        let of = |unpacked, packed| TooMuch::of(unpacked, packed, &limits);
        assert_eq!(of(UNASKED, 1), None);
        assert_eq!(of(UNASKED + 1, 1), Some(TooMuch::Times(100)));
        assert_eq!(of(UNASKED + 100, (UNASKED + 100).div_ceil(100)), None);
        assert_eq!(of((1 << 30) + 1, 1 << 30), Some(TooMuch::Bytes(1 << 30)));
    }

    #[test]
    fn an_error_of_reading_says_what_it_is_through_other_readers() {
        let (zeros, packed) = Counted::new(io::repeat(0));
        packed.store(0, Ordering::Relaxed);
        let limits = Limits {
            bytes: 1000,
            ..Limits::default()
        };
        let mut capped = io::BufReader::new(Capped::new(Box::new(zeros), packed, limits));
        let error = io::copy(&mut capped, &mut io::sink()).unwrap_err();
        assert_eq!(TooMuch::within(&error), Some(TooMuch::Bytes(1000)));
    }
}
