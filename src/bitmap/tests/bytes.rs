//! Bytes: read, written, combined, and bytes that are no bitmap.

use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{lows, plain, read, set, stored};
use crate::bitmap::combine::{self, Combiner, Operation};
use crate::bitmap::kernels::WORDS;
use crate::bitmap::{BitmapError, Dense, View, count, encode};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_roaring_writes_is_read(set in set(), optimize: bool) {
        let bytes = stored(&set, optimize);
        let view = View::new(&bytes).unwrap();
        prop_assert_eq!(view.count(), set.len());
        prop_assert_eq!(count(&bytes).unwrap(), set.len());
        prop_assert!(view.iter().eq(set.iter()));
        for id in set.iter().step_by(97).flat_map(|id| [id, id.wrapping_add(1), id ^ 0x1_0000]) {
            prop_assert_eq!(view.contains(id), set.contains(id));
        }
    }

    #[test]
    fn what_is_written_roaring_reads_and_could_not_make_smaller(
        containers in prop::collection::vec(lows(), 0..6),
    ) {
        let mut words = vec![0u64; containers.len() * WORDS];
        let mut expected = RoaringBitmap::new();
        for (key, lows) in containers.iter().enumerate() {
            for low in lows {
                words[key * WORDS + usize::from(low >> 6)] |= 1 << (low & 63);
                expected.insert((key as u32) << 16 | u32::from(*low));
            }
        }
        let bytes = encode(&words);
        prop_assert_eq!(&read(&bytes), &expected);
        prop_assert!(View::new(&bytes).unwrap().iter().eq(expected.iter()));
        prop_assert!(bytes.len() <= stored(&expected, true).len());
    }

    #[test]
    fn two_sets_combine_as_roaring_combines_them(a in set(), b in set(), x: bool, y: bool) {
        let (bytes_a, bytes_b) = (stored(&a, x), stored(&b, y));
        let (view_a, view_b) = (View::new(&bytes_a).unwrap(), View::new(&bytes_b).unwrap());
        let mut combiner = Combiner::default();
        for (operation, expected) in [
            (Operation::And, &a & &b),
            (Operation::Or, &a | &b),
            (Operation::AndNot, &a - &b),
        ] {
            combiner.combine(operation, &view_a, &view_b);
            let bytes = combiner.writer.bytes();
            prop_assert_eq!(&read(&bytes), &expected);
            prop_assert!(View::new(&bytes).is_ok());
            prop_assert_eq!(combine::count(operation, &view_a, &view_b), Ok(expected.len()));
        }
    }

    #[test]
    fn a_dense_set_gathers_bitmaps(sets in prop::collection::vec((set(), any::<bool>()), 0..6)) {
        let bytes: Vec<_> = sets.iter().map(|(set, optimize)| stored(set, *optimize)).collect();
        let mut dense = Dense::new();
        let mut expected = RoaringBitmap::new();
        for (i, (bytes, (set, _))) in bytes.iter().zip(&sets).enumerate() {
            let view = View::new(bytes).unwrap();
            if i % 3 == 2 {
                dense.intersect(&view);
                expected &= set;
            } else {
                view.union_into(&mut dense);
                expected |= set;
            }
            prop_assert_eq!(dense.count(), expected.len());
        }
        prop_assert_eq!(read(&dense.to_bytes()), expected);
    }

    #[test]
    fn random_bytes_are_refused_or_read_as_roaring_reads_them(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        cookie in prop_oneof![Just(None), Just(Some(12346u32)), Just(Some(12347)), Just(Some(12347 | 2 << 16))],
    ) {
        if let (Some(cookie), Some(start)) = (cookie, bytes.first_chunk_mut::<4>()) {
            *start = cookie.to_le_bytes();
        }
        agrees_with_roaring(&bytes)?;
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_as_roaring_reads_it(
        set in set(), optimize: bool, at: prop::sample::Index, to: u8,
    ) {
        let mut bytes = stored(&set, optimize);
        let at = at.index(bytes.len().min(200));
        bytes[at] = to;
        agrees_with_roaring(&bytes)?;
    }
}

