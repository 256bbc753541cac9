//! Assembles the report of one month: runs the queries that belong in it, draws their charts, and
//! renders the page, the Markdown, the JSON, the pictures and the tables.
//!
//! Which query stands where is said in the queries' headers; what the page looks like in
//! `reports/template/`. Nothing here knows a figure by name, and nothing asks the clock.

mod model;
mod render;
mod sources;
mod write;

use crate::calendar::Month;

pub use model::{Figure, Report, Section, assemble};
pub use render::{RenderError, render};
pub use sources::sources_of;
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
    /// A query's thread stopped.
    #[error("a query stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
