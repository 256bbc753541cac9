//! `essor query`: a query by name, or any SQL.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Outcome, Setting, WrongUse};
use crate::engine::{self, Settings};
use crate::project::Project;
use crate::query::header::{Header, Type};
use crate::query::output::{self, Format};
use crate::query::parameter::Given;
use crate::query::{self, Answer, Library, Query};
use crate::store::Store;

/// `essor query`
#[derive(Debug, clap::Args)]
#[command(
    subcommand_value_name = "NAME",
    subcommand_help_heading = "Query",
    override_usage = "essor query NAME [--PARAMETER VALUE]... [--format FORMAT] [-o FILE]\n       essor query --sql SQL [--format FORMAT] [-o FILE]\n       essor query --list",
    after_help = "Examples:
  essor query --list
  essor query market_share --help
  essor query market_share --month 2016-02 --platforms Telegram,WhatsApp --format csv
  essor query --sql \"SELECT * FROM statements WHERE platform = 'Telegram'\" -o telegram.parquet"
)]
pub struct Args {
    /// List every query with its description and parameters
    #[arg(long)]
    list: bool,
    /// Any SELECT over the tables and views (`essor query --sql "SHOW TABLES"` lists them)
    #[arg(long, value_name = "SQL", conflicts_with = "list")]
    sql: Option<String>,
    #[command(flatten)]
    to: Target,
    /// The query and its parameters
    #[command(subcommand)]
    named: Option<Named>,
}

/// The query and its parameters, which its header declares.
#[derive(Debug, clap::Subcommand)]
pub enum Named {
    /// The name, then `--parameter value`
    #[command(external_subcommand)]
    Query(Vec<OsString>),
}

/// In which format an answer goes where.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Target {
    /// The format; told by the file's name where one is given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Answers a question.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let project = setting.project()?;
    let library = Library::open(&project.root)?;
    match (args.named, args.sql) {
        _ if args.list => list(&library)?,
        (Some(Named::Query(words)), None) => {
            let (query, given, mut target) = words_of(&library, words, "query")?;
            target.format = target.format.or(args.to.format);
            target.output = target.output.or(args.to.output);
            let answer = setting.block_on(answer(&project, setting, query, &given))?;
            give(&answer, &target)?;
        }
        (None, Some(sql)) => {
            let answer = setting.block_on(async {
                let store = Store::open(&project.root).await?;
                let context = engine::session(
                    &store,
                    &project,
                    Settings {
                        threads: setting.threads,
                        hold: false,
                    },
                )
                .await?;
                Ok(query::run_sql(&context, &sql).await?)
            })?;
            give(&answer, &args.to)?;
        }
        _ => {
            return Err(WrongUse(
                "name a query, or give `--sql` or `--list`; `essor query --help` shows examples"
                    .into(),
            )
            .into());
        }
    }
    Ok(Outcome::Done)
}

/// Runs one query over the project's store.
pub async fn answer(
    project: &Project,
    setting: &Setting,
    query: &Query,
    given: &Given,
) -> Result<Answer> {
    let store = Store::open(&project.root).await?;
    let context = engine::session(
        &store,
        project,
        Settings {
            threads: setting.threads,
            hold: false,
        },
    )
    .await?;
    Ok(query::run(&context, query, given).await?)
}

/// Reads a query's name and its parameters, whose options its header declares.
pub fn words_of<'a>(
    library: &'a Library,
    words: Vec<OsString>,
    command: &'static str,
) -> Result<(&'a Query, Given, Target)> {
    let name = words
        .first()
        .map(|w| w.to_string_lossy().into_owned())
        .unwrap_or_default();
    let query = library.find(&name)?;
    let matches = options(query, command)
        .try_get_matches_from(words)
        .unwrap_or_else(|e| e.exit());
    let given = query
        .header
        .parameters
        .iter()
        .filter_map(|p| {
            matches
                .get_one::<String>(&p.name)
                .map(|v| (p.name.clone(), v.clone()))
        })
        .collect();
    let target = Target {
        format: matches.get_one::<Format>("essor-format").copied(),
        output: matches.get_one::<PathBuf>("essor-output").cloned(),
    };
    Ok((query, given, target))
}

/// The command line of one query.
fn options(query: &Query, command: &str) -> clap::Command {
    let header = &query.header;
    let about = std::iter::once(&header.title)
        .chain(&header.method)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    let mut options = clap::Command::new(query.name.clone())
        .bin_name(format!("essor {command} {}", query.name))
        .about(about)
        .after_help(format!("Columns: {}", columns(header)));
    for parameter in &header.parameters {
        let mut help = format!("{}", parameter.kind);
        if let Some(default) = &parameter.default {
            help.push_str(&format!(" [default: {default}]"));
        }
        if parameter.kind == Type::TextList {
            help.push_str(", separated by commas");
        }
        options = options.arg(
            clap::Arg::new(parameter.name.clone())
                .long(parameter.name.clone())
                .value_name(parameter.name.to_uppercase())
                .allow_hyphen_values(true)
                .help(help),
        );
    }
    let format = clap::Arg::new("essor-format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(clap::value_parser!(Format))
        .help("The format");
    let output = clap::Arg::new("essor-output")
        .long("output")
        .short('o')
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("The file to write");
    options.arg(format).arg(output)
}

fn columns(header: &Header) -> String {
    header
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn list(library: &Library) -> Result<()> {
    let mut out = anstream::stdout().lock();
    let bold = anstyle::Style::new().bold();
    for query in library.iter() {
        let own = if query.own { " (this project's)" } else { "" };
        writeln!(
            out,
            "{bold}{}{bold:#}{own}  {}",
            query.name, query.header.title
        )?;
        let parameters: Vec<String> = query
            .header
            .parameters
            .iter()
            .map(|p| match &p.default {
                Some(default) => format!(
                    "[--{} {}]",
                    p.name,
                    if default.is_empty() { "TEXT" } else { default }
                ),
                None => format!("--{} {}", p.name, p.kind),
            })
            .collect();
        if !parameters.is_empty() {
            writeln!(out, "    {}", parameters.join(" "))?;
        }
    }
    Ok(())
}

fn give(answer: &Answer, target: &Target) -> Result<()> {
    let named = target
        .output
        .as_deref()
        .and_then(|p| Format::of_file(&p.to_string_lossy()));
    let format = target.format.or(named).unwrap_or(Format::Table);
    match target.output.as_deref().filter(|p| *p != Path::new("-")) {
        Some(path) => {
            let file =
                File::create(path).with_context(|| format!("can't write `{}`", path.display()))?;
            let mut file = BufWriter::new(file);
            output::write(&answer.batch, format, &mut file)?;
            file.flush()
                .with_context(|| format!("can't write `{}`", path.display()))
        }
        None if !format.is_text() && std::io::stdout().is_terminal() => {
            Err(WrongUse("this format is not for a terminal; name a file with `-o`".into()).into())
        }
        None => {
            // Written whole first: some writers turn a closed pipe into an error of their own.
            let mut text = Vec::new();
            output::write(&answer.batch, format, &mut text)?;
            let mut out = std::io::stdout().lock();
            out.write_all(&text)?;
            Ok(out.flush()?)
        }
    }
}
