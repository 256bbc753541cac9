//! `essor ingest`: files into the store, each once.

mod before;
mod files;
mod live;
mod load;
mod people;
mod refused;
mod saying;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

pub use files::Found;
pub use load::{Taken, Taking};
pub use refused::LoadError;
use saying::{files_counted, say, say_not_taken, say_passed_over};

use super::{Outcome, Setting};
use crate::chart::number::exact;
use crate::ingest::apart::Apart;
use crate::ingest::{Failed, Input, Limits, Member, Walk};
use crate::project::Project;
use crate::pseudonym::{self, Key, KeyError};
use crate::store::{Store, StoreError};

/// `essor ingest`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor ingest data/                        what is new in a folder and those below it
  essor ingest data/2016-02-*.csv.gz        a glob
  essor ingest export.zip                   all data in an archive
  zcat export.csv.gz | essor ingest -       standard input
  essor ingest homeserver.db                a Matrix Synapse in use, or postgres://USER@HOST/DB:
                                            its new days, every time

CSV, NDJSON, JSON, Parquet and Arrow, and what chat programs export; plain, compressed with gzip, zstd,
bzip2 or xz, or in zip and tar archives, whose members are files of their own. A daily file is wide
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
    /// How many archives may lie in one another
    #[arg(long, value_name = "N", default_value_t = Limits::default().depth)]
    archive_depth: usize,
    /// How many files are read of an archive
    #[arg(long, value_name = "N", default_value_t = Limits::default().members)]
    archive_members: usize,
    /// How much an archive or a compressed file may unpack to
    #[arg(long, value_name = "SIZE", default_value = "64 GiB", value_parser = size)]
    archive_size: u64,
    /// How many times its size a compressed file or an archive may unpack to; up to 256 MiB are not looked at
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    unpack_ratio: u64,
}

/// A number of bytes with its unit.
fn size(text: &str) -> Result<u64, String> {
    crate::project::bytes(text).ok_or_else(|| "write a size such as `64 GiB`".to_owned())
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
    /// Rows that give nothing by the rules of their format.
    pub left_out: u64,
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
            archives: Limits {
                depth: args.archive_depth,
                members: args.archive_members,
                bytes: args.archive_size,
                ratio: args.unpack_ratio,
            },
            apart: Apart::new(project.memory_bound()),
            key: key(&project),
        },
    ))?;
    let mut out = anstream::stdout();
    writeln!(
        out,
        "read {} rows, kept {}, rejected {}{}; {} loaded, {} already known",
        exact(tally.read as i64),
        exact(tally.kept as i64),
        exact(tally.rejected as i64),
        match tally.left_out {
            0 => String::new(),
            rows => format!(", left out {}", exact(rows as i64)),
        },
        files_counted(tally.loaded),
        tally.known,
    )?;
    if tally.rejected + tally.left_out > 0 {
        writeln!(
            out,
            "`essor query --sql \"SELECT * FROM rejects\"` lists every row that was not taken"
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
    for link in &files.led_out {
        let mut err = anstream::stderr();
        writeln!(
            err,
            "note: passed over `{link}`, a link to a file elsewhere; name it to have it read"
        )?;
    }
    let mut ingest = Ingest {
        store: Store::open_to_write(&project.root).await?,
        project,
        taking,
        run: load::Run::default(),
        waiting: Vec::new(),
        tally: Tally::default(),
        passed_over: files.passed_over,
        bar: progress(files.found.len()),
    };
    for found in &files.found {
        ingest.file(found).await?;
        ingest.bar.inc(1);
    }
    ingest.end().await
}

/// One run over files.
struct Ingest<'a> {
    store: Store,
    project: &'a Project,
    taking: Taking,
    run: load::Run,
    /// Files of people are told of when they are committed, which is together.
    waiting: Vec<Waiting>,
    tally: Tally,
    /// Files in folders and archives that do not look like data.
    passed_over: Vec<String>,
    bar: ProgressBar,
}

