//! How many ids have each count: slices turned into counts again.

use std::collections::BTreeMap;

use super::{BitmapError, MOST_SLICES};
use crate::bitmap::kernels::{self, Block};
use crate::bitmap::view::View;

/// Up to so many planes, sets are parted plane by plane, in at most 2^7 steps over words; of more
/// planes, each id's count is read.
const SPLIT: usize = 7;

/// Counts below this are tallied in a list, those above, which are few, in a map.
const SMALL: usize = 4096;

/// How many of `users` have each count, ascending by count; those without a count have 0. Ids that
/// are not in `users` are left out.
///
/// # Errors
///
/// For a slice that is no bitmap, and counts of 2^63 and more.
pub fn histogram<'a>(
    slices: impl Iterator<Item = &'a [u8]>,
    users: &View,
) -> Result<Vec<(u64, u64)>, BitmapError> {
    let slices = slices.map(View::new).collect::<Result<Vec<_>, _>>()?;
    if slices
        .iter()
        .skip(MOST_SLICES)
        .any(|slice| !slice.is_empty())
    {
        return Err(BitmapError::Overflow);
    }
    let mut tally = Tally::default();
    let mut containers: Vec<_> = slices.iter().map(|s| s.containers().peekable()).collect();
    let mut words: Vec<Box<Block>> = slices.iter().map(|_| kernels::empty()).collect();
    let mut of = kernels::empty();
    for user in users.containers() {
        user.form.load(&mut of);
        let mut planes = Vec::with_capacity(slices.len());
        for (containers, words) in containers.iter_mut().zip(&mut words) {
            while containers
                .next_if(|container| container.key < user.key)
                .is_some()
            {}
            let same = containers.next_if(|container| container.key == user.key);
            planes.push(same.map(|container| {
                container.form.load(words);
                &**words
            }));
        }
        tally.planes(&planes, Some(&of));
    }
    Ok(tally.finish())
}

/// Counts, and how many ids have them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    small: Vec<u64>,
    large: BTreeMap<u64, u64>,
}

impl Tally {
    /// So many ids more have this count.
    pub fn note(&mut self, count: u64, ids: u64) {
        match usize::try_from(count) {
            Ok(count) if count < SMALL => {
                if self.small.len() <= count {
                    self.small.resize(count + 1, 0);
                }
                self.small[count] += ids;
            }
            _ => *self.large.entry(count).or_insert(0) += ids,
        }
    }

    /// Notes the counts of one container's ids: of `users`, or of all that have one.
    pub fn planes(&mut self, planes: &[Option<&Block>], users: Option<&Block>) {
        if planes.len() > SPLIT {
            return self.each(planes, users);
        }
        let mut all = kernels::empty();
        match users {
            Some(users) => all.copy_from_slice(users),
            None => planes
                .iter()
                .flatten()
                .for_each(|plane| kernels::or_words(&mut all, plane)),
        }
        self.split(planes, &all, 0);
    }

    /// Parts a set by its highest plane, and the parts by the planes below.
    fn split(&mut self, planes: &[Option<&Block>], set: &Block, count: u64) {
        let Some((plane, below)) = planes.split_last() else {
            return self.note(count, u64::from(kernels::count_words(set)));
        };
        let Some(plane) = plane else {
            return self.split(below, set, count);
        };
        let higher = count | 1 << below.len();
        if below.is_empty() {
            let ids = u64::from(kernels::and_count_words(set, plane));
            self.note(higher, ids);
            return self.note(count, u64::from(kernels::count_words(set)) - ids);
        }
        let mut part = [0; kernels::WORDS];
        if kernels::and_into(&mut part, set, plane) {
            self.split(below, &part, higher);
        }
        if kernels::andnot_into(&mut part, set, plane) {
            self.split(below, &part, count);
        }
    }

    /// Reads each id's count.
    fn each(&mut self, planes: &[Option<&Block>], users: Option<&Block>) {
        let mut counts = [0u64; 64];
        for word in 0..kernels::WORDS {
            let mut any = 0;
            let wanted = users.map_or(u64::MAX, |users| users[word]);
            for (level, plane) in planes.iter().enumerate() {
                let Some(plane) = plane else { continue };
                let mut bits = plane[word] & wanted;
                any |= bits;
                while bits != 0 {
                    counts[bits.trailing_zeros() as usize] |= 1 << level;
                    bits &= bits - 1;
                }
            }
            if users.is_some() && wanted != any {
                self.note(0, u64::from((wanted & !any).count_ones()));
            }
            while any != 0 {
                let bit = any.trailing_zeros() as usize;
                self.note(counts[bit], 1);
                counts[bit] = 0;
                any &= any - 1;
            }
        }
    }

    /// The counts that any id has, ascending.
    pub fn finish(self) -> Vec<(u64, u64)> {
        let small = self
            .small
            .into_iter()
            .enumerate()
            .map(|(count, ids)| (count as u64, ids));
        small
            .filter(|(_, ids)| *ids > 0)
            .chain(self.large)
            .collect()
    }
}
