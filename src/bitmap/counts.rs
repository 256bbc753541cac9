//! Counts per id as bit-sliced bitmaps: slice `i` holds the ids whose count has bit `i` set.
//!
//! Counts are added with carry-save adders, 64 ids a word: of three planes of one weight, the sum
//! bits stay and the carries go up as one plane of twice the weight. Adding `n` bitmaps costs
//! about `n` such steps, whatever the counts come to (Harley and Seal; see Muła, Kurz and Lemire,
//! "Faster population counts using AVX2 instructions", 2018).

mod tally;

use std::collections::BTreeMap;

use super::BitmapError;
use super::combine::{Combiner, Operation};
use super::container::{Container, Form};
use super::kernels::{self, Block, WORDS};
use super::view::View;
use super::write::Writer;

use tally::Tally;
pub use tally::histogram;

/// Counts stay below 2^63, so that SQL can hold them.
const MOST_SLICES: usize = 63;

/// Up to so many ids a container's counts are kept as a list.
const FEW: usize = 256;

/// The slices of `counts`, where `counts[i]` is the count of id `i`: low bit first, empty slices
/// at the end left out. Counts that are all 0 give none.
pub fn encode(counts: &[u32]) -> Vec<Vec<u8>> {
    let highest = counts.iter().fold(0, |bits, count| bits | count);
    let number = (u32::BITS - highest.leading_zeros()) as usize;
    let mut planes = vec![vec![0u64; counts.len().div_ceil(64 * WORDS) * WORDS]; number];
    for (word, counts) in counts.chunks(64).enumerate() {
        for (bit, count) in counts.iter().enumerate() {
            let mut left = *count;
            while left != 0 {
                planes[left.trailing_zeros() as usize][word] |= 1 << bit;
                left &= left - 1;
            }
        }
    }
    planes.iter().map(|plane| super::encode(plane)).collect()
}

/// The ids that have a count above 0, ascending, with it.
///
/// # Errors
///
/// For a slice that is no bitmap, and counts of 2^63 and more.
pub fn decode<'a>(slices: impl Iterator<Item = &'a [u8]>) -> Result<Vec<(u32, u64)>, BitmapError> {
    let mut counts = BTreeMap::new();
    for (weight, slice) in slices.enumerate() {
        for id in View::new(slice)?.iter() {
            let bit = weight_of(weight)?;
            *counts.entry(id).or_insert(0) |= bit;
        }
    }
    Ok(counts.into_iter().collect())
}

/// The total of all counts.
///
/// # Errors
///
/// For a slice that is no bitmap as far as its header shows, and a total of 2^63 and more.
pub fn total<'a>(slices: impl Iterator<Item = &'a [u8]>) -> Result<i64, BitmapError> {
    let mut total = 0i64;
    for (weight, slice) in slices.enumerate() {
        let ids = super::count(slice)? as i64;
        if ids > 0 {
            let bit = weight_of(weight)? as i64;
            let part = ids.checked_mul(bit);
            total = part
                .and_then(|part| total.checked_add(part))
                .ok_or(BitmapError::Overflow)?;
        }
    }
    Ok(total)
}

/// The slices of those ids only that `users` holds.
///
/// # Errors
///
/// For a slice that is no bitmap.
pub fn restrict<'a>(
    slices: impl Iterator<Item = &'a [u8]>,
    users: &View,
) -> Result<Vec<Vec<u8>>, BitmapError> {
    let mut combiner = Combiner::default();
    let mut kept = Vec::new();
    let mut number = 0;
    for slice in slices {
        combiner.combine(Operation::And, &View::new(slice)?, users);
        let is_empty = combiner.writer.is_empty();
        kept.push(combiner.writer.bytes());
        if !is_empty {
            number = kept.len();
        }
    }
    kept.truncate(number);
    Ok(kept)
}

fn weight_of(slice: usize) -> Result<u64, BitmapError> {
    if slice < MOST_SLICES {
        Ok(1 << slice)
    } else {
        Err(BitmapError::Overflow)
    }
}

