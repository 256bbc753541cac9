//! Everything against the `roaring` crate and plain sets.

mod bytes;
mod sql;
mod sums;

use std::collections::BTreeSet;

use proptest::prelude::*;
use roaring::RoaringBitmap;

/// One container's ids: none, few, many, all, runs, or every second.
fn lows() -> impl Strategy<Value = Vec<u16>> {
    let any = any::<u16>();
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any, 1..40),
        prop::collection::vec(any, 300..1200),
        prop::collection::vec(any, 4000..9000),
        Just((0..=u16::MAX).collect()),
        prop::collection::vec((any, 0u16..900), 1..30).prop_map(|runs| {
            let run = |(start, more): (u16, u16)| start..=start.saturating_add(more);
            runs.into_iter().flat_map(run).collect()
        }),
        (1u16..9, any).prop_map(|(step, start)| (start..=u16::MAX).step_by(step.into()).collect()),
    ]
}

/// A set whose ids lie in few or in many containers.
fn set() -> BoxedStrategy<RoaringBitmap> {
    let key = prop_oneof![
        Just(0u16),
        Just(0),
        Just(1),
        0u16..9,
        Just(u16::MAX),
        any::<u16>()
    ];
    let ids = |(key, lows): (u16, Vec<u16>)| {
        lows.into_iter()
            .map(move |low| u32::from(key) << 16 | u32::from(low))
    };
    prop::collection::vec((key, lows()), 0..7)
        .prop_map(move |containers| containers.into_iter().flat_map(ids).collect())
        .boxed()
}

/// Portable bytes as the `roaring` crate writes them, with runs or without.
fn stored(set: &RoaringBitmap, optimize: bool) -> Vec<u8> {
    let mut set = set.clone();
    if optimize {
        set.optimize();
    }
    let mut bytes = Vec::new();
    set.serialize_into(&mut bytes).unwrap();
    bytes
}

/// What the `roaring` crate reads.
fn read(bytes: &[u8]) -> RoaringBitmap {
    RoaringBitmap::deserialize_from(bytes).unwrap()
}

fn plain(set: &RoaringBitmap) -> BTreeSet<u32> {
    set.iter().collect()
}
