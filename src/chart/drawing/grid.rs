//! Cohort maps: a series a cohort.

use serde_json::Value;

use super::{Reader, empty};
use crate::chart::{Point, Role, Series};
use crate::query::header::Type;

impl Reader<'_> {
    /// A series a cohort, under the cohort's day or name as it stands in the rows, with its size: the largest
    /// count of its cells, since later ages may count only those who have had the time.
    pub(super) fn heat(&self) -> Vec<Series> {
        let mut all = Vec::new();
        let dated = self.column("y").is_some_and(|c| c.kind == Type::Date);
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            // All cohorts together.
            Value::Null => "all".to_owned(),
            other => other.to_string(),
        };
        for (panel, rows) in self.panels() {
            let mut series: Vec<Series> = Vec::new();
            for row in rows {
                let cohort = self.setting("y").and_then(|y| row.get(y)).map(text);
                let (Some(cohort), Some(x)) = (cohort, self.x(row)) else {
                    continue;
                };
                let point = Point {
                    x,
                    y: self.setting("value").and_then(|v| self.number(row, v)),
                    mark: self.mark(row),
                    label: None,
                };
                let count = self.setting("count").and_then(|c| row.get(c)?.as_f64());
                let at = series.iter().position(|s| s.name == cohort);
                let at = at.unwrap_or_else(|| {
                    series.push(Series {
                        panel: panel.clone(),
                        ..empty(&cohort, Role::Rival)
                    });
                    series.len() - 1
                });
                if let Some(found) = series.get_mut(at) {
                    found.points.push(point);
                    found.size = found.size.into_iter().chain(count).reduce(f64::max);
                }
            }
            if dated {
                series.sort_by(|a, b| a.name.cmp(&b.name));
            }
            all.extend(series);
        }
        all
    }
}
