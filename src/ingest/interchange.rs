//! Polars memory as Arrow memory, without copying.
//!
//! Polars has Arrow arrays of its own, in the layout of the Arrow specification: a text is a view of
//! 16 bytes (length, then the text itself or its prefix, buffer and offset). The crate that holds
//! Polars' side of the C data interface is not among those that `polars` re-exports, so views and
//! buffers are lent one by one here; the layout that is relied on is the same.

use std::mem::size_of;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use polars::prelude::{Column as PolarsColumn, DataType, PolarsResult, Series, TimeUnit};

use super::cell;
use super::table::Column;

/// Lends Polars' memory to Arrow, which keeps its owner alive.
fn lend<T: Copy + 'static, O: Deref<Target = [T]> + Send + Sync + 'static>(owner: O) -> Buffer {
    let owner = Arc::new(AssertUnwindSafe(owner));
    let slice: &[T] = &owner;
    let bytes = std::mem::size_of_val(slice);
    let start = NonNull::from(slice).cast::<u8>();
    // SAFETY: `start` points to `bytes` initialized bytes of plain integers, which Polars never
    // writes to again (its buffers are shared and immutable). They live as long as `owner`, which
    // stands in an `Arc` that the buffer holds on to, and does not move.
    unsafe { Buffer::from_custom_allocation(start, bytes, owner) }
}

/// The texts of a Polars column, chunk by chunk.
fn texts(series: &Series) -> PolarsResult<Vec<StringViewArray>> {
    let chunked = series.str()?;
    let nulls = chunked.null_count() > 0;
    let arrays = chunked.downcast_iter().map(|array| {
        let mut views = lend(array.views().clone());
        // Polars aligns views by 4 bytes, arrow-rs by 16. Allocators give 16 as a rule; else copy.
        if views.as_ptr().align_offset(align_of::<u128>()) != 0 {
            views = Buffer::from_slice_ref(views.as_slice());
        }
        let length = views.len() / size_of::<u128>();
        let buffers: Vec<Buffer> = array
            .data_buffers()
            .iter()
            .map(|buffer| lend(buffer.clone()))
            .collect();
        let nulls = nulls.then(|| {
            array
                .iter()
                .map(|text| text.is_some())
                .collect::<NullBuffer>()
        });
        let views = ScalarBuffer::new(views, 0, length);
        // SAFETY: Polars makes views by the same specification: each lies within its buffer, and is
        // valid UTF-8, as its own string type demands. Checking again costs more than reading.
        unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
    });
    Ok(arrays.collect())
}

/// A Polars column as the chunks of text that it consists of.
pub(super) fn text_chunks(column: &PolarsColumn) -> PolarsResult<Vec<Column>> {
    Ok(texts(column.as_materialized_series())?
        .into_iter()
        .map(Column::Text)
        .collect())
}

/// A Polars column as text, numbers, days or moments; `None` for a type that holds none of these.
pub(super) fn column(column: &PolarsColumn) -> PolarsResult<Option<Column>> {
    let series = column.as_materialized_series().rechunk();
    let made = match series.dtype() {
        DataType::String => text(&series)?,
        DataType::Binary | DataType::Categorical(..) | DataType::Enum(..) | DataType::Null => {
            text(&series.strict_cast(&DataType::String)?)?
        }
        DataType::UInt64 => Column::Unsigned(series.u64()?.iter().collect()),
        dtype if dtype.is_integer() => match series.dtype() {
            DataType::Int128 | DataType::UInt128 => return Ok(None),
            _ => Column::Whole(
                series
                    .strict_cast(&DataType::Int64)?
                    .i64()?
                    .iter()
                    .map(|n| n.map(|n| n.max(-i64::MAX)))
                    .collect(),
            ),
        },
        dtype if dtype.is_float() => Column::Whole(
            series
                .strict_cast(&DataType::Float64)?
                .f64()?
                .iter()
                .map(|n| n.map(cell::from_float))
                .collect(),
        ),
        DataType::Date => Column::Days(
            series
                .cast(&DataType::Int32)?
                .i32()?
                .iter()
                .collect::<Date32Array>(),
        ),
        DataType::Datetime(unit, zone) => {
            let (unit, utc) = (*unit, zone.is_some());
            let ticks = series.to_physical_repr().into_owned();
            let micros = ticks
                .i64()?
                .iter()
                .map(|n| n.map(|n| micros(n, unit)))
                .collect::<Int64Array>();
            Column::Moments { micros, utc }
        }
        _ => return Ok(None),
    };
    Ok(Some(made))
}

fn text(series: &Series) -> PolarsResult<Column> {
    let mut arrays = texts(series)?;
    Ok(Column::Text(match arrays.pop() {
        Some(array) if arrays.is_empty() => array,
        _ => StringViewArray::new_null(series.len()),
    }))
}

/// Moments finer than a microsecond are put on the microsecond that they fall in.
fn micros(ticks: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => ticks.div_euclid(1000),
        TimeUnit::Microseconds => ticks,
        TimeUnit::Milliseconds => ticks.saturating_mul(1000),
    }
}

/// Whether every column of a chunk has the same number of rows.
pub(super) fn rows(columns: &[Column]) -> Option<usize> {
    let rows = columns.first().map(Column::rows)?;
    columns
        .iter()
        .all(|column| column.rows() == rows)
        .then_some(rows)
}
