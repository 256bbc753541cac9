//! The report as data: what `report.json` holds and what the templates are given.

use std::collections::BTreeSet;

use datafusion::prelude::SessionContext;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::sources::{SourceFile, files, footer};
use super::write::slug;
use super::{ReportError, Subject};
use crate::chart::{self, ChartError, Fonts, Size, Theme, drawing, finding, reading};
use crate::metric;
use crate::project::Project;
use crate::query::header::{Parameter, Placement};
use crate::query::parameter::{Given, unlist};
use crate::query::{self, Answer, Library, Query, RunError, rows};
use crate::store::Store;

/// The sections in their order, with the titles that readers see. Others follow, by name.
const SECTIONS: [(&str, &str); 9] = [
    ("headline", "Headline figures"),
    ("growth", "Growth and milestones"),
    ("activity", "Activity"),
    ("messages", "Messages and signups"),
    ("rivals", "The rivals"),
    ("left_out", "What the announcement left out"),
    ("more", "More figures"),
    ("quality", "Data quality"),
    ("sources", "Sources"),
];

/// The parameter that asks for a figure by the values of a dimension; empty for all users together.
const DIMENSION: &str = "dimension";

/// The report of one month.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The platform that it is about.
    pub platform: String,
    /// The month: `2016-02`.
    pub month: String,
    /// The month as a reader sees it.
    pub month_title: String,
    /// The month's last day, at which everything is known or not.
    pub as_of: String,
    /// The platforms that it is compared with; empty for all.
    pub rivals: Vec<String>,
    /// What must be known before anything is believed, e.g. that data are simulated.
    pub stamp: Option<String>,
    /// The sections.
    pub sections: Vec<Section>,
    /// What the metrics that appear mean.
    pub definitions: Vec<Definition>,
    /// The loads that it was made of.
    pub loads: Vec<LoadRead>,
    /// The queries that are not in it since they ask for what a report does not know, with what that is.
    #[serde(skip)]
    pub not_asked: Vec<(String, String)>,
}

/// One section.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Its name in the queries' headers.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its figures, each the answer of a query.
    pub figures: Vec<Figure>,
}

/// The answer of one query: a finding, a table, perhaps a chart.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// The query's name, and `-by-` the dimension where it was asked by one: `activity-by-country`.
    pub name: String,
    /// What it asks.
    pub title: String,
    /// The dimension that it was asked by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// What was found.
    pub finding: String,
    /// What is measured.
    pub subtitle: String,
    /// How.
    pub method: String,
    /// The parameters that it was asked with.
    pub parameters: Given,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, as they are.
    pub rows: Vec<Map<String, Value>>,
    /// The alternative text of its chart, if it is drawn.
    pub chart: Option<String>,
    /// Its chart, before it is drawn.
    #[serde(skip)]
    pub drawing: Option<chart::Chart>,
    /// Its chart, drawn.
    #[serde(skip)]
    pub pictures: Option<Pictures>,
    /// Its table, as a reader sees it.
    #[serde(skip)]
    pub cells: Vec<Vec<String>>,
    /// Whether a column holds numbers.
    #[serde(skip)]
    pub numeric: Vec<bool>,
    /// The answer itself.
    #[serde(skip)]
    pub answer: Answer,
}

/// A chart in the forms in which it is published.
#[derive(Debug)]
pub struct Pictures {
    /// For the page, which holds the typeface.
    pub inline: String,
    /// The same for a telephone.
    pub phone: String,
    /// To stand alone.
    pub alone: String,
    /// Painted.
    pub png: Vec<u8>,
}

/// What a metric means.
#[derive(Debug, Serialize)]
pub struct Definition {
    /// Its registered name.
    pub metric: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Its window.
    pub window: &'static str,
    /// Its definition.
    pub definition: &'static str,
}

/// A load that the report was made of.
#[derive(Debug, Serialize)]
pub struct LoadRead {
    /// Its name, less how many times it was loaded.
    pub load: String,
    /// The file.
    pub path: String,
    /// The table.
    pub table: &'static str,
    /// Rows kept.
    pub rows_kept: i64,
    /// Rows rejected.
    pub rows_rejected: i64,
    /// The identity of what was read.
    pub identity: String,
}

