//! The commands.

use std::path::PathBuf;

use clap::{ColorChoice, Parser, Subcommand};

use crate::commands::{
    backup, chart, collect, doctor, explain, ingest, init, manual, preview, query, report,
    simulate, status, unload,
};

const EXAMPLES: &str = "\
Examples:
  essor init my-messenger              make a project
  essor ingest data/                   read what is new in data/
  essor report 2016-02 --open          write the report of a month and open it
  essor query market_share --month 2016-02
  essor query --sql \"SELECT as_of, value, source_url FROM statements WHERE platform = 'Telegram'\"
  essor chart mau_compared --platforms Telegram,WhatsApp --from 2013 --to 2018 -o mau.svg

Exit status: 0 done; 1 failed; 2 wrong use; 3 done, but rows were rejected.";

/// Growth analytics for messaging platforms: anonymized metadata in, exact figures and a
/// publishable monthly report out, comparing the platform with its rivals.
#[derive(Debug, Parser)]
#[command(name = "essor", version, after_help = EXAMPLES, color = ColorChoice::Auto, arg_required_else_help = true)]
pub struct Cli {
    /// The project's folder; the one you are in, or the nearest above it with an essor.toml
    #[arg(long, short = 'C', global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// How many threads to use; all of the machine's unless given
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a project: essor.toml, data/, queries/, reports/
    Init(init::Args),
    /// Read files into the store: each counts once, whatever its name
    Ingest(ingest::Args),
    /// Show how a file would be read, before it is
    Preview(preview::Args),
    /// Receive the reports that Matrix servers send, into files
    Collect(collect::Args),
    /// Write an invented messenger as a project, of any size
    Simulate(simulate::Args),
    /// Answer a question: a query by name, or any SQL
    Query(query::Args),
    /// Draw a query as SVG or PNG
    Chart(chart::Args),
    /// Write the report of a month
    Report(report::Args),
    /// Show what is in the store
    Status(status::Args),
    /// Say whether the store is sound, and repair what can be
    Doctor(doctor::Args),
    /// Undo a load
    Unload(unload::Args),
    /// Copy the store as it is now, whoever writes to it meanwhile
    Backup(backup::Args),
    /// Copy a store back into a project that has none
    Restore(backup::RestoreArgs),
    /// Say what a metric means and which figures use it
    Explain(explain::Args),
    /// Print the completions of a shell
    Completions(manual::CompletionArgs),
    /// Print the manual page
    Man,
}
