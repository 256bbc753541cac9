//! From the rows of a query to a chart, by the `chart` line of its header.

use serde_json::{Map, Value};

mod grid;
mod parts;

use super::{Chart, Kind, Mark, Point, Reference, Role, Scale, Series, X, reading};
use crate::calendar;
use crate::metric;
use crate::query::header::{ChartLine, Column, Header, Type};

/// What a chart says besides the rows.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// What was found.
    pub finding: String,
    /// What is measured.
    pub subtitle: String,
    /// The platform that the report is about: drawn strong.
    pub subject: Option<String>,
    /// Sources and definitions, a line each.
    pub footer: Vec<String>,
    /// Whether the vertical axis is logarithmic whatever the header says.
    pub log: bool,
    /// What stands in a box above the title: [`super::stamp::simulated`].
    pub stamp: Option<String>,
}

/// The chart of a query's rows; `None` where its header says that it is not drawn.
pub fn chart(header: &Header, rows: &[Map<String, Value>], words: &Words) -> Option<Chart> {
    let line = header.chart.as_ref()?;
    let reader = Reader { header, line, rows };
    let kind = match line.kind.as_str() {
        "bars" => Kind::Bars,
        "columns" => Kind::Columns,
        "curve" => Kind::Curve,
        "histogram" => Kind::Histogram,
        "stacked" => Kind::Stacked,
        "heat" => Kind::Heat,
        _ => Kind::Line,
    };
    let series = match kind {
        Kind::Bars => reader.bars(words),
        Kind::Histogram => reader.histogram(),
        Kind::Stacked => reader.stacked(),
        Kind::Heat => reader.heat(),
        _ if reader.line.columns("y").count() > 1 => reader.several(),
        _ => reader.series(words),
    };
    let log = words.log || line.settings.get("scale").is_some_and(|s| s == "log");
    let log = log && kind == Kind::Line;
    let subtitle = &words.subtitle;
    let mut footer = words.footer.clone();
    footer.extend(marks_explained(kind, &series));
    Some(Chart {
        title: words.finding.clone(),
        subtitle: if log {
            format!("{subtitle} (logarithmic scale)")
        } else {
            subtitle.clone()
        },
        footer,
        kind,
        x_title: line.settings.get("x_title").cloned().unwrap_or_default(),
        y_unit: reader.unit(),
        scale: if log { Scale::Log } else { Scale::Linear },
        references: reader.references(),
        alt: alternative(&words.finding, kind, &series, &reader.unit()),
        series,
        y_title: reader.y_title(),
        ordered: reader
            .column("series")
            .is_some_and(|c| c.kind == Type::Date),
        stamp: words.stamp.clone(),
    })
}

struct Reader<'a> {
    header: &'a Header,
    line: &'a ChartLine,
    rows: &'a [Map<String, Value>],
}

