//! The SQL functions over bitmaps and counts.
//!
//! Bitmaps come as any kind of Arrow binary and leave as `BinaryView`, which has no limit of 2 GB a
//! batch and lets a bitmap pass through without being copied. Lists of slices leave as lists of
//! `BinaryView`.

mod accumulate;
mod aggregate;
mod column;
mod scalar;
mod window;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use chrono::Weekday;
use datafusion::common::{Result, plan_err};
use datafusion::prelude::SessionContext;

/// Registers all of them in a session. Weeks start on `week_start`.
pub fn register(context: &SessionContext, week_start: Weekday) {
    scalar::all(week_start)
        .into_iter()
        .for_each(|function| context.register_udf(function));
    aggregate::all()
        .into_iter()
        .for_each(|function| context.register_udaf(function));
    window::all()
        .into_iter()
        .for_each(|function| context.register_udwf(function));
}

/// What a function takes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Argument {
    Bitmap,
    Slices,
    Whole,
    WholeList,
    Day,
    Text,
}

impl Argument {
    /// The Arrow type in which the function gets it.
    fn data_type(self) -> DataType {
        match self {
            Argument::Bitmap => DataType::BinaryView,
            Argument::Slices => slices_type(),
            Argument::Whole => DataType::Int64,
            Argument::WholeList => list_of(DataType::Int64),
            Argument::Day => DataType::Date32,
            Argument::Text => DataType::Utf8View,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Argument::Bitmap => "BINARY",
            Argument::Slices => "LIST of BINARY",
            Argument::Whole => "BIGINT",
            Argument::WholeList => "LIST of BIGINT",
            Argument::Day => "DATE",
            Argument::Text => "TEXT",
        }
    }

    fn accepts(self, given: &DataType) -> bool {
        match (self, given) {
            (_, DataType::Null) => true,
            (_, DataType::Dictionary(_, values)) => self.accepts(values),
            (Argument::Bitmap, _) => is_binary(given),
            (Argument::Whole, _) => given.is_integer(),
            (Argument::Day, _) => matches!(
                given,
                DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)
            ),
            (Argument::Text, _) => given.is_string(),
            (
                Argument::Slices | Argument::WholeList,
                DataType::List(field)
                | DataType::LargeList(field)
                | DataType::ListView(field)
                | DataType::LargeListView(field)
                | DataType::FixedSizeList(field, _),
            ) => match self {
                Argument::Slices => Argument::Bitmap.accepts(field.data_type()),
                _ => Argument::Whole.accepts(field.data_type()),
            },
            _ => false,
        }
    }
}

fn is_binary(given: &DataType) -> bool {
    matches!(
        given,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// The types to which DataFusion shall cast what is given.
fn coerce(name: &str, wanted: &[Argument], given: &[DataType]) -> Result<Vec<DataType>> {
    let fits = wanted.len() == given.len()
        && wanted
            .iter()
            .zip(given)
            .all(|(wanted, given)| wanted.accepts(given));
    if !fits {
        let wanted: Vec<_> = wanted.iter().map(|argument| argument.name()).collect();
        let given: Vec<_> = given.iter().map(ToString::to_string).collect();
        return plan_err!(
            "{name} takes ({}), not ({})",
            wanted.join(", "),
            given.join(", ")
        );
    }
    Ok(wanted.iter().map(|argument| argument.data_type()).collect())
}

fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

fn slices_type() -> DataType {
    list_of(DataType::BinaryView)
}
