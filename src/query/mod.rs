//! One file, one query: its header is the contract, and it is checked on every run.

mod assertion;
mod chart_line;
pub mod header;
pub mod library;
pub mod output;
pub mod parameter;
pub mod rows;
mod run;

pub use library::{Library, Query};
pub use run::{Answer, RunError, run, run_sql};
