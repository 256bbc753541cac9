//! Rolls the user-days of loads up into bitmaps.
//!
//! Rows are taken in rounds, of one large load or of many small ones. In a round each shard of the census
//! looks up its rows by itself (shards are small enough to stay in a processor's cache meanwhile), and
//! each row becomes a record of eight bytes in the bucket of its id. When a load is complete, each
//! bucket sorts its records by day and makes them into bitmaps. Nothing depends on the order of
//! records: users unite, counts add up.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::census::{Census, Full};
use super::encode::Encoder;
use super::rows::{Event, Row};
use super::spill::Spill;
use crate::pseudonym::Pseudonym;
use crate::schema::BUCKET;
use crate::user_days::{Cell, SHARDS, UserDays};

/// How many rows are looked up at a time: enough that each shard has tens of thousands.
const ROUND: usize = 4 << 20;

/// How many days and places are told apart at a time.
const CELLS: usize = 1 << 16;

/// Why a load can't be rolled up.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The store can't number more users.
    #[error(transparent)]
    Full(#[from] Full),
    /// A dimension has too many values to be one.
    #[error(
        "dimension `{0}` has more than 65535 values; a dimension is a country or a client, not what nearly every user has of their own"
    )]
    Values(String),
    /// Some rows count messages and others do not.
    #[error("some rows count messages and others do not; split the file, or ignore the column")]
    Mixed,
    /// The thread that rolls up ended before its work did.
    #[error("rolling up failed inside; this is a fault of essor, please report it")]
    Stopped,
    /// Records could not be written out or read back.
    #[error("can't spill to `{}`: {source}", .folder.display())]
    Spill {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Records by bucket: an id within it (16 bits), a cell (16) and a count of messages (32), and apart
/// from them a code a dimension.
#[derive(Default)]
pub(super) struct Bucketed {
    pub records: Vec<Vec<u64>>,
    pub codes: Vec<Vec<u16>>,
}

impl Bucketed {
    fn bytes(&self) -> usize {
        let records: usize = self.records.iter().map(Vec::capacity).sum();
        let codes: usize = self.codes.iter().map(Vec::capacity).sum();
        records * 8 + codes * 2
    }

    #[inline]
    fn push(&mut self, id: u32, cell: u16, messages: u32) -> usize {
        let bucket = (id / BUCKET) as usize;
        if bucket >= self.records.len() {
            self.records.resize_with(bucket + 1, Vec::new);
            self.codes.resize_with(bucket + 1, Vec::new);
        }
        let record = u64::from(id % BUCKET) | u64::from(cell) << 16 | u64::from(messages) << 32;
        self.records[bucket].push(record);
        bucket
    }
}

/// The values of one dimension, numbered over the whole load.
#[derive(Default)]
struct Values {
    name: String,
    list: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u16>,
}

impl Values {
    fn number(&mut self, value: &Arc<str>) -> Result<u16, RollupError> {
        if let Some(number) = self.numbers.get(value) {
            return Ok(*number);
        }
        let number = u16::try_from(self.list.len())
            .ok()
            .filter(|n| *n < u16::MAX)
            .ok_or_else(|| RollupError::Values(self.name.clone()))?;
        self.list.push(value.clone());
        self.numbers.insert(value.clone(), number);
        Ok(number)
    }
}

/// What the numbers of one stretch of rows are over the whole load.
struct Meaning {
    load: usize,
    cells: Vec<u16>,
    values: Vec<Vec<u16>>,
}

/// The census, and the loads that are rolled up with it.
pub struct Rollups {
    census: Census,
    loads: Vec<Option<Rollup>>,
    round: Vec<UserDays>,
    meanings: Vec<Meaning>,
    waiting: usize,
    full: bool,
}

impl Rollups {
    /// None yet, over the accounts that are known.
    pub fn new(census: Census) -> Self {
        Rollups {
            census,
            loads: Vec::new(),
            round: Vec::new(),
            meanings: Vec::new(),
            waiting: 0,
            full: false,
        }
    }

    /// Begins a load, and says its number.
    pub fn begin(&mut self, rollup: Rollup) -> usize {
        self.loads.push(Some(rollup));
        self.loads.len() - 1
    }

    /// Takes a stretch of rows of a load.
    pub fn push(&mut self, load: usize, rows: UserDays) -> Result<(), RollupError> {
        if rows.rows() == 0 {
            return Ok(());
        }
        if self.of(load)?.outgrown(&rows) {
            self.resolve();
            self.of(load)?.close_cells()?;
        }
        let mut meaning = self.of(load)?.meaning(&rows)?;
        meaning.load = load;
        self.waiting += rows.rows();
        self.round.push(rows);
        self.meanings.push(meaning);
        // A round is also bounded by memory, for machines with little of it.
        let round: usize = self.round.iter().map(UserDays::bytes).sum();
        if self.waiting >= ROUND || round > self.of(load)?.most / 2 {
            self.resolve();
        }
        Ok(())
    }

    fn of(&mut self, load: usize) -> Result<&mut Rollup, RollupError> {
        let load = self.loads.get_mut(load).and_then(Option::as_mut);
        load.ok_or(RollupError::Stopped)
    }

    /// Whether all rows that were taken are in their buckets.
    pub fn resolved(&self) -> bool {
        self.round.is_empty()
    }

    /// Looks up the rows of the round and puts them into the buckets of their loads.
    pub fn resolve(&mut self) {
        let rows = std::mem::take(&mut self.round);
        let meanings = std::mem::take(&mut self.meanings);
        self.waiting = 0;
        let Ok(ids) = self.census.resolve(&rows) else {
            self.full = true;
            return;
        };
        let shards = SHARDS.div_ceil(2 * rayon::current_num_threads());
        let parts: Vec<BTreeMap<usize, Bucketed>> = ids
            .par_chunks(shards)
            .enumerate()
            .map(|(group, ids)| {
                let mut parts = BTreeMap::new();
                for (shard, ids) in ids.iter().enumerate() {
                    records(&mut parts, group * shards + shard, ids, &rows, &meanings);
                }
                parts
            })
            .collect();
        for (load, part) in parts.into_iter().flatten() {
            if let Some(Some(rollup)) = self.loads.get_mut(load) {
                rollup.absorb(part);
            }
        }
    }

    /// The rows of a whole load, which is ended by it.
    pub fn finish(&mut self, load: usize) -> Result<Vec<Row>, RollupError> {
        if self.meanings.iter().any(|m| m.load == load) {
            self.resolve();
        }
        let rollup = self.loads.get_mut(load).and_then(Option::take);
        let mut rollup = rollup.ok_or(RollupError::Stopped)?;
        if self.full {
            return Err(Full.into());
        }
        rollup.close_cells()?;
        Ok(rollup.rows)
    }

    /// Forgets a load. Users that it brought keep their ids.
    pub fn abandon(&mut self, load: usize) {
        if let Some(rollup) = self.loads.get_mut(load) {
            *rollup = None;
        }
    }

    /// The accounts that got their ids since this was last asked, in the order of the ids.
    pub fn take_fresh(&mut self) -> Vec<(Pseudonym, u32)> {
        self.census.take_fresh()
    }
}

/// One load on its way to bitmaps.
pub struct Rollup {
    event: Event,
    counted: Option<bool>,
    cells: Vec<Cell>,
    numbers: HashMap<Cell, u16>,
    dimensions: Vec<Values>,
    parts: Vec<Bucketed>,
    held: usize,
    most: usize,
    folder: PathBuf,
    spill: Option<Spill>,
    rows: Vec<Row>,
    failed: Option<RollupError>,
}

impl Rollup {
    /// Begins a load. Beyond `memory` bytes records are spilled to the disk that `folder` lies on.
    pub fn new(event: Event, dimensions: &[String], memory: usize, folder: PathBuf) -> Self {
        let values = |name: &String| Values {
            name: name.clone(),
            ..Values::default()
        };
        Rollup {
            event,
            counted: None,
            cells: Vec::new(),
            numbers: HashMap::new(),
            dimensions: dimensions.iter().map(values).collect(),
            parts: Vec::new(),
            held: 0,
            most: memory,
            folder,
            spill: None,
            rows: Vec::new(),
            failed: None,
        }
    }

    /// Whether the days and places of some rows are more than can be told apart at a time.
    fn outgrown(&self, rows: &UserDays) -> bool {
        let new = rows.list.iter().filter(|c| !self.numbers.contains_key(*c));
        self.cells.len() + new.count() > CELLS
    }

    fn meaning(&mut self, rows: &UserDays) -> Result<Meaning, RollupError> {
        let counted = rows.messages.is_some();
        if *self.counted.get_or_insert(counted) != counted {
            return Err(RollupError::Mixed);
        }
        let mut cells = Vec::with_capacity(rows.list.len());
        for cell in &rows.list {
            let next = self.cells.len() as u16;
            let number = *self.numbers.entry(cell.clone()).or_insert(next);
            if usize::from(number) == self.cells.len() {
                self.cells.push(cell.clone());
            }
            cells.push(number);
        }
        let values = self.dimensions.iter_mut().zip(&rows.dimensions);
        let values = values.map(|(all, of)| of.values.iter().map(|v| all.number(v)).collect());
        Ok(Meaning {
            load: 0,
            cells,
            values: values.collect::<Result<_, _>>()?,
        })
    }

    /// Takes records. What goes wrong is said when the load ends.
    fn absorb(&mut self, part: Bucketed) {
        self.held += part.bytes();
        self.parts.push(part);
        if self.held > self.most
            && let Err(error) = self.spill_out()
        {
            self.failed = Some(error);
        }
    }

    fn spill_out(&mut self) -> Result<(), RollupError> {
        let folder = self.folder.clone();
        let told = |source| RollupError::Spill { folder, source };
        let spill = match &mut self.spill {
            Some(spill) => Ok(spill),
            none => Spill::new(&self.folder, self.dimensions.len()).map(|new| none.insert(new)),
        };
        let parts = std::mem::take(&mut self.parts);
        self.held = 0;
        spill.and_then(|spill| spill.write(&parts)).map_err(told)
    }

    /// Makes what was taken so far into bitmaps, so that days and places can be numbered anew.
    fn close_cells(&mut self) -> Result<(), RollupError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let parts = std::mem::take(&mut self.parts);
        let spill = self.spill.take();
        self.held = 0;
        let resident = parts.iter().map(|p| p.records.len()).max().unwrap_or(0);
        let buckets = resident.max(spill.as_ref().map_or(0, Spill::buckets));
        let rows: Result<Vec<Vec<Row>>, std::io::Error> = (0..buckets)
            .into_par_iter()
            .map_init(Encoder::new, |encoder, bucket| {
                self.bucket(bucket, &parts, spill.as_ref(), encoder)
            })
            .collect();
        let rows = rows.map_err(|source| RollupError::Spill {
            folder: self.folder.clone(),
            source,
        })?;
        self.rows.extend(rows.into_iter().flatten());
        self.cells.clear();
        self.numbers.clear();
        Ok(())
    }

    /// The rows of one bucket.
    fn bucket(
        &self,
        bucket: usize,
        parts: &[Bucketed],
        spill: Option<&Spill>,
        encoder: &mut Encoder,
    ) -> Result<Vec<Row>, std::io::Error> {
        let (mut records, mut codes) = (Vec::new(), Vec::new());
        if let Some(spill) = spill {
            spill.read(bucket, &mut records, &mut codes)?;
        }
        for part in parts {
            if let Some(more) = part.records.get(bucket) {
                records.extend_from_slice(more);
                codes.extend_from_slice(&part.codes[bucket]);
            }
        }
        let (order, starts) = grouped(self.cells.len(), records.len(), |i| {
            (records[i] >> 16) as u16
        });
        let counted = self.counted == Some(true) && self.event == Event::Active;
        let mut rows = Vec::new();
        for (cell, range) in starts.windows(2).enumerate().filter(|(_, w)| w[0] < w[1]) {
            let of_cell = &order[range[0] as usize..range[1] as usize];
            let mut row = |dimension: &str, value: &Arc<str>, of: &[u32]| {
                let records = of.iter().map(|i| {
                    let record = records[*i as usize];
                    (record as u16, (record >> 32) as u32)
                });
                let (users, slices) = encoder.encode(records, counted);
                rows.push(Row {
                    event: self.event,
                    cell: self.cells[cell].clone(),
                    bucket: bucket as u32,
                    dimension: Arc::from(dimension),
                    value: value.clone(),
                    users,
                    messages: counted.then_some(slices),
                });
            };
            row("", &Arc::from(""), of_cell);
            for (d, dimension) in self.dimensions.iter().enumerate() {
                let width = self.dimensions.len();
                let code = |i: usize| codes[of_cell[i] as usize * width + d];
                let (within, starts) = grouped(dimension.list.len(), of_cell.len(), code);
                for (value, range) in starts.windows(2).enumerate().filter(|(_, w)| w[0] < w[1]) {
                    let of: Vec<u32> = within[range[0] as usize..range[1] as usize]
                        .iter()
                        .map(|i| of_cell[*i as usize])
                        .collect();
                    row(&dimension.name, &dimension.list[value], &of);
                }
            }
        }
        Ok(rows)
    }
}

