//! The rows of an answer as JSON objects, in the order of its columns: for templates and `report.json`.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use serde_json::{Map, Number, Value};

use crate::calendar;

/// Every row of a batch; days as `2016-02-29`, what is missing as `null`.
pub fn rows(batch: &RecordBatch) -> Vec<Map<String, Value>> {
    let schema = batch.schema();
    let columns: Vec<(&String, &ArrayRef)> = schema
        .fields()
        .iter()
        .map(|f| f.name())
        .zip(batch.columns())
        .collect();
    let row = |row: usize| {
        columns
            .iter()
            .map(|(name, column)| ((*name).clone(), value(column, row)))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// One value.
pub fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => Number::from_f64(column.as_primitive::<Float64Type>().value(row))
            .map_or(Value::Null, Value::Number),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Date32 => calendar::from_date32(column.as_primitive::<Date32Type>().value(row))
            .to_string()
            .into(),
        _ => arrow::util::display::array_value_to_string(column, row)
            .map_or(Value::Null, Value::String),
    }
}
