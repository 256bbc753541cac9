//! `essor preview`: how a file would be read, before it is.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::Result;
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;

use super::{Outcome, Setting, WrongUse};
use crate::calendar::from_date32;
use crate::ingest::apart::Apart;
use crate::ingest::{self, Format, Input, Look, Options, Part, Proposed, Reject, Rows};
use crate::project::{Project, ProjectError};
use crate::pseudonym::Key;

/// How many rejected rows are shown with their reasons.
const REASONS: usize = 5;

/// `essor preview`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor preview data/export.csv                 what it is, how it would be read, what to declare
  essor preview data/export.csv --format csv    the whole file back, clean: UTF-8, commas, one header line

Exit status: 0 all rows would be kept; 1 the file would not be taken; 3 rows would be rejected.")]
pub struct Args {
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// A table of the first rows as they are understood, or the whole file as clean CSV
    #[arg(long, value_enum, default_value = "table")]
    format: Shown,
    /// How many rows to show
    #[arg(long, value_name = "N", default_value = "10")]
    rows: usize,
    /// The format, in place of what the bytes show
    #[arg(long = "as", value_name = "FORMAT")]
    taken: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    Csv,
    Table,
}

/// Shows a file.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = match setting.project() {
        Ok(project) => project,
        // A file may be looked at before there is a project.
        Err(error) if matches!(error.downcast_ref(), Some(ProjectError::Missing(_))) => {
            Project::parse(&setting.folder, "")?
        }
        Err(error) => return Err(error),
    };
    let input = input(&args.file, &project)?;
    let mut options = Options::of(&project, &input.name, vec![]);
    options.threads = setting.threads.unwrap_or(0);
    options.apart = Some(Apart::new(project.memory_bound()));
    if args.taken.is_some() {
        options.source.format = args.taken.clone();
    }
    let parts = ingest::parts(&input, &options)?;
    if args.format == Shown::Csv
        && let [part] = parts.as_slice()
        && part.options.exported.is_none()
        && ingest::look(&input, &part.options).is_ok_and(|look| look.format == Format::Csv)
    {
        return copy(&input, &part.options);
    }
    let mut outcome = Outcome::Done;
    for part in parts {
        if show(&args, &input, part, &project)? == Outcome::RowsRejected {
            outcome = Outcome::RowsRejected;
        }
    }
    Ok(outcome)
}

fn input(word: &str, project: &Project) -> Result<Input> {
    if word == "-" {
        let mut bytes = vec![];
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(Input::bytes("standard input", bytes));
    }
    let path = std::env::current_dir()?.join(word);
    if !path.is_file() {
        return Err(WrongUse(format!(
            "`{word}` is no file; name one, or `-` for standard input"
        ))
        .into());
    }
    let full = path.canonicalize().unwrap_or_else(|_| path.clone());
    let root = project.root.canonicalize();
    let within = root
        .ok()
        .and_then(|root| full.strip_prefix(root).ok().map(Path::to_owned));
    let name = within.map_or(word.to_owned(), |path| path.to_string_lossy().into_owned());
    Ok(Input::path(name, full))
}

/// Writes delimited text back clean.
fn copy(input: &Input, options: &Options) -> Result<Outcome> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let copied = ingest::copy::<anyhow::Error>(input, options, REASONS, &mut out)?;
    out.flush()?;
    if copied.rejected == 0 {
        return Ok(Outcome::Done);
    }
    let mut told = anstream::stderr();
    reasons(&mut told, copied.rejected, &copied.rejects)?;
    Ok(Outcome::RowsRejected)
}

fn reasons(out: &mut dyn Write, rejected: u64, first: &[Reject]) -> Result<()> {
    let s = if rejected == 1 { "" } else { "s" };
    writeln!(out, "{rejected} row{s} would be rejected")?;
    for reject in first {
        let column = match reject.column.as_ref() {
            "" => String::new(),
            column => format!(", `{column}`"),
        };
        writeln!(out, "  line {}{column}: {}", reject.line, reject.reason)?;
    }
    Ok(())
}

/// Rows as they are understood.
#[derive(Default)]
struct Understood {
    batches: Vec<RecordBatch>,
    rows: usize,
    /// Rows of people by day, never who they are.
    days: BTreeMap<i32, u64>,
    rejects: Vec<Reject>,
}

