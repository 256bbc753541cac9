//! The hot loops: one container's 65,536 bits as 1,024 words.
//!
//! A build for the baseline of x86-64 has neither AVX nor a population count, so each loop is
//! compiled for newer processors too and the best is chosen at run time. The bytes of a stored
//! container have no alignment: they are read as eight-byte groups, never cast. Sums wrap, which
//! they never do with 65,536 ids, since a check for overflow keeps loops from being vectorised.

use multiversion::multiversion;

/// Words in a container.
pub(crate) const WORDS: usize = 1024;

/// A container's ids as bits: id `i` is bit `i % 64` of word `i / 64`.
pub(crate) type Block = [u64; WORDS];

/// The same bits as they are stored: little-endian, unaligned.
pub(crate) type Stored = [[u8; 8]; WORDS];

/// A block with no id.
pub(crate) fn empty() -> Box<Block> {
    Box::new([0; WORDS])
}

/// Compiles loops for AVX-512 with its population count, for AVX2 and for the baseline.
macro_rules! dispatched {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),*) $(-> $out:ty)? $body:block)*) => {
        $(
            $(#[$doc])*
            #[multiversion(targets(
                "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+bmi1+bmi2+lzcnt+popcnt",
                "x86_64+avx2+bmi1+bmi2+lzcnt+popcnt",
            ))]
            pub(crate) fn $name($($arg: $kind),*) $(-> $out)? $body
        )*
    };
}

