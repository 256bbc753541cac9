//! Columns as Arrow arrays, and back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{
    DataType, Date32Type, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    UInt64Type,
};
use arrow::error::ArrowError;

use crate::ingest::table::Column;

/// Columns as a batch. Texts are packed: those of a few rows lie in the buffers of all rows.
pub(super) fn batch(columns: Vec<Column>) -> Result<RecordBatch, ArrowError> {
    let arrays: Vec<ArrayRef> = columns.into_iter().map(array).collect();
    RecordBatch::try_new(schema(&arrays), arrays)
}

fn schema(arrays: &[ArrayRef]) -> SchemaRef {
    let field = |(place, array): (usize, &ArrayRef)| {
        Field::new(place.to_string(), array.data_type().clone(), true)
    };
    Arc::new(Schema::new(
        arrays.iter().enumerate().map(field).collect::<Vec<_>>(),
    ))
}

fn array(column: Column) -> ArrayRef {
    match column {
        Column::Text(texts) => Arc::new(texts.gc()),
        Column::Whole(numbers) => Arc::new(numbers),
        Column::Unsigned(numbers) => Arc::new(numbers),
        Column::Uuids(uuids) => Arc::new(uuids),
        Column::Days(days) => Arc::new(days),
        Column::Moments { micros, utc } => {
            let moments: TimestampMicrosecondArray = micros.reinterpret_cast();
            Arc::new(moments.with_timezone_opt(utc.then_some("UTC")))
        }
    }
}

/// A batch as columns; none where it holds what no reader sends.
pub(super) fn columns(batch: &RecordBatch) -> Option<Vec<Column>> {
    batch.columns().iter().map(column).collect()
}

fn column(array: &ArrayRef) -> Option<Column> {
    Some(match array.data_type() {
        DataType::Utf8View => Column::Text(array.as_string_view().clone()),
        DataType::Int64 => Column::Whole(array.as_primitive::<Int64Type>().clone()),
        DataType::UInt64 => Column::Unsigned(array.as_primitive::<UInt64Type>().clone()),
        DataType::FixedSizeBinary(16) => Column::Uuids(array.as_fixed_size_binary().clone()),
        DataType::Date32 => Column::Days(array.as_primitive::<Date32Type>().clone()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => Column::Moments {
            micros: array
                .as_primitive::<TimestampMicrosecondType>()
                .reinterpret_cast(),
            utc: zone.is_some(),
        },
        _ => return None,
    })
}