fn understand(
    input: &Input,
    options: &Options,
    wanted: usize,
) -> Result<(ingest::Summary, Understood)> {
    let mut seen = Understood::default();
    let summary = ingest::read::<anyhow::Error>(input, options, &mut |rows, rejects| {
        match rows {
            Rows::Table(batch) => {
                let more = wanted.saturating_sub(seen.rows).min(batch.num_rows());
                seen.rows += more;
                if more > 0 {
                    seen.batches.push(batch.slice(0, more));
                }
            }
            Rows::People(people) => {
                for cell in &people.cells {
                    if let Some(place) = people.list.get(*cell as usize) {
                        *seen.days.entry(place.day).or_default() += 1;
                    }
                }
            }
        }
        let room = REASONS.saturating_sub(seen.rejects.len());
        seen.rejects.extend(rejects.into_iter().take(room));
        Ok(())
    })?;
    Ok((summary, seen))
}

/// Shows one of the loads that a file would make.
fn show(args: &Args, input: &Input, part: Part, project: &Project) -> Result<Outcome> {
    let mut options = part.options;
    // Nothing made with it leaves this command.
    options.key = Key::parse(&"0".repeat(64))
        .ok_or(crate::pseudonym::KeyError::Missing)
        .map_err(Into::into);
    let mut out = anstream::stdout().lock();
    let look = ingest::look(input, &options)?;
    if args.format == Shown::Table {
        head(&mut out, input, &look, &part.seen)?;
    }
    let lacks = look.format == Format::Csv && !look.platform && options.source.platform.is_none();
    if lacks {
        options.source.platform = project.platform.clone().or(Some("NAME".to_owned()));
    }
    let read = match args.format {
        Shown::Table => understand(input, &options, args.rows),
        Shown::Csv => understand(input, &options, usize::MAX),
    };
    if args.format == Shown::Csv {
        let (summary, seen) = read?;
        csv(&mut out, &seen)?;
        if summary.rows_rejected > 0 {
            reasons(
                &mut anstream::stderr(),
                summary.rows_rejected,
                &seen.rejects,
            )?;
            return Ok(Outcome::RowsRejected);
        }
        return Ok(Outcome::Done);
    }
    if look.format == Format::Csv {
        mapping(&mut out, input, &look, &options, lacks)?;
    }
    let (summary, seen) = match read {
        Ok(read) => read,
        Err(error) => {
            as_read(&mut out, &look, args.rows)?;
            return Err(error);
        }
    };
    writeln!(out)?;
    if !seen.batches.is_empty() {
        writeln!(
            out,
            "{}",
            arrow::util::pretty::pretty_format_batches(&seen.batches)?
        )?;
    }
    for (day, rows) in seen.days.iter().take(args.rows) {
        writeln!(out, "  {}  {rows} rows of users", from_date32(*day))?;
    }
    writeln!(
        out,
        "{}: {} rows read, {} would be kept",
        summary.grain.name(),
        summary.rows_read,
        summary.rows_kept
    )?;
    match summary.rows_rejected {
        0 => Ok(Outcome::Done),
        rejected => {
            reasons(&mut out, rejected, &seen.rejects)?;
            Ok(Outcome::RowsRejected)
        }
    }
}

