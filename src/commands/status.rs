//! `essor status`: what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Result;

use super::asking::open;
use super::{Outcome, Setting};
use crate::chart::number::exact;
use crate::project::Project;
use crate::query::{self, Library, output};
use crate::store::{Fault, Load, Store};

/// `essor status`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  essor status            platforms, metrics, spans, freshness, gaps, loads\n  essor status --all      with the loads that were replaced or undone"
)]
pub struct Args {
    /// Show the loads that were replaced or undone too
    #[arg(long)]
    all: bool,
    /// Read every file of the store back, and hold it against what was written
    #[arg(long)]
    verify: bool,
}

/// How many doubtful figures are shown.
const DOUBTFUL: usize = 10;

/// Shows what is in the store.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    if args.verify {
        return verify(&project, setting);
    }
    let (store, held, doubtful) = setting.block_on(async {
        let (store, context) = open(&project, setting, None).await?;
        let library = Library::open(&project.root)?;
        let given = query::parameter::Given::new();
        let held = query::run(&context, library.find("holdings")?, &given).await?;
        let doubtful = query::run(&context, library.find("sanity")?, &given).await?;
        Ok((store, held, doubtful))
    })?;
    let mut out = anstream::stdout();
    let bold = anstyle::Style::new().bold();
    if store.loads().live().next().is_none() {
        writeln!(
            out,
            "the store is empty: put files into data/ and run `essor ingest data/`"
        )?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "{bold}Figures{bold:#}")?;
    output::write(&held.batch, output::Format::Table, &mut out)?;
    if doubtful.batch.num_rows() > 0 {
        writeln!(
            out,
            "\n{bold}Doubtful figures{bold:#} (`essor query sanity` explains and lists all; what is impossible counts nowhere until [[confirmed]] in essor.toml says that it is so)"
        )?;
        let rows = doubtful.batch.num_rows().min(DOUBTFUL);
        let first = doubtful.batch.slice(0, rows);
        output::write(&first, output::Format::Table, &mut out)?;
    }
    writeln!(
        out,
        "\n{bold}Loads{bold:#} (`essor unload LOAD` undoes one)"
    )?;
    let live: BTreeSet<&str> = store.loads().live().map(|l| l.load.as_str()).collect();
    let counts = |load: &&Load| live.contains(load.load.as_str());
    let shown = store.loads().iter().filter(|l| args.all || counts(l));
    // A database in use has a load a day: hundreds of lines would hide the others.
    let (days, others): (Vec<&Load>, Vec<&Load>) =
        shown.partition(|l| !args.all && l.is_of_database() && l.grain.of_people());
    for load in others {
        writeln!(out, "{}", line(load, &project.root, counts(&load)))?;
    }
    for said in databases(&days) {
        writeln!(out, "{said}")?;
    }
    Ok(Outcome::Done)
}

/// Reads the whole store back.
fn verify(project: &Project, setting: &Setting) -> Result<Outcome> {
    let verified = setting.block_on(async {
        let store = Store::open_whole(&project.root).await?;
        Ok(store.verify()?)
    })?;
    let mut out = anstream::stdout();
    for Fault { at, what } in &verified.faults {
        writeln!(out, "{at}: {what}")?;
    }
    writeln!(
        out,
        "read {} files of {} bytes: {} rows, {} bitmaps, {} accounts",
        exact(verified.files as i64),
        exact(verified.bytes as i64),
        exact(verified.rows as i64),
        exact(verified.bitmaps as i64),
        exact(verified.accounts as i64),
    )?;
    match verified.faults.len() {
        0 => Ok(Outcome::Done),
        1 => {
            anyhow::bail!("the store has a fault; a backup can be copied back with `essor restore`")
        }
        n => anyhow::bail!(
            "the store has {n} faults; a backup can be copied back with `essor restore`"
        ),
    }
}

/// A line a database and grain.
fn databases(days: &[&Load]) -> Vec<String> {
    let mut alike: BTreeMap<(&str, &str), Vec<&Load>> = BTreeMap::new();
    for load in days {
        alike
            .entry((&load.path, load.grain.name()))
            .or_default()
            .push(load);
    }
    let line = |((path, grain), loads): ((&str, &str), Vec<&Load>)| {
        let first = loads.iter().filter_map(|l| l.first_day).min();
        let last = loads.iter().filter_map(|l| l.last_day).max();
        let span = match (first, last) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => "no days".to_owned(),
        };
        let rows = loads.iter().map(|l| l.rows_kept).sum();
        format!(
            "{:<14} {:<20}  {grain:<11} {:>10} rows  {span}  {path} (a load a day: `--all` lists them)",
            format!("{} loads", loads.len()),
            "",
            exact(rows)
        )
    };
    alike.into_iter().map(line).collect()
}

fn line(load: &Load, root: &std::path::Path, live: bool) -> String {
    let when = chrono::DateTime::from_timestamp_micros(load.loaded_at)
        .map(|t| t.format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default();
    let span = match (load.first_day, load.last_day) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no days".to_owned(),
    };
    let state = match (load.unload, live) {
        (true, _) => format!("  undoes {}", load.supersedes.join(", ")),
        (false, true) if load.is_gone(root) => "  the file is gone".to_owned(),
        (false, true) => String::new(),
        (false, false) => "  replaced or undone".to_owned(),
    };
    let rejected = if load.rows_rejected > 0 {
        format!(", {} rejected", exact(load.rows_rejected))
    } else {
        String::new()
    };
    format!(
        "{:<14} {when} UTC  {:<11} {:>10} rows{rejected}  {span}  {} ({}){state}",
        load.load,
        load.grain.name(),
        exact(load.rows_kept),
        load.path,
        load.format
    )
}