/// Adds up counts per id.
#[derive(Debug, Default)]
pub struct Sum {
    slots: BTreeMap<u16, Slot>,
    spare: Vec<Box<Block>>,
    bytes: usize,
}

/// The counts of one container's ids.
#[derive(Debug)]
enum Slot {
    /// Ids, ascending, with their counts above 0.
    Few(Vec<(u16, u64)>),
    Levels(Vec<Level>),
}

/// Two planes of one weight, each a bit for every id.
#[derive(Debug, Default)]
struct Level {
    total: Option<Box<Block>>,
    /// Waits for a third to be added with.
    pending: Option<Box<Block>>,
}

impl Sum {
    /// Adds the counts whose slices these are, low bit first.
    ///
    /// # Errors
    ///
    /// For a slice that is no bitmap, and counts of 2^63 and more. What was added before the
    /// error stays.
    pub fn add<'a>(&mut self, slices: impl Iterator<Item = &'a [u8]>) -> Result<(), BitmapError> {
        for (level, slice) in slices.enumerate() {
            self.add_ids(&View::new(slice)?, level)?;
        }
        Ok(())
    }

    /// Adds `2^level` to the count of every id of a bitmap.
    pub(crate) fn add_ids(&mut self, view: &View, level: usize) -> Result<(), BitmapError> {
        for container in view.containers() {
            let weight = weight_of(level)?;
            let slot = self
                .slots
                .entry(container.key)
                .or_insert(Slot::Few(Vec::new()));
            let before = slot.bytes();
            if let Slot::Few(counts) = slot
                && let Form::Array(values) = container.form
                && counts.len() + values.len() <= FEW
            {
                add_few(counts, &container, weight)?;
            } else {
                let levels = slot.levels(&mut self.spare)?;
                let mut plane = self.spare.pop().unwrap_or_else(kernels::empty);
                container.form.load(&mut plane);
                add_plane(levels, level, plane, &mut self.spare)?;
            }
            self.bytes = (self.bytes + slot.bytes()).saturating_sub(before);
        }
        Ok(())
    }

    /// The slices of the sums, low bit first, empty slices at the end left out.
    ///
    /// # Errors
    ///
    /// Where a sum passes 2^63 - 1.
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>, BitmapError> {
        self.slices()
    }

    /// The slices of the sums so far.
    pub(crate) fn slices(&mut self) -> Result<Vec<Vec<u8>>, BitmapError> {
        self.settle()?;
        let highest = self.slots.values().map(Slot::slices).max().unwrap_or(0);
        let mut writer = Writer::default();
        let mut ids = Vec::new();
        let mut slices = Vec::with_capacity(highest);
        for slice in 0..highest {
            for (key, slot) in &self.slots {
                match slot {
                    Slot::Few(counts) => {
                        ids.clear();
                        ids.extend(counts.iter().filter(|c| c.1 >> slice & 1 == 1).map(|c| c.0));
                        writer.push_ids(*key, &ids);
                    }
                    Slot::Levels(levels) => {
                        if let Some(words) = levels.get(slice).and_then(|l| l.total.as_deref()) {
                            writer.push_words(*key, words);
                        }
                    }
                }
            }
            slices.push(writer.bytes());
        }
        Ok(slices)
    }

    /// How many ids have each count above 0, ascending by count.
    pub(crate) fn histogram(&mut self) -> Result<Vec<(u64, u64)>, BitmapError> {
        self.settle()?;
        let mut tally = Tally::default();
        for slot in self.slots.values() {
            match slot {
                Slot::Few(counts) => counts.iter().for_each(|(_, count)| tally.note(*count, 1)),
                Slot::Levels(levels) => {
                    let planes: Vec<_> = levels.iter().map(|l| l.total.as_deref()).collect();
                    tally.planes(&planes, None);
                }
            }
        }
        Ok(tally.finish())
    }

    /// Adds up what is pending, so that each weight has one plane.
    fn settle(&mut self) -> Result<(), BitmapError> {
        for slot in self.slots.values_mut() {
            let before = slot.bytes();
            if let Slot::Levels(levels) = slot {
                let mut level = 0;
                while level < levels.len() {
                    if let Some(mut plane) = levels[level].pending.take()
                        && let Some(total) = &mut levels[level].total
                    {
                        if kernels::half_add(total, &mut plane) {
                            add_plane(levels, level + 1, plane, &mut self.spare)?;
                        } else {
                            self.spare.push(plane);
                        }
                    }
                    level += 1;
                }
            }
            self.bytes = (self.bytes + slot.bytes()).saturating_sub(before);
        }
        Ok(())
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.bytes
            + self.spare.len() * size_of::<Block>()
            + self.slots.len() * size_of::<(u16, Slot)>() * 3 / 2
    }
}

