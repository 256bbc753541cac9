//! `essor backup` and `essor restore`: a copy of the store, and back.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Outcome, Setting};
use crate::chart::number::exact;
use crate::store::{Copied, Store, restore};

/// `essor backup`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  essor backup /mnt/backup/2016-02     the store as it is now, while ingest may go on

The key of the pseudonyms (essor.key) is not in it: keep it apart from the store.")]
pub struct Args {
    /// Where to: a folder that is not there or is empty
    pub to: PathBuf,
}

/// `essor restore`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  essor restore /mnt/backup/2016-02    into a project without a store")]
pub struct RestoreArgs {
    /// The folder that `essor backup` wrote
    pub from: PathBuf,
}

/// Copies the store at one version of all its tables.
pub fn run(args: Args, here: &Path, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let to = here.join(&args.to);
    let copied = setting.block_on(async {
        let store = Store::open_whole(&project.root).await?;
        Ok(store.back_up(&to)?)
    })?;
    say(copied, &to)
}

/// Copies a store back into a project that has none.
pub fn run_restore(args: RestoreArgs, here: &Path, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let copied = restore(&here.join(&args.from), &project.root)?;
    say(copied, &project.root)
}

fn say(copied: Copied, to: &Path) -> Result<Outcome> {
    writeln!(
        anstream::stdout(),
        "copied {} files, {} bytes to {}",
        exact(copied.files as i64),
        exact(copied.bytes as i64),
        to.display()
    )?;
    Ok(Outcome::Done)
}
