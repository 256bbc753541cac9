//! essor: growth analytics for messaging platforms.
//!
//! The modules stand in the order in which data flows through them; a stage uses only what stands
//! above it. `commands` and `report` alone know several stages.

pub mod bitmap;
pub mod calendar;
pub mod metric;
pub mod project;
pub mod pseudonym;
pub mod schema;
pub mod user_days;

pub mod ingest;

pub mod simulate;

pub mod activity;

pub mod store;

pub mod query;

pub mod engine;

pub mod chart;

pub mod report;

pub mod cli;
pub mod commands;
