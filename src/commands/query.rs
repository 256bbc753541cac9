//! `essor query`: a query by name, or any SQL.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args as _, Command, FromArgMatches};

use super::asking::{Named, answer, asked, open};
use super::{Outcome, Setting, WrongUse};
use crate::query::output::{self, Format};
use crate::query::{self, Answer, Library};

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
            let options = Target::augment_args(Command::new("query"));
            let options = options.get_arguments().cloned().collect();
            let asked = asked(&library, &project, words, "query", options)?;
            let mut target = Target::from_arg_matches(&asked.options)?;
            target.format = target.format.or(args.to.format);
            target.output = target.output.or(args.to.output);
            let (answer, stamp) = setting.block_on(async {
                let (answer, store) = answer(&project, setting, asked.query, &asked.given).await?;
                anyhow::Ok((answer, store.synthetic().await?))
            })?;
            give(&answer, &target)?;
            say_simulated(&stamp)?;
        }
        (None, Some(sql)) => {
            let (answer, stamp) = setting.block_on(async {
                let (store, context) = open(&project, setting, Some(&sql)).await?;
                let answer = query::run_sql(&context, &sql).await?;
                anyhow::Ok((answer, store.synthetic().await?))
            })?;
            give(&answer, &args.to)?;
            say_simulated(&stamp)?;
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

/// Says, beside the answer and not in it, whose data are made up.
fn say_simulated(platforms: &[String]) -> Result<()> {
    if let Some(stamp) = crate::chart::stamp::simulated(platforms) {
        writeln!(anstream::stderr(), "{stamp}")?;
    }
    Ok(())
}

fn list(library: &Library) -> Result<()> {
    for error in library.broken() {
        writeln!(anstream::stderr(), "note: {error}")?;
    }
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
    // Written whole first: what fails must not cost a file that is there, and some writers turn a closed
    // pipe into an error of their own.
    let mut bytes = Vec::new();
    match target.output.as_deref().filter(|p| *p != Path::new("-")) {
        Some(path) => {
            output::write(&answer.batch, format, &mut bytes)?;
            std::fs::write(path, bytes).with_context(|| format!("can't write `{}`", path.display()))
        }
        None if !format.is_text() && std::io::stdout().is_terminal() => {
            Err(WrongUse("this format is not for a terminal; name a file with `-o`".into()).into())
        }
        None => {
            output::write(&answer.batch, format, &mut bytes)?;
            let mut out = std::io::stdout().lock();
            out.write_all(&bytes)?;
            Ok(out.flush()?)
        }
    }
}
