//! `essor unload`: undoes a load.

use std::io::Write;

use anyhow::Result;

use super::{Outcome, Setting};
use crate::store::{Load, Store};

/// `essor unload`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  essor unload 3f2a91c0        the beginning of a name that `essor status` shows is enough"
)]
pub struct Args {
    /// The load
    pub load: String,
}

/// Undoes a load: its rows no longer count. The file may be loaded again.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let undone = setting.block_on(async {
        let mut store = Store::open_to_write(&project.root).await?;
        let load = store.loads().find(&args.load)?.clone();
        store.finish(undoing(&load)).await?;
        Ok(load)
    })?;
    writeln!(
        anstream::stdout(),
        "undone: load {} of `{}` ({} rows)",
        undone.load,
        undone.path,
        undone.rows_kept
    )?;
    Ok(Outcome::Done)
}

fn undoing(load: &Load) -> Load {
    Load {
        load: format!("undo-{}", load.load),
        unload: true,
        supersedes: vec![load.load.clone()],
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        bytes: 0,
        loaded_at: chrono::Utc::now().timestamp_micros(),
        ..load.clone()
    }
}
