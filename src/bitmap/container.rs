//! What can be done with one container, whichever of the three forms its ids are stored in.

use super::kernels::{self, Block, Stored};

/// The ids of a set that share their upper 16 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container<'a> {
    /// The upper 16 bits.
    pub key: u16,
    /// How many ids there are, as the header states it.
    pub count: u32,
    /// The lower 16 bits.
    pub form: Form<'a>,
}

/// The lower 16 bits of a container's ids, as they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    /// The ids, ascending.
    Array(&'a [[u8; 2]]),
    /// A bit for each of 65,536 ids.
    Bits(&'a Stored),
    /// The first id of each run of neighbours, and its length less one.
    Runs(&'a [[u8; 4]]),
}

impl<'a> Form<'a> {
    /// The ids, ascending.
    pub fn ids(self) -> impl Iterator<Item = u16> + use<'a> {
        let array = match self {
            Form::Array(values) => Some(values.iter().map(|value| u16::from_le_bytes(*value))),
            _ => None,
        };
        let bits = match self {
            Form::Bits(bits) => Some(bits.iter().enumerate().flat_map(|(i, bytes)| {
                let word = u64::from_le_bytes(*bytes);
                std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                    .take_while(|rest| *rest != 0)
                    .map(move |rest| (i * 64) as u16 + rest.trailing_zeros() as u16)
            })),
            _ => None,
        };
        let runs = self
            .runs()
            .flat_map(|(start, end)| (start..=end).map(|id| id as u16));
        array
            .into_iter()
            .flatten()
            .chain(bits.into_iter().flatten())
            .chain(runs)
    }

    /// The first and the last id of each run; none where the form is another. A run that lies
    /// about its length ends past 65,535.
    pub fn runs(self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let runs = match self {
            Form::Runs(runs) => runs,
            _ => &[],
        };
        runs.iter().map(|[s0, s1, l0, l1]| {
            let start = u32::from(u16::from_le_bytes([*s0, *s1]));
            (start, start + u32::from(u16::from_le_bytes([*l0, *l1])))
        })
    }

    fn bounded_runs(self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        self.runs()
            .map(|(start, end)| (start as u16, end.min(65535) as u16))
    }

    /// Whether the container holds an id.
    pub fn contains(&self, id: u16) -> bool {
        match self {
            Form::Array(values) => values
                .binary_search_by_key(&id, |value| u16::from_le_bytes(*value))
                .is_ok(),
            Form::Bits(bits) => {
                u64::from_le_bytes(bits[usize::from(id >> 6)]) >> (id & 63) & 1 == 1
            }
            Form::Runs(runs) => {
                let after = runs.partition_point(|run| u16::from_le_bytes([run[0], run[1]]) <= id);
                after > 0 && {
                    let [s0, s1, l0, l1] = runs[after - 1];
                    id - u16::from_le_bytes([s0, s1]) <= u16::from_le_bytes([l0, l1])
                }
            }
        }
    }

    /// Overwrites `words` with the ids.
    pub fn load(&self, words: &mut Block) {
        if let Form::Bits(bits) = self {
            kernels::load(words, bits);
        } else {
            words.fill(0);
            self.union_into(words);
        }
    }

    /// `words |= ids`.
    pub fn union_into(&self, words: &mut Block) {
        match self {
            Form::Bits(bits) => kernels::or_stored(words, bits),
            Form::Array(values) => {
                values
                    .iter()
                    .for_each(|value| kernels::set(words, u16::from_le_bytes(*value)));
            }
            Form::Runs(_) => {
                for (start, end) in self.bounded_runs() {
                    kernels::over_range(words, start, end, |word, mask| *word |= mask);
                }
            }
        }
    }

    /// `words &= ids`.
    pub fn intersect_into(&self, words: &mut Block) {
        if let Form::Bits(bits) = self {
            return kernels::and_stored(words, bits);
        }
        let mut ids = [0; kernels::WORDS];
        self.union_into(&mut ids);
        words
            .iter_mut()
            .zip(&ids)
            .for_each(|(word, ids)| *word &= ids);
    }

    /// `words &= !ids`.
    pub fn subtract_from(&self, words: &mut Block) {
        match self {
            Form::Bits(bits) => kernels::andnot_stored(words, bits),
            Form::Array(values) => {
                for value in *values {
                    let id = u16::from_le_bytes(*value);
                    words[usize::from(id >> 6)] &= !(1 << (id & 63));
                }
            }
            Form::Runs(_) => {
                for (start, end) in self.bounded_runs() {
                    kernels::over_range(words, start, end, |word, mask| *word &= !mask);
                }
            }
        }
    }

    /// How many ids two containers share.
    pub fn and_count(&self, other: &Form) -> u32 {
        match (self, other) {
            (Form::Bits(a), Form::Bits(b)) => kernels::and_count_stored(a, b),
            (Form::Array(a), Form::Array(b)) => shared_values(a, b),
            (Form::Array(values), other) | (other, Form::Array(values)) => values
                .iter()
                .map(|value| u32::from(other.contains(u16::from_le_bytes(*value))))
                .sum(),
            (Form::Runs(runs), Form::Bits(bits)) | (Form::Bits(bits), Form::Runs(runs)) => {
                kernels::runs_count_stored(runs, bits)
            }
            (Form::Runs(_), Form::Runs(_)) => shared_runs(self, other),
        }
    }
}

/// How many values two ascending lists share.
fn shared_values(a: &[[u8; 2]], b: &[[u8; 2]]) -> u32 {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        // Without branches on the values: which list goes on is as good as random.
        let (x, y) = (u16::from_le_bytes(a[i]), u16::from_le_bytes(b[j]));
        shared += u32::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    shared
}

/// How many ids the runs of two containers share.
fn shared_runs(a: &Form, b: &Form) -> u32 {
    let (mut a, mut b) = (a.runs().peekable(), b.runs().peekable());
    let mut shared = 0;
    while let (Some(&(start_a, end_a)), Some(&(start_b, end_b))) = (a.peek(), b.peek()) {
        shared += (end_a.min(end_b) + 1).saturating_sub(start_a.max(start_b));
        if end_a <= end_b {
            a.next();
        } else {
            b.next();
        }
    }
    shared
}
