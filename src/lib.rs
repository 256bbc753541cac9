//! essor: growth analytics for messaging platforms.
//!
//! The modules stand in the order in which data flows through them; a stage uses only what stands
//! above it. `commands` and `report` alone know several stages.

pub mod calendar;
pub mod metric;
pub mod project;
pub mod schema;

pub mod ingest;
