//! `essor ingest`: files into the store, each once.

mod files;
mod live;
mod load;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

pub use files::Found;
pub use load::{LoadError, Taken, Taking};

use super::{Outcome, Setting};
use crate::chart::number::exact;
use crate::ingest::{Reject, Summary};
use crate::project::Project;
use crate::pseudonym::{self, Key, KeyError};
use crate::store::{Store, StoreError};

/// `essor ingest`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor ingest data/                        what is new in a folder and those below it
  essor ingest data/2016-02-*.csv.gz        a glob
  zcat export.csv.gz | essor ingest -       standard input
  essor ingest homeserver.db                a Matrix Synapse in use, or postgres://USER@HOST/DB:
                                            its new days, every time

CSV, NDJSON, JSON, Parquet and Arrow, plain or compressed with gzip or zstd. A daily file is wide
(date,platform,messages,signups,dau,mau) or long (date,platform,metric,value); public statements are
platform,metric,value,as_of,... Columns that are called otherwise are mapped in essor.toml.

Exit status: 0 all kept or known; 1 a file was not taken; 3 rows were rejected, the rest kept.")]
pub struct Args {
    /// Files, folders, globs, `-` for standard input, or postgres://USER@HOST/DB
    #[arg(required = true, value_name = "PATH or URL")]
    paths: Vec<String>,
    /// Refuse a file whole if one of its rows can't be read
    #[arg(long)]
    strict: bool,
    /// Whose figures these are, for files without a platform in a column or in essor.toml
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Which server's the figures are, for answers that do not say it (NodeInfo, Mattermost, Mastodon)
    #[arg(long, value_name = "HOST")]
    server: Option<String>,
    /// Which day the figures are of, for answers that do not say it
    #[arg(long, value_name = "DAY")]
    at: Option<String>,
    /// The format, in place of what the bytes show
    #[arg(long = "as", value_name = "FORMAT")]
    format: Option<String>,
    /// Take days of a database as they are now, though they have lost rows since they were read
    #[arg(long)]
    restate: bool,
}

/// What became of all files.
#[derive(Debug, Default)]
pub struct Tally {
    /// Files that were loaded before.
    pub known: usize,
    /// Files that were loaded.
    pub loaded: usize,
    /// Rows read.
    pub read: u64,
    /// Rows kept.
    pub kept: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Files that were not taken.
    pub failed: usize,
    /// Columns of files of people that were not taken though nothing says so.
    pub passed_over: BTreeSet<String>,
    /// What became of the days of databases in use.
    databases: live::Databases,
}

impl Tally {
    /// How the command ends.
    pub fn outcome(&self) -> Result<Outcome> {
        match self {
            Tally {
                failed: 0,
                rejected: 0,
                ..
            } => Ok(Outcome::Done),
            Tally { failed: 0, .. } => Ok(Outcome::RowsRejected),
            Tally { failed, .. } => {
                let files = if *failed == 1 {
                    "a file was not taken".to_owned()
                } else {
                    format!("{failed} files were not taken")
                };
                match self.loaded + self.known {
                    0 => anyhow::bail!("{files}"),
                    1 => anyhow::bail!("{files}; the other one stands"),
                    others => anyhow::bail!("{files}; the other {others} stand"),
                }
            }
        }
    }
}

/// Reads files into the store.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let here = std::env::current_dir()?;
    let at = args.at.as_deref().map(crate::calendar::day);
    let tally = setting.block_on(ingest(
        &project,
        &args.paths,
        &here,
        Taking {
            strict: args.strict,
            threads: setting.threads,
            platform: args.platform,
            server: args.server,
            at: at.transpose()?,
            format: args.format,
            restate: args.restate,
            key: key(&project),
        },
    ))?;
    let mut out = anstream::stdout();
    writeln!(
        out,
        "read {} rows, kept {}, rejected {}; {} loaded, {} already known",
        exact(tally.read as i64),
        exact(tally.kept as i64),
        exact(tally.rejected as i64),
        files_counted(tally.loaded),
        tally.known,
    )?;
    if tally.rejected > 0 {
        writeln!(
            out,
            "`essor query --sql \"SELECT * FROM rejects\"` lists every rejected row"
        )?;
    }
    tally.outcome()
}