/// Puts the rows of one shard into buckets.
fn records(
    parts: &mut BTreeMap<usize, Bucketed>,
    shard: usize,
    ids: &[u32],
    rows: &[UserDays],
    meanings: &[Meaning],
) {
    let mut ids = ids.iter();
    for (rows, meaning) in rows.iter().zip(meanings) {
        let part = parts.entry(meaning.load).or_default();
        for (row, id) in rows.shard(shard).zip(&mut ids) {
            let cell = meaning.cells[rows.cells[row] as usize];
            let messages = rows.messages.as_ref().map_or(0, |m| m[row]);
            let bucket = part.push(*id, cell, messages);
            for (coded, meant) in rows.dimensions.iter().zip(&meaning.values) {
                part.codes[bucket].push(meant[usize::from(coded.codes[row])]);
            }
        }
    }
}

/// The numbers 0 to `items` ordered by their key below `keys`, and where each key's begin.
fn grouped(keys: usize, items: usize, key: impl Fn(usize) -> u16) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; keys + 1];
    for item in 0..items {
        starts[usize::from(key(item)) + 1] += 1;
    }
    for k in 0..keys {
        starts[k + 1] += starts[k];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; items];
    for item in 0..items {
        let at = &mut next[usize::from(key(item))];
        order[*at as usize] = item as u32;
        *at += 1;
    }
    (order, starts)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use roaring::RoaringBitmap;

    use super::*;
    use crate::user_days::Coded;

    /// Rows of a few thousand users over a few days, one dimension, in chunks.
    fn chunks() -> Vec<UserDays> {
        let chunk = |c: u32| {
            let rows: Vec<u32> = (0..5000).map(|i| i * 7 + c * 13).collect();
            let user = |n: &u32| {
                let hash = blake3::hash(&(n % 3000).to_le_bytes());
                let mut user = [0; 16];
                user.copy_from_slice(&hash.as_bytes()[..16]);
                user
            };
            let cell = |day: i32| Cell {
                platform: Arc::from("A"),
                server: Arc::from(""),
                day: day + c as i32,
            };
            UserDays {
                grain: crate::schema::Grain::Activity,
                users: rows.iter().map(user).collect(),
                cells: rows.iter().map(|n| n % 3).collect(),
                list: (0..3).map(cell).collect(),
                messages: Some(rows.iter().map(|n| n % 9).collect()),
                dimensions: vec![Coded {
                    codes: rows.iter().map(|n| (n % 2) as u16).collect(),
                    values: vec![Arc::from("x"), Arc::from(if c == 0 { "y" } else { "z" })],
                }],
            }
            .by_shard()
        };
        (0..4).map(chunk).collect()
    }

    type Key = (i32, String, String);

    /// What the rows say, by plain sets and sums.
    fn plain(
        chunks: &[UserDays],
        ids: &BTreeMap<[u8; 16], u32>,
    ) -> BTreeMap<Key, BTreeMap<u32, u64>> {
        let mut all: BTreeMap<Key, BTreeMap<u32, u64>> = BTreeMap::new();
        for rows in chunks {
            for row in 0..rows.rows() {
                let day = rows.list[rows.cells[row] as usize].day;
                let value = &rows.dimensions[0].values[usize::from(rows.dimensions[0].codes[row])];
                let messages = u64::from(rows.messages.as_ref().unwrap()[row]);
                for (dimension, value) in [("", ""), ("country", value)] {
                    let key = (day, dimension.to_owned(), value.to_owned());
                    *all.entry(key)
                        .or_default()
                        .entry(ids[&rows.users[row]])
                        .or_default() += messages;
                }
            }
        }
        all
    }

    fn rolled(memory: usize) -> (Vec<Row>, BTreeMap<[u8; 16], u32>) {
        let mut rollups = Rollups::new(Census::default());
        let folder = std::env::temp_dir();
        let rollup = Rollup::new(Event::Active, &["country".into()], memory, folder);
        let load = rollups.begin(rollup);
        for rows in chunks() {
            rollups.push(load, rows).unwrap();
        }
        let rows = rollups.finish(load).unwrap();
        (rows, rollups.take_fresh().into_iter().collect())
    }

    #[test]
    fn bitmaps_say_what_the_rows_said_spilled_or_not() {
        for memory in [usize::MAX, 1000] {
            let (rows, ids) = rolled(memory);
            let expected = plain(&chunks(), &ids);
            let mut found: BTreeMap<Key, BTreeMap<u32, u64>> = BTreeMap::new();
            for row in &rows {
                let key = (
                    row.cell.day,
                    row.dimension.to_string(),
                    row.value.to_string(),
                );
                let read = |bytes: &Vec<u8>| RoaringBitmap::deserialize_from(&bytes[..]).unwrap();
                let slices: Vec<_> = row.messages.iter().flatten().map(read).collect();
                let of = found.entry(key).or_default();
                for id in read(&row.users) {
                    let bits = slices.iter().enumerate();
                    let count = bits.map(|(bit, s)| u64::from(s.contains(id)) << bit).sum();
                    assert!(of.insert(row.bucket * BUCKET + id, count).is_none());
                }
            }
            assert_eq!(found, expected);
            let users: BTreeSet<u32> = ids.values().copied().collect();
            assert_eq!(users.len(), 3000);
        }
    }

    #[test]
    fn rows_with_and_without_counts_do_not_mix() {
        let mut rollups = Rollups::new(Census::default());
        let rollup = || Rollup::new(Event::Active, &[], usize::MAX, std::env::temp_dir());
        let load = rollups.begin(rollup());
        let mut rows = chunks().remove(0);
        rows.dimensions.clear();
        rollups.push(load, rows.clone()).unwrap();
        rows.messages = None;
        let other = rollups.begin(rollup());
        rollups.push(other, rows.clone()).unwrap();
        let error = rollups.push(load, rows).unwrap_err();
        assert!(matches!(error, RollupError::Mixed));
    }
}
