//! `essor chart`: draws a query.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args as _, Command, FromArgMatches};

use super::asking::{Asked, Named, answer, asked};
use super::{Outcome, Setting, WrongUse};
use crate::chart::{self, Fonts, Size, Theme, drawing, finding};
use crate::project::Project;
use crate::query::{Library, rows};
use crate::report;

/// `essor chart`
#[derive(Debug, clap::Args)]
#[command(
    subcommand_value_name = "NAME",
    subcommand_help_heading = "Query",
    override_usage = "essor chart NAME [--PARAMETER VALUE]... [--log] [--theme light|dark] [--size page|phone|slide] -o FILE.svg|png",
    after_help = "Examples:
  essor chart mau_compared --platforms Telegram,WhatsApp --from 2013 --to 2018 -o mau.svg
  essor chart mau_compared --log --size slide --theme dark -o mau.png
  essor chart market_share --month 2016-02 -o share.png

The query's header says what is drawn: see `essor query --list` and queries/README.md."
)]
pub struct Args {
    #[command(flatten)]
    drawing: Drawing,
    /// The query and its parameters
    #[command(subcommand)]
    named: Option<Named>,
}

/// How and where it is drawn.
#[derive(Debug, clap::Args)]
struct Drawing {
    /// Draw lines on a logarithmic scale
    #[arg(long)]
    log: bool,
    /// light or dark
    #[arg(long, value_enum)]
    theme: Option<ThemeName>,
    /// page (760 x 480), phone (380 x 440) or slide (1280 x 720)
    #[arg(long, value_enum)]
    size: Option<SizeName>,
    /// The file to write: .svg or .png
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The colours, by name.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ThemeName {
    /// On white.
    Light,
    /// On near-black.
    Dark,
}

/// The sizes, by name.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SizeName {
    /// A column of a page.
    Page,
    /// A telephone held upright.
    Phone,
    /// 16:9.
    Slide,
}

/// Draws a query as SVG or PNG.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let Some(Named::Query(words)) = args.named else {
        return Err(WrongUse("name a query; `essor query --list` lists them".into()).into());
    };
    let project = setting.project()?;
    let library = Library::open(&project.root)?;
    let options = Drawing::augment_args(Command::new("chart"));
    let options = options.get_arguments().cloned().collect();
    let asked = asked(&library, &project, words, "chart", options)?;
    let drawing = Drawing::from_arg_matches(&asked.options)?.or(args.drawing);
    let output = drawing.output.as_deref().ok_or_else(|| {
        WrongUse("name the file to draw into: `-o chart.svg` or `-o chart.png`".into())
    })?;
    let format = format_of(output)?;
    let svg = setting.block_on(svg(&project, setting, &asked, &drawing))?;
    let bytes = match format {
        Format::Svg => svg.into_bytes(),
        Format::Png => chart::png(&svg, 2.0)?,
    };
    std::fs::write(output, bytes).with_context(|| format!("can't write `{}`", output.display()))?;
    Ok(Outcome::Done)
}

/// Asks, and draws the answer.
async fn svg(
    project: &Project,
    setting: &Setting,
    asked: &Asked<'_>,
    drawing: &Drawing,
) -> Result<String> {
    let (query, given) = (asked.query, &asked.given);
    let (answer, store) = answer(project, setting, query, given).await?;
    let found = rows::rows(&answer.batch);
    let subject = given
        .get("platform")
        .filter(|p| *p != "null")
        .or(project.platform.as_ref());
    let words = drawing::Words {
        finding: finding::finding(query, &answer, given)?,
        subtitle: finding::subtitle(query, &answer, given)?,
        subject: subject.cloned(),
        footer: report::sources_of(&store, &found, subject.map(String::as_str)).await?,
        log: drawing.log,
        stamp: chart::stamp::simulated(&store.synthetic().await?),
    };
    let Some(chart) = drawing::chart(&query.header, &found, &words) else {
        return Err(WrongUse(format!("`{}` has no `--! chart:` line, so it isn't drawn; queries/README.md shows how to add one", query.name)).into());
    };
    let size = match drawing.size {
        Some(SizeName::Phone) => Size::PHONE,
        Some(SizeName::Slide) => Size::SLIDE,
        _ => Size::PAGE,
    };
    let theme = match drawing.theme {
        Some(ThemeName::Dark) => Theme::Dark,
        _ => Theme::Light,
    };
    Ok(chart::svg(
        &chart,
        size.fit(&chart),
        theme,
        Fonts::Embedded,
    )?)
}

impl Drawing {
    /// These options, and the others where they are not given.
    fn or(self, others: Drawing) -> Drawing {
        Drawing {
            log: self.log || others.log,
            theme: self.theme.or(others.theme),
            size: self.size.or(others.size),
            output: self.output.or(others.output),
        }
    }
}

/// What a chart is written as.
enum Format {
    Svg,
    Png,
}

fn format_of(path: &Path) -> Result<Format, WrongUse> {
    match extension(path).as_deref() {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(WrongUse(format!(
            "`{}` is neither .svg nor .png; those are what charts are written as",
            path.display()
        ))),
    }
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}
