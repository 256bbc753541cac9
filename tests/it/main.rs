//! Tests through what a user touches: the binary, the project's folder, the report.

mod activity;
mod answers;
mod archives;
mod bombs;
mod browser;
mod cli;
mod collect;
mod databases;
mod dirty;
mod hostile;
mod ingest;
mod kill;
mod mutations;
mod networks;
mod oracle;
mod paths;
mod project;
mod queries;
mod report;
mod secrets;