impl Ingest<'_> {
    /// Takes a file, or each member of an archive.
    async fn file(&mut self, found: &Found) -> Result<()> {
        let (shown, searched) = match found {
            Found::File { name, searched, .. } => (name.as_str(), *searched),
            Found::Stdin => (STDIN, false),
            Found::Database { name, url } => return self.database(name, url).await,
        };
        self.bar.set_message(shown.to_owned());
        let opened = load::opened(found).and_then(|(name, input)| {
            let input = input.within(self.taking.archives);
            let walk = Walk::open(&input, self.taking.archives, files::looks_like_data)?;
            Ok((name, input, walk))
        });
        match opened {
            Ok((name, input, None)) => self.take(&name, &input, None, searched).await?,
            Ok((_, _, Some(mut walk))) => {
                while let Some(member) = walk.next() {
                    self.member(member, matches!(found, Found::Stdin)).await?;
                }
                self.passed_over.append(&mut walk.passed_over);
            }
            Err(error) => self.failed(shown, error),
        }
        self.tell_if_full().await
    }

    /// Takes the days of a database server that are new.
    async fn database(&mut self, name: &str, url: &str) -> Result<()> {
        self.bar.set_message(name.to_owned());
        let input = Input::bytes(name, Vec::new());
        self.take(name, &input, Some(url), false).await?;
        self.tell_if_full().await
    }

    /// Takes a member of an archive. What comes by standard input has no name that could be read again.
    async fn member(&mut self, member: Result<Member, Failed>, stdin: bool) -> Result<()> {
        match member {
            Ok(member) => {
                self.bar.set_message(member.input.name.clone());
                let name = if stdin { "-" } else { &member.input.name };
                self.take(name, &member.input, None, true).await?;
            }
            Err(Failed { name, error }) => self.failed(&name, error.into()),
        }
        self.tell_if_full().await
    }

    fn failed(&mut self, name: &str, error: LoadError) {
        self.waiting.push(Waiting {
            name: name.to_owned(),
            path: name.to_owned(),
            seen: String::new(),
            live: false,
            taken: Err(error),
        });
    }

    /// Takes the loads that a file makes.
    async fn take(
        &mut self,
        name: &str,
        input: &Input,
        database: Option<&str>,
        searched: bool,
    ) -> Result<()> {
        let mut note = |said: String| _ = writeln!(anstream::stderr(), "note: {said}");
        let (project, taking) = (self.project, &self.taking);
        let candidates = match load::candidates(project, name, input, database, taking, &mut note) {
            Ok(candidates) => candidates,
            Err(error) => {
                self.failed(&input.name, error);
                return Ok(());
            }
        };
        if candidates.is_empty() {
            writeln!(
                anstream::stderr(),
                "note: nothing is read of `{}`",
                input.name
            )?;
        }
        let is_export = candidates.iter().all(|file| !file.seen().is_empty());
        if searched && !is_export && files::may_be_data(&input.name) {
            self.passed_over.push(input.name.clone());
            return Ok(());
        }
        let candidates = live::settle(
            &self.store,
            candidates,
            &self.taking,
            &mut self.tally.databases,
        )
        .await?;
        for file in candidates {
            if self.run.people.loads().any(|load| file.may_replace(load)) {
                self.tell().await?;
            }
            let (store, run) = (&mut self.store, &mut self.run);
            let taken = load::take(store, self.project, &file, &self.taking, run).await;
            let live = file.live().map(|live| live.name.to_string());
            let of_database = live.is_some();
            self.waiting.push(Waiting {
                name: live.clone().unwrap_or_else(|| input.name.clone()),
                path: file.name.clone(),
                seen: file.seen().to_owned(),
                live: of_database,
                taken,
            });
            if of_database && self.run.people.full(self.project) {
                self.tell().await?;
            }
        }
        Ok(())
    }

    /// Commits what waits once it is much, and tells of what does not wait.
    async fn tell_if_full(&mut self) -> Result<()> {
        if self.run.people.full(self.project) || self.run.people.is_empty() {
            self.tell().await?;
        }
        Ok(())
    }

    async fn tell(&mut self) -> Result<()> {
        let committed = self.run.people.commit(&mut self.store).await;
        told(&self.bar, &mut self.tally, &mut self.waiting, committed)
    }

    async fn end(mut self) -> Result<Tally> {
        self.tell().await?;
        if self.tally.loaded + self.tally.databases.loaded() > 0 {
            self.store.merge().await?;
        }
        self.bar.finish_and_clear();
        self.tally.end_databases()?;
        say_passed_over(&self.passed_over)?;
        say_not_taken(&self.tally.passed_over)?;
        Ok(self.tally)
    }
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
    /// What loads know it by.
    path: String,
    /// What the file was taken for and why.
    seen: String,
    /// Whether it is of a database in use, of which is told when all of it was taken.
    live: bool,
    taken: Result<Taken, LoadError>,
}

/// Says what became of the files that waited for a commit.
fn told(
    bar: &ProgressBar,
    tally: &mut Tally,
    waiting: &mut Vec<Waiting>,
    committed: Result<Vec<(String, LoadError)>, StoreError>,
) -> Result<()> {
    let (mut refused, failure) = match committed {
        Ok(refused) => (refused.into_iter().collect::<BTreeMap<_, _>>(), None),
        Err(error) => (BTreeMap::new(), Some(error)),
    };
    let failed = failure.is_some();
    for waited in waiting.drain(..) {
        let Waiting {
            name,
            path,
            seen,
            live,
            taken,
        } = waited;
        let taken = match refused.remove(&path) {
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
                self.rejected += summary.rows_rejected - summary.rows_left_out;
                self.left_out += summary.rows_left_out;
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

fn progress(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(files as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} files  {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
