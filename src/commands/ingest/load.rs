//! One file into the store: read, compared with what is there, committed or refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;

use super::before::{
    earlier_histories, possible_clashes, refuse_clashes, refuse_other_zone, refuse_unlike_zone,
    replaced, under_another_name,
};
use super::files::Found;
use super::people::{Pending, People};
use super::refused::LoadError;
use crate::calendar::Day;
use crate::ingest::apart::Apart;
use crate::ingest::{self, Input, Limits, Options, Origin, Reject, Rows, Summary};
use crate::project::Project;
use crate::pseudonym::{Key, KeyError};
use crate::schema::{self, Grain};
use crate::store::{Load, Store, StoreError};

/// How files are taken.
#[derive(Debug, Clone)]
pub struct Taking {
    /// Whether a file with a row that can't be read is refused whole.
    pub strict: bool,
    /// How many threads clean rows.
    pub threads: Option<usize>,
    /// Whose the figures are, where neither the file nor essor.toml says it.
    pub platform: Option<String>,
    /// Which server an answer is of that does not say it.
    pub server: Option<String>,
    /// Which day an answer is of that does not say it.
    pub at: Option<Day>,
    /// The format, in place of what the bytes show.
    pub format: Option<String>,
    /// Whether days of a database in use are taken as they are now though they have lost rows.
    pub restate: bool,
    /// How much is taken out of an archive.
    pub archives: Limits,
    /// Where foreign binary files are read.
    pub apart: Apart,
    /// What pseudonyms are made with.
    pub key: Result<Key, Arc<KeyError>>,
}

/// What became of a file.
#[derive(Debug)]
pub enum Taken {
    /// It was loaded before.
    Known,
    /// It was loaded.
    Loaded {
        /// What was read.
        summary: Box<Summary>,
        /// How many loads it replaces.
        replaced: usize,
        /// The first rows that were not taken.
        rejects: Vec<Reject>,
    },
    /// It was refused for a row that can't be read.
    Strict {
        /// What was read.
        summary: Box<Summary>,
        /// The first rows that can't be read.
        rejects: Vec<Reject>,
    },
}

/// What stays between the files of one run.
#[derive(Default)]
pub struct Run {
    /// The platforms that live loads name; none where they have to be asked for again.
    platforms: Option<std::collections::BTreeMap<String, BTreeSet<String>>>,
    /// Loads of people that wait to be committed together.
    pub people: People,
}

/// How many rejects are shown; all are in the table `rejects`.
const SHOWN: usize = 5;

/// One load that may be made of a file.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What messages and loads know the file by.
    pub name: String,
    input: Input,
    pub(super) part: ingest::Part,
    /// The loads that it replaces, where that is settled already: days of a database in use.
    pub(super) replaces: Option<Vec<String>>,
}

impl Candidate {
    /// The database in use that it is of, if it is.
    pub(super) fn live(&self) -> Option<&ingest::Live> {
        self.part.options.exported.as_ref()?.live.as_ref()
    }

    /// Whether it may stand in the place of a load that waits, and so has to wait until that is in the store.
    pub(super) fn may_replace(&self, waiting: &Load) -> bool {
        let options = &self.part.options;
        let Some(exported) = &options.exported else {
            return false;
        };
        let family = ingest::family(exported.format);
        let meets = |day: Day| waiting.first_day <= Some(day) && Some(day) <= waiting.last_day;
        ingest::is_history(exported.format)
            && ingest::family(&waiting.format) == family
            && options.at.is_none_or(meets)
    }

    /// What the file was taken for and why; empty of a table of rows.
    pub fn seen(&self) -> &str {
        &self.part.seen
    }
}