/// The first rows of what is not understood yet.
fn as_read(out: &mut dyn Write, look: &Look, rows: usize) -> Result<()> {
    if look.rows.is_empty() {
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.set_header(look.columns.iter().map(|(name, _)| name));
    for row in look.rows.iter().take(rows) {
        table.add_row(row);
    }
    writeln!(out, "\n{table}")?;
    Ok(())
}

/// Writes understood rows as CSV: of people only how many there are by day.
fn csv(out: &mut dyn Write, seen: &Understood) -> Result<()> {
    let mut writer = arrow::csv::Writer::new(&mut *out);
    for batch in &seen.batches {
        writer.write(batch)?;
    }
    drop(writer);
    if !seen.days.is_empty() {
        writeln!(out, "day,rows")?;
        for (day, rows) in &seen.days {
            writeln!(out, "{},{rows}", from_date32(*day))?;
        }
    }
    Ok(())
}

fn head(out: &mut dyn Write, input: &Input, look: &Look, seen: &str) -> Result<()> {
    let mut line = |what: &str, how: &str| writeln!(out, "{what:<16} {how}");
    line("file", &input.name)?;
    if !look.compression.name().is_empty() {
        line("compression", look.compression.name())?;
    }
    line("format", look.format.name())?;
    if !seen.is_empty() {
        line("taken for", seen)?;
    }
    if let Some(encoding) = look.encoding {
        line("encoding", encoding)?;
    }
    for (what, how) in &look.dialect {
        line(what, how)?;
    }
    Ok(())
}

/// What essor.toml says of a table whose rows are named by `Entity` and `Year`; none of others, or where it says so already.
fn of_entities(look: &Look, file: &str) -> Option<String> {
    let unknown = |wanted: &str| {
        let mut columns = look.columns.iter();
        columns.any(|(name, proposed)| {
            name.eq_ignore_ascii_case(wanted) && matches!(proposed, Proposed::Unknown(_))
        })
    };
    if !unknown("Entity") || !unknown("Year") {
        return None;
    }
    let keys = ["entity", "code", "year"];
    let values = look.columns.iter().map(|(name, _)| name);
    let mut values = values.filter(|name| !keys.contains(&name.to_lowercase().as_str()));
    let value = quoted(values.next()?);
    let others: Vec<String> = ["Code"]
        .into_iter()
        .filter(|code| unknown(code))
        .map(str::to_owned)
        .chain(values.cloned())
        .map(|name| quoted(&name))
        .collect();
    Some(format!(
        "[[source]]\npath = {}\ngrain = \"disclosures\"\ncolumns = {{ \"Entity\" = \"platform\", \"Year\" = \"as_of\", {value} = \"value\" }}\nmetric = \"mau_stated\"    # or what the figures are: `essor explain` lists the metrics\nstatus = \"estimate\"\nignore = [{}]\n",
        quoted(file),
        others.join(", ")
    ))
}

/// What each column gives, and a block for essor.toml that says so.
fn mapping(
    out: &mut dyn Write,
    input: &Input,
    look: &Look,
    options: &Options,
    lacks_platform: bool,
) -> Result<()> {
    writeln!(out)?;
    if let Some(block) = of_entities(look, &input.name) {
        writeln!(
            out,
            "  a table of entities by year, as Our World in Data publishes them\n\nFor essor.toml:\n\n{block}"
        )?;
        return Ok(());
    }
    let (mut columns, mut ignore, mut day) = (vec![], vec![], None);
    for (name, proposed) in &look.columns {
        match proposed {
            Proposed::Gives(ours) => writeln!(out, "  {name} gives {ours}")?,
            Proposed::Nothing => writeln!(out, "  {name} is not taken")?,
            Proposed::Unknown(Some(near)) if near == "day" => {
                writeln!(out, "  {name} is not known; it holds days")?;
                day = Some(name);
            }
            Proposed::Unknown(Some(near)) => {
                writeln!(out, "  {name} is not known; `{near}` may be meant")?;
                columns.push(format!("{} = {}", quoted(name), quoted(near)));
            }
            Proposed::Unknown(None) => {
                writeln!(out, "  {name} is not known")?;
                ignore.push(quoted(name));
            }
        }
    }
    if !lacks_platform && columns.is_empty() && ignore.is_empty() && day.is_none() {
        return Ok(());
    }
    writeln!(
        out,
        "\nFor essor.toml:\n\n[[source]]\npath = {}",
        quoted(&input.name)
    )?;
    if lacks_platform {
        let platform = options.source.platform.as_deref().unwrap_or("NAME");
        writeln!(out, "platform = {}", quoted(platform))?;
    }
    if let Some(day) = day {
        writeln!(out, "day = {}", quoted(day))?;
    }
    if !columns.is_empty() {
        writeln!(out, "columns = {{ {} }}", columns.join(", "))?;
    }
    if !ignore.is_empty() {
        writeln!(out, "ignore = [{}]", ignore.join(", "))?;
    }
    writeln!(out)?;
    Ok(())
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
