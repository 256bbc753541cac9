//! Runs a query and holds it to its header.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::ParamValues;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::SessionContext;

use super::assertion::{self, AssertionError};
use super::header::Header;
use super::library::Query;
use super::parameter::{Given, ParameterError, bind};

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A parameter can't be used.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// DataFusion can't plan or run it.
    #[error("query `{query}`: {source}")]
    Engine {
        /// The query.
        query: String,
        /// Why.
        source: Box<DataFusionError>,
    },
    /// Its columns are not those that its header declares.
    #[error(
        "query `{query}` gives the columns {given}, but its header declares {declared}; make them agree"
    )]
    Columns {
        /// The query.
        query: String,
        /// What it gives.
        given: String,
        /// What its header says.
        declared: String,
    },
    /// Two rows share the grain.
    #[error("query `{query}` gives several rows of one {grain}, which its header calls its grain")]
    Grain {
        /// The query.
        query: String,
        /// The grain's columns.
        grain: String,
    },
    /// An `assert` of its header is false of a row, or can't be checked.
    #[error("query `{query}`: {source}")]
    Assertion {
        /// The query.
        query: String,
        /// Which, and of which row.
        source: Box<AssertionError>,
    },
}

/// The rows that a query gave, in one batch.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The rows, in the query's order.
    pub batch: RecordBatch,
}

/// Runs a query of the library with the parameters given.
pub async fn run(
    context: &SessionContext,
    query: &Query,
    given: &Given,
) -> Result<Answer, RunError> {
    let values = bind(&query.name, &query.header, given)?;
    let refused = |source: DataFusionError| RunError::Engine {
        query: query.name.clone(),
        source: Box::new(source),
    };
    let frame = context
        .sql_with_options(&query.sql, reading_only())
        .await
        .map_err(refused)?;
    let frame = match values.is_empty() {
        true => frame,
        false => frame
            .with_param_values(ParamValues::from(values))
            .map_err(refused)?,
    };
    let batch = collect(frame).await.map_err(refused)?;
    let batch = conform(query, batch)?;
    check_grain(query, &batch)?;
    assertion::check(context, &query.header, &batch)
        .await
        .map_err(|source| RunError::Assertion {
            query: query.name.clone(),
            source: Box::new(source),
        })?;
    Ok(Answer { batch })
}

/// Runs any `SELECT` over the tables and views.
pub async fn run_sql(context: &SessionContext, sql: &str) -> Result<Answer, RunError> {
    let refused = |source: DataFusionError| RunError::Engine {
        query: "--sql".into(),
        source: Box::new(source),
    };
    let frame = context
        .sql_with_options(sql, reading_only())
        .await
        .map_err(refused)?;
    Ok(Answer {
        batch: collect(frame).await.map_err(refused)?,
    })
}

/// A query reads: it neither changes tables nor settings nor writes files.
fn reading_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

async fn collect(frame: datafusion::dataframe::DataFrame) -> Result<RecordBatch, DataFusionError> {
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    let batch = arrow::compute::concat_batches(&schema, &batches)?;
    plain_text(&batch)
}

/// Text that DataFusion kept as views becomes plain text, which every format and reader takes.
fn plain_text(batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
    let plain = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View | DataType::LargeUtf8 => arrow::compute::cast(column, &DataType::Utf8),
        _ => Ok(column.clone()),
    };
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(plain)
        .collect::<Result<_, _>>()?;
    let fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(f, c)| Field::new(f.name(), c.data_type().clone(), true))
        .collect();
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

fn conform(query: &Query, batch: RecordBatch) -> Result<RecordBatch, RunError> {
    let schema = batch.schema();
    let agrees = schema.fields().len() == query.header.columns.len()
        && schema
            .fields()
            .iter()
            .zip(&query.header.columns)
            .all(|(f, c)| *f.name() == c.name && *f.data_type() == c.kind.arrow());
    if agrees {
        return Ok(batch);
    }
    let given: Vec<String> = schema
        .fields()
        .iter()
        .map(|f| format!("{} {}", f.name(), f.data_type()))
        .collect();
    Err(RunError::Columns {
        query: query.name.clone(),
        given: given.join(", "),
        declared: declared(&query.header),
    })
}

fn declared(header: &Header) -> String {
    header
        .columns
        .iter()
        .map(|c| format!("{} {}", c.name, c.kind))
        .collect::<Vec<_>>()
        .join(", ")
}

fn check_grain(query: &Query, batch: &RecordBatch) -> Result<(), RunError> {
    let grain: Vec<ArrayRef> = query
        .header
        .grain
        .iter()
        .filter_map(|g| batch.column_by_name(g).cloned())
        .collect();
    if grain.is_empty() {
        return Ok(());
    }
    let refused = |e: arrow::error::ArrowError| RunError::Engine {
        query: query.name.clone(),
        source: Box::new(e.into()),
    };
    let fields = grain
        .iter()
        .map(|c| SortField::new(c.data_type().clone()))
        .collect();
    let rows = RowConverter::new(fields)
        .and_then(|c| c.convert_columns(&grain))
        .map_err(refused)?;
    let mut seen = HashSet::with_capacity(batch.num_rows());
    if rows.iter().all(|row| seen.insert(row)) {
        return Ok(());
    }
    Err(RunError::Grain {
        query: query.name.clone(),
        grain: query.header.grain.join(", "),
    })
}