/// The loads that a file may make: one of a table of rows, one a grain of what some program exported, one a day
/// and grain of a database in use (by its URL, where that is its name). `note` is called with what there is to say besides.
pub fn candidates(
    project: &Project,
    name: &str,
    input: &Input,
    database: Option<&str>,
    taking: &Taking,
    note: &mut dyn FnMut(String),
) -> Result<Vec<Candidate>, LoadError> {
    let mut options = Options::of(project, name, Vec::new());
    options.threads = taking.threads.unwrap_or(0);
    let source = &mut options.source;
    source.platform = source.platform.take().or_else(|| taking.platform.clone());
    source.server = taking.server.clone().or_else(|| source.server.take());
    source.format = taking.format.clone().or_else(|| source.format.take());
    options.at = taking.at;
    options.key = taking.key.clone();
    options.apart = Some(taking.apart.clone());
    let parts = match database {
        Some(url) => ingest::database_parts(url, &options, note)?,
        None => ingest::parts(input, &options)?,
    };
    let candidate = |part: ingest::Part| {
        let live = part.options.exported.as_ref().and_then(|e| e.live.as_ref());
        let exported = part.options.exported.as_ref();
        let known_as = exported.and_then(|exported| exported.known_as.clone());
        let name = known_as.unwrap_or_else(|| name.to_owned());
        Candidate {
            name: live.map_or(name, |live| live.name.to_string()),
            input: input.clone(),
            part,
            replaces: None,
        }
    };
    Ok(parts.into_iter().map(candidate).collect())
}

/// Takes one load into the store.
pub async fn take(
    store: &mut Store,
    project: &Project,
    file: &Candidate,
    taking: &Taking,
    run: &mut Run,
) -> Result<Taken, LoadError> {
    let (name, input, part) = (&file.name, &file.input, &file.part);
    let mut options = part.options.clone();
    refuse_other_zone(store, name, options.zone.name())?;
    let mut expected = None;
    if file.replaces.is_none() && may_be_known(store, input) {
        let identity = ingest::identity(&ingest::content(input)?, &options);
        if store.loads().live().any(|l| l.identity == identity) || run.people.waits(&identity) {
            return Ok(Taken::Known);
        }
        expected = Some(identity);
    }
    options.known = known_platforms(store, name, run).await?;
    let read = read(store, input, &options, run, project);
    let file = File {
        name,
        options: &options,
        strict: taking.strict,
        expected,
        replaces: file.replaces.as_deref(),
    };
    let taken = settle(store, project, &file, run, read).await;
    // Rows of people that were handed over and are not to count.
    run.people.abandon();
    taken
}

/// The file that is being taken.
struct File<'a> {
    name: &'a str,
    options: &'a Options,
    strict: bool,
    /// The identity that it had before it was read, where it was asked for.
    expected: Option<String>,
    /// The loads that it replaces, where that is settled already.
    replaces: Option<&'a [String]>,
}

