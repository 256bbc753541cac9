//! Where the rows and columns of a map stand.

use super::{order, wide};
use crate::chart::font;
use crate::chart::frame::Look;
use crate::chart::label::Rect;
use crate::chart::number::short;
use crate::chart::period::Periods;
use crate::chart::plane;
use crate::chart::{Chart, Series, X};

/// Least height of a row and width of a column in pixels: beyond that, some are left out.
const LEAST: f64 = 4.0;

/// Where the parts of the map stand.
pub(super) struct Grid {
    /// Of the first cell.
    pub(super) left: f64,
    pub(super) top: f64,
    /// Of a cell.
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows before the first that is shown.
    pub(super) skipped: usize,
    /// Right edge of the cohorts' sizes.
    pub(super) sizes: f64,
}

impl Grid {
    pub(super) fn cell(&self, row: usize, column: usize) -> Rect {
        let left = self.left + self.width * column as f64;
        let top = self.top + self.height * row as f64;
        let gap = (self.width.min(self.height) * 0.03).clamp(0.2, 0.6);
        Rect {
            left: left + gap,
            top: top + gap,
            right: left + self.width - gap,
            bottom: top + self.height - gap,
        }
    }
}

/// A row's name and the size of its cohort, as they read.
pub(super) struct Heading {
    pub(super) name: String,
    pub(super) size: String,
}

/// The columns from left to right. Numbers that stand evenly keep the place of one that is missing.
pub(super) fn columns(chart: &Chart) -> Vec<X> {
    let mut found: Vec<X> = Vec::new();
    for point in chart.series.iter().flat_map(|s| &s.points) {
        let kind = found.first().unwrap_or(&point.x);
        let alike = std::mem::discriminant(kind) == std::mem::discriminant(&point.x);
        let real = order(&point.x).abs() <= plane::LARGEST;
        if alike && real && found.last() != Some(&point.x) && !found.contains(&point.x) {
            found.push(point.x.clone());
        }
    }
    found.sort_by(|a, b| order(a).total_cmp(&order(b)));
    let (Some(X::Number(low)), Some(X::Number(high))) = (found.first(), found.last()) else {
        return found;
    };
    let (low, high) = (*low, *high);
    let whole = found.iter().all(|x| order(x).fract() == 0.0);
    let span = high - low + 1.0;
    if whole && span <= 2.0 * found.len() as f64 {
        (0..span as usize)
            .map(|i| X::Number(low + i as f64))
            .collect()
    } else {
        found
    }
}

pub(super) fn headings(chart: &Chart) -> Vec<Heading> {
    let days: Vec<_> = chart
        .series
        .iter()
        .map(|s| crate::calendar::day(&s.name).ok())
        .collect();
    let periods = match days.iter().all(Option::is_some) {
        true => Periods::of(days.iter().copied().flatten()),
        false => None,
    };
    let heading = |(series, day): (&Series, &Option<chrono::NaiveDate>)| Heading {
        name: match (&periods, day) {
            (Some(periods), Some(day)) => periods.name(*day),
            _ => font::clean(&series.name),
        },
        size: series.size.map(short).unwrap_or_default(),
    };
    chart.series.iter().zip(&days).map(heading).collect()
}

pub(super) fn grid(
    chart: &Chart,
    headings: &[Heading],
    columns: usize,
    body: Rect,
    look: Look,
) -> Grid {
    let size = look.text.tick;
    let widest = |words: &mut dyn Iterator<Item = &str>| {
        words.map(|text| wide(text, size)).fold(0.0, f64::max)
    };
    let (names_title, sizes_title) = corner(chart);
    let most = body.width() * if look.text.narrow { 0.26 } else { 0.24 };
    let names = widest(
        &mut headings
            .iter()
            .map(|h| h.name.as_str())
            .chain([names_title]),
    )
    .min(most);
    let sized = headings.iter().any(|h| !h.size.is_empty());
    let sizes = if sized {
        widest(
            &mut headings
                .iter()
                .map(|h| h.size.as_str())
                .chain([sizes_title]),
        ) + size
    } else {
        0.0
    };
    let left = body.left + names + sizes + size * 0.7;
    let room = (body.right - left).max(1.0);
    let shown = columns.min((room / LEAST) as usize).max(1);
    let head = size * if chart.x_title.is_empty() { 1.6 } else { 3.1 };
    let top = body.top + head;
    let tall = (body.bottom - top - size * 1.8).max(LEAST);
    let rows = headings.len().min((tall / LEAST) as usize).max(1);
    let all = rows == headings.len() && shown == columns;
    let tall = if all { tall + size * 1.8 } else { tall };
    // Cohorts of days: the newest say most. Names: as they are ordered.
    let dated = chart
        .series
        .iter()
        .all(|s| crate::calendar::day(&s.name).is_ok());
    let most = if look.text.narrow { 26.0 } else { 30.0 };
    Grid {
        left,
        top,
        width: (room / shown as f64).min(most * 2.4),
        height: (tall / rows as f64).min(most),
        rows,
        columns: shown,
        skipped: if dated { headings.len() - rows } else { 0 },
        sizes: body.left + names + sizes,
    }
}

/// What stands above the names and above the sizes.
pub(super) fn corner(chart: &Chart) -> (&str, &str) {
    let sized = chart.series.iter().any(|s| s.size.is_some());
    (&chart.y_title, if sized { "Users" } else { "" })
}
