//! `essor explain`: what a metric means, and which figures use it.

use std::io::Write;

use anyhow::Result;

use super::asking::open;
use super::{Outcome, Setting};
use crate::metric::{self, METRICS, Metric};
use crate::project::Project;
use crate::query;

/// `essor explain`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  essor explain              every metric\n  essor explain mau_30d      one, and which figures use it"
)]
pub struct Args {
    /// The metric, by its name or an alias; all of them where none is named
    pub metric: Option<String>,
}

/// Prints definitions.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let mut out = anstream::stdout().lock();
    let Some(name) = args.metric else {
        for metric in METRICS {
            writeln!(out, "{:<18} {}", metric.name, metric.title)?;
        }
        return Ok(Outcome::Done);
    };
    let metric = metric::find(&name)?;
    let bold = anstyle::Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}: {}\n", metric.name, metric.title)?;
    writeln!(out, "{}\n", metric.definition)?;
    writeln!(out, "window    {}", metric.window)?;
    writeln!(out, "unit      {}", metric.unit)?;
    writeln!(out, "measure   {}{}", metric.measure, variants(metric))?;
    if !metric.aliases.is_empty() {
        writeln!(out, "aliases   {}", metric.aliases.join(", "))?;
    }
    if let Ok(project) = setting.project() {
        let used = setting.block_on(uses(metric, &project, setting))?;
        writeln!(out, "\nFigures that use it:")?;
        write!(out, "{used}")?;
    }
    Ok(Outcome::Done)
}

fn variants(metric: &Metric) -> String {
    let others: Vec<_> = METRICS
        .iter()
        .filter(|m| m.measure == metric.measure && m.name != metric.name)
        .map(|m| m.name)
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(" (others: {})", others.join(", "))
    }
}

async fn uses(metric: &Metric, project: &Project, setting: &Setting) -> Result<String> {
    let (_, context) = open(project, setting, None).await?;
    let library = query::Library::open(&project.root)?;
    let given = [("metric".to_owned(), metric.name.to_owned())].into();
    let answer = query::run(&context, library.find("metric_uses")?, &given).await?;
    if answer.batch.num_rows() == 0 {
        return Ok("none in this project's store\n".to_owned());
    }
    let mut text = Vec::new();
    query::output::write(&answer.batch, query::output::Format::Table, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
