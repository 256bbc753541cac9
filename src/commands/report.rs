//! `essor report`: reads what is new and writes the report of a month.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::asking::{platform_of, warn_of_unknown};
use super::ingest::{self, Taking};
use super::{Outcome, Setting};
use crate::calendar::Month;
use crate::engine::{self, Settings};
use crate::project::Project;
use crate::query::Library;
use crate::report::{self, Subject};
use crate::store::Store;

/// `essor report`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor report 2016-02                        reports/2016-02/index.html, report.md, report.json, charts/, tables/
  essor report 2022-11 --platform Mastodon    about another platform
  essor report 2016-02 --open                 and opens it in the browser")]
pub struct Args {
    /// The month, as YYYY-MM
    month: Month,
    /// The platform, where it is not the project's own
    #[arg(long)]
    platform: Option<String>,
    /// The folder to write; reports/YYYY-MM unless given
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Report from what is in the store, without reading what is new
    #[arg(long)]
    no_ingest: bool,
    /// Open the page when it is written
    #[arg(long)]
    open: bool,
}

/// Writes the report of a month.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let platform = platform_of(&project, args.platform.clone())?;
    let subject = Subject {
        month: args.month,
        platform,
    };
    let outcome = setting.block_on(async {
        let outcome = if args.no_ingest {
            Outcome::Done
        } else {
            read_what_is_new(&project, setting).await?
        };
        let report = assemble(&project, setting, &subject).await?;
        let folder = match &args.output {
            Some(folder) => std::env::current_dir()?.join(folder),
            None => report::folder(&project.root, &subject),
        };
        let files = report::render(&report, &project.root)?;
        let written = report::write(&folder, files)
            .with_context(|| format!("can't write the report to `{}`", folder.display()))?;
        let page = folder.join("index.html");
        writeln!(anstream::stdout(), "{}", page.display())?;
        tracing::info!("{} files changed", written.changed);
        if args.open {
            open::that(&page)
                .with_context(|| format!("can't open `{}`; open it yourself", page.display()))?;
        }
        Ok(outcome)
    })?;
    Ok(outcome)
}

async fn read_what_is_new(project: &Project, setting: &Setting) -> Result<Outcome> {
    if let Some(missing) = project.data.iter().find(|d| !project.root.join(d).exists()) {
        // The folder that a project without `data` reads may not be there; one that is named must be.
        if project.data.len() > 1 || missing != "data" {
            anyhow::bail!(
                "`{missing}` under `data` in essor.toml does not exist; make it or mend the name"
            );
        }
    }
    let folders: Vec<String> = project
        .data
        .iter()
        .filter(|d| project.root.join(d).exists())
        .cloned()
        .collect();
    let tally = ingest::ingest(
        project,
        &folders,
        &project.root,
        Taking {
            threads: setting.threads,
            strict: false,
            platform: None,
            server: None,
            at: None,
            restate: false,
            format: None,
            archives: Default::default(),
            apart: crate::ingest::apart::Apart::new(project.memory_bound()),
            key: ingest::key(project),
        },
    )
    .await?;
    if tally.failed > 0 {
        // A report without a file that is there would look complete and not be.
        tally
            .outcome()
            .context("no report was written (`--no-ingest` reports from what is in the store)")?;
    }
    tally.outcome()
}

async fn assemble(
    project: &Project,
    setting: &Setting,
    subject: &Subject,
) -> Result<report::Report> {
    let store = Store::open(&project.root).await?;
    warn_of_unknown(&store, project.rivals.iter().cloned()).await?;
    say_gone(&store, &project.root)?;
    let context = engine::session(
        &store,
        project,
        Settings {
            threads: threads_a_query(&store, setting),
            hold: true,
        },
        None,
    )
    .await?;
    let library = Library::open(&project.root)?;
    if let Some(error) = library.broken().next() {
        anyhow::bail!("{error}; no report was written, since it would lack that figure");
    }
    let stamp = crate::chart::stamp::simulated(&store.synthetic().await?);
    let report = report::assemble(&context, &store, project, &library, subject, stamp).await?;
    for (query, parameter) in &report.not_asked {
        writeln!(
            anstream::stderr(),
            "note: query `{query}` is not in the report: it needs `{parameter}`, which a report does not know; give it a default in its header"
        )?;
    }
    Ok(report)
}

/// Says which files are no longer there: what they stated still counts.
fn say_gone(store: &Store, root: &std::path::Path) -> Result<()> {
    for load in store.loads().live().filter(|l| l.is_gone(root)) {
        writeln!(
            anstream::stderr(),
            "note: `{}` is gone, and what it stated still counts; `essor unload {}` takes it back",
            load.path,
            load.load
        )?;
    }
    Ok(())
}

/// Rows below which a query is not worth splitting: a report asks many at once.
const SPLIT_FROM: i64 = 1_000_000;

/// How many threads one of the report's queries uses. Splitting a small one costs more than it gains.
fn threads_a_query(store: &Store, setting: &Setting) -> Option<usize> {
    let rows: i64 = store.loads().live().map(|l| l.rows_kept).sum();
    if rows < SPLIT_FROM {
        Some(1)
    } else {
        setting.threads
    }
}