/// Reads the files that the words mean, and says on standard error what became of each.
pub async fn ingest(
    project: &Project,
    words: &[String],
    here: &std::path::Path,
    taking: Taking,
) -> Result<Tally> {
    let files = files::find(words, here, &project.root)?;
    let mut store = Store::open_to_write(&project.root).await?;
    let bar = progress(files.found.len());
    let mut tally = Tally::default();
    let mut run = load::Run::default();
    // Files of people are told of when they are committed, which is together.
    let mut waiting: Vec<Waiting> = Vec::new();
    for found in &files.found {
        let name = match found {
            Found::File { name, .. } => name.as_str(),
            Found::Stdin => STDIN,
            Found::Database { name, .. } => name.as_str(),
        };
        bar.set_message(name.to_owned());
        let mut note = |said: String| _ = writeln!(anstream::stderr(), "note: {said}");
        let candidates = match load::candidates(project, found, &taking, &mut note) {
            Ok(candidates) => live::settle(&store, candidates, &taking, &mut tally.databases).await?,
            Err(error) => {
                waiting.push(Waiting::failed(name, error));
                Vec::new()
            }
        };
        for file in candidates {
            let taken = load::take(&mut store, project, &file, &taking, &mut run).await;
            let live = file.live();
            waiting.push(Waiting {
                name: live.map_or_else(|| name.to_owned(), |live| live.name.to_string()),
                seen: file.seen().to_owned(),
                live: live.is_some(),
                taken,
            });
            if live.is_some() && run.people.full(project) {
                let committed = run.people.commit(&mut store).await;
                told(&bar, &mut tally, &mut waiting, committed)?;
            }
        }
        bar.inc(1);
        if run.people.full(project) || run.people.is_empty() {
            let committed = run.people.commit(&mut store).await;
            told(&bar, &mut tally, &mut waiting, committed)?;
        }
    }
    let committed = run.people.commit(&mut store).await;
    told(&bar, &mut tally, &mut waiting, committed)?;
    if tally.loaded + tally.databases.loaded() > 0 {
        store.merge().await?;
    }
    bar.finish_and_clear();
    tally.end_databases()?;
    say_passed_over(&files.passed_over)?;
    say_not_taken(&tally.passed_over)?;
    Ok(tally)
}

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// What pseudonyms are made with: the key in the environment, or else in the project's folder.
pub fn key(project: &Project) -> Result<Key, Arc<KeyError>> {
    let variable = std::env::var(pseudonym::VARIABLE).ok();
    Key::find(&project.root, variable.as_deref()).map_err(Arc::new)
}

/// What became of a load that nothing was said of yet.
struct Waiting {
    name: String,
    /// What the file was taken for and why.
    seen: String,
    /// Whether it is of a database in use, of which is told when all of it was taken.
    live: bool,
    taken: Result<Taken, LoadError>,
}

impl Waiting {
    fn failed(name: &str, error: LoadError) -> Self {
        Waiting {
            name: name.to_owned(),
            seen: String::new(),
            live: false,
            taken: Err(error),
        }
    }
}