impl Reader<'_> {
    fn setting(&self, key: &str) -> Option<&str> {
        self.line.settings.get(key).map(String::as_str)
    }

    fn column(&self, key: &str) -> Option<&Column> {
        self.named(self.line.columns(key).next()?)
    }

    /// What the rows of a map are: as `y_title=` says, else the name of their column.
    fn y_title(&self) -> String {
        self.setting("y_title").map_or_else(
            || {
                let column = self.setting("y").unwrap_or_default().replace('_', " ");
                let mut letters = column.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                first.chain(letters).collect()
            },
            str::to_owned,
        )
    }

    fn named(&self, name: &str) -> Option<&Column> {
        self.header.columns.iter().find(|c| c.name == name)
    }

    /// Whether the values are fractions, which are drawn in percent; the rates of a retention curve always are.
    fn in_percent(&self) -> bool {
        let values = if self.line.kind == "heat" {
            "value"
        } else {
            "y"
        };
        match self.setting("y_unit") {
            Some(unit) => unit == "pct",
            None => {
                self.line.kind == "curve" || self.column(values).is_some_and(reading::is_fraction)
            }
        }
    }

    fn unit(&self) -> String {
        match self.setting("y_unit") {
            _ if self.in_percent() => "%".to_owned(),
            Some(unit) => unit.to_owned(),
            None => String::new(),
        }
    }

    fn number(&self, row: &Map<String, Value>, column: &str) -> Option<f64> {
        let value = row.get(column)?.as_f64()?;
        Some(if self.in_percent() {
            value * 100.0
        } else {
            value
        })
    }

    fn x(&self, row: &Map<String, Value>) -> Option<X> {
        let column = self.column("x")?;
        let value = row.get(&column.name)?;
        match column.kind {
            Type::Date => calendar::day(value.as_str()?).ok().map(X::Day),
            Type::BigInt | Type::Double => value.as_f64().map(X::Number),
            _ => Some(X::Name(value.as_str().unwrap_or_default().to_owned())),
        }
    }

    /// Whether a row is marked as said but not computed with.
    fn stands_apart(&self, row: &Map<String, Value>) -> bool {
        self.setting("mark")
            .and_then(|m| row.get(m))
            .and_then(Value::as_str)
            == Some("shown")
    }

    fn mark(&self, row: &Map<String, Value>) -> Mark {
        let marked = self
            .setting("mark")
            .and_then(|m| row.get(m))
            .and_then(Value::as_str);
        match marked {
            Some("computed") => Mark::Computed,
            Some("interpolated") => Mark::Interpolated,
            Some("unfinished") => Mark::Unfinished,
            Some("artefact") => Mark::Artefact,
            Some("statement" | "shown") => Mark::Statement,
            _ => Mark::Computed,
        }
    }

    /// What stands beside a point: its label and note, as they read.
    fn label(&self, row: &Map<String, Value>) -> Option<String> {
        let text = |key: &str| {
            let column = self
                .column(key)
                .filter(|c| self.setting("y") != Some(c.name.as_str()))?;
            let read = reading::read(column, row.get(&column.name)?);
            if read.is_empty() {
                return None;
            }
            Some(match column.name.as_str() {
                "share" => format!("{read} of the set"),
                name if name.ends_with("age_days") => age(&read),
                _ => read,
            })
        };
        let parts: Vec<String> = ["label", "note"].into_iter().filter_map(text).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn name(&self, row: &Map<String, Value>) -> String {
        let column = self.setting("series").unwrap_or_default();
        let named = row.get(column).and_then(Value::as_str).unwrap_or_default();
        if let Some(day) = calendar::day(named).ok().filter(|_| self.dated_series()) {
            return cohort(day);
        }
        match metric::find(named) {
            Ok(metric) if column == "metric" => metric.title.to_owned(),
            _ => named.to_owned(),
        }
    }

    /// Whether the series are named by days, as cohorts are.
    fn dated_series(&self) -> bool {
        self.column("series").is_some_and(|c| c.kind == Type::Date)
    }

    /// How large each series is by its last row, where a column says so.
    fn weigh(&self, series: &mut [Series]) {
        let Some(weight) = self.setting("weight") else {
            return;
        };
        for row in self.rows {
            let name = self.name(row);
            let size = row.get(weight).and_then(Value::as_f64);
            if let Some(found) = series.iter_mut().find(|s| s.name == name) {
                found.size = size.or(found.size);
            }
        }
    }

    /// Beside others an empty value of a dimension is one that is not known.
    fn name_unknown(&self, series: &mut [Series]) {
        if series.len() > 1 && self.setting("series").is_some() {
            for nameless in series.iter_mut().filter(|s| s.name.is_empty()) {
                nameless.name = "not known".to_owned();
            }
        }
    }

    fn point(&self, row: &Map<String, Value>) -> Option<Point> {
        let y = self.setting("y").and_then(|y| self.number(row, y));
        Some(Point {
            x: self.x(row)?,
            y,
            mark: self.mark(row),
            label: self.label(row),
        })
    }

    /// One series a name, in the order of first appearance, the subject first; then what is drawn over it.
    fn series(&self, words: &Words) -> Vec<Series> {
        let mut series: Vec<Series> = Vec::new();
        for row in self.rows {
            let name = self.name(row);
            let Some(point) = self.point(row) else {
                continue;
            };
            let mut points = vec![point];
            if self.stands_apart(row) {
                // A gap behind the point: it is shown, and no line leads to it.
                points.extend(self.x(row).map(|x| Point {
                    x,
                    y: None,
                    mark: Mark::Statement,
                    label: None,
                }));
            }
            match series.iter_mut().find(|s| s.name == name) {
                Some(found) => found.points.extend(points),
                None => series.push(Series {
                    points,
                    ..empty(&name, role(&name, words))
                }),
            }
        }
        self.weigh(&mut series);
        self.name_unknown(&mut series);
        if let [only] = series.as_mut_slice() {
            only.role = Role::Subject;
            if self.line.kind == "columns" {
                // The title says whose they are.
                only.name.clear();
            }
        }
        series.sort_by_key(|s| s.role != Role::Subject);
        series.extend(self.overlay());
        series
    }

    fn overlay(&self) -> Option<Series> {
        let column = self.setting("overlay")?;
        let points: Vec<Point> = self
            .rows
            .iter()
            .filter_map(|row| {
                Some(Point {
                    x: self.x(row)?,
                    y: self.number(row, column),
                    mark: Mark::Computed,
                    label: None,
                })
            })
            .collect();
        let name = self
            .setting("overlay_title")
            .unwrap_or("7-day mean")
            .to_owned();
        points.iter().any(|p| p.y.is_some()).then_some(Series {
            points,
            ..empty(&name, Role::Line)
        })
    }

    /// One bar a row.
    fn bars(&self, words: &Words) -> Vec<Series> {
        let bar = |row: &Map<String, Value>| {
            let point = self.point(row).filter(|p| p.y.is_some())?;
            let name = match &point.x {
                X::Name(name) => name.clone(),
                X::Day(day) => day.to_string(),
                X::Number(number) => super::number::short(*number),
            };
            Some(Series {
                points: vec![point],
                ..empty(&name, role(&name, words))
            })
        };
        self.rows.iter().filter_map(bar).collect()
    }

    fn references(&self) -> Vec<Reference> {
        let level = |key: &str| self.setting(key)?.parse::<f64>().ok();
        let reference = level("reference").map(|y| Reference::Horizontal {
            y,
            label: super::number::short(y),
        });
        let rule = level("rule").map(|y| Reference::Rule {
            y,
            label: self.setting("rule_title").unwrap_or_default().to_owned(),
        });
        reference.into_iter().chain(rule).collect()
    }
}

