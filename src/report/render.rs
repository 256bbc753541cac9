//! From the report as data to its files.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Value};
use serde_json::json;

use super::model::{Figure, Report};
use crate::calendar;
use crate::chart::{finding, reading, theme};
use crate::metric;
use crate::query::output::{self, Format};

/// The templates built into the binary.
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/reports/template");

/// Why the files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template failed.
    #[error("template `{name}`: {source}")]
    Template {
        /// Its file.
        name: String,
        /// Where and why.
        source: Box<minijinja::Error>,
    },
    /// Something could not be written as text.
    #[error("can't write `{name}`: {source}")]
    Write {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Every file of a report by its path within the report's folder.
pub fn render(report: &Report, root: &Path) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    let mut files = BTreeMap::new();
    let context = Value::from(Serde(context(report)));
    for (template, file) in [("index.html", "index.html"), ("report.md", "report.md")] {
        files.insert(
            file.to_owned(),
            fill(template, root, context.clone())?.into_bytes(),
        );
    }
    let mut json = serde_json::to_vec_pretty(report).map_err(|e| RenderError::Write {
        name: "report.json".into(),
        source: e.into(),
    })?;
    json.push(b'\n');
    files.insert("report.json".to_owned(), json);
    for figure in report.sections.iter().flat_map(|s| &s.figures) {
        add_figure(&mut files, figure)?;
    }
    Ok(files)
}

fn add_figure(files: &mut BTreeMap<String, Vec<u8>>, figure: &Figure) -> Result<(), RenderError> {
    let table = format!("tables/{}.csv", figure.name);
    let mut csv = Vec::new();
    output::write(&figure.answer.batch, Format::Csv, &mut csv).map_err(|source| {
        RenderError::Write {
            name: table.clone(),
            source,
        }
    })?;
    files.insert(table, csv);
    if let Some(pictures) = &figure.pictures {
        files.insert(
            format!("charts/{}.svg", figure.name),
            pictures.alone.clone().into_bytes(),
        );
        files.insert(format!("charts/{}.png", figure.name), pictures.png.clone());
    }
    Ok(())
}

/// A template's text: the project's own in `reports/template/`, else the shipped one.
fn template(name: &str, root: &Path) -> Result<String, RenderError> {
    let own = root.join("reports/template").join(format!("{name}.j2"));
    match std::fs::read_to_string(&own) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let shipped = TEMPLATES
                .get_file(format!("{name}.j2"))
                .and_then(include_dir::File::contents_utf8);
            Ok(shipped.unwrap_or_default().to_owned())
        }
        Err(source) => Err(RenderError::Write {
            name: own.display().to_string(),
            source,
        }),
    }
}

fn fill(name: &str, root: &Path, context: Value) -> Result<String, RenderError> {
    let refused = |source| RenderError::Template {
        name: name.to_owned(),
        source: Box::new(source),
    };
    let text = template(name, root)?;
    let style = template("style.css", root)?;
    let mut environment = finding::environment();
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(refused)?,
    );
    environment.add_filter("md", |text: String| markdown(&text));
    environment.add_filter("url", |text: String| {
        text.replace(['(', ')', '<', '>', ' ', '|', '\\'], "%20")
    });
    environment.add_filter("words", |name: String| heading(&name));
    environment.add_global(
        "style",
        Value::from_safe_string(format!(
            "{}\n{style}\n@media screen and (prefers-color-scheme:dark){{{}}}",
            theme::font_face_css(),
            theme::dark_css(".chart svg")
        )),
    );
    environment.add_template(name, &text).map_err(refused)?;
    environment
        .get_template(name)
        .and_then(|t| t.render(context))
        .map_err(refused)
}

