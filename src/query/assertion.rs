//! The `assert` lines of a header, held to every row of every answer.
//!
//! `--! assert: active = retained + resurrected + new` states an identity of the figures. A row of which it is
//! false stops the query, and with it the report: a figure that contradicts itself is not published. Where the
//! expression is NULL (a part is not known), it says nothing and the row passes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::prelude::{Expr, SessionContext};

use super::header::Header;
use super::rows;

/// An assertion that does not hold, or that can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// It is false of a row.
    #[error(
        "its header asserts `{expression}`, which is false {}where {row}; the answer is not given, since a figure in it is wrong",
        if *more == 0 { String::new() } else { format!("{} times, first ", more + 1) }
    )]
    Violated {
        /// The expression.
        expression: String,
        /// The grain's values of the first such row.
        row: String,
        /// How many further rows it is false of.
        more: usize,
    },
    /// It is no boolean.
    #[error("its header asserts `{expression}`, which is {kind} and neither true nor false")]
    NotBoolean {
        /// The expression.
        expression: String,
        /// Its type.
        kind: DataType,
    },
    /// It can't be planned or computed.
    #[error("its header asserts `{expression}`, which can't be checked: {source}")]
    Engine {
        /// The expression.
        expression: String,
        /// Why.
        source: DataFusionError,
    },
}

/// Checks every assertion of the header on every row.
pub(super) async fn check(
    context: &SessionContext,
    header: &Header,
    batch: &RecordBatch,
) -> Result<(), AssertionError> {
    for expression in &header.asserts {
        check_one(context, expression, header, batch).await?;
    }
    Ok(())
}

async fn check_one(
    context: &SessionContext,
    expression: &str,
    header: &Header,
    batch: &RecordBatch,
) -> Result<(), AssertionError> {
    let refused = |source| AssertionError::Engine {
        expression: expression.to_owned(),
        source,
    };
    let values = evaluate(context, expression, batch)
        .await
        .map_err(refused)?;
    if *values.data_type() == DataType::Null {
        return Ok(());
    }
    let Some(holds) = values.as_boolean_opt() else {
        return Err(AssertionError::NotBoolean {
            expression: expression.to_owned(),
            kind: values.data_type().clone(),
        });
    };
    let mut wrong = (0..holds.len()).filter(|row| holds.is_valid(*row) && !holds.value(*row));
    match wrong.next() {
        None => Ok(()),
        Some(row) => Err(AssertionError::Violated {
            expression: expression.to_owned(),
            row: named(header, batch, row),
            more: wrong.count(),
        }),
    }
}

async fn evaluate(
    context: &SessionContext,
    expression: &str,
    batch: &RecordBatch,
) -> Result<ArrayRef, DataFusionError> {
    let schema = DFSchema::try_from(batch.schema().as_ref().clone())?;
    let parsed = context.parse_sql_expr(expression, &schema)?;
    if parsed.exists(|e| Ok(matches!(e, Expr::WindowFunction(_))))? {
        return over_rows(context, parsed, batch).await;
    }
    let physical = context.create_physical_expr(parsed, &schema)?;
    physical.evaluate(batch)?.into_array(batch.num_rows())
}

/// An expression over several rows (`sum(users) OVER (PARTITION BY day) = all_users`), in their order.
async fn over_rows(
    context: &SessionContext,
    expression: Expr,
    batch: &RecordBatch,
) -> Result<ArrayRef, DataFusionError> {
    const PLACE: &str = "place of the row";
    let places: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..batch.num_rows() as u64));
    let mut columns: Vec<(String, ArrayRef, bool)> = vec![(PLACE.to_owned(), places, false)];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        columns.push((field.name().clone(), column.clone(), true));
    }
    let numbered = RecordBatch::try_from_iter_with_nullable(columns)?;
    let frame = context.read_batch(numbered)?;
    let place = Expr::Column(datafusion::common::Column::from_name(PLACE));
    let frame = frame.select(vec![place.clone(), expression.alias("holds")])?;
    let frame = frame.sort(vec![place.sort(true, false)])?;
    let schema = frame.schema().as_arrow().clone();
    let batches = frame.collect().await?;
    let all = arrow::compute::concat_batches(&Arc::new(schema), &batches)?;
    Ok(all.column(1).clone())
}

