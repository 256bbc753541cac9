//! What both grains share in cleaning a chunk: names by number, text columns, and what is kept.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use roaring::RoaringBitmap;

use super::Options;
use super::columns::{Layout, Role};
use super::error::IngestError;
use super::reject::{Lines, Reason, Reject};
use super::table::{Column, Memo, Table};
use crate::metric::METRICS;
use crate::schema::Grain;

/// What every worker needs to know.
pub(super) struct Context {
    pub file: String,
    pub options: Options,
    pub layout: Arc<Layout>,
}

impl Context {
    pub(super) fn internal(&self, detail: impl ToString) -> IngestError {
        IngestError::Internal {
            name: self.file.clone(),
            detail: detail.to_string(),
        }
    }
}

/// What is wrong with a row, and in which column.
pub(super) type Fault = (Role, Reason);

/// What a series is of, besides its metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub platform: Arc<str>,
    pub server: Arc<str>,
    pub dimension: Arc<str>,
    pub dimension_value: Arc<str>,
}

/// The days of one series within a chunk.
pub(super) struct Part {
    pub place: u32,
    pub metric: u8,
    /// Days of figures for whole days.
    pub whole: RoaringBitmap,
    /// Days on which moments fall.
    pub days: RoaringBitmap,
    /// Moments, in seconds since 1970: below 2^32 until 2106.
    pub seconds: RoaringBitmap,
}

/// A cleaned chunk. What depends on the chunks before it (spelling, keys) is still open.
pub(super) struct Cleaned {
    pub batch: RecordBatch,
    /// Of each row of the batch, the row of the chunk that it was made of.
    pub row: Vec<u32>,
    pub place: Vec<u32>,
    pub metric: Vec<u8>,
    pub day: ScalarBuffer<i32>,
    pub at: Option<TimestampMicrosecondArray>,
    pub places: Vec<Place>,
    /// The places that rows of the batch have, by first appearance.
    pub order: Vec<u32>,
    pub parts: Vec<Part>,
    /// Whether a key stands in the chunk twice, or may.
    pub repeats: bool,
    pub lines: Lines,
    pub rejects: Vec<Reject>,
    pub kept: u64,
    /// The columns that a misspelt platform and a repeated key are put down to.
    pub platform_column: Arc<str>,
    pub key_column: Arc<str>,
}

/// The names of one column, numbered by first appearance.
pub(super) struct Names {
    column: Option<usize>,
    memo: Memo<Result<u32, Reason>>,
    numbers: HashMap<Arc<str>, u32>,
    pub list: Vec<Arc<str>>,
}

impl Names {
    /// The names of a column, or the one name that stands for all rows where there is none.
    pub(super) fn new(column: Option<usize>, fixed: &str) -> Self {
        let list = if column.is_some() {
            vec![]
        } else {
            vec![Arc::from(fixed)]
        };
        Names {
            column,
            memo: Memo::new(Ok(0)),
            numbers: HashMap::new(),
            list,
        }
    }

    /// The number of a row's name, as `read` gives it from the text of the cell.
    #[inline]
    pub(super) fn of<'a>(
        &mut self,
        columns: &[Column],
        row: usize,
        read: impl FnOnce(&str) -> Result<std::borrow::Cow<'a, str>, Reason>,
    ) -> Result<u32, Reason> {
        let Some(column) = self.column else {
            return Ok(0);
        };
        let Names {
            memo,
            numbers,
            list,
            ..
        } = self;
        memo.text(&columns[column], row, |text| {
            let name = read(text)?;
            if let Some(number) = numbers.get(name.as_ref()) {
                return Ok(*number);
            }
            let (name, number): (Arc<str>, u32) = (Arc::from(name.as_ref()), list.len() as u32);
            list.push(name.clone());
            numbers.insert(name, number);
            Ok(number)
        })?
    }
}

/// The rows of a batch by the numbers of what they hold.
#[derive(Default)]
pub(super) struct Rows {
    pub row: Vec<u32>,
    pub place: Vec<u32>,
    pub metric: Vec<u8>,
    pub day: Vec<i32>,
    /// Microseconds; [`NO_MOMENT`] for whole days.
    pub at: Vec<i64>,
    pub value: Vec<i64>,
}

/// Stands in [`Rows::at`] for a whole day.
pub(super) const NO_MOMENT: i64 = i64::MIN;

