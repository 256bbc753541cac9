//! Counts as slices.

use std::collections::BTreeMap;

use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{lows, read, set, stored};
use crate::bitmap::counts::{Sum, decode, encode, histogram, restrict, total};
use crate::bitmap::{BitmapError, View};

/// Slices of any length over any ids.
fn slices() -> impl Strategy<Value = Vec<RoaringBitmap>> {
    let slice = prop_oneof![
        set(),
        lows().prop_map(|l| l.into_iter().map(u32::from).collect())
    ];
    prop::collection::vec(slice, 0..5)
}

fn bytes_of(slices: &[RoaringBitmap]) -> Vec<Vec<u8>> {
    slices
        .iter()
        .enumerate()
        .map(|(i, slice)| stored(slice, i % 2 == 0))
        .collect()
}

fn refs(slices: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    slices.iter().map(Vec::as_slice)
}

fn plain_counts(slices: &[RoaringBitmap]) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for (weight, slice) in slices.iter().enumerate() {
        slice
            .iter()
            .for_each(|id| *counts.entry(id).or_insert(0) += 1 << weight);
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn counts_come_back(counts in prop::collection::vec(prop_oneof![Just(0u32), 0u32..9, any::<u32>()], 0..70_000)) {
        let slices = encode(&counts);
        let back = decode(refs(&slices)).unwrap();
        let expected = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        prop_assert!(back.into_iter().eq(expected.map(|(id, count)| (id as u32, u64::from(*count)))));
        prop_assert!(slices.last().is_none_or(|last| !read(last).is_empty()));
        let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        prop_assert_eq!(total(refs(&slices)).unwrap() as u64, sum);
    }

    #[test]
    fn sums_are_those_of_plain_addition(
        lists in prop::collection::vec(slices(), 0..9), ones in prop::collection::vec(set(), 0..9),
    ) {
        let mut sum = Sum::default();
        let mut expected = BTreeMap::new();
        for list in lists.iter().chain(&ones.into_iter().map(|one| vec![one]).collect::<Vec<_>>()) {
            sum.add(refs(&bytes_of(list))).unwrap();
            plain_counts(list).into_iter().for_each(|(id, count)| *expected.entry(id).or_insert(0) += count);
            // What was settled can be added to.
            if list.len() == 2 {
                sum.slices().unwrap();
            }
        }
        let mut tallied = BTreeMap::new();
        expected.values().for_each(|count| *tallied.entry(*count).or_insert(0u64) += 1);
        prop_assert!(sum.histogram().unwrap().into_iter().eq(tallied));
        let slices = sum.finish().unwrap();
        prop_assert!(slices.last().is_none_or(|last| !read(last).is_empty()));
        prop_assert!(decode(refs(&slices)).unwrap().into_iter().eq(expected));
    }

    #[test]
    fn restricting_and_counting_agree_with_plain_sets(list in slices(), users in set()) {
        let (slices, user_bytes) = (bytes_of(&list), stored(&users, true));
        let view = View::new(&user_bytes).unwrap();
        let counts = plain_counts(&list);
        let kept = restrict(refs(&slices), &view).unwrap();
        let expected = counts.iter().filter(|(id, _)| users.contains(**id)).map(|(id, count)| (*id, *count));
        prop_assert!(decode(refs(&kept)).unwrap().into_iter().eq(expected));
        prop_assert!(kept.last().is_none_or(|last| !read(last).is_empty()));
        let mut tallied = BTreeMap::new();
        users.iter().for_each(|id| *tallied.entry(*counts.get(&id).unwrap_or(&0)).or_insert(0u64) += 1);
        prop_assert!(histogram(refs(&slices), &view).unwrap().into_iter().eq(tallied));
    }
}

#[test]
fn counts_that_pass_what_sql_holds_are_refused() {
    let one = stored(&[3].into_iter().collect(), false);
    let many = stored(&(0..9000).collect(), false);
    let empty = stored(&RoaringBitmap::new(), false);
    for ids in [&one, &many] {
        let mut slices = vec![empty.clone(); 62];
        slices.push(ids.clone());
        let mut sum = Sum::default();
        sum.add(refs(&slices)).unwrap();
        let second = sum.add(refs(&slices));
        assert!(second.is_err() || sum.finish() == Err(BitmapError::Overflow));
        slices.push(ids.clone());
        assert_eq!(
            Sum::default().add(refs(&slices)),
            Err(BitmapError::Overflow)
        );
        assert_eq!(decode(refs(&slices)), Err(BitmapError::Overflow));
        assert_eq!(total(refs(&slices)), Err(BitmapError::Overflow));
        let view = View::new(&one).unwrap();
        assert_eq!(histogram(refs(&slices), &view), Err(BitmapError::Overflow));
    }
}
