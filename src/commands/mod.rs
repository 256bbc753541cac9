//! One file a command: its arguments and its run. Only here is anything printed.

mod asking;
pub mod backup;
pub mod chart;
pub mod collect;
pub mod doctor;
pub mod explain;
pub mod ingest;
pub mod init;
pub mod manual;
pub mod preview;
pub mod query;
pub mod report;
pub mod simulate;
pub mod status;
pub mod unload;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};

use crate::cli::{Cli, Command};
use crate::metric::UnknownMetric;
use crate::project::Project;
use crate::query::RunError;
use crate::query::library::LibraryError;
use crate::query::parameter::ParameterError;

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// All was done, but rows were rejected.
    RowsRejected,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::RowsRejected => ExitCode::from(3),
        }
    }
}

/// A use of a command that can't be meant: exits with 2, as clap does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(pub String);

/// What every command is given.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The folder from which the project is looked for.
    pub folder: PathBuf,
    /// How many threads to use, where given.
    pub threads: Option<usize>,
}

impl Setting {
    /// The project that the folder lies in.
    pub fn project(&self) -> Result<Project> {
        Ok(Project::find(&self.folder)?)
    }

    /// Runs a future to its end on this many threads.
    pub fn block_on<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = self.threads {
            builder.worker_threads(threads.max(1));
        }
        builder
            .enable_all()
            .build()
            .context("can't start threads")?
            .block_on(future)
    }
}

/// Runs a command.
pub fn run(cli: Cli) -> Result<Outcome> {
    let here = std::env::current_dir().context("can't tell the current folder")?;
    let folder = cli.project.map_or(here.clone(), |p| here.join(p));
    let setting = Setting {
        folder,
        threads: cli.threads.map(usize::from),
    };
    match cli.command {
        Command::Init(args) => init::run(args, &here),
        Command::Ingest(args) => ingest::run(args, &setting),
        Command::Preview(args) => preview::run(args, &setting),
        Command::Collect(args) => collect::run(args, &here, &setting),
        Command::Simulate(args) => simulate::run(args, &here, &setting),
        Command::Query(args) => query::run(args, &setting),
        Command::Chart(args) => chart::run(args, &setting),
        Command::Report(args) => report::run(args, &setting),
        Command::Status(args) => status::run(args, &setting),
        Command::Doctor(args) => doctor::run(args, &setting),
        Command::Unload(args) => unload::run(args, &setting),
        Command::Backup(args) => backup::run(args, &here, &setting),
        Command::Restore(args) => backup::run_restore(args, &here, &setting),
        Command::Explain(args) => explain::run(args, &setting),
        Command::Completions(args) => manual::completions(args),
        Command::Man => manual::man(),
    }
}

/// Says on standard error what went wrong, and with what the process exits. A reader that has
/// closed its pipe has what it wanted: that is no failure.
pub fn report_error(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors repeat their cause in their own words.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    let _ = writeln!(anstream::stderr(), "{red}error{red:#}: {text}");
    ExitCode::from(if is_wrong_use(error) { 2 } else { 1 })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|c| {
        c.downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn is_wrong_use(error: &anyhow::Error) -> bool {
    error.chain().any(|c| {
        c.is::<WrongUse>()
            || c.is::<UnknownMetric>()
            || c.is::<ParameterError>()
            || c.is::<crate::calendar::CalendarError>()
            || matches!(c.downcast_ref(), Some(RunError::Parameter(_)))
            || matches!(c.downcast_ref(), Some(LibraryError::Unknown { .. }))
    })
}