impl Rows {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Rows {
            row: Vec::with_capacity(rows),
            place: Vec::with_capacity(rows),
            metric: Vec::with_capacity(rows),
            day: Vec::with_capacity(rows),
            at: Vec::with_capacity(rows),
            value: Vec::with_capacity(rows),
        }
    }

    /// Takes back what was added of a row that turned out bad.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.row.truncate(rows);
        self.place.truncate(rows);
        self.metric.truncate(rows);
        self.day.truncate(rows);
        self.at.truncate(rows);
        self.value.truncate(rows);
    }

    /// The places in order of first appearance.
    fn order(&self, places: usize) -> Vec<u32> {
        let mut seen = vec![false; places];
        let mut order = vec![];
        for place in &self.place {
            if !std::mem::replace(&mut seen[*place as usize], true) {
                order.push(*place);
            }
        }
        order
    }

    /// The days of each series, and whether a key stands here twice or may.
    fn parts(&self, places: usize) -> (Vec<Part>, bool) {
        const NONE: u32 = u32::MAX;
        let mut index = vec![NONE; places * METRICS.len()];
        let mut parts: Vec<Part> = vec![];
        let mut repeats = false;
        for i in 0..self.day.len() {
            let (place, metric, day) = (self.place[i], self.metric[i], self.day[i] as u32);
            let slot = &mut index[place as usize * METRICS.len() + usize::from(metric)];
            if *slot == NONE {
                *slot = parts.len() as u32;
                let blank = RoaringBitmap::new;
                parts.push(Part {
                    place,
                    metric,
                    whole: blank(),
                    days: blank(),
                    seconds: blank(),
                });
            }
            let part = &mut parts[*slot as usize];
            repeats |= match self.at[i] {
                NO_MOMENT => !part.whole.insert(day),
                at => {
                    part.days.insert(day);
                    // A fraction of a second does not go into the bitmap: left to the slow way.
                    at % 1_000_000 != 0 || !part.seconds.insert((at / 1_000_000) as u32)
                }
            };
        }
        (parts, repeats)
    }

    /// The chunk with its batch, whose columns `build` makes.
    pub(super) fn finish(
        self,
        context: &Context,
        table: Table,
        places: Vec<Place>,
        rejects: Vec<Reject>,
        columns: Vec<ArrayRef>,
    ) -> Result<Cleaned, IngestError> {
        let grain = context.layout.grain;
        let schema = super::schema(grain);
        let batch = RecordBatch::try_new(schema, columns).map_err(|e| context.internal(e))?;
        let (parts, repeats) = self.parts(places.len());
        let order = self.order(places.len());
        let refused = rejects.len() as u64;
        let mut all = table.rejects;
        all.extend(rejects);
        let key = if grain == Grain::Usage {
            Role::Day
        } else {
            Role::AsOf
        };
        let at = self
            .at
            .iter()
            .any(|at| *at != NO_MOMENT)
            .then(|| moments(&self.at));
        Ok(Cleaned {
            batch,
            order,
            parts,
            repeats,
            at,
            row: self.row,
            place: self.place,
            metric: self.metric,
            day: self.day.into(),
            places,
            kept: table.rows as u64 - refused,
            lines: table.lines,
            rejects: all,
            platform_column: table.slots.name(Role::Platform),
            key_column: table.slots.name(key),
        })
    }
}

/// Moments as an Arrow column; whole days are null.
pub(super) fn moments(at: &[i64]) -> TimestampMicrosecondArray {
    let zone: Arc<str> = Arc::from("UTC");
    if at.iter().all(|at| *at == NO_MOMENT) {
        return TimestampMicrosecondArray::new_null(at.len()).with_timezone(zone);
    }
    at.iter()
        .map(|at| (*at != NO_MOMENT).then_some(*at))
        .collect::<TimestampMicrosecondArray>()
        .with_timezone(zone)
}

/// A text column that holds `name(number)` for each number.
pub(super) fn spread<'a>(
    numbers: impl ExactSizeIterator<Item = u32>,
    name: impl Fn(u32) -> &'a str,
) -> Result<ArrayRef, ArrowError> {
    let mut offsets: Vec<i32> = Vec::with_capacity(numbers.len() + 1);
    let mut bytes: Vec<u8> = Vec::with_capacity(numbers.len() * 10);
    offsets.push(0);
    for number in numbers {
        bytes.extend_from_slice(name(number).as_bytes());
        // A length beyond i32 shows as an offset that falls, which the checks of Arrow refuse.
        offsets.push(bytes.len() as i32);
    }
    text(offsets, bytes)
}

/// A text column that holds the same in every row.
pub(super) fn constant(name: &str, rows: usize) -> Result<ArrayRef, ArrowError> {
    let offsets = (0..=rows).map(|row| (row * name.len()) as i32).collect();
    text(offsets, name.as_bytes().repeat(rows))
}

fn text(offsets: Vec<i32>, bytes: Vec<u8>) -> Result<ArrayRef, ArrowError> {
    if i32::try_from(bytes.len()).is_err() {
        return Err(ArrowError::OffsetOverflowError(bytes.len()));
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(StringArray::try_new(
        offsets,
        Buffer::from_vec(bytes),
        None,
    )?))
}
