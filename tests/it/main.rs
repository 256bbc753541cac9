//! Tests through what a user touches: the binary, the project's folder, the report.

mod activity;
mod browser;
mod cli;
mod dirty;
mod ingest;
mod kill;
mod oracle;
mod project;
mod queries;
mod report;
