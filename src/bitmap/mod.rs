//! Stand-in until the room is moved in.
use roaring::RoaringBitmap;
/// words
pub fn encode(words: &[u64]) -> Vec<u8> {
    let mut b: RoaringBitmap = words.iter().enumerate().flat_map(|(w, bits)| (0..64u32).filter(move |i| bits >> i & 1 == 1).map(move |i| w as u32 * 64 + i)).collect();
    b.optimize();
    let mut out = vec![]; _ = b.serialize_into(&mut out); out
}
/// sorted ids
pub fn encode_sorted(ids: &[u16]) -> Vec<u8> {
    let mut b: RoaringBitmap = ids.iter().map(|i| u32::from(*i)).collect();
    b.optimize();
    let mut out = vec![]; _ = b.serialize_into(&mut out); out
}
