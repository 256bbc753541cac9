//! A chunk of rows between reading and cleaning: columns as the file holds them.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::array::{
    Array, Date32Array, FixedSizeBinaryArray, Int64Array, StringViewArray, UInt64Array,
};
use chrono_tz::Tz;

use super::cell;
use super::columns::Slots;
use super::moment::When;
use super::reject::{Lines, Reason, Reject};

/// One column of a chunk.
#[derive(Debug)]
pub(super) enum Column {
    /// Text: all that CSV and JSON give.
    Text(StringViewArray),
    /// Numbers; [`cell::NOT_WHOLE`] stands for one that is not whole.
    Whole(Int64Array),
    /// Numbers up to 2^64, which ids may be.
    Unsigned(UInt64Array),
    /// UUIDs as their 16 bytes.
    Uuids(FixedSizeBinaryArray),
    /// Calendar days.
    Days(Date32Array),
    /// Moments in microseconds: in UTC, or as a wall clock shows them.
    Moments {
        /// Microseconds since 1970.
        micros: Int64Array,
        /// Whether they count in UTC.
        utc: bool,
    },
}

impl Column {
    /// A count; `None` where the cell is empty.
    #[inline]
    pub(super) fn count(&self, row: usize) -> Result<Option<i64>, Reason> {
        match self {
            Column::Text(texts) if texts.is_valid(row) => cell::count(texts.value(row)),
            Column::Whole(numbers) if numbers.is_valid(row) => cell::whole(numbers.value(row)),
            Column::Unsigned(numbers) if numbers.is_valid(row) => {
                cell::whole(i64::try_from(numbers.value(row)).unwrap_or(i64::MAX))
            }
            Column::Text(_) | Column::Whole(_) | Column::Unsigned(_) => Ok(None),
            Column::Days(_) | Column::Moments { .. } | Column::Uuids(_) => Err(Reason::NotWhole),
        }
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self, row: usize) -> Result<Cow<'_, str>, Reason> {
        match self {
            Column::Text(texts) if texts.is_valid(row) => Ok(Cow::Borrowed(texts.value(row))),
            Column::Whole(numbers) if numbers.is_valid(row) => match numbers.value(row) {
                cell::NOT_WHOLE => Err(Reason::NotText),
                number => Ok(Cow::Owned(number.to_string())),
            },
            Column::Unsigned(numbers) if numbers.is_valid(row) => {
                Ok(Cow::Owned(numbers.value(row).to_string()))
            }
            Column::Uuids(uuids) if uuids.is_valid(row) => Err(Reason::NotText),
            Column::Text(_) | Column::Whole(_) | Column::Unsigned(_) | Column::Uuids(_) => {
                Ok(Cow::Borrowed(""))
            }
            Column::Days(days) if days.is_valid(row) => Ok(Cow::Owned(
                crate::calendar::from_date32(days.value(row)).to_string(),
            )),
            Column::Days(_) => Ok(Cow::Borrowed("")),
            Column::Moments { micros, .. } if micros.is_null(row) => Ok(Cow::Borrowed("")),
            Column::Moments { .. } => Err(Reason::NotText),
        }
    }

    /// A day or a moment.
    pub(super) fn when(&self, row: usize, zone: Tz) -> Result<When, Reason> {
        match self {
            Column::Text(texts) if texts.is_valid(row) => When::read(texts.value(row), zone),
            Column::Whole(numbers) if numbers.is_valid(row) => {
                When::epoch(numbers.value(row), zone)
            }
            Column::Days(days) if days.is_valid(row) => When::date32(days.value(row)),
            Column::Moments { micros, utc: true } if micros.is_valid(row) => {
                When::instant(micros.value(row), zone)
            }
            Column::Moments { micros, utc: false } if micros.is_valid(row) => {
                When::wall_micros(micros.value(row), zone)
            }
            Column::Unsigned(numbers) if numbers.is_valid(row) => {
                When::epoch(i64::try_from(numbers.value(row)).unwrap_or(i64::MAX), zone)
            }
            _ => Err(Reason::NoDay),
        }
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        match self {
            Column::Text(array) => array.len(),
            Column::Whole(array) | Column::Moments { micros: array, .. } => array.len(),
            Column::Unsigned(array) => array.len(),
            Column::Uuids(array) => array.len(),
            Column::Days(array) => array.len(),
        }
    }

    /// The short text of a cell as one number, which tells it from every other; none for long text.
    #[inline]
    pub(super) fn short(&self, row: usize) -> Option<u128> {
        match self {
            Column::Text(texts) if texts.is_valid(row) => {
                let view = texts.views()[row];
                (view as u32 <= 12).then_some(view)
            }
            _ => None,
        }
    }
}

/// A chunk of rows as the file holds them.
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub slots: Slots,
    pub rows: usize,
    pub lines: Lines,
    /// Rows that were read as far as to be rejected, and are not in the columns.
    pub rejects: Vec<Reject>,
}

/// What was made of the texts of one column. Most files name the same few things over and over, so
/// looking them up must cost less than reading them.
pub(super) struct Memo<T> {
    recent: Vec<(u128, T)>,
    named: HashMap<Box<str>, T>,
}

impl<T: Copy> Memo<T> {
    const SLOTS: usize = 1 << 10;

    pub(super) fn new(blank: T) -> Self {
        // A view that starts with this length is no short text, so a blank slot answers nothing.
        Memo {
            recent: vec![(u128::MAX, blank); Self::SLOTS],
            named: HashMap::new(),
        }
    }

    fn slot(view: u128) -> usize {
        let mixed = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 54) as usize
    }

    /// What `make` makes of the cell, remembered where the text is short.
    #[inline]
    pub(super) fn short(&mut self, column: &Column, row: usize, make: impl FnOnce() -> T) -> T {
        let Some(view) = column.short(row) else {
            return make();
        };
        let slot = &mut self.recent[Self::slot(view)];
        if slot.0 != view {
            *slot = (view, make());
        }
        slot.1
    }

    /// What `make` makes of the cell's text, made once a text.
    #[inline]
    pub(super) fn text(
        &mut self,
        column: &Column,
        row: usize,
        make: impl FnOnce(&str) -> T,
    ) -> Result<T, Reason> {
        let view = column.short(row);
        if let Some(view) = view {
            let slot = &self.recent[Self::slot(view)];
            if slot.0 == view {
                return Ok(slot.1);
            }
        }
        let text = column.text(row)?;
        let made = match self.named.get(text.as_ref()) {
            Some(made) => *made,
            None => {
                let made = make(&text);
                self.named.insert(text.into(), made);
                made
            }
        };
        if let Some(view) = view {
            self.recent[Self::slot(view)] = (view, made);
        }
        Ok(made)
    }
}
