//! What depends on the chunks before: spellings, keys stated twice, and the days that are covered.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use roaring::RoaringBitmap;

use super::clean::{Cleaned, Context, Place};
use super::clean_user_days::People;
use super::error::IngestError;
use super::platforms::Spellings;
use super::reject::{Reason, Reject};
use crate::metric::METRICS;
use crate::project::OnConflict;
use crate::schema::Grain;
use crate::user_days::UserDays;

/// What one series is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The platform.
    pub platform: String,
    /// The server; empty where there is none.
    pub server: String,
    /// The registered name of the metric.
    pub metric: &'static str,
    /// The dimension; empty where there is none.
    pub dimension: String,
    /// The value of the dimension; empty where there is none.
    pub dimension_value: String,
}

/// The days that a file has figures of. A day is its `Date32` as an unsigned number; a disclosure
/// has the day of its `as_of`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coverage {
    /// By platform and server.
    pub servers: BTreeMap<(String, String), RoaringBitmap>,
    /// By series.
    pub series: BTreeMap<SeriesKey, RoaringBitmap>,
}

impl Coverage {
    /// The first and the last day, as `Date32`.
    pub fn span(&self) -> Option<(i32, i32)> {
        let first = self.servers.values().filter_map(RoaringBitmap::min).min()?;
        let last = self.servers.values().filter_map(RoaringBitmap::max).max()?;
        Some((first as i32, last as i32))
    }
}

/// What is held of one series.
#[derive(Default)]
struct Held {
    whole: RoaringBitmap,
    days: RoaringBitmap,
    seconds: RoaringBitmap,
    /// Moments with a fraction of a second.
    fine: HashSet<i64>,
}

impl Held {
    fn has(&self, day: i32, at: Option<i64>) -> bool {
        let whole = self.whole.contains(day as u32);
        match at {
            // A figure of the whole day says again what the moments of that day have said.
            None => whole || self.days.contains(day as u32),
            Some(_) if whole => true,
            Some(at) if at % 1_000_000 == 0 => self.seconds.contains((at / 1_000_000) as u32),
            Some(at) => self.fine.contains(&at),
        }
    }

    fn add(&mut self, day: i32, at: Option<i64>) {
        match at {
            None => {
                self.whole.insert(day as u32);
                return;
            }
            Some(at) if at % 1_000_000 == 0 => self.seconds.insert((at / 1_000_000) as u32),
            Some(at) => self.fine.insert(at),
        };
        self.days.insert(day as u32);
    }
}

/// Whether all of `part` comes after all of `held`, as it does in a file that is sorted by day.
fn after(held: &RoaringBitmap, part: &RoaringBitmap) -> bool {
    match (held.max(), part.min()) {
        (Some(last), Some(first)) => last < first,
        _ => true,
    }
}

fn meet(held: &RoaringBitmap, part: &RoaringBitmap) -> bool {
    !after(held, part) && !held.is_disjoint(part)
}

/// Adds `part`. A union copies all that is held, chunk after chunk; appending does not.
fn add(held: &mut RoaringBitmap, part: &RoaringBitmap) {
    if !after(held, part) || held.append(part.iter()).is_err() {
        *held |= part;
    }
}

/// The days on which people were, by platform and server, in the order of the file.
pub(super) struct Presence {
    spellings: Spellings,
    days: BTreeMap<(Arc<str>, Arc<str>), RoaringBitmap>,
}

impl Presence {
    pub(super) fn new(context: &Context) -> Self {
        Presence {
            spellings: Spellings::new(&context.options),
            days: BTreeMap::new(),
        }
    }

    /// Takes the next chunk of the file: its rows, by shard, without those whose platform is spelled
    /// in another way than before; its rejects; and how many rows were kept.
    pub(super) fn admit(&mut self, mut chunk: People) -> (UserDays, Vec<Reject>, u64) {
        let mut rejects = std::mem::take(&mut chunk.rejects);
        let mut days = chunk.days;
        let named = days.list.iter().map(|cell| cell.platform.as_ref());
        let refused = match chunk.row.is_empty() {
            true => HashMap::new(),
            false => self.spellings.refused(named),
        };
        if !refused.is_empty() {
            let bad = |row: usize| {
                let cell = &days.list[days.cells[row] as usize];
                refused.contains_key(cell.platform.as_ref())
            };
            let (gone, keep): (Vec<usize>, Vec<usize>) = (0..days.rows()).partition(|r| bad(*r));
            rejects.extend(gone.iter().map(|row| {
                let line = chunk.lines.of(chunk.row[*row]);
                Reason::Spelling.reject(line, &chunk.platform_column)
            }));
            chunk.kept -= gone.len() as u64;
            days = days.only(&keep);
        }
        if !chunk.row.is_empty() {
            days = days.by_shard();
        }
        for cell in days.used() {
            let of = (cell.platform.clone(), cell.server.clone());
            self.days.entry(of).or_default().insert(cell.day as u32);
        }
        rejects.sort_by_key(|reject| reject.line);
        (days, rejects, chunk.kept)
    }

    /// The days that were taken.
    pub(super) fn coverage(self) -> Coverage {
        let days = self.days.into_iter();
        let servers = days.map(|((p, s), days)| ((p.to_string(), s.to_string()), days));
        Coverage {
            servers: servers.collect(),
            series: BTreeMap::new(),
        }
    }
}

/// What has been taken of a file so far, in its order.
pub(super) struct Ledger {
    spellings: Spellings,
    places: Vec<Place>,
    numbers: HashMap<Place, u32>,
    held: HashMap<(u32, u8), Held>,
    refuse: bool,
}