/// Takes what was read of a file into the store, or lets it wait.
async fn settle(
    store: &mut Store,
    project: &Project,
    file: &File<'_>,
    run: &mut Run,
    read: Result<Read, LoadError>,
) -> Result<Taken, LoadError> {
    let (name, options) = (file.name, file.options);
    let Read {
        summary,
        rows,
        rejects: refused,
        shown,
    } = read?;
    if file
        .expected
        .as_ref()
        .is_some_and(|identity| *identity != summary.identity)
    {
        return Err(LoadError::Changed {
            file: name.to_owned(),
        });
    }
    let load = store.loads().name_for(&summary.identity);
    if file.strict && summary.rows_rejected > summary.rows_left_out {
        return Ok(Taken::Strict {
            summary: Box::new(summary),
            rejects: shown,
        });
    }
    let mut replaced = match file.replaces {
        Some(loads) => loads.to_vec(),
        None => replaced(store, name, &summary, options.source.on_change).await?,
    };
    replaced.extend(under_another_name(store, name, &summary, options, &replaced).await?);
    match earlier_histories(store, name, &summary, &replaced).await? {
        Some(earlier) => replaced.extend(earlier),
        None => return Ok(Taken::Known),
    }
    if summary.grain.of_people() {
        if run.people.waits(&summary.identity) {
            return Ok(Taken::Known);
        }
        refuse_unlike_zone(store, project, name, options, run)?;
        let rows = run.people.end();
        run.people.add(Pending {
            load: row(name, &load, &summary, options, replaced.clone()),
            rows,
            rejects: (summary.rows_rejected > 0).then_some(refused),
        });
        run.saw(&load, &summary);
        return Ok(Taken::Loaded {
            summary: Box::new(summary),
            replaced: replaced.len(),
            rejects: shown,
        });
    }
    let table = summary.grain.table();
    let rivals = possible_clashes(store, project, name, &summary, &replaced);
    store.commit_rows(rows, &load).await?;
    if let Err(clash) = refuse_clashes(store, name, &load, &rivals).await {
        store.discard(table, &load).await?;
        return Err(clash);
    }
    store.commit_rows(refused, &load).await?;
    store
        .finish(row(name, &load, &summary, options, replaced.clone()))
        .await?;
    run.saw(&load, &summary);
    Ok(Taken::Loaded {
        summary: Box::new(summary),
        replaced: replaced.len(),
        rejects: shown,
    })
}

/// What loads know a file by, and its bytes.
pub fn opened(found: &Found) -> Result<(String, Input), LoadError> {
    match found {
        // What is no file (a pipe, say) can be read once only.
        Found::File { name, path, .. } if !path.is_file() => {
            let bytes = std::fs::read(path).map_err(LoadError::Stdin)?;
            Ok(("-".to_owned(), Input::bytes(name.clone(), bytes)))
        }
        Found::File { name, path, .. } => {
            Ok((name.clone(), Input::path(name.clone(), path.clone())))
        }
        Found::Database { name, .. } => Ok((name.clone(), Input::bytes(name.clone(), Vec::new()))),
        Found::Stdin => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
                .map_err(LoadError::Stdin)?;
            Ok(("-".to_owned(), Input::bytes("standard input", bytes)))
        }
    }
}

/// Whether a file may have been loaded before, by its size; of compressed bytes it says nothing. A file
/// that can't have been is read once, not twice.
fn may_be_known(store: &Store, input: &Input) -> bool {
    let (size, head) = match &input.origin {
        Origin::Bytes(bytes) => (
            Some(bytes.len() as u64),
            bytes.iter().take(6).copied().collect(),
        ),
        Origin::Path(path) => {
            let mut head = Vec::new();
            let read = std::fs::File::open(path).and_then(|f| {
                std::io::Read::read_to_end(&mut std::io::Read::take(f, 6), &mut head)
            });
            let size = read.and_then(|_| std::fs::metadata(path)).map(|m| m.len());
            (size.ok(), head)
        }
    };
    let compressed = ingest::compression(&head) != ingest::Compression::None;
    let live = |size: u64| {
        store
            .loads()
            .live()
            .any(|l| u64::try_from(l.bytes) == Ok(size))
    };
    compressed || size.is_none_or(live)
}

/// The platforms of the live loads, less those of the path that is read again: what it misspelt
/// may be what is being mended.
async fn known_platforms(
    store: &Store,
    path: &str,
    run: &mut Run,
) -> Result<Vec<String>, StoreError> {
    let platforms = match run.platforms.take() {
        Some(platforms) => platforms,
        None => store.platforms().await?,
    };
    let platforms = run.platforms.insert(platforms);
    let gone: BTreeSet<&str> = store
        .loads()
        .live()
        .filter(|l| l.path == path)
        .map(|l| l.load.as_str())
        .collect();
    let names: BTreeSet<String> = platforms
        .iter()
        .filter(|(load, _)| !gone.contains(load.as_str()))
        .flat_map(|(_, names)| names.iter().cloned())
        .collect();
    Ok(names.into_iter().collect())
}

