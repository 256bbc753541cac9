//! Sets of users as Roaring bitmaps, and the SQL functions over them.
//!
//! Who was active on a day is stored as a bitmap of dense ids, in the portable format that every
//! Roaring library reads, so distinct users, retention and growth accounting are unions and
//! intersections of words instead of joins of rows. Message counts are bit-sliced: slice `i` holds
//! the users whose count has bit `i` set (O'Neil and Quass, "Improved query performance with
//! variant indexes", 1997).
//!
//! A store keeps ids of one container (65,536) in a bitmap; every function works for any valid
//! bitmap of 32-bit ids. Bytes that are no bitmap give a [`BitmapError`], never a panic.

mod combine;
mod container;
pub mod counts;
mod dense;
pub mod functions;
mod kernels;
mod view;
mod write;

#[cfg(test)]
mod tests;

pub use counts::encode as encode_counts;
pub use dense::Dense;
pub use view::View;

use kernels::{Block, WORDS};
use write::Writer;

/// Why bytes are no Roaring bitmap, or sets of counts can't be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BitmapError {
    /// Neither of the format's two cookies.
    #[error(
        "not a Roaring bitmap: it starts with {0:#010x}, which is none of the format's cookies"
    )]
    Cookie(u32),
    /// More containers than there are keys.
    #[error("not a Roaring bitmap: it claims {0} containers, and there can be 65,536 at most")]
    Size(usize),
    /// The bytes end within the header.
    #[error("not a Roaring bitmap: its {length} bytes end within the header")]
    Header {
        /// How many bytes there are.
        length: usize,
    },
    /// The bytes end within a container.
    #[error("not a Roaring bitmap: its {length} bytes end within container {container}")]
    Short {
        /// How many bytes there are.
        length: usize,
        /// Which container, from 0.
        container: usize,
    },
    /// Bytes follow the last container.
    #[error("not a Roaring bitmap: {0} bytes follow its last container")]
    Trailing(usize),
    /// Keys do not ascend.
    #[error("not a Roaring bitmap: the key of container {container} is not above the one before")]
    Keys {
        /// Which container, from 0.
        container: usize,
    },
    /// The table of offsets does not say where a container is.
    #[error(
        "not a Roaring bitmap: container {container} is at byte {at}, its offset says otherwise"
    )]
    Offset {
        /// Which container, from 0.
        container: usize,
        /// Where it is.
        at: usize,
    },
    /// An array does not ascend.
    #[error("not a Roaring bitmap: the array of container {key} does not ascend")]
    Array {
        /// The container's key.
        key: u16,
    },
    /// Runs overlap, touch or pass the end.
    #[error("not a Roaring bitmap: the runs of container {key} overlap, touch or pass its end")]
    Runs {
        /// The container's key.
        key: u16,
    },
    /// A container holds another number of ids than the header says.
    #[error(
        "not a Roaring bitmap: container {key} holds {found} ids where its header says {stated}"
    )]
    Count {
        /// The container's key.
        key: u16,
        /// What the header says.
        stated: u32,
        /// What it holds.
        found: u32,
    },
    /// A sum of counts passes 2^63 - 1.
    #[error("counts pass 2^63 - 1")]
    Overflow,
}

/// The bitmap of the ids whose bits are set: bit `i % 64` of `words[i / 64]` is id `i`. An empty
/// set gives a valid empty bitmap.
///
/// `words` has a multiple of 1,024 words, at most 2^26 of them; a last part that is shorter counts
/// as filled up with zeros.
pub fn encode(words: &[u64]) -> Vec<u8> {
    let mut writer = Writer::default();
    let (blocks, rest) = words.as_chunks::<WORDS>();
    let mut last: Block = [0; WORDS];
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(&last);
    for (key, block) in (0..=u16::MAX).zip(blocks.iter().chain(last)) {
        writer.push_words(key, block);
    }
    writer.bytes()
}

/// The bitmap of ascending ids below 65,536.
pub fn encode_sorted(ids: &[u16]) -> Vec<u8> {
    if ids.len() > view::ARRAY_MOST as usize {
        let mut words = [0; WORDS];
        for id in ids {
            words[usize::from(*id) / 64] |= 1 << (id % 64);
        }
        return encode(&words);
    }
    let mut writer = Writer::default();
    writer.push_ids(0, ids);
    writer.bytes()
}

/// How many ids a bitmap holds, as its header states it: no container is read.
///
/// # Errors
///
/// Says what is wrong with bytes that are no Roaring bitmap, as far as the header shows it.
pub fn count(bytes: &[u8]) -> Result<u64, BitmapError> {
    View::outline(bytes).map(|view| view.count())
}
