//! From user-days to bitmaps: a dense id for every pseudonym, and who was active as bitmaps of ids.
//!
//! A question about growth asked of raw user-days aggregates every row again and again. Here each
//! pseudonym gets a dense id once, and a day keeps one bitmap of ids a bucket; what follows is unions
//! and intersections of bitmaps. Ids are given in the order in which users appear, so that a bucket
//! holds users of one time: old buckets grow sparse together, and no bucket is ever split.

mod census;
mod encode;
mod rollup;
mod rows;
mod spill;

pub use census::{Census, Full};
pub use rollup::{Rollup, RollupError, Rollups};
pub use rows::{Event, Row};