dispatched! {
    /// `words = stored`.
    fn load(words: &mut Block, stored: &Stored) {
        for (word, bytes) in words.iter_mut().zip(stored) {
            *word = u64::from_le_bytes(*bytes);
        }
    }

    /// `words |= stored`.
    fn or_stored(words: &mut Block, stored: &Stored) {
        for (word, bytes) in words.iter_mut().zip(stored) {
            *word |= u64::from_le_bytes(*bytes);
        }
    }

    /// `words &= stored`.
    fn and_stored(words: &mut Block, stored: &Stored) {
        for (word, bytes) in words.iter_mut().zip(stored) {
            *word &= u64::from_le_bytes(*bytes);
        }
    }

    /// `words &= !stored`.
    fn andnot_stored(words: &mut Block, stored: &Stored) {
        for (word, bytes) in words.iter_mut().zip(stored) {
            *word &= !u64::from_le_bytes(*bytes);
        }
    }

    /// `words = base | stored`.
    fn or_into(words: &mut Block, base: &Block, stored: &Stored) {
        for ((word, base), bytes) in words.iter_mut().zip(base).zip(stored) {
            *word = base | u64::from_le_bytes(*bytes);
        }
    }

    /// `words = a & b`. Returns whether any id is in it.
    fn and_into(words: &mut Block, a: &Block, b: &Block) -> bool {
        let mut any = 0;
        for ((word, a), b) in words.iter_mut().zip(a).zip(b) {
            *word = a & b;
            any |= *word;
        }
        any != 0
    }

    /// `words = a & !b`. Returns whether any id is in it.
    fn andnot_into(words: &mut Block, a: &Block, b: &Block) -> bool {
        let mut any = 0;
        for ((word, a), b) in words.iter_mut().zip(a).zip(b) {
            *word = a & !b;
            any |= *word;
        }
        any != 0
    }

    /// `words |= other`.
    fn or_words(words: &mut Block, other: &Block) {
        for (word, more) in words.iter_mut().zip(other) {
            *word |= more;
        }
    }

    /// How many ids stored bits hold.
    fn count_stored(stored: &Stored) -> u32 {
        let mut count = 0u64;
        for bytes in stored {
            count = count.wrapping_add(u64::from(u64::from_le_bytes(*bytes).count_ones()));
        }
        count as u32
    }

    /// How many ids a block holds.
    fn count_words(words: &Block) -> u32 {
        let mut count = 0u64;
        for word in words {
            count = count.wrapping_add(u64::from(word.count_ones()));
        }
        count as u32
    }

    /// How many ids two blocks share.
    fn and_count_words(a: &Block, b: &Block) -> u32 {
        let mut count = 0u64;
        for (a, b) in a.iter().zip(b) {
            count = count.wrapping_add(u64::from((a & b).count_ones()));
        }
        count as u32
    }

    /// How many ids two blocks hold together.
    fn or_count_words(a: &Block, b: &Block) -> u32 {
        let mut count = 0u64;
        for (a, b) in a.iter().zip(b) {
            count = count.wrapping_add(u64::from((a | b).count_ones()));
        }
        count as u32
    }

    /// How many ids two containers of bits share.
    fn and_count_stored(a: &Stored, b: &Stored) -> u32 {
        let mut count = 0u64;
        for (a, b) in a.iter().zip(b) {
            count = count.wrapping_add(u64::from((u64::from_le_bytes(*a) & u64::from_le_bytes(*b)).count_ones()));
        }
        count as u32
    }

    /// How many ids two containers of bits share, and how many each holds: the check of what their
    /// headers say costs no second pass over the bytes.
    fn counts_stored(a: &Stored, b: &Stored) -> (u32, u32, u32) {
        let (mut both, mut in_a, mut in_b) = (0u64, 0u64, 0u64);
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (u64::from_le_bytes(*a), u64::from_le_bytes(*b));
            both = both.wrapping_add(u64::from((a & b).count_ones()));
            in_a = in_a.wrapping_add(u64::from(a.count_ones()));
            in_b = in_b.wrapping_add(u64::from(b.count_ones()));
        }
        (both as u32, in_a as u32, in_b as u32)
    }

    /// How many ids of `runs` (start and length - 1, both of 16 bits) stored bits hold.
    fn runs_count_stored(runs: &[[u8; 4]], stored: &Stored) -> u32 {
        let mut count = 0u32;
        for run in runs {
            let start = usize::from(u16::from_le_bytes([run[0], run[1]]));
            let end = (start + usize::from(u16::from_le_bytes([run[2], run[3]]))).min(65535);
            let (first, last) = (start / 64, end / 64);
            for (i, bytes) in stored[first..=last].iter().enumerate() {
                let mut word = u64::from_le_bytes(*bytes);
                if i == 0 {
                    word &= u64::MAX << (start % 64);
                }
                if first + i == last {
                    word &= u64::MAX >> (63 - end % 64);
                }
                count = count.wrapping_add(word.count_ones());
            }
        }
        count
    }

    /// How many ids a block holds, and in how many runs of neighbours they lie.
    fn count_runs(words: &Block) -> (u32, u32) {
        // A run starts at every set bit whose neighbour below is not set.
        let mut runs = u64::from((words[0] & !(words[0] << 1)).count_ones());
        let mut count = u64::from(words[0].count_ones());
        for (below, word) in words.iter().zip(&words[1..]) {
            let starts = word & !((word << 1) | (below >> 63));
            runs = runs.wrapping_add(u64::from(starts.count_ones()));
            count = count.wrapping_add(u64::from(word.count_ones()));
        }
        (count as u32, runs as u32)
    }

    /// Whether sixteen-bit values ascend strictly.
    fn ascend(values: &[[u8; 2]]) -> bool {
        let mut falls = false;
        for (a, b) in values.iter().zip(values.iter().skip(1)) {
            falls |= u16::from_le_bytes(*a) >= u16::from_le_bytes(*b);
        }
        !falls
    }

    /// A full adder in every bit: `total` becomes the sum bit of the three, `plane` their carry.
    /// Returns whether there is any carry.
    fn carry_save(total: &mut Block, pending: &Block, plane: &mut Block) -> bool {
        let mut any = 0;
        for ((total, pending), plane) in total.iter_mut().zip(pending).zip(plane) {
            let (a, b, c) = (*total, *pending, *plane);
            let half = a ^ b;
            *total = half ^ c;
            *plane = (a & b) | (half & c);
            any |= *plane;
        }
        any != 0
    }

    /// A half adder in every bit: `total` becomes the sum bit of the two, `plane` their carry.
    /// Returns whether there is any carry.
    fn half_add(total: &mut Block, plane: &mut Block) -> bool {
        let mut any = 0;
        for (total, plane) in total.iter_mut().zip(plane) {
            let carry = *total & *plane;
            *total ^= *plane;
            *plane = carry;
            any |= carry;
        }
        any != 0
    }
}

/// Calls `change` with each word that `start..=end` touches and the bits of it in that range.
pub(crate) fn over_range(words: &mut Block, start: u16, end: u16, change: impl Fn(&mut u64, u64)) {
    let (start, end) = (usize::from(start), usize::from(end));
    let (first, last) = (start / 64, end / 64);
    for (i, word) in words.iter_mut().enumerate().take(last + 1).skip(first) {
        let low = if i == first {
            u64::MAX << (start % 64)
        } else {
            u64::MAX
        };
        let high = if i == last {
            u64::MAX >> (63 - end % 64)
        } else {
            u64::MAX
        };
        change(word, low & high);
    }
}

/// Sets an id.
pub(crate) fn set(words: &mut Block, id: u16) {
    words[usize::from(id >> 6)] |= 1 << (id & 63);
}

/// A block's ids, ascending.
pub(crate) fn ids(words: &Block) -> impl Iterator<Item = u16> {
    words.iter().enumerate().flat_map(|(i, &word)| {
        std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|rest| *rest != 0)
            .map(move |rest| (i * 64) as u16 + rest.trailing_zeros() as u16)
    })
}