/// Says what became of the files that waited for a commit.
fn told(
    bar: &ProgressBar,
    tally: &mut Tally,
    waiting: &mut Vec<Waiting>,
    committed: Result<Vec<(String, LoadError)>, StoreError>,
) -> Result<()> {
    let (mut refused, failure) = match committed {
        Ok(refused) => (refused.into_iter().collect(), None),
        Err(error) => (BTreeMap::new(), Some(error)),
    };
    let failed = failure.is_some();
    for Waiting {
        name,
        seen,
        live,
        taken,
    } in waiting.drain(..)
    {
        let path = if name == STDIN { "-" } else { &name };
        let taken = match refused.remove(path) {
            Some(error) => Err(error),
            None => taken,
        };
        let people =
            matches!(&taken, Ok(Taken::Loaded { summary, .. }) if summary.grain.of_people());
        if failed && people {
            tally.failed += 1;
            continue;
        }
        let quiet = live && tally.databases.took(&name, &seen, &taken);
        if !quiet {
            bar.suspend(|| say(&name, &seen, &taken))?;
        }
        tally.add(&taken, quiet);
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

impl Tally {
    /// Says what became of databases, each of which counts as one file.
    fn end_databases(&mut self) -> std::io::Result<()> {
        let databases = std::mem::take(&mut self.databases);
        databases.say(&mut anstream::stderr())?;
        self.loaded += databases.loaded();
        self.known += databases.known();
        Ok(())
    }

    fn add(&mut self, taken: &Result<Taken, LoadError>, of_database: bool) {
        match taken {
            Ok(Taken::Known) => self.known += 1,
            Ok(Taken::Loaded { summary, .. }) => {
                self.loaded += usize::from(!of_database);
                self.read += summary.rows_read;
                self.kept += summary.rows_kept;
                self.rejected += summary.rows_rejected;
                self.passed_over.extend(summary.passed_over.iter().cloned());
            }
            Ok(Taken::Strict { summary, .. }) => {
                self.failed += 1;
                self.read += summary.rows_read;
                self.rejected += summary.rows_read;
            }
            Err(_) => self.failed += 1,
        }
    }
}

fn say_not_taken(columns: &BTreeSet<String>) -> std::io::Result<()> {
    let names: Vec<String> = columns.iter().map(|c| format!("`{c}`")).collect();
    match names.is_empty() {
        true => Ok(()),
        false => writeln!(
            anstream::stderr(),
            "note: not taken of files of people: {}; `dimensions` in essor.toml declares what splits users, `ignore` says that a column is left out on purpose",
            names.join(", ")
        ),
    }
}

fn progress(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(files as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} files  {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// What a folder holds besides data; a README is expected there and not worth a word.
fn say_passed_over(paths: &[std::path::PathBuf]) -> std::io::Result<()> {
    let expected = |p: &&std::path::PathBuf| p.extension().is_some_and(|e| e == "md");
    let mut others = paths.iter().filter(|p| !expected(p));
    match (others.next(), others.count()) {
        (None, _) => Ok(()),
        (Some(first), more) => {
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            writeln!(
                anstream::stderr(),
                "note: passed over `{}`{more}: in a folder files that end in .csv, .tsv, .json, .ndjson, .jsonl, .parquet, .arrow, .ipc, .feather, .gz and .zst are read; name another kind itself",
                first.display()
            )
        }
    }
}

/// One line a file that was not known, and the first of its rejects.
fn say(name: &str, seen: &str, taken: &Result<Taken, LoadError>) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    let red = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    match taken {
        Ok(Taken::Known) => Ok(()),
        Ok(Taken::Loaded {
            summary,
            replaced,
            rejects,
        }) => {
            let instead = match replaced {
                0 => String::new(),
                1 => ", in place of an earlier load".to_owned(),
                n => format!(", in place of {n} earlier loads"),
            };
            writeln!(
                out,
                "{name}: {} rows of {} as {}{instead}",
                exact(summary.rows_kept as i64),
                summary.grain.name(),
                format_name(summary)
            )?;
            if !seen.is_empty() {
                writeln!(out, "  {seen}")?;
            }
            say_rejects(name, summary, rejects)
        }
        Ok(Taken::Strict { summary, rejects }) => {
            writeln!(
                out,
                "{red}error{red:#}: `{name}` is refused whole: {} of its {} rows can't be read (--strict)",
                summary.rows_rejected, summary.rows_read
            )?;
            say_rejects(name, summary, rejects)
        }
        Err(error) => writeln!(out, "{red}error{red:#}: {error}"),
    }
}

fn say_rejects(name: &str, summary: &Summary, rejects: &[Reject]) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    for reject in rejects {
        let column = if reject.column.is_empty() {
            String::new()
        } else {
            format!("column `{}`: ", reject.column)
        };
        writeln!(
            out,
            "  {name}:{}: rejected: {column}{}",
            reject.line, reject.reason
        )?;
    }
    match summary.rows_rejected.saturating_sub(rejects.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "  ... and {} more", exact(more as i64)),
    }
}

fn files_counted(n: usize) -> String {
    if n == 1 {
        "1 file".to_owned()
    } else {
        format!("{n} files")
    }
}

/// The format found: `csv`, `csv+gzip`.
fn format_name(summary: &Summary) -> String {
    let (format, compression) = (summary.format.name(), summary.compression.name());
    match compression {
        "" => format.to_owned(),
        _ => format!("{format}+{compression}"),
    }
}
