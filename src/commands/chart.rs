//! `essor chart`: draws a query.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Outcome, Setting, WrongUse};
use crate::chart::{self, Fonts, Size, Theme, drawing, finding};
use crate::query::{Library, rows};

/// `essor chart`
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "essor chart NAME [--PARAMETER VALUE]... [--log] [--theme light|dark] [--size page|phone|slide] -o FILE.svg|png",
    after_help = "Examples:
  essor chart mau_compared --platforms Telegram,WhatsApp --from 2013 --to 2018 -o mau.svg
  essor chart mau_compared --log --size slide --theme dark -o mau.png
  essor chart market_share --month 2016-02 -o share.png

The query's header says what is drawn: see `essor query --list` and queries/README.md."
)]
pub struct Args {
    /// The query, its parameters and the drawing's options
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "NAME"
    )]
    words: Vec<OsString>,
}

/// How and where it is drawn.
#[derive(Debug)]
struct Drawing {
    log: bool,
    theme: Theme,
    size: Size,
    output: PathBuf,
}

/// Draws a query as SVG or PNG.
pub fn run(args: Args, setting: &Setting) -> Result<Outcome> {
    let (drawing, words) = split(args.words)?;
    let project = setting.project()?;
    let library = Library::open(&project.root)?;
    let (query, given, _) = super::query::words_of(&library, words, "chart")?;
    let answer = setting.block_on(super::query::answer(&project, setting, query, &given))?;
    let words = drawing::Words {
        finding: finding::finding(query, &answer, &given)?,
        subtitle: finding::subtitle(query, &answer, &given)?,
        subject: given
            .get("platform")
            .cloned()
            .or_else(|| project.platform.clone()),
        footer: vec![format!("{} · essor", crate::report::source_line(&answer))],
        log: drawing.log,
    };
    let Some(chart) = drawing::chart(&query.header, &rows::rows(&answer.batch), &words) else {
        return Err(WrongUse(format!("`{}` has no `--! chart:` line, so it isn't drawn; queries/README.md shows how to add one", query.name)).into());
    };
    let svg = chart::svg(
        &chart,
        drawing.size.fit(&chart),
        drawing.theme,
        Fonts::Embedded,
    )?;
    let bytes = match extension(&drawing.output).as_deref() {
        Some("svg") => svg.into_bytes(),
        Some("png") => chart::png(&svg, 2.0)?,
        _ => {
            return Err(WrongUse(format!(
                "`{}` is neither .svg nor .png; those are what charts are written as",
                drawing.output.display()
            ))
            .into());
        }
    };
    std::fs::write(&drawing.output, bytes)
        .with_context(|| format!("can't write `{}`", drawing.output.display()))?;
    Ok(Outcome::Done)
}

fn extension(path: &std::path::Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// Takes the drawing's own options out of the words; the rest are the query's.
fn split(words: Vec<OsString>) -> Result<(Drawing, Vec<OsString>)> {
    let mut drawing = Drawing {
        log: false,
        theme: Theme::Light,
        size: Size::PAGE,
        output: PathBuf::new(),
    };
    let mut rest = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        let (option, inline) = match text.split_once('=') {
            Some((option, value)) if option.starts_with('-') => {
                (option.to_owned(), Some(OsString::from(value)))
            }
            _ => (text, None),
        };
        let mut value = || {
            inline
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| WrongUse(format!("`{option}` needs a value")))
        };
        match option.as_str() {
            "--log" => drawing.log = true,
            "-o" | "--output" => drawing.output = value()?.into(),
            "--theme" => drawing.theme = theme(&value()?.to_string_lossy())?,
            "--size" => drawing.size = size(&value()?.to_string_lossy())?,
            _ => rest.push(word),
        }
    }
    let helping = rest.iter().any(|w| w == "--help" || w == "-h");
    if drawing.output.as_os_str().is_empty() && !helping {
        return Err(WrongUse(
            "name the file to draw into: `-o chart.svg` or `-o chart.png`".into(),
        )
        .into());
    }
    Ok((drawing, rest))
}

fn theme(name: &str) -> Result<Theme, WrongUse> {
    match name {
        "light" => Ok(Theme::Light),
        "dark" => Ok(Theme::Dark),
        _ => Err(WrongUse(format!(
            "`--theme {name}` is neither `light` nor `dark`"
        ))),
    }
}

fn size(name: &str) -> Result<Size, WrongUse> {
    match name {
        "page" => Ok(Size::PAGE),
        "phone" => Ok(Size::PHONE),
        "slide" => Ok(Size::SLIDE),
        _ => Err(WrongUse(format!(
            "`--size {name}` is none of `page`, `phone` and `slide`"
        ))),
    }
}
