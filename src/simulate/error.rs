//! What can go wrong in a simulation, and what to change.

use std::path::PathBuf;

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// What is asked for contradicts itself or is out of bounds.
    #[error("{0}")]
    Impossible(String),
    /// The folder holds something that would be overwritten.
    #[error("`{}` isn't empty; choose another folder, or give --force to write into it", .0.display())]
    NotEmpty(PathBuf),
    /// The folder is a project whose figures are not simulated.
    #[error("`{}` is a project that was not simulated, and would be overwritten; choose another folder", .0.display())]
    Genuine(PathBuf),
    /// A file can't be written.
    #[error("can't write `{}`", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Rows can't be written as Parquet.
    #[error("can't write `{}`", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// Rows don't make a table: an error in the program.
    #[error("can't make rows")]
    Rows(#[from] arrow::error::ArrowError),
}
