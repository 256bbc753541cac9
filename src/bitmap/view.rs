//! Reads portable Roaring bytes where they lie: nothing is copied and nothing allocated.
//!
//! The format is that of <https://github.com/RoaringBitmap/RoaringFormatSpec>: a cookie, a table of
//! containers (the upper 16 bits of the ids, and how many ids there are), then each container's
//! lower 16 bits as a sorted array, as 65,536 bits, or as runs.

use super::BitmapError;
use super::container::{Container, Form};
use super::kernels;

const COOKIE: u32 = 12346;
const COOKIE_WITH_RUNS: u16 = 12347;
/// Bytes with runs have a table of offsets only from this many containers on.
const OFFSETS_WITH_RUNS: usize = 4;
/// The most ids an array holds; a container of more is one of bits.
pub(crate) const ARRAY_MOST: u32 = 4096;

/// A set of 32-bit ids, read from its portable Roaring bytes.
///
/// The default is the empty set.
#[derive(Debug, Clone, Copy, Default)]
pub struct View<'a> {
    /// Which containers hold runs, a bit each.
    runs: Option<&'a [u8]>,
    /// Each container's key and its number of ids less one.
    heads: &'a [[u8; 4]],
    body: &'a [u8],
    count: u64,
}

impl<'a> View<'a> {
    /// Reads and checks bytes: the header, that keys, arrays and runs ascend, that each container
    /// holds as many ids as the header says, and that nothing follows.
    ///
    /// The check reads every byte once, bits by population count: on a recent processor 0.1 µs for
    /// a container of 8 KiB.
    ///
    /// # Errors
    ///
    /// Says what is wrong with bytes that are no Roaring bitmap.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BitmapError> {
        let view = Self::outline(bytes)?;
        for container in view.containers() {
            check(&container)?;
        }
        Ok(view)
    }

    /// Reads and checks the header, and that the containers fill the bytes; what stands in the
    /// containers is not looked at. No later call panics on what it finds there.
    pub(crate) fn outline(bytes: &'a [u8]) -> Result<Self, BitmapError> {
        let mut rest = Rest { bytes, taken: 0 };
        let cookie = rest.word()?;
        let with_runs = cookie as u16 == COOKIE_WITH_RUNS;
        let size = if with_runs {
            (cookie >> 16) as usize + 1
        } else if cookie == COOKIE {
            rest.word()? as usize
        } else {
            return Err(BitmapError::Cookie(cookie));
        };
        if size > 1 << 16 {
            return Err(BitmapError::Size(size));
        }
        let runs = if with_runs {
            Some(rest.take(size.div_ceil(8))?)
        } else {
            None
        };
        let heads = rest.take(size * 4)?.as_chunks().0;
        let offsets = if with_runs && size < OFFSETS_WITH_RUNS {
            None
        } else {
            Some(rest.take(size * 4)?.as_chunks().0)
        };
        let mut view = View {
            runs,
            heads,
            body: rest.bytes,
            count: 0,
        };
        view.count = view.measure(offsets, bytes.len())?;
        Ok(view)
    }

    /// Walks over the containers by their lengths. Returns how many ids they hold.
    fn measure(&self, offsets: Option<&[[u8; 4]]>, length: usize) -> Result<u64, BitmapError> {
        let mut containers = self.containers();
        let mut last = None;
        let mut count = 0;
        for i in 0..self.heads.len() {
            let at = length - containers.body.len();
            if let Some(stated) = offsets.and_then(|offsets| offsets.get(i))
                && u32::from_le_bytes(*stated) as usize != at
            {
                return Err(BitmapError::Offset { container: i, at });
            }
            let Some(container) = containers.next() else {
                return Err(BitmapError::Short {
                    length,
                    container: i,
                });
            };
            if last.is_some_and(|last| last >= container.key) {
                return Err(BitmapError::Keys { container: i });
            }
            last = Some(container.key);
            count += u64::from(container.count);
        }
        match containers.body.len() {
            0 => Ok(count),
            more => Err(BitmapError::Trailing(more)),
        }
    }

    /// How many ids the set holds, as the header states it: no container is read.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the set holds no id.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.containers().flat_map(|container| {
            let upper = u32::from(container.key) << 16;
            container
                .form
                .ids()
                .map(move |lower| upper | u32::from(lower))
        })
    }

    /// Whether the set holds an id.
    pub fn contains(&self, id: u32) -> bool {
        self.containers()
            .find(|container| u32::from(container.key) == id >> 16)
            .is_some_and(|container| container.form.contains(id as u16))
    }

    /// Adds the ids to a set.
    pub fn union_into(&self, set: &mut super::Dense) {
        set.union(self);
    }

    /// How many ids two sets share; nothing is materialised.
    pub fn and_count(&self, other: &View) -> u64 {
        pairs(self, other)
            .filter_map(|pair| Some((pair.0?, pair.1?)))
            .map(|(a, b)| u64::from(a.form.and_count(&b.form)))
            .sum()
    }

    pub(crate) fn containers(&self) -> Containers<'a> {
        Containers {
            runs: self.runs,
            heads: self.heads,
            index: 0,
            body: self.body,
        }
    }
}