/// A series without points.
fn empty(name: &str, role: Role) -> Series {
    Series {
        name: name.to_owned(),
        role,
        points: Vec::new(),
        panel: String::new(),
        size: None,
    }
}

/// A cohort by its first day: `Feb 2016` where that is a month's first, else `8 Feb 2016`.
fn cohort(day: calendar::Day) -> String {
    use chrono::Datelike;
    match day.day() {
        1 => format!("{} {}", super::axis::month_label(day), day.year()),
        _ => super::axis::long_day(day),
    }
}

fn age(days: &str) -> String {
    match days {
        "0" => "of the last day".to_owned(),
        "1" => "1 day old".to_owned(),
        days => format!("{days} days old"),
    }
}

fn role(name: &str, words: &Words) -> Role {
    if words.subject.as_deref() == Some(name) {
        Role::Subject
    } else {
        Role::Rival
    }
}

/// What the marks that are used mean.
fn marks_explained(kind: Kind, series: &[Series]) -> Option<String> {
    let uses = |mark: Mark| {
        series
            .iter()
            .flat_map(|s| &s.points)
            .any(|p| p.mark == mark && p.y.is_some())
    };
    let joined = series.iter().any(|s| {
        s.points
            .iter()
            .filter(|p| p.mark == Mark::Statement)
            .count()
            > 1
    });
    let mut said = Vec::new();
    if joined {
        said.push("Dots are statements; the dashes between them are drawn, not known.");
    }
    if uses(Mark::Interpolated) {
        said.push("Dashed: interpolated.");
    }
    if uses(Mark::Unfinished) {
        said.push(match kind {
            Kind::Heat => "Framed: not every user of the cohort has had the time yet.",
            Kind::Curve => "Hollow: not every user has had the time yet.",
            Kind::Stacked | Kind::Histogram => "Hatched: the period is not over.",
            _ => "Hatched or hollow: the day or month is not over.",
        });
    }
    let says = |p: &Point| p.y.is_some() && p.mark != Mark::Unfinished;
    if series
        .iter()
        .any(|s| s.role == Role::Net && s.points.iter().any(says))
    {
        said.push("Above a bar: the net change.");
    }
    if uses(Mark::Artefact) {
        said.push("Hollow with a mark: left out as an artefact of the data.");
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// What the chart shows, for those who cannot see it: the finding, and where each series ends.
fn alternative(finding: &str, kind: Kind, series: &[Series], unit: &str) -> String {
    let unit = match (unit, kind) {
        ("%", Kind::Line | Kind::Curve | Kind::Histogram | Kind::Heat) => "\u{202F}%",
        _ => "",
    };
    let last = |s: &Series| {
        let point = s.points.iter().rev().find(|p| p.y.is_some())?;
        let value = super::number::short(point.y?);
        let at = match &point.x {
            X::Day(day) => format!(" on {}", calendar::long(*day)),
            X::Number(number) if kind != Kind::Line => {
                format!(" at {}", super::number::short(*number))
            }
            _ => String::new(),
        };
        let name = match (s.panel.as_str(), s.name.as_str()) {
            ("", "") => "last value".to_owned(),
            ("", name) => name.to_owned(),
            (panel, "") => panel.to_owned(),
            (panel, name) => format!("{panel}, {name}"),
        };
        Some(format!("{name} {value}{unit}{at}"))
    };
    let ends: Vec<String> = series.iter().take(20).filter_map(last).collect();
    format!("{finding}. {}.", ends.join("; "))
}
