//! What goes wrong in the store, told with what to do about it.

use std::path::{Path, PathBuf};

use deltalake::DeltaTableError;

use super::{FOLDER, log};
use crate::schema;

/// What goes wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store can't be used.
    #[error("can't use `{}`: {source}", .path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error(
        "the disk is full: what was told of as taken stands, nothing else of this run counts; make room on the disk that holds `{FOLDER}` and run the same again"
    )]
    Full,
    /// The disk can't be written to.
    #[error(
        "the disk that holds `{FOLDER}` can only be read: the store is as it was; make it writable (a disk with faults is often remounted so) and run the same again"
    )]
    ReadOnly,
    /// An entry of a table's log is not as it was written.
    #[error(
        "the log of table `{table}` is not whole: entry `{entry}` {fault}; a power cut or a failing disk does that; `essor doctor` tells what is sound and what can be repaired"
    )]
    Log {
        /// The table.
        table: String,
        /// The file of the entry.
        entry: String,
        /// What is wrong with it.
        fault: log::Fault,
    },
    /// Delta refused.
    #[error("table `{table}`: {source}")]
    Delta {
        /// The table.
        table: String,
        /// Why.
        source: Box<DeltaTableError>,
    },
    /// A table's log names a file that is not the table's.
    #[error(
        "table `{table}` names a file that does not lie in it, `{path}`: the store was not written by essor; remove `{FOLDER}` and ingest the files again"
    )]
    Outside {
        /// The table.
        table: String,
        /// The file, as the log names it.
        path: String,
    },
    /// Parquet or Arrow refused.
    #[error("table `{table}`: {source}")]
    Parquet {
        /// The table.
        table: String,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// A table holds something else than its schema says.
    #[error(
        "table `{table}` has no column `{column}` as it should be; was the store written by another program?"
    )]
    Shape {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
    /// A load that is not there.
    #[error("`{0}` is no live load; `essor status` lists them")]
    NoSuchLoad(String),
    /// A store of a later version.
    #[error("the store was written by a later essor (its schema version is {0}, this one knows {known}); update essor", known = schema::VERSION)]
    TooNew(i32),
    /// A store of an earlier version.
    #[error("the store was written by an earlier essor (its schema version is {0}, this one writes {known}); remove `{FOLDER}` and ingest the files again", known = schema::VERSION)]
    TooOld(i32),
    /// The pseudonyms in the store were made with another key.
    #[error(
        "the key is not the one that this store's pseudonyms were made with: the same people would count as others; give the former key back, or begin a new store (remove `{FOLDER}`) and ingest all again"
    )]
    OtherKey,
    /// DataFusion refused to read a table.
    #[error(transparent)]
    Read(#[from] datafusion::error::DataFusionError),
}

/// Whether a disk is full or can't be written to, which Delta and Parquet tell in words of their own.
fn no_writing(error: &dyn std::error::Error) -> Option<StoreError> {
    let mut cause = Some(error);
    while let Some(told) = cause {
        let text = told.to_string();
        if text.contains("(os error 28)") || text.contains("(os error 122)") {
            return Some(StoreError::Full);
        }
        if text.contains("(os error 30)") {
            return Some(StoreError::ReadOnly);
        }
        cause = told.source();
    }
    None
}

pub(super) fn delta(table: &str, source: DeltaTableError) -> StoreError {
    if let Some(error) = no_writing(&source) {
        return error;
    }
    StoreError::Delta {
        table: table.to_owned(),
        source: Box::new(source),
    }
}

pub(super) fn refused(path: &Path, source: std::io::Error) -> StoreError {
    if let Some(error) = no_writing(&source) {
        return error;
    }
    StoreError::Disk {
        path: path.to_owned(),
        source,
    }
}
