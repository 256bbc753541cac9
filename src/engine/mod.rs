//! Builds the DataFusion session in which every query runs: tables, registers and views.
//!
//! The tables are those of the store, less what is replaced, undone or unfinished. The registers
//! come from `essor.toml` and the registry of metrics. The views stand in `queries/views/`.

mod registers;
mod usage;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::collect;
use datafusion::prelude::{Expr, SessionConfig, SessionContext, cast, col, lit};

use crate::project::Project;
use crate::query::library::views;
use crate::store::{Store, StoreError};
use wanted::Wanted;

/// Why no session could be built.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// DataFusion refused a table.
    #[error("can't set up the tables: {0}")]
    Table(#[from] DataFusionError),
    /// DataFusion refused a view.
    #[error("view `{view}`: {source}")]
    View {
        /// The view.
        view: String,
        /// Why.
        source: Box<DataFusionError>,
    },
}

/// How a session runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// How many threads a query uses; all of the machine's where it is not given.
    pub threads: Option<usize>,
    /// Whether the views that say `--! hold: yes` are computed once and kept in memory: worth it
    /// where many queries follow.
    pub hold: bool,
}

/// A session over the live loads of a store: with all tables and views, or with those only that `asked`,
/// the text of one query, comes to name. Planning a view that nobody asks for takes milliseconds.
pub async fn session(
    store: &Store,
    project: &Project,
    settings: Settings,
    asked: Option<&str>,
) -> Result<SessionContext, EngineError> {
    let mut config = SessionConfig::new().with_information_schema(true);
    if let Some(threads) = settings.threads {
        config = config.with_target_partitions(threads.max(1));
    }
    // Beyond the bound queries spill where they can and are refused with words where they can't.
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(project.memory_bound(), 1.0)
        .build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    let wanted = Wanted::by(asked);
    register_all(&context, store, project, settings.hold, &wanted).await?;
    Ok(context)
}

/// Everything that a query may name, registered in one place.
async fn register_all(
    context: &SessionContext,
    store: &Store,
    project: &Project,
    hold: bool,
    wanted: &Wanted,
) -> Result<(), EngineError> {
    crate::bitmap::functions::register(context, project.week_start);
    registers::register(context, project)?;
    for table in ["disclosures", "rejects"] {
        if !wanted.table(table) {
            continue;
        }
        context.register_table(table, live_rows(context, store, table).await?)?;
    }
    if wanted.table("usage") || wanted.table("stated_usage") {
        usage::register(context, store, project.on_conflict).await?;
    }
    if wanted.table("replaced_usage") {
        usage::register_replaced(context, store, project.on_conflict).await?;
    }
    if wanted.table("activity") {
        register_activity(context, store).await?;
    }
    if wanted.table("loads") {
        // The store has read them to know which rows count.
        let loads = store.loads().live_batch()?;
        let loads = MemTable::try_new(loads.schema(), vec![vec![loads]])?;
        context.register_table("loads", Arc::new(loads))?;
    }
    let people = store.loads().live().any(|l| l.grain.of_people());
    for view in views() {
        if !wanted.table(&view.name) {
            continue;
        }
        // What stands on activity or a network alone is empty without it, and need not be planned into
        // every query.
        let needs = |what: &str| view.sql.lines().any(|line| line.trim() == what);
        if !people && needs("--! needs: activity")
            || project.network.is_none() && needs("--! needs: network")
        {
            create_empty(context, &view.name, &view.sql).await?;
            continue;
        }
        let held = hold && view.sql.lines().any(|line| line.trim() == "--! hold: yes");
        create_view(context, &view.name, &view.sql, held).await?;
    }
    Ok(())
}

/// The bitmaps of live loads. Most often every row of every file is live, and nothing is filtered:
/// what is not is the parts of loads that never came to count, and the rows of loads that no longer do.
async fn register_activity(context: &SessionContext, store: &Store) -> Result<(), EngineError> {
    let unfinished = store.unfinished_parts()?;
    let strange: Vec<&str> = unfinished.iter().map(String::as_str).collect();
    let live: BTreeSet<&str> = store.loads().live().map(|l| l.load.as_str()).collect();
    let dead: Vec<&str> = store
        .loads()
        .iter()
        .filter(|l| l.grain.of_people() && !l.unload && !live.contains(l.load.as_str()))
        .map(|l| l.load.as_str())
        .collect();
    let mut frame = context.read_table(scan(store, "activity").await?)?;
    if !strange.is_empty() {
        frame = frame.filter(!named(&strange, "part"))?;
    }
    if !dead.is_empty() {
        frame = frame.filter(!named(&dead, "load"))?;
    }
    let columns: Vec<Expr> = crate::schema::ACTIVITY
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .filter(|name| !matches!(*name, "part"))
        .map(col)
        .collect();
    context.register_table("activity", frame.select(columns)?.into_view())?;
    Ok(())
}

async fn create_view(
    context: &SessionContext,
    name: &str,
    sql: &str,
    held: bool,
) -> Result<(), EngineError> {
    let refused = |source| EngineError::View {
        view: name.to_owned(),
        source: Box::new(source),
    };
    let frame = context.sql(sql).await.map_err(refused)?;
    let view = if held {
        let plan = frame.create_physical_plan().await.map_err(refused)?;
        let rows = collect(plan.clone(), context.task_ctx())
            .await
            .map_err(refused)?;
        Arc::new(MemTable::try_new(plan.schema(), vec![rows]).map_err(refused)?)
    } else {
        frame.into_view()
    };
    context.register_table(name, view).map_err(refused)?;
    Ok(())
}

/// A table of the view's columns without a row.
async fn create_empty(context: &SessionContext, name: &str, sql: &str) -> Result<(), EngineError> {
    let refused = |source| EngineError::View {
        view: name.to_owned(),
        source: Box::new(source),
    };
    let frame = context.sql(sql).await.map_err(refused)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let empty = MemTable::try_new(schema, vec![vec![]]).map_err(refused)?;
    context
        .register_table(name, Arc::new(empty))
        .map_err(refused)?;
    Ok(())
}

async fn scan(store: &Store, table: &'static str) -> Result<Arc<dyn TableProvider>, EngineError> {
    Ok(store.table(table)?.table_provider().await?)
}

/// The rows of live loads: read at once where they are many small files. Else the load is the tables' partition, so that
/// no file of another is opened; most often there is no other, and to name those is to name few.
async fn live_rows(
    context: &SessionContext,
    store: &Store,
    table: &'static str,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    if let Some(rows) = store.gathered(table)? {
        let held = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        return Ok(Arc::new(held));
    }
    let frame = context.read_table(scan(store, table).await?)?;
    let strangers = store.strangers(table)?;
    let strangers: Vec<&str> = strangers.iter().map(String::as_str).collect();
    match strangers.is_empty() {
        true => Ok(frame.into_view()),
        false => Ok(frame.filter(!named(&strangers, "load"))?.into_view()),
    }
}

/// Whether a column's text is one of `names`.
fn named(names: &[&str], column: &str) -> Expr {
    if names.is_empty() {
        return lit(false);
    }
    let names = names.iter().map(|name| lit(*name)).collect();
    cast(col(column), DataType::Utf8).in_list(names, false)
}