/// Runs every query that belongs in a report and draws it: one with a parameter `dimension` for all users and for
/// each dimension of the project. The `stamp` stands on the report and on each of its charts.
pub async fn assemble(
    context: &SessionContext,
    store: &Store,
    project: &Project,
    library: &Library,
    subject: &Subject,
    stamp: Option<String>,
) -> Result<Report, ReportError> {
    let files = files(store).await?;
    let mut report = Report {
        platform: subject.platform.clone(),
        month: subject.month.to_string(),
        month_title: subject.month.title(),
        as_of: subject.month.last().to_string(),
        rivals: project.rivals.clone(),
        stamp,
        definitions: Vec::new(),
        sections: Vec::new(),
        loads: loads(store),
        not_asked: Vec::new(),
    };
    let mut asked = Vec::new();
    for (query, placement) in placed(library) {
        let given = parameters(query, project, subject);
        if let Some(missing) = missing(query, &given) {
            report.not_asked.push((query.name.clone(), missing));
            continue;
        }
        for given in by_dimension(query, placement, given, project) {
            asked.push((query, placement, ask(context, query, &given), given));
        }
    }
    for (query, placement, answer, given) in asked {
        let answer = answer.await??;
        if answer.batch.num_rows() > 0 {
            let stamp = report.stamp.clone();
            let figure = figure(query, given, answer, subject, &files, stamp)?;
            report.add(placement, figure);
        }
    }
    if !report.sections.iter().any(|s| s.id == "headline") {
        return Err(nothing(context, subject).await?);
    }
    draw(&mut report.sections)?;
    report.definitions = definitions(&report.sections);
    Ok(report)
}

impl Report {
    /// Adds a figure to its section; figures come in the order of the sections.
    fn add(&mut self, placement: &Placement, figure: Figure) {
        match self
            .sections
            .last_mut()
            .filter(|s| s.id == placement.section)
        {
            Some(section) => section.figures.push(figure),
            None => self.sections.push(Section {
                id: placement.section.clone(),
                title: title(&placement.section),
                figures: vec![figure],
            }),
        }
    }
}

/// Asks a query on whatever thread is free: most of a small query's time goes into its planning.
fn ask(
    context: &SessionContext,
    query: &Query,
    given: &Given,
) -> JoinHandle<Result<Answer, RunError>> {
    let (context, query, given) = (context.clone(), query.clone(), given.clone());
    tokio::spawn(async move { query::run(&context, &query, &given).await })
}

/// The queries that belong in a report, in the order in which they stand there.
fn placed(library: &Library) -> Vec<(&Query, &Placement)> {
    let mut placed: Vec<_> = library
        .iter()
        .filter_map(|q| Some((q, q.header.placement.as_ref()?)))
        .collect();
    placed.sort_by_key(|(q, p)| (place(&p.section), &p.section, p.order, &q.name));
    placed
}

/// The first parameter that a query asks for and a report does not know.
fn missing(query: &Query, given: &Given) -> Option<String> {
    let asked = |p: &&Parameter| p.default.is_none() && !given.contains_key(&p.name);
    query
        .header
        .parameters
        .iter()
        .find(asked)
        .map(|p| p.name.clone())
}

/// What a report binds, of what a query asks for.
fn parameters(query: &Query, project: &Project, subject: &Subject) -> Given {
    let mut compared = project.rivals.clone();
    if !compared.is_empty() && !compared.contains(&subject.platform) {
        compared.insert(0, subject.platform.clone());
    }
    let known = [
        ("month", Some(subject.month.to_string())),
        ("platform", Some(subject.platform.clone())),
        (
            "platforms",
            (!compared.is_empty()).then(|| unlist(&compared)),
        ),
        ("to", Some(subject.month.last().to_string())),
        ("base", project.base.map(|d| d.to_string())),
    ];
    let asked = |name: &str| query.header.parameter(name).is_some();
    known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .filter(|(name, _)| asked(name))
        .collect()
}

/// What a query is asked with: once, or for all users and then by each dimension where it has that parameter.
fn by_dimension(
    query: &Query,
    placement: &Placement,
    given: Given,
    project: &Project,
) -> Vec<Given> {
    if query.header.parameter(DIMENSION).is_none() {
        return vec![given];
    }
    let mut dimensions = match placement.by_dimension_only {
        true => vec![],
        false => vec![""],
    };
    for dimension in project.dimensions.iter().map(String::as_str) {
        if !dimensions.contains(&dimension) {
            dimensions.push(dimension);
        }
    }
    let with = |dimension: &str| {
        let mut given = given.clone();
        given.insert(DIMENSION.to_owned(), dimension.to_owned());
        given
    };
    dimensions.into_iter().map(with).collect()
}

fn figure(
    query: &Query,
    given: Given,
    answer: Answer,
    subject: &Subject,
    files: &[SourceFile],
    stamp: Option<String>,
) -> Result<Figure, ReportError> {
    let found = rows::rows(&answer.batch);
    let header = &query.header;
    let dimension = given.get(DIMENSION).filter(|d| !d.is_empty()).cloned();
    let mut finding = finding::finding(query, &answer, &given)?;
    let mut name = query.name.clone();
    if let Some(dimension) = &dimension {
        finding = format!("By {}: {finding}", dimension.replace('_', " "));
        name = format!("{name}-by-{}", slug(dimension));
    }
    let subtitle = finding::subtitle(query, &answer, &given)?;
    let words = drawing::Words {
        finding: finding.clone(),
        subtitle: subtitle.clone(),
        subject: Some(subject.platform.clone()),
        footer: footer(
            files,
            &found,
            Some(&subject.platform),
            Some(subject.month.last()),
        ),
        log: false,
        stamp,
    };
    let drawing = drawing::chart(header, &found, &words);
    let cell = |row: &Map<String, Value>| {
        header
            .columns
            .iter()
            .map(|c| reading::read(c, row.get(&c.name).unwrap_or(&Value::Null)))
            .collect()
    };
    Ok(Figure {
        name,
        title: header.title.clone(),
        dimension,
        finding,
        subtitle,
        method: header.method.join(" "),
        parameters: given,
        columns: header.columns.iter().map(|c| c.name.clone()).collect(),
        cells: found.iter().map(cell).collect(),
        numeric: answer
            .batch
            .columns()
            .iter()
            .map(|c| c.data_type().is_numeric())
            .collect(),
        rows: found,
        chart: drawing.as_ref().map(|c| c.alt.clone()),
        drawing,
        pictures: None,
        answer,
    })
}

