//! Parquet files of people, read by row groups: they are large, and of few columns.
//!
//! These alone are not read by Polars but by the `parquet` crate, which decodes a file batch by batch:
//! only its bytes are held whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, UInt64Type};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::cell;
use super::columnar::Decoder;
use super::error::IngestError;
use super::table::Column;

/// What a file says of itself where its figures are made up.
const SYNTHETIC: &str = "essor.synthetic";

/// A Parquet file of people.
pub(super) struct People {
    name: String,
    reader: ParquetRecordBatchReader,
    /// The names of the columns that are taken.
    names: Vec<Arc<str>>,
    /// How many rows were read.
    read: u64,
    rows: u64,
    /// What made the figures up; empty where the file does not say so.
    pub synthetic: String,
}

impl People {
    /// Opens a file with these columns, of which those at some places are taken.
    pub(super) fn open(
        name: &str,
        bytes: bytes::Bytes,
        columns: &[Arc<str>],
        places: &[usize],
        rows: usize,
    ) -> Result<Self, IngestError> {
        let told = |detail: String| corrupt(name, detail);
        let open = || ParquetRecordBatchReaderBuilder::try_new(bytes);
        let builder = guard(name, || open().map_err(|e| e.to_string()))?;
        let metadata = builder.metadata().file_metadata().clone();
        let (mut taken, mut names) = (vec![], vec![]);
        for (place, field) in builder.schema().fields().iter().enumerate() {
            if !places.contains(&place) {
                continue;
            }
            if columns.get(place).map(AsRef::as_ref) != Some(field.name().as_str()) {
                return Err(told("its columns have two names".to_owned()));
            }
            taken.push(place);
            names.push(Arc::from(field.name().as_str()));
        }
        let mask = ProjectionMask::roots(metadata.schema_descr(), taken);
        let reader = builder.with_projection(mask).with_batch_size(rows.max(1));
        let reader = guard(name, || reader.build().map_err(|e| e.to_string()))?;
        let pairs = metadata.key_value_metadata();
        let synthetic = pairs.into_iter().flatten().find(|p| p.key == SYNTHETIC);
        Ok(People {
            name: name.to_owned(),
            reader,
            names,
            read: 0,
            rows: u64::try_from(metadata.num_rows()).map_err(|e| told(e.to_string()))?,
            synthetic: synthetic.and_then(|p| p.value.clone()).unwrap_or_default(),
        })
    }

    fn columns(&self, batch: &RecordBatch) -> Result<Vec<Column>, IngestError> {
        let columns = batch.columns().iter().zip(&self.names);
        let made = columns.map(|(array, name)| {
            let made = guard(&self.name, || column(array).map_err(|e| e.to_string()))?;
            made.ok_or_else(|| IngestError::ColumnType {
                name: self.name.clone(),
                column: name.to_string(),
                found: array.data_type().to_string(),
            })
        });
        made.collect()
    }
}

impl Decoder for People {
    fn next(&mut self) -> Result<Option<Vec<Column>>, IngestError> {
        let name = self.name.clone();
        let reader = &mut self.reader;
        let Some(batch) = guard(&name, || {
            reader.next().transpose().map_err(|e| e.to_string())
        })?
        else {
            // A decoder that gives fewer rows than the file says it has would lose them silently.
            return match self.read == self.rows {
                true => Ok(None),
                false => Err(corrupt(&name, "it ends before its last row".to_owned())),
            };
        };
        self.read += batch.num_rows() as u64;
        self.columns(&batch).map(Some)
    }
}

/// An Arrow column as text, numbers, days or moments; `None` for a type that holds none of these.
fn column(array: &ArrayRef) -> Result<Option<Column>, ArrowError> {
    use DataType as T;
    let texts =
        |array: &ArrayRef| Ok::<_, ArrowError>(cast(array, &T::Utf8View)?.as_string_view().clone());
    Ok(Some(match array.data_type() {
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Null => Column::Text(texts(array)?),
        T::Dictionary(_, value) => return column(&cast(array, value)?),
        T::UInt64 => Column::Unsigned(array.as_primitive::<UInt64Type>().clone()),
        kind if kind.is_integer() => {
            let whole = cast(array, &T::Int64)?;
            // The least number stands for one that is not whole.
            let whole = whole.as_primitive::<Int64Type>();
            Column::Whole(whole.unary(|n| n.max(-i64::MAX)))
        }
        kind if kind.is_floating() => {
            let floats = cast(array, &T::Float64)?;
            let floats = floats.as_primitive::<Float64Type>();
            Column::Whole(floats.unary(cell::from_float))
        }
        T::FixedSizeBinary(16) => Column::Uuids(array.as_fixed_size_binary().clone()),
        T::Date32 | T::Date64 => Column::Days(
            cast(array, &T::Date32)?
                .as_primitive::<Date32Type>()
                .clone(),
        ),
        T::Timestamp(unit, zone) => {
            let ticks = cast(array, &T::Int64)?;
            let ticks = ticks.as_primitive::<Int64Type>();
            let unit = *unit;
            Column::Moments {
                micros: ticks.unary(|n| micros(n, unit)),
                utc: zone.is_some(),
            }
        }
        _ => return Ok(None),
    }))
}

/// Moments finer than a microsecond are put on the microsecond that they fall in.
fn micros(ticks: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => ticks.saturating_mul(1_000_000),
        TimeUnit::Millisecond => ticks.saturating_mul(1000),
        TimeUnit::Microsecond => ticks,
        TimeUnit::Nanosecond => ticks.div_euclid(1000),
    }
}

fn corrupt(name: &str, detail: String) -> IngestError {
    IngestError::Corrupt {
        name: name.to_owned(),
        format: "Parquet",
        detail,
    }
}

/// Runs a decoder, which may panic on bytes that no writer makes.
fn guard<T>(name: &str, decode: impl FnOnce() -> Result<T, String>) -> Result<T, IngestError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err(corrupt(name, error)),
        Err(_) => Err(corrupt(name, "its decoder gave up".to_owned())),
    }
}
