//! What queries know besides the loads: metrics, platforms, disputes settled by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::calendar::{self, Day};
use crate::metric::{self, METRICS, Metric};
use crate::project::Project;

/// Registers `metrics`, `platforms`, `networks`, `confirmed` and `disputes`.
pub(super) fn register(context: &SessionContext, project: &Project) -> Result<(), DataFusionError> {
    context.register_table("metrics", metrics()?)?;
    context.register_table("platforms", platforms(project)?)?;
    context.register_table("networks", networks(project)?)?;
    context.register_table("confirmed", confirmed(project)?)?;
    context.register_table("disputes", disputes(project)?)?;
    Ok(())
}

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn days(values: impl Iterator<Item = Option<Day>>) -> ArrayRef {
    Arc::new(
        values
            .map(|d| d.map(calendar::date32))
            .collect::<Date32Array>(),
    )
}

fn table(columns: Vec<(&str, ArrayRef, bool)>) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
    Ok(Arc::new(MemTable::try_new(
        batch.schema(),
        vec![vec![batch]],
    )?))
}

fn metrics() -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let column = |of: fn(&Metric) -> &'static str| text(METRICS.iter().map(of));
    table(vec![
        ("metric", column(|m| m.name), false),
        ("title", column(|m| m.title), false),
        ("measure", column(|m| m.measure), false),
        ("kind", column(|m| m.kind.name()), false),
        ("unit", column(|m| m.unit), false),
        ("window", column(|m| m.window), false),
        ("definition", column(|m| m.definition), false),
    ])
}

fn platforms(project: &Project) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let launched =
        |p: &crate::project::Platform| p.launched.as_deref().and_then(|d| calendar::day(d).ok());
    table(vec![
        (
            "platform",
            text(project.platforms.keys().map(String::as_str)),
            false,
        ),
        (
            "launched",
            days(project.platforms.values().map(launched)),
            true,
        ),
    ])
}

/// The network that essor.toml declares, and for how many silent days a server's last figure stands.
fn networks(project: &Project) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let carried: Int64Array = project
        .network
        .iter()
        .map(|_| Some(i64::from(project.carry_forward)))
        .collect();
    let names = text(project.network.iter().map(String::as_str));
    table(vec![
        ("platform", names, false),
        ("carry_days", Arc::new(carried), false),
    ])
}

/// Figures that can't be so, and are all the same.
fn confirmed(project: &Project) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let all = &project.confirmed;
    let metric =
        |name: &str| metric::find(name).map_or_else(|_| name.to_owned(), |m| m.name.to_owned());
    let metrics: Vec<String> = all.iter().map(|c| metric(&c.metric)).collect();
    let day = |text: &str| calendar::day(text).ok();
    table(vec![
        (
            "platform",
            text(all.iter().map(|c| c.platform.as_str())),
            false,
        ),
        ("server", text(all.iter().map(|c| c.server.as_str())), false),
        ("metric", text(metrics.iter().map(String::as_str)), false),
        ("day", days(all.iter().map(|c| day(&c.day))), true),
    ])
}

fn disputes(project: &Project) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let all = &project.disputes;
    let name = |metric: &str| {
        metric::in_a_statement(metric).map_or_else(|_| metric.to_owned(), |m| m.name.to_owned())
    };
    let metrics: Vec<String> = all.iter().map(|d| name(&d.metric)).collect();
    let values: Int64Array = all.iter().map(|d| Some(d.value)).collect();
    let computes: BooleanArray = all.iter().map(|d| Some(d.computes)).collect();
    table(vec![
        (
            "platform",
            text(all.iter().map(|d| d.platform.as_str())),
            false,
        ),
        ("metric", text(metrics.iter().map(String::as_str)), false),
        (
            "as_of",
            days(all.iter().map(|d| calendar::end_of(&d.as_of).ok())),
            true,
        ),
        ("value", Arc::new(values), false),
        ("computes", Arc::new(computes), false),
    ])
}

/// The order in which live loads were committed: the later one is the `latest`.
pub(super) fn load_order(order: &[(&str, i64)]) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let seq: Int64Array = order.iter().map(|(_, seq)| Some(*seq)).collect();
    table(vec![
        ("load", text(order.iter().map(|(load, _)| *load)), false),
        ("seq", Arc::new(seq), false),
    ])
}

/// Loads in whose place others count, each with its last day if that was still running.
pub(super) fn replaced_loads(
    replaced: &BTreeMap<&str, Option<Day>>,
) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    table(vec![
        ("load", text(replaced.keys().copied()), false),
        ("running", days(replaced.values().copied()), true),
    ])
}