impl Run {
    /// Notes the platforms of a load, so that the store need not be asked again.
    fn saw(&mut self, load: &str, summary: &Summary) {
        if let Some(platforms) = &mut self.platforms {
            let names = summary.coverage.servers.keys().map(|(p, _)| p.clone());
            platforms.insert(load.to_owned(), names.collect());
        }
    }
}

/// What was read of a file and is not committed yet.
struct Read {
    summary: Summary,
    rows: crate::store::Writer,
    rejects: crate::store::Writer,
    shown: Vec<Reject>,
}

fn read(
    store: &Store,
    input: &Input,
    options: &Options,
    run: &mut Run,
    project: &Project,
) -> Result<Read, LoadError> {
    let mut rows: Option<crate::store::Writer> = None;
    let mut refused = store.writer("rejects")?;
    let mut shown: Vec<Reject> = Vec::new();
    let exported = options.exported.as_ref();
    let known_as = exported.and_then(|exported| exported.known_as.clone());
    let name = known_as.unwrap_or_else(|| input.name.clone());
    let summary = ingest::read(input, options, &mut |given: Rows, rejects: Vec<Reject>| {
        shown.extend(
            rejects
                .iter()
                .take(SHOWN.saturating_sub(shown.len()))
                .cloned(),
        );
        refused.write(reject_rows(&name, &rejects)?)?;
        let batch = match given {
            Rows::Table(batch) => batch,
            Rows::People(days) => {
                return run.people.push(store, project, days);
            }
        };
        let grain = if batch.schema_ref().index_of("as_of").is_ok() {
            Grain::Disclosures
        } else {
            Grain::Usage
        };
        let writer = match &mut rows {
            Some(writer) => writer,
            None => rows.insert(store.writer(grain.table())?),
        };
        writer.write(batch)?;
        Ok::<(), LoadError>(())
    })?;
    if let (true, Ok(key)) = (run.people.begun(), &options.key) {
        store.check_key(&key.mark())?;
    }
    let rows = match rows {
        Some(rows) => rows,
        None => store.writer(summary.grain.table())?,
    };
    Ok(Read {
        summary,
        rows,
        rejects: refused,
        shown,
    })
}

fn reject_rows(file: &str, rejects: &[Reject]) -> Result<RecordBatch, StoreError> {
    let fields: Vec<_> = schema::REJECTS
        .fields()
        .iter()
        .filter(|f| f.name() != "load")
        .cloned()
        .collect();
    let text = |of: &dyn Fn(&Reject) -> String| {
        Arc::new(rejects.iter().map(|r| Some(of(r))).collect::<StringArray>()) as ArrayRef
    };
    let lines: Int64Array = rejects.iter().map(|r| i64::try_from(r.line).ok()).collect();
    let columns = vec![
        text(&|_| file.to_owned()),
        Arc::new(lines) as ArrayRef,
        text(&|r| r.column.to_string()),
        text(&|r| r.reason.to_string()),
    ];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| StoreError::Parquet {
        table: "rejects".into(),
        source: e.into(),
    })
}

fn row(
    path: &str,
    load: &str,
    summary: &Summary,
    options: &Options,
    supersedes: Vec<String>,
) -> Load {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Load {
        seq: 0,
        load: load.to_owned(),
        identity: summary.identity.clone(),
        unload: false,
        grain: summary.grain,
        path: path.to_owned(),
        format: super::saying::format_name(summary),
        bytes: count(summary.content.bytes),
        rows_read: count(summary.rows_read),
        rows_kept: count(summary.rows_kept),
        rows_rejected: count(summary.rows_rejected),
        first_day: summary.first_day,
        last_day: summary.last_day,
        supersedes,
        zone: options.zone.name().to_owned(),
        loaded_at: chrono::Utc::now().timestamp_micros(),
        schema_version: schema::VERSION,
        synthetic: summary.synthetic.clone(),
    }
}
