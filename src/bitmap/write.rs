//! Writes portable Roaring bytes, each container in the smallest of its three forms.

use super::container::{Container, Form};
use super::kernels::{self, Block, WORDS};
use super::view::ARRAY_MOST;

/// Bytes of a container of bits.
const BITS_BYTES: usize = 8 * WORDS;

/// Collects containers in the order of their keys, then writes header and containers.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    heads: Vec<Head>,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Head {
    key: u16,
    count: u32,
    runs: bool,
    /// Where the container starts in the body.
    at: usize,
}

impl Writer {
    /// Adds a container from its words; none where they hold no id.
    pub fn push_words(&mut self, key: u16, words: &Block) {
        let (count, runs) = kernels::count_runs(words);
        let runs = runs as usize;
        if count == 0 {
            return;
        }
        if runs_pay(runs, count) {
            self.head(key, count, true);
            self.push_runs(runs, RunsOf { words, from: 0 });
        } else if count <= ARRAY_MOST {
            self.head(key, count, false);
            self.body.reserve(2 * count as usize);
            kernels::ids(words).for_each(|id| self.body.extend_from_slice(&id.to_le_bytes()));
        } else {
            self.head(key, count, false);
            let start = self.body.len();
            self.body.resize(start + BITS_BYTES, 0);
            for (bytes, word) in self.body[start..].as_chunks_mut().0.iter_mut().zip(words) {
                *bytes = word.to_le_bytes();
            }
        }
    }

    /// Adds a container from ascending ids, at most as many as an array holds; none where there
    /// are none.
    pub fn push_ids(&mut self, key: u16, ids: &[u16]) {
        let count = ids.len() as u32;
        debug_assert!(count <= ARRAY_MOST);
        if count == 0 {
            return;
        }
        let neighbours = ids
            .iter()
            .zip(ids.iter().skip(1))
            .filter(|(a, b)| b.wrapping_sub(**a) == 1);
        let runs = ids.len() - neighbours.count();
        if runs_pay(runs, count) {
            self.head(key, count, true);
            let chunks = ids.chunk_by(|a, b| b.wrapping_sub(*a) == 1);
            self.push_runs(
                runs,
                chunks.filter_map(|run| Some((*run.first()?, *run.last()?))),
            );
        } else {
            self.head(key, count, false);
            ids.iter()
                .for_each(|id| self.body.extend_from_slice(&id.to_le_bytes()));
        }
    }

    /// Adds a container as it is stored elsewhere.
    pub fn push_container(&mut self, container: &Container) {
        self.head(
            container.key,
            container.count,
            matches!(container.form, Form::Runs(_)),
        );
        match container.form {
            Form::Array(values) => self.body.extend_from_slice(values.as_flattened()),
            Form::Bits(bits) => self.body.extend_from_slice(bits.as_flattened()),
            Form::Runs(runs) => {
                self.body
                    .extend_from_slice(&(runs.len() as u16).to_le_bytes());
                self.body.extend_from_slice(runs.as_flattened());
            }
        }
    }

    fn head(&mut self, key: u16, count: u32, runs: bool) {
        debug_assert!(self.heads.last().is_none_or(|last| last.key < key));
        self.heads.push(Head {
            key,
            count,
            runs,
            at: self.body.len(),
        });
    }

    fn push_runs(&mut self, number: usize, runs: impl Iterator<Item = (u16, u16)>) {
        self.body.extend_from_slice(&(number as u16).to_le_bytes());
        for (start, end) in runs {
            self.body.extend_from_slice(&start.to_le_bytes());
            self.body.extend_from_slice(&(end - start).to_le_bytes());
        }
    }

    /// Whether no container was added.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Appends the bitmap to `out` and starts anew.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let size = self.heads.len();
        let with_runs = self.heads.iter().any(|head| head.runs);
        let with_offsets = !with_runs || size >= 4;
        let flags = if with_runs { size.div_ceil(8) } else { 4 };
        let header = 4 + flags + size * if with_offsets { 8 } else { 4 };
        out.reserve(header + self.body.len());
        if with_runs {
            out.extend_from_slice(&(12347 | (size as u32 - 1) << 16).to_le_bytes());
            for heads in self.heads.chunks(8) {
                let flags = heads
                    .iter()
                    .rev()
                    .fold(0, |flags, head| flags << 1 | u8::from(head.runs));
                out.push(flags);
            }
        } else {
            out.extend_from_slice(&12346u32.to_le_bytes());
            out.extend_from_slice(&(size as u32).to_le_bytes());
        }
        for head in &self.heads {
            out.extend_from_slice(&head.key.to_le_bytes());
            out.extend_from_slice(&((head.count - 1) as u16).to_le_bytes());
        }
        if with_offsets {
            for head in &self.heads {
                out.extend_from_slice(&((header + head.at) as u32).to_le_bytes());
            }
        }
        out.extend_from_slice(&self.body);
        self.heads.clear();
        self.body.clear();
    }

    /// The bitmap in bytes of its own.
    pub fn bytes(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.finish(&mut out);
        out
    }
}

/// Whether runs take fewer bytes than the other form would.
fn runs_pay(runs: usize, count: u32) -> bool {
    2 + 4 * runs < (2 * count as usize).min(BITS_BYTES)
}

/// The first and the last id of each run in a block.
struct RunsOf<'a> {
    words: &'a Block,
    from: usize,
}

impl RunsOf<'_> {
    /// The first id from `self.from` on that is set, or that is not.
    fn seek(&mut self, is_set: bool) -> usize {
        while self.from < 64 * WORDS {
            let word = self.words[self.from / 64];
            let word = if is_set { word } else { !word } >> (self.from % 64);
            if word != 0 {
                self.from += word.trailing_zeros() as usize;
                return self.from;
            }
            self.from = (self.from / 64 + 1) * 64;
        }
        self.from
    }
}

impl Iterator for RunsOf<'_> {
    type Item = (u16, u16);

    fn next(&mut self) -> Option<(u16, u16)> {
        let start = self.seek(true);
        if start >= 64 * WORDS {
            return None;
        }
        let end = self.seek(false) - 1;
        Some((start as u16, end as u16))
    }
}
