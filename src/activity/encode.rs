//! The users of one bucket and day, with their messages, as bitmaps.

use crate::bitmap;
use crate::schema::BUCKET;

/// Ids of one bucket.
const IDS: usize = BUCKET as usize;
const WORDS: usize = IDS / 64;

/// Below this many records a sorted list is faster than a field of bits.
const FEW: usize = 1 << 11;

/// Reused between rows, so that nothing large is allocated or cleared a row.
pub(super) struct Encoder {
    counts: Vec<u64>,
    words: Vec<u64>,
    slices: Vec<Vec<u64>>,
    sorted: Vec<(u16, u64)>,
}

/// A bitmap of users, and one of each bit of their counts.
pub(super) type Encoded = (Vec<u8>, Vec<Vec<u8>>);

impl Encoder {
    pub(super) fn new() -> Self {
        Encoder {
            counts: vec![0; IDS],
            words: vec![0; WORDS],
            slices: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Encodes records of ids and counts; counts of the same id add up. Without `counted` the counts
    /// are passed over.
    pub(super) fn encode(
        &mut self,
        records: impl ExactSizeIterator<Item = (u16, u32)>,
        counted: bool,
    ) -> Encoded {
        if records.len() < FEW {
            self.few(records, counted)
        } else {
            self.many(records, counted)
        }
    }

    fn few(&mut self, records: impl Iterator<Item = (u16, u32)>, counted: bool) -> Encoded {
        self.sorted.clear();
        self.sorted
            .extend(records.map(|(id, count)| (id, u64::from(count))));
        self.sorted.sort_unstable_by_key(|(id, _)| *id);
        self.sorted.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let ids: Vec<u16> = self.sorted.iter().map(|(id, _)| *id).collect();
        let users = bitmap::encode_sorted(&ids);
        if !counted {
            return (users, Vec::new());
        }
        let all = self.sorted.iter().fold(0, |all, (_, count)| all | count);
        let bits = 64 - u64::leading_zeros(all);
        let slice = |bit: u32| {
            let with = self
                .sorted
                .iter()
                .filter(|(_, count)| count >> bit & 1 == 1);
            bitmap::encode_sorted(&with.map(|(id, _)| *id).collect::<Vec<_>>())
        };
        (users, (0..bits).map(slice).collect())
    }

    fn many(&mut self, records: impl Iterator<Item = (u16, u32)>, counted: bool) -> Encoded {
        self.words.fill(0);
        if !counted {
            for (id, _) in records {
                self.words[usize::from(id) / 64] |= 1 << (id % 64);
            }
            return (bitmap::encode(&self.words), Vec::new());
        }
        for (id, count) in records {
            self.words[usize::from(id) / 64] |= 1 << (id % 64);
            self.counts[usize::from(id)] += u64::from(count);
        }
        let users = bitmap::encode(&self.words);
        let bits = self.slice();
        let slices = self.slices[..bits].iter().map(|s| bitmap::encode(s));
        (users, slices.collect())
    }

    /// Turns the counts of the ids in `words` into slices, and clears the counts. Returns how many
    /// slices there are.
    fn slice(&mut self) -> usize {
        let mut used = 0;
        for word in 0..WORDS {
            let mut ids = self.words[word];
            while ids != 0 {
                let bit = ids.trailing_zeros() as usize;
                ids &= ids - 1;
                let mut count = std::mem::take(&mut self.counts[word * 64 + bit]);
                while count != 0 {
                    let slice = count.trailing_zeros() as usize;
                    count &= count - 1;
                    while used <= slice {
                        match self.slices.get_mut(used) {
                            Some(slice) => slice.fill(0),
                            None => self.slices.push(vec![0; WORDS]),
                        }
                        used += 1;
                    }
                    self.slices[slice][word] |= 1 << bit;
                }
            }
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use roaring::RoaringBitmap;

    use super::*;

    #[test]
    fn few_and_many_encode_what_was_counted() {
        let mut encoder = Encoder::new();
        for size in [0usize, 1, 100, FEW - 1, FEW, 50_000] {
            let record = |i: usize| ((i * 7919 % 40_000) as u16, (i % 300) as u32);
            let records: Vec<(u16, u32)> = (0..size).map(record).collect();
            let mut expected: BTreeMap<u32, u64> = BTreeMap::new();
            for (id, count) in &records {
                *expected.entry(u32::from(*id)).or_default() += u64::from(*count);
            }
            let (users, slices) = encoder.encode(records.iter().copied(), true);
            let read = |bytes: &[u8]| RoaringBitmap::deserialize_from(bytes).unwrap();
            let ids: Vec<u32> = read(&users).iter().collect();
            assert_eq!(ids, expected.keys().copied().collect::<Vec<_>>());
            let slices: Vec<_> = slices.iter().map(|s| read(s)).collect();
            for (id, count) in &expected {
                let bits = slices.iter().enumerate();
                let found: u64 = bits.map(|(bit, s)| u64::from(s.contains(*id)) << bit).sum();
                assert_eq!(found, *count, "id {id} of {size} records");
            }
            assert!(slices.last().is_none_or(|last| !last.is_empty()));
            let (same, none) = encoder.encode(records.iter().copied(), false);
            assert_eq!((same, none.len()), (users, 0));
        }
    }
}
