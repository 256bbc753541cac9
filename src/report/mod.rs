//! Assembles the report of one month: runs the queries that belong in it, draws their charts, and
//! renders the page, the Markdown, the JSON, the pictures and the tables.
//!
//! Which query stands where is said in the queries' headers; what the page looks like in
//! `reports/template/`. Nothing here knows a figure by name, and nothing asks the clock.

mod model;
mod render;
mod write;

use arrow::array::AsArray;

use crate::calendar::Month;
use crate::query::Answer;

pub use model::{Figure, Report, Section, assemble};
pub use render::{RenderError, render};
pub use write::{Written, folder, write};

/// What a report is of.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The month.
    pub month: Month,
    /// The platform.
    pub platform: String,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A query failed.
    #[error(transparent)]
    Query(#[from] crate::query::RunError),
    /// A finding's template failed.
    #[error(transparent)]
    Finding(#[from] crate::chart::finding::FindingError),
    /// A chart could not be drawn.
    #[error("chart `{name}`: {source}")]
    Chart {
        /// The query that it draws.
        name: String,
        /// Why.
        source: crate::chart::ChartError,
    },
    /// The platform has no figure at or before the month's end.
    #[error("nothing is known of `{platform}` at the end of {month}; {known}")]
    Nothing {
        /// The platform.
        platform: String,
        /// The month.
        month: Month,
        /// What there is.
        known: String,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Where an answer's figures come from: its sources where it names them, else how many rows it rests on.
pub fn source_line(answer: &Answer) -> String {
    let Some(titles) = answer
        .batch
        .column_by_name("source_title")
        .and_then(|c| c.as_string_opt::<i32>().cloned())
    else {
        return "Source: public statements and counters, as listed by `essor query sources`"
            .to_owned();
    };
    let mut names: Vec<&str> = titles.iter().flatten().filter(|t| !t.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => "Source: the project's own data".to_owned(),
        [one] => format!("Source: {one}"),
        many => format!("Sources: {} public statements", many.len()),
    }
}