impl Ledger {
    pub(super) fn new(context: &Context) -> Self {
        Ledger {
            spellings: Spellings::new(&context.options),
            places: vec![],
            numbers: HashMap::new(),
            held: HashMap::new(),
            // One statement with two sources stands in `disclosures` twice; a view resolves it.
            // Which of two lines of one file is the latest, no load says.
            refuse: matches!(
                context.options.on_conflict,
                OnConflict::Answers | OnConflict::Refuse | OnConflict::Latest
            ) && context.layout.grain == Grain::Usage,
        }
    }

    /// Takes the next chunk of the file: its batch without the rows that the chunks before rule
    /// out, all its rejects in order, and how many rows were kept.
    pub(super) fn admit(
        &mut self,
        mut chunk: Cleaned,
        context: &Context,
    ) -> Result<(RecordBatch, Vec<Reject>, u64), IngestError> {
        let used = chunk
            .order
            .iter()
            .map(|place| chunk.places[*place as usize].platform.as_ref());
        let refused = self.spellings.refused(used);
        let numbers: Vec<u32> = chunk
            .places
            .iter()
            .map(|place| self.number(place))
            .collect();
        let mut rejects = std::mem::take(&mut chunk.rejects);
        let batch = if refused.is_empty()
            && !(self.refuse && (chunk.repeats || self.meets(&chunk, &numbers)))
        {
            self.absorb(&chunk, &numbers);
            chunk.batch
        } else {
            let bad: Vec<bool> = chunk
                .places
                .iter()
                .map(|p| refused.contains_key(p.platform.as_ref()))
                .collect();
            let (mask, found) = self.row_by_row(&chunk, &numbers, &bad);
            chunk.kept -= found.len() as u64;
            rejects.extend(found);
            filter_record_batch(&chunk.batch, &mask).map_err(|e| context.internal(e))?
        };
        rejects.sort_by_key(|reject| reject.line);
        Ok((batch, rejects, chunk.kept))
    }

    fn number(&mut self, place: &Place) -> u32 {
        if let Some(number) = self.numbers.get(place) {
            return *number;
        }
        let number = self.places.len() as u32;
        self.places.push(place.clone());
        self.numbers.insert(place.clone(), number);
        number
    }

    /// Whether a key of the chunk is held already.
    fn meets(&self, chunk: &Cleaned, numbers: &[u32]) -> bool {
        chunk.parts.iter().any(|part| {
            self.held
                .get(&(numbers[part.place as usize], part.metric))
                .is_some_and(|held| {
                    meet(&held.whole, &part.whole)
                        || meet(&held.seconds, &part.seconds)
                        || meet(&held.whole, &part.days)
                        || meet(&held.days, &part.whole)
                })
                || meet(&part.whole, &part.days)
        })
    }

    fn absorb(&mut self, chunk: &Cleaned, numbers: &[u32]) {
        for part in &chunk.parts {
            let held = self
                .held
                .entry((numbers[part.place as usize], part.metric))
                .or_default();
            add(&mut held.whole, &part.whole);
            add(&mut held.days, &part.days);
            add(&mut held.seconds, &part.seconds);
        }
    }

    /// Decides a chunk in which some row is ruled out. All figures of a file's row go together.
    fn row_by_row(
        &mut self,
        chunk: &Cleaned,
        numbers: &[u32],
        bad: &[bool],
    ) -> (BooleanArray, Vec<Reject>) {
        let mut keep = Vec::with_capacity(chunk.row.len());
        let mut rejects = vec![];
        let mut start = 0;
        for figures in chunk.row.chunk_by(|a, b| a == b) {
            let range = start..start + figures.len();
            start = range.end;
            let key = |i: usize| (numbers[chunk.place[i] as usize], chunk.metric[i]);
            let at = |i: usize| {
                chunk
                    .at
                    .as_ref()
                    .and_then(|at| at.is_valid(i).then(|| at.value(i)))
            };
            let held = |i: usize| {
                self.held
                    .get(&key(i))
                    .is_some_and(|held| held.has(chunk.day[i], at(i)))
            };
            let fault = if range.clone().any(|i| bad[chunk.place[i] as usize]) {
                Some((Reason::Spelling, &chunk.platform_column))
            } else if self.refuse && range.clone().any(held) {
                Some((Reason::SameKey, &chunk.key_column))
            } else {
                None
            };
            keep.extend(std::iter::repeat_n(fault.is_none(), range.len()));
            match fault {
                Some((reason, column)) => {
                    rejects.push(reason.reject(chunk.lines.of(figures[0]), column))
                }
                None => range.for_each(|i| {
                    self.held
                        .entry(key(i))
                        .or_default()
                        .add(chunk.day[i], at(i))
                }),
            }
        }
        (BooleanArray::from(keep), rejects)
    }

    /// The days that were taken.
    pub(super) fn coverage(self) -> Coverage {
        let mut coverage = Coverage::default();
        for ((number, metric), held) in self.held {
            let place = &self.places[number as usize];
            let days = held.whole | held.days;
            let server = (place.platform.to_string(), place.server.to_string());
            *coverage.servers.entry(server).or_default() |= &days;
            let key = SeriesKey {
                platform: place.platform.to_string(),
                server: place.server.to_string(),
                metric: METRICS[usize::from(metric)].name,
                dimension: place.dimension.to_string(),
                dimension_value: place.dimension_value.to_string(),
            };
            *coverage.series.entry(key).or_default() |= days;
        }
        coverage
    }
}