fn place(section: &str) -> usize {
    let others = SECTIONS
        .iter()
        .position(|(id, _)| *id == "more")
        .unwrap_or(SECTIONS.len());
    SECTIONS
        .iter()
        .position(|(id, _)| *id == section)
        .unwrap_or(others)
}

fn title(section: &str) -> String {
    match SECTIONS.iter().find(|(id, _)| *id == section) {
        Some((_, title)) => (*title).to_owned(),
        None => {
            let words = section.replace('_', " ");
            let mut letters = words.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
    }
}

/// Draws the charts on as many threads as there are processors: they share nothing.
fn draw(sections: &mut [Section]) -> Result<(), ReportError> {
    let mut drawn: Vec<&mut Figure> = sections
        .iter_mut()
        .flat_map(|s| &mut s.figures)
        .filter(|f| f.drawing.is_some())
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = drawn.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let part =
            |figures: &mut [&mut Figure]| figures.iter_mut().try_for_each(|figure| picture(figure));
        let running: Vec<_> = drawn
            .chunks_mut(share)
            .map(|figures| scope.spawn(move || part(figures)))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })
}

fn picture(figure: &mut Figure) -> Result<(), ReportError> {
    let Some(chart) = &figure.drawing else {
        return Ok(());
    };
    let refused = |source: ChartError| ReportError::Chart {
        name: figure.name.clone(),
        source,
    };
    let alone =
        chart::svg(chart, Size::PAGE.fit(chart), Theme::Light, Fonts::Embedded).map_err(refused)?;
    let pictures = Pictures {
        inline: chart::svg(chart, Size::PAGE.fit(chart), Theme::Light, Fonts::Page)
            .map_err(refused)?,
        phone: chart::svg(chart, Size::PHONE.fit(chart), Theme::Light, Fonts::Page)
            .map_err(refused)?,
        png: chart::png(&alone, 2.0).map_err(refused)?,
        alone,
    };
    figure.pictures = Some(pictures);
    Ok(())
}

/// The definitions of the metrics that appear in the figures' rows.
fn definitions(sections: &[Section]) -> Vec<Definition> {
    let named: BTreeSet<&str> = sections
        .iter()
        .flat_map(|s| &s.figures)
        .flat_map(|f| &f.rows)
        .filter_map(|row| row.get("metric").and_then(Value::as_str))
        .collect();
    metric::METRICS
        .iter()
        .filter(|m| named.contains(m.name))
        .map(|m| Definition {
            metric: m.name,
            title: m.title,
            window: m.window,
            definition: m.definition,
        })
        .collect()
}

fn loads(store: &Store) -> Vec<LoadRead> {
    let mut loads: Vec<LoadRead> = store
        .loads()
        .live()
        .map(|l| LoadRead {
            load: l.identity.get(..12).unwrap_or(&l.identity).to_owned(),
            path: l.path.clone(),
            table: l.grain.name(),
            rows_kept: l.rows_kept,
            rows_rejected: l.rows_rejected,
            identity: l.identity.clone(),
        })
        .collect();
    loads.sort_by(|a, b| (&a.path, &a.load).cmp(&(&b.path, &b.load)));
    loads
}

/// Why there is nothing to report: the platform is unknown, or its figures begin later.
async fn nothing(context: &SessionContext, subject: &Subject) -> Result<ReportError, ReportError> {
    let sql = "SELECT platform, CAST(MIN(month) AS VARCHAR) AS first FROM monthly GROUP BY platform ORDER BY platform";
    let known = rows::rows(&query::run_sql(context, sql).await?.batch);
    let text = |row: &Map<String, Value>, key: &str| {
        row.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let known = match known
        .iter()
        .find(|r| text(r, "platform") == subject.platform)
    {
        Some(row) => format!(
            "its first figure is of {}",
            text(row, "first").get(..7).unwrap_or_default()
        ),
        None if known.is_empty() => {
            "the store is empty: put files into data/ and run `essor ingest data/`".to_owned()
        }
        None => format!(
            "the platforms known are {}",
            known
                .iter()
                .map(|r| text(r, "platform"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    Ok(ReportError::Nothing {
        platform: subject.platform.clone(),
        month: subject.month,
        known,
    })
}