/// What is accepted, the crate accepts and reads alike; what is refused does not panic, neither
/// now nor where only the header was looked at.
fn agrees_with_roaring(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(view) = View::new(bytes) {
        prop_assert_eq!(
            combine::count(Operation::Or, &view, &view),
            Ok(view.count())
        );
        let set = RoaringBitmap::deserialize_from(bytes).map_err(|error| {
            TestCaseError::fail(format!("accepted what roaring refuses: {error}"))
        })?;
        prop_assert!(view.iter().eq(set.iter()));
        prop_assert_eq!(view.count(), set.len());
    }
    if let Ok(view) = View::outline(bytes) {
        let mut dense = Dense::new();
        dense.union(&view);
        dense.intersect(&view);
        view.iter().for_each(drop);
        let whole = View::new(bytes);
        prop_assert_eq!(
            combine::count(Operation::And, &view, &view),
            whole.map(|view| view.count())
        );
        dense.to_bytes();
    }
    Ok(())
}

#[test]
fn bytes_cut_short_or_too_long_are_refused() {
    let mut set: RoaringBitmap = (0..40_000).step_by(3).collect();
    set.extend(70_000..90_000);
    set.extend([1 << 18, 1 << 20, u32::MAX]);
    for optimize in [false, true] {
        let mut bytes = stored(&set, optimize);
        for length in 0..bytes.len() {
            let error = View::new(&bytes[..length]).unwrap_err();
            assert!(
                error.to_string().contains("not a Roaring bitmap"),
                "{length}: {error}"
            );
        }
        bytes.push(0);
        assert_eq!(View::new(&bytes).unwrap_err(), BitmapError::Trailing(1));
    }
}

/// Bytes of one container without runs: key, ids less one, offset, then the container.
fn one(count: u16, container: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x3a, 0x30, 0, 0, 1, 0, 0, 0, 7, 0];
    bytes.extend(count.wrapping_sub(1).to_le_bytes());
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(container);
    bytes
}

/// Bytes of one container of runs.
fn runs(count: u16, runs: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = vec![0x3b, 0x30, 0, 0, 1, 7, 0];
    bytes.extend(count.wrapping_sub(1).to_le_bytes());
    bytes.extend((runs.len() as u16).to_le_bytes());
    runs.iter().for_each(|(start, more)| {
        bytes.extend(start.to_le_bytes());
        bytes.extend(more.to_le_bytes());
    });
    bytes
}

#[test]
fn what_is_wrong_is_said() {
    let error = |bytes: &[u8]| View::new(bytes).unwrap_err();
    assert_eq!(error(&[]), BitmapError::Header { length: 0 });
    assert_eq!(
        error(b"PAR1"),
        BitmapError::Cookie(u32::from_le_bytes(*b"PAR1"))
    );
    let huge = [0x3a, 0x30, 0, 0, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(error(&huge), BitmapError::Size(u32::MAX as usize));
    assert_eq!(error(&one(2, &[3, 0, 3, 0])), BitmapError::Array { key: 7 });
    assert_eq!(error(&one(2, &[3, 0, 1, 0])), BitmapError::Array { key: 7 });
    let count = BitmapError::Count {
        key: 7,
        stated: 5000,
        found: 8,
    };
    assert_eq!(
        error(&one(5000, &[[0xff].as_slice(), &[0; 8191]].concat())),
        count
    );
    assert_eq!(
        error(&runs(9, &[(0, 3), (4, 4)])),
        BitmapError::Runs { key: 7 }
    );
    assert_eq!(
        error(&runs(9, &[(0, 3), (2, 4)])),
        BitmapError::Runs { key: 7 }
    );
    assert_eq!(error(&runs(9, &[(65530, 8)])), BitmapError::Runs { key: 7 });
    assert_eq!(
        error(&runs(9, &[(5, 7)])),
        BitmapError::Count {
            key: 7,
            stated: 9,
            found: 8
        }
    );
    assert!(View::new(&runs(0, &[(0, 65535)])).is_ok(), "65,536 ids");
    let mut offset = one(1, &[3, 0]);
    offset[12] = 17;
    assert_eq!(
        error(&offset),
        BitmapError::Offset {
            container: 0,
            at: 16
        }
    );
}

#[test]
fn an_empty_set_is_a_bitmap() {
    for bytes in [encode(&[]), encode(&[0; WORDS]), Dense::new().to_bytes()] {
        assert!(read(&bytes).is_empty());
        assert!(View::new(&bytes).unwrap().is_empty());
    }
    assert_eq!(plain(&read(&encode(&[5]))), [0, 2].into());
}