/// The values that name a row: `period = 2016-02-01, platform = Telegram`; without a grain, its number.
fn named(header: &Header, batch: &RecordBatch, row: usize) -> String {
    let value = |name: &String| {
        let column = batch.column_by_name(name)?;
        let read = match rows::value(column, row) {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        Some(format!("{name} = {read}"))
    };
    let values: Vec<String> = header.grain.iter().filter_map(value).collect();
    if values.is_empty() {
        format!("row = {}", row + 1)
    } else {
        values.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Int64Array, StringArray};

    use super::*;

    fn checked(asserts: &str, grain: &str) -> Result<(), String> {
        let day = |text: &str| crate::calendar::date32(crate::calendar::day(text).unwrap());
        let columns: [(&str, ArrayRef); 6] = [
            (
                "period",
                Arc::new(Date32Array::from(vec![
                    day("2016-01-01"),
                    day("2016-02-01"),
                    day("2016-03-01"),
                ])),
            ),
            ("platform", Arc::new(StringArray::from(vec!["A"; 3]))),
            ("active", Arc::new(Int64Array::from(vec![10, 12, 11]))),
            (
                "retained",
                Arc::new(Int64Array::from(vec![None, Some(8), Some(9)])),
            ),
            (
                "new",
                Arc::new(Int64Array::from(vec![None, Some(4), Some(1)])),
            ),
            (
                "rate",
                Arc::new(arrow::array::Float64Array::from(vec![0.5; 3])),
            ),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        let header = Header::parse(&format!(
            "--- T.\n--! columns: period DATE, platform TEXT, active BIGINT, retained BIGINT, new BIGINT, rate DOUBLE\n--! grain: {grain}\n{asserts}\nSELECT 1"
        ))
        .unwrap();
        let context = SessionContext::new();
        futures::executor::block_on(check(&context, &header, &batch)).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_true_or_unknown_passes() {
        for asserts in [
            "",
            "--! assert: active > 0",
            "--! assert: rate BETWEEN 0 AND 1\n--! assert: retained <= active",
            "--! assert: active >= retained + new OR period = DATE '2016-01-01'",
            "--! assert: NULL",
            "--! assert: sum(active) OVER (PARTITION BY platform) = 33",
            "--! assert: true",
        ] {
            assert_eq!(checked(asserts, "period"), Ok(()), "{asserts}");
        }
    }

    #[test]
    fn a_violation_names_the_expression_and_the_row() {
        let error = checked("--! assert: active = retained + new", "period, platform").unwrap_err();
        assert!(error.contains("`active = retained + new`"), "{error}");
        assert!(
            error.contains("period = 2016-03-01, platform = A"),
            "{error}"
        );
        let error = checked("--! assert: active > 100", "").unwrap_err();
        assert!(error.contains("3 times, first where row = 1"), "{error}");
        assert!(checked("--! assert: false", "period").is_err());
        let over = "--! assert: sum(new) OVER (PARTITION BY platform) < 5 OR active = 12";
        let error = checked(over, "period").unwrap_err();
        assert!(
            error.contains("2 times, first where period = 2016-01-01"),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_checked_is_said() {
        for (asserts, said) in [
            ("--! assert: active", "`active`, which is Int64"),
            ("--! assert: actve > 0", "actve"),
            ("--! assert: active >", "can't be checked"),
            ("--! assert: sum(active) > 0", "can't be checked"),
            ("--! assert: active > $month", "can't be checked"),
        ] {
            let error = checked(asserts, "period").unwrap_err();
            assert!(error.contains(said), "{asserts}: {error}");
        }
    }
}