/// Text within Markdown: its marks are text.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A column's name as a heading: `age_days` reads `age days`, `cmgr` reads `CMGR`.
fn heading(name: &str) -> String {
    const SHORT: [&str; 5] = ["cmgr", "cagr", "mau", "dau", "yoy"];
    let word = |w: &str| match w {
        w if SHORT.contains(&w) || w == "mom" || w == "url" => w.to_uppercase(),
        w => w.to_owned(),
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

/// What the templates are given: the report, with charts and tables as a reader sees them.
fn context(report: &Report) -> serde_json::Value {
    let sections: Vec<_> = report
        .sections
        .iter()
        .map(|s| json!({ "id": s.id, "title": s.title, "figures": s.figures.iter().map(shown).collect::<Vec<_>>() }))
        .collect();
    json!({
        "platform": report.platform,
        "month": report.month,
        "month_title": report.month_title,
        "stamp": report.stamp,
        "as_of": report.as_of,
        "as_of_title": reading::long_day(&report.as_of),
        "sections": sections,
        "definitions": report.definitions,
        "loads": report.loads,
    })
}

fn shown(figure: &Figure) -> serde_json::Value {
    let sourced = figure.columns.iter().any(|c| c == "source_title");
    let kept: Vec<usize> = (0..figure.columns.len())
        .filter(|i| !sourced || !is_link(&figure.columns[*i]))
        .collect();
    let table: Vec<Vec<_>> = (0..figure.rows.len())
        .map(|row| kept.iter().map(|i| cell(figure, row, *i)).collect())
        .collect();
    let columns: Vec<&String> = kept.iter().map(|i| &figure.columns[*i]).collect();
    json!({
        "name": figure.name,
        "title": figure.title,
        "dimension": figure.dimension,
        "finding": figure.finding,
        "subtitle": figure.subtitle,
        "method": figure.method,
        "columns": columns,
        "rows": figure.rows,
        "table": table,
        "alt": figure.chart,
        "svg": figure.pictures.as_ref().map(|p| &p.inline),
        "svg_phone": figure.pictures.as_ref().map(|p| &p.phone),
    })
}

/// Whether a column holds addresses, which a table shows behind the source's title.
fn is_link(column: &str) -> bool {
    matches!(column, "source_url" | "more_urls")
}

/// One cell as the templates are given it: its text, where it leads, and how it is set.
fn cell(figure: &Figure, row: usize, column: usize) -> serde_json::Value {
    let name = figure
        .columns
        .get(column)
        .map(String::as_str)
        .unwrap_or_default();
    let text = figure
        .cells
        .get(row)
        .and_then(|r| r.get(column))
        .cloned()
        .unwrap_or_default();
    let raw = |key: &str| {
        figure
            .rows
            .get(row)
            .and_then(|r| r.get(key))
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let links: Vec<&str> = match name {
        "source_title" => raw("source_url")
            .split(' ')
            .chain(raw("more_urls").split(' '))
            .filter(|u| is_web(u))
            .collect(),
        name if name.ends_with("url") && is_web(&text) => vec![raw(name)],
        _ => Vec::new(),
    };
    let text = match (name, metric::find(&text)) {
        ("metric", Ok(metric)) => metric.title.to_owned(),
        ("source_title", _) if text.is_empty() => raw("source_url").to_owned(),
        _ => text,
    };
    let day = calendar::day(raw(name)).is_ok();
    let long = text.chars().count() > 24;
    json!({ "text": text, "links": links, "long": long, "number": figure.numeric.get(column).copied().unwrap_or(false), "day": day })
}

/// Whether an address leads to the web: what else a file may hold (`javascript:`, say) is no link.
fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(stamp: Option<&str>) -> BTreeMap<String, String> {
        let report = Report {
            platform: "Simulated".into(),
            month: "2016-02".into(),
            month_title: "February 2016".into(),
            as_of: "2016-02-29".into(),
            rivals: Vec::new(),
            stamp: stamp.map(str::to_owned),
            sections: Vec::new(),
            definitions: Vec::new(),
            loads: Vec::new(),
            not_asked: Vec::new(),
        };
        let nowhere = tempfile::tempdir().unwrap();
        let files = render(&report, nowhere.path()).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        files
            .into_iter()
            .map(|(name, bytes)| (name, text(bytes)))
            .collect()
    }

    #[test]
    fn the_stamp_stands_at_the_head_of_page_markdown_and_json() {
        let files = rendered(Some("Simulated data: A <b>"));
        let page = &files["index.html"];
        let stamp = page.find("<p class=\"stamp\" role=\"note\">Simulated data: A &lt;b&gt;</p>");
        assert!(stamp.unwrap() < page.find("<h1>").unwrap());
        assert!(page.contains("<title>Simulated data: A &lt;b&gt; – Simulated, February 2016"));
        assert!(
            files["report.md"]
                .starts_with("# Simulated, February 2016\n\n**Simulated data: A &lt;b&gt;**\n\n")
        );
        assert!(files["report.json"].contains("\"stamp\": \"Simulated data: A <b>\""));
        let plain = rendered(None);
        assert!(!plain["index.html"].contains("class=\"stamp\""));
        assert!(!plain["report.md"].contains("**"));
        assert!(plain["report.json"].contains("\"stamp\": null"));
    }
}