/// The containers of two sets, side by side by key.
pub(crate) fn pairs<'a>(
    a: &View<'a>,
    b: &View<'a>,
) -> impl Iterator<Item = (Option<Container<'a>>, Option<Container<'a>>)> {
    let (mut a, mut b) = (a.containers().peekable(), b.containers().peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (None, None) => None,
        (Some(x), Some(y)) if x.key == y.key => Some((a.next(), b.next())),
        (Some(x), Some(y)) if x.key > y.key => Some((None, b.next())),
        (None, Some(_)) => Some((None, b.next())),
        _ => Some((a.next(), None)),
    })
}

/// The containers in the order of their keys.
#[derive(Debug, Clone)]
pub(crate) struct Containers<'a> {
    runs: Option<&'a [u8]>,
    heads: &'a [[u8; 4]],
    index: usize,
    body: &'a [u8],
}

impl<'a> Iterator for Containers<'a> {
    type Item = Container<'a>;

    /// `None` after the last container, and where the bytes end before it does.
    fn next(&mut self) -> Option<Container<'a>> {
        let [k0, k1, c0, c1] = *self.heads.get(self.index)?;
        let key = u16::from_le_bytes([k0, k1]);
        let count = u32::from(u16::from_le_bytes([c0, c1])) + 1;
        let is_runs = self
            .runs
            .is_some_and(|flags| flags[self.index / 8] >> (self.index % 8) & 1 == 1);
        let (form, rest) = if is_runs {
            let (length, rest) = self.body.split_first_chunk::<2>()?;
            let (runs, rest) =
                rest.split_at_checked(usize::from(u16::from_le_bytes(*length)) * 4)?;
            (Form::Runs(runs.as_chunks().0), rest)
        } else if count <= ARRAY_MOST {
            let (values, rest) = self.body.split_at_checked(count as usize * 2)?;
            (Form::Array(values.as_chunks().0), rest)
        } else {
            let (bits, rest) = self.body.split_at_checked(8 * kernels::WORDS)?;
            (Form::Bits(bits.as_chunks().0.try_into().ok()?), rest)
        };
        self.index += 1;
        self.body = rest;
        Some(Container { key, count, form })
    }
}

/// Whether a container holds what its header says.
pub(crate) fn check(container: &Container) -> Result<(), BitmapError> {
    let key = container.key;
    let found = match container.form {
        Form::Array(values) if kernels::ascend(values) => return Ok(()),
        Form::Array(_) => return Err(BitmapError::Array { key }),
        Form::Bits(bits) => kernels::count_stored(bits),
        Form::Runs(_) => {
            let mut found = 0;
            let mut next = 0;
            for (start, end) in container.form.runs() {
                // Neighbouring runs are one run, to other libraries too.
                if start < next || end > 65535 {
                    return Err(BitmapError::Runs { key });
                }
                next = end + 2;
                found += end - start + 1;
            }
            found
        }
    };
    holds(container, found)
}

/// Whether a container's header says how many ids were found in it.
pub(crate) fn holds(container: &Container, found: u32) -> Result<(), BitmapError> {
    let stated = container.count;
    if found == stated {
        Ok(())
    } else {
        Err(BitmapError::Count {
            key: container.key,
            stated,
            found,
        })
    }
}

/// What is left of the header's bytes.
struct Rest<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], BitmapError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            return Err(BitmapError::Header {
                length: self.taken + self.bytes.len(),
            });
        };
        self.bytes = rest;
        self.taken += length;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, BitmapError> {
        let bytes = self.take(4)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte)))
    }
}