impl Slot {
    /// The counts as planes, which they become where they were a list.
    fn levels(&mut self, spare: &mut Vec<Box<Block>>) -> Result<&mut Vec<Level>, BitmapError> {
        if let Slot::Few(counts) = self {
            let mut levels = Vec::new();
            let bits = counts.iter().fold(0, |bits, count| bits | count.1);
            for level in (0..MOST_SLICES).filter(|level| bits >> level & 1 == 1) {
                let mut plane = kernels::empty();
                for (id, _) in counts.iter().filter(|count| count.1 >> level & 1 == 1) {
                    kernels::set(&mut plane, *id);
                }
                add_plane(&mut levels, level, plane, spare)?;
            }
            *self = Slot::Levels(levels);
        }
        match self {
            Slot::Levels(levels) => Ok(levels),
            Slot::Few(_) => Err(BitmapError::Overflow),
        }
    }

    /// How many slices the counts take, once settled.
    fn slices(&self) -> usize {
        match self {
            Slot::Few(counts) => {
                let bits = counts.iter().fold(0, |bits, count| bits | count.1);
                (u64::BITS - bits.leading_zeros()) as usize
            }
            Slot::Levels(levels) => {
                let used = |level: &Level| {
                    level
                        .total
                        .as_ref()
                        .is_some_and(|words| words.iter().any(|word| *word != 0))
                };
                levels.iter().rposition(used).map_or(0, |last| last + 1)
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Slot::Few(counts) => counts.capacity() * size_of::<(u16, u64)>(),
            Slot::Levels(levels) => {
                let planes = levels
                    .iter()
                    .map(|l| usize::from(l.total.is_some()) + usize::from(l.pending.is_some()));
                planes.sum::<usize>() * size_of::<Block>() + levels.capacity() * size_of::<Level>()
            }
        }
    }
}

fn add_few(
    counts: &mut Vec<(u16, u64)>,
    container: &Container,
    weight: u64,
) -> Result<(), BitmapError> {
    counts.extend(container.form.ids().map(|id| (id, weight)));
    // Two ascending stretches: the stable sort merges them.
    counts.sort_by_key(|count| count.0);
    let mut overflows = false;
    counts.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
            overflows |= kept.1 > i64::MAX as u64;
        }
        same
    });
    if overflows {
        Err(BitmapError::Overflow)
    } else {
        Ok(())
    }
}

/// Adds a plane at its level, and the carries upwards.
fn add_plane(
    levels: &mut Vec<Level>,
    mut level: usize,
    mut plane: Box<Block>,
    spare: &mut Vec<Box<Block>>,
) -> Result<(), BitmapError> {
    loop {
        weight_of(level)?;
        if levels.len() <= level {
            levels.resize_with(level + 1, Level::default);
        }
        let Level { total, pending } = &mut levels[level];
        let Some(total) = total else {
            *total = Some(plane);
            return Ok(());
        };
        let Some(second) = pending.take() else {
            *pending = Some(plane);
            return Ok(());
        };
        let carries = kernels::carry_save(total, &second, &mut plane);
        spare.push(second);
        if !carries {
            spare.push(plane);
            return Ok(());
        }
        level += 1;
    }
}
