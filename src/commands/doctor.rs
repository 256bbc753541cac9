//! `essor doctor`: whether the store is sound.

use std::io::Write;

use anyhow::Result;

use super::{Outcome, Setting};
use crate::chart::number::exact;
use crate::store::health::{Health, examine};

/// `essor doctor`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor doctor             logs, files, loads and accounts of the store; changes nothing
  essor doctor --repair    removes what a killed process left, and a cut entry no load rests on

Exit status: 0 sound; 1 not sound.")]
pub struct Args {
    /// Repair what can be repaired without losing anything
    #[arg(long)]
    repair: bool,
}

/// Says whether the store is sound.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let examined = async { Ok(examine(&project.root, args.repair).await?) };
    let health = setting.block_on(examined)?;
    let mut out = anstream::stdout();
    for repaired in &health.repaired {
        writeln!(out, "{repaired}")?;
    }
    for problem in &health.problems {
        writeln!(anstream::stderr(), "{problem}")?;
    }
    anyhow::ensure!(
        health.problems.is_empty(),
        "the store is not sound{}",
        match args.repair {
            true =>
                "; what is wrong can't be repaired here: give back a copy of `.essor`, or remove it and ingest the files again",
            false => "; `essor doctor --repair` repairs what can be",
        }
    );
    left(&health, &mut out)?;
    writeln!(
        out,
        "sound: {} rows of loads, {} files, {} accounts",
        exact(health.loads as i64),
        exact(health.files as i64),
        exact(health.accounts as i64)
    )?;
    Ok(Outcome::Done)
}

/// What does no harm and is taken out by a repair, or by the next run.
fn left(health: &Health, out: &mut impl Write) -> std::io::Result<()> {
    if health.unfinished > 0 {
        let parts = health.unfinished;
        writeln!(
            out,
            "note: {parts} unfinished loads, which do not count; the next `essor ingest` takes them out"
        )?;
    }
    if !health.leftovers.is_empty() {
        let files = health.leftovers.len();
        writeln!(
            out,
            "note: {files} files that nothing names; `essor doctor --repair` removes them"
        )?;
    }
    Ok(())
}
