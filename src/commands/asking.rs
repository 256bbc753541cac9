//! The command line of a query: its options are the parameters that its header declares.

use std::ffi::OsString;
use std::io::Write;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};
use datafusion::prelude::SessionContext;

use super::{Setting, WrongUse};
use crate::engine::{self, Settings};
use crate::metric;
use crate::project::Project;
use crate::query::header::{Header, Type};
use crate::query::parameter::{Given, list};
use crate::query::{self, Answer, Library, Query};
use crate::store::Store;

/// The query and its parameters, which its header declares.
#[derive(Debug, clap::Subcommand)]
pub enum Named {
    /// The name, then `--parameter value`
    #[command(external_subcommand)]
    Query(Vec<OsString>),
}

/// A query as it was asked on the command line.
pub struct Asked<'a> {
    /// The query.
    pub query: &'a Query,
    /// Its parameters.
    pub given: Given,
    /// The command's own options.
    pub options: ArgMatches,
}

/// Reads a query's name and parameters, and the command's own `options` among them.
pub fn asked<'a>(
    library: &'a Library,
    project: &Project,
    words: Vec<OsString>,
    command: &str,
    options: Vec<Arg>,
) -> Result<Asked<'a>> {
    let name = words
        .first()
        .map(|w| w.to_string_lossy().into_owned())
        .unwrap_or_default();
    let query = library.find(&name)?;
    let options = command_line(query, command)
        .args(options)
        .try_get_matches_from(words)
        .unwrap_or_else(|e| e.exit());
    let mut given = Given::new();
    for parameter in &query.header.parameters {
        if let Some(value) = options.get_one::<String>(&parameter.name) {
            given.insert(parameter.name.clone(), value.clone());
        } else if let ("platform", None, Some(own)) = (
            parameter.name.as_str(),
            &parameter.default,
            &project.platform,
        ) {
            given.insert(parameter.name.clone(), own.clone());
        }
    }
    if let Some(name) = given.get_mut("metric") {
        *name = metric_or_measure(name)?;
    }
    Ok(Asked {
        query,
        given,
        options,
    })
}

/// A metric by its registered name, or a measure; what is neither would be an empty answer.
fn metric_or_measure(name: &str) -> Result<String> {
    let is_measure = metric::METRICS.iter().any(|m| m.measure == name);
    if is_measure || name == "all" || name == "null" {
        return Ok(name.to_owned());
    }
    Ok(metric::find(name)?.name.to_owned())
}

fn command_line(query: &Query, command: &str) -> Command {
    let header = &query.header;
    let about = std::iter::once(&header.title)
        .chain(&header.method)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    let options = header.parameters.iter().map(|parameter| {
        let mut help = parameter.kind.to_string();
        if let Some(default) = &parameter.default {
            help.push_str(&format!(" [default: {default}]"));
        }
        if parameter.kind == Type::TextList {
            help.push_str(", separated by commas");
        }
        Arg::new(parameter.name.clone())
            .long(parameter.name.replace('_', "-"))
            .alias(parameter.name.clone())
            .value_name(parameter.name.to_uppercase())
            .allow_hyphen_values(true)
            .help(help)
    });
    Command::new(query.name.clone())
        .bin_name(format!("essor {command} {}", query.name))
        .about(about)
        .after_help(format!("Columns: {}", columns(header)))
        .args(options)
}

fn columns(header: &Header) -> String {
    header
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Runs a query over the project's store, and says on standard error which of the platforms named
/// the store does not know: their absence from the answer would say nothing.
pub async fn answer(
    project: &Project,
    setting: &Setting,
    query: &Query,
    given: &Given,
) -> Result<(Answer, Store)> {
    let (store, context) = open(project, setting, Some(&query.sql)).await?;
    let answer = query::run(&context, query, given).await?;
    let named = ["platform", "platforms"]
        .iter()
        .filter_map(|name| given.get(*name))
        .filter(|text| !matches!(text.as_str(), "all" | "null"))
        .flat_map(|text| list(text));
    // One platform that the answer has rows of is known.
    let named: Vec<String> = named.collect();
    if named.len() > 1 || answer.batch.num_rows() == 0 {
        warn_of_unknown(&store, named.into_iter()).await?;
    }
    Ok((answer, store))
}

/// The project's store and a session over it.
pub async fn open(
    project: &Project,
    setting: &Setting,
    sql: Option<&str>,
) -> Result<(Store, SessionContext)> {
    let store = Store::open(&project.root).await?;
    let settings = Settings {
        threads: setting.threads,
        hold: false,
    };
    let context = engine::session(&store, project, settings, sql).await?;
    Ok((store, context))
}

/// Says on standard error which platforms the store has no figure of.
pub async fn warn_of_unknown(store: &Store, named: impl Iterator<Item = String>) -> Result<()> {
    let platforms = store.platforms().await?;
    let known: std::collections::BTreeSet<&String> = platforms.values().flatten().collect();
    for name in named.filter(|name| !known.contains(name)) {
        let likeness = |other: &&&String| {
            (strsim::jaro_winkler(&other.to_lowercase(), &name.to_lowercase()) * 1000.0) as i64
        };
        let near = known
            .iter()
            .max_by_key(likeness)
            .filter(|o| likeness(o) > 850);
        let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        writeln!(
            anstream::stderr(),
            "note: `{name}` is no platform that the store knows{near}"
        )?;
    }
    Ok(())
}

/// The project's platform, where a command needs one and none is named.
pub fn platform_of(project: &Project, named: Option<String>) -> Result<String> {
    named.or_else(|| project.platform.clone()).ok_or_else(|| {
        WrongUse("which platform? give `--platform NAME`, or `platform = \"NAME\"` under [project] in essor.toml".into()).into()
    })
}
