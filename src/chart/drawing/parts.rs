//! Charts of several columns: lines side by side, and the parts of a stack.

use serde_json::{Map, Value};

use super::{Reader, empty};
use crate::chart::{Point, Role, Series};
use crate::metric;

impl Reader<'_> {
    /// A line a column of `y`. Where a dimension names the series as well, the last column alone is drawn: the
    /// lines of several would say nothing.
    pub(super) fn several(&self) -> Vec<Series> {
        let columns: Vec<&str> = self.line.columns("y").collect();
        let titles = self.titles(&columns);
        let mut series: Vec<Series> = Vec::new();
        let names: Vec<String> = self.rows.iter().map(|row| self.name(row)).collect();
        let split = names.iter().any(|name| Some(name) != names.first());
        let drawn = columns.iter().zip(&titles);
        let drawn = drawn.skip(if split { columns.len() - 1 } else { 0 });
        for (column, title) in drawn {
            for (row, name) in self.rows.iter().zip(&names) {
                let Some(point) = self.part(row, column) else {
                    continue;
                };
                let name = if split { name } else { title };
                match series.iter_mut().find(|s| s.name == *name) {
                    Some(found) => found.points.push(point),
                    None => series.push(Series {
                        points: vec![point],
                        ..empty(name, Role::Rival)
                    }),
                }
            }
        }
        self.weigh(&mut series);
        self.name_unknown(&mut series);
        series
    }

    /// A series a part, a panel each for the values of a dimension: parts above zero, parts below it, how high
    /// the stack is, and the net change of the period.
    pub(super) fn stacked(&self) -> Vec<Series> {
        let up: Vec<&str> = self.line.columns("up").collect();
        let down: Vec<&str> = self.line.columns("down").collect();
        let named: Vec<&str> = up.iter().chain(&down).copied().collect();
        let titles = self.titles(&named);
        let mut series = Vec::new();
        for (panel, rows) in self.panels() {
            let of = |column: &str, name: &str, role: Role| Series {
                points: rows
                    .iter()
                    .filter_map(|row| self.part(row, column))
                    .collect(),
                panel: panel.clone(),
                ..empty(name, role)
            };
            for (at, (column, title)) in named.iter().zip(&titles).enumerate() {
                let role = if at < up.len() { Role::Up } else { Role::Down };
                series.push(of(column, title, role));
            }
            if let Some(total) = self.setting("total") {
                series.push(of(total, "", Role::Whole));
            }
            series.push(match self.setting("net") {
                Some(net) => of(net, "", Role::Net),
                None => Series {
                    points: self.net_changes(&rows, &up, &down),
                    panel: panel.clone(),
                    ..empty("", Role::Net)
                },
            });
        }
        series
    }

    /// Parts gained less parts lost, where all are known: `retained` is neither.
    fn net_changes(&self, rows: &[&Map<String, Value>], up: &[&str], down: &[&str]) -> Vec<Point> {
        if down.is_empty() {
            return Vec::new();
        }
        let sum = |row: &Map<String, Value>, columns: &[&str]| -> Option<f64> {
            let gained = columns.iter().filter(|c| **c != "retained");
            gained.map(|c| self.number(row, c)).sum()
        };
        let net = |row: &&Map<String, Value>| {
            Some(Point {
                x: self.x(row)?,
                y: sum(row, up).zip(sum(row, down)).map(|(up, down)| up - down),
                mark: self.mark(row),
                label: None,
            })
        };
        rows.iter().filter_map(net).collect()
    }

    /// One panel of bars for each value of a dimension.
    pub(super) fn histogram(&self) -> Vec<Series> {
        let panels = self.panels().into_iter();
        panels
            .map(|(panel, rows)| Series {
                points: rows
                    .iter()
                    .filter_map(|row| {
                        let point = self.point(row)?;
                        Some(Point {
                            label: self.share(row),
                            ..point
                        })
                    })
                    .collect(),
                panel,
                ..empty("", Role::Subject)
            })
            .collect()
    }

    /// A bar's share, short enough to stand above it.
    fn share(&self, row: &Map<String, Value>) -> Option<String> {
        let share = 100.0 * row.get(self.setting("share")?)?.as_f64()?;
        let percent = |number: String| Some(format!("{number}\u{202F}%"));
        match share {
            share if !share.is_finite() => None,
            share if share != 0.0 && share.abs() < 0.95 => percent(format!("{share:.1}")),
            share => percent(format!("{share:.0}")),
        }
    }

    fn part(&self, row: &Map<String, Value>, column: &str) -> Option<Point> {
        Some(Point {
            x: self.x(row)?,
            y: self.number(row, column),
            mark: self.mark(row),
            label: None,
        })
    }

    /// The rows of each panel under its title, in the order of first appearance; one without a title where there
    /// is only one.
    pub(super) fn panels(&self) -> Vec<(String, Vec<&Map<String, Value>>)> {
        let mut panels: Vec<(String, Vec<&Map<String, Value>>)> = Vec::new();
        for row in self.rows {
            let name = self.name(row);
            match panels.iter_mut().find(|(title, _)| *title == name) {
                Some((_, rows)) => rows.push(row),
                None => panels.push((name, vec![row])),
            }
        }
        match panels.as_mut_slice() {
            [(title, _)] => title.clear(),
            several => {
                for (title, _) in several.iter_mut().filter(|(title, _)| title.is_empty()) {
                    "not known".clone_into(title);
                }
            }
        }
        panels
    }

    /// What columns are called: as `titles=` says, else by the metric of their name, else by their name.
    fn titles(&self, columns: &[&str]) -> Vec<String> {
        let given: Vec<&str> = self
            .setting("titles")
            .map(|titles| titles.split(',').map(str::trim).collect())
            .unwrap_or_default();
        let title = |(at, column): (usize, &&str)| match given.get(at) {
            Some(title) => (*title).to_owned(),
            None => metric::METRICS
                .iter()
                .find(|m| m.name == *column)
                .map_or_else(|| column.replace('_', " "), |m| m.title.to_owned()),
        };
        columns.iter().enumerate().map(title).collect()
    }
}
