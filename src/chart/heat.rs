//! Cohorts as a map: a row a cohort, a column an age, a cell the share that is still there.

mod grid;
mod words;

use super::axis;
use super::canvas::{Anchor, Canvas, Layer, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::label::Rect;
use super::number::short;
use super::plane;
use super::plot;
use super::theme::{INVERTED, STEPS, Tone};
use super::{Chart, ChartError, Mark, Point, X};
use grid::{Grid, columns, grid, headings};
use words::titles;

/// Least size of the numbers in the cells; what is smaller is not read but only coloured.
const SMALLEST: f64 = 8.5;

/// The values of the scale's ends; the same for all panels of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// From the lowest to the highest value, from zero where that is near. The first column does not count where
    /// it is the whole of every cohort: it would leave the rest without differences.
    pub(super) fn of(chart: &Chart) -> Option<Self> {
        let cells = || {
            let points = chart.series.iter().flat_map(|s| &s.points);
            points.filter_map(|p| Some((&p.x, drawn(p)?)))
        };
        let whole = Whole::of(chart);
        let counted = cells().filter(|(x, y)| !whole.holds(x, *y)).map(|c| c.1);
        let (low, high) =
            plane::extent(counted).or_else(|| plane::extent(cells().map(|cell| cell.1)))?;
        let low = if low > 0.0 && low < high * 0.4 {
            0.0
        } else {
            low
        };
        Some(Self { low, high })
    }

    fn step(&self, value: f64) -> usize {
        let span = self.high - self.low;
        if span <= 0.0 {
            return STEPS / 2;
        }
        let share = ((value - self.low) / span).clamp(0.0, 1.0);
        ((share * STEPS as f64) as usize).min(STEPS - 1)
    }
}

/// The first column of a retention map, where every cohort is all there: 100 %.
struct Whole(Option<X>);

impl Whole {
    fn of(chart: &Chart) -> Self {
        let points = || chart.series.iter().flat_map(|s| &s.points);
        let first = points()
            .map(|p| &p.x)
            .min_by(|a, b| order(a).total_cmp(&order(b)));
        let all = chart.y_unit == "%"
            && points()
                .filter(|p| Some(&p.x) == first)
                .filter_map(|p| p.y)
                .all(|y| y == 100.0);
        Self(first.filter(|_| all).cloned())
    }

    fn holds(&self, x: &X, y: f64) -> bool {
        self.0.as_ref() == Some(x) && y == 100.0
    }
}

/// The value of a cell, if it is one that can be drawn.
fn drawn(point: &Point) -> Option<f64> {
    point.y.filter(|y| y.abs() <= plane::LARGEST)
}

/// Where a column stands among the others; names keep the order in which they come.
fn order(x: &X) -> f64 {
    match x {
        X::Number(number) => *number,
        X::Day(day) => axis::day_number(*day),
        X::Name(_) => 0.0,
    }
}

/// Draws one panel of a [`super::Kind::Heat`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    scale: Option<Scale>,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let columns = columns(chart);
    let (Some(scale), false) = (scale, columns.is_empty()) else {
        return plot::no_data(body, look, canvas);
    };
    let headings = headings(chart);
    let grid = grid(chart, &headings, columns.len(), body, look);
    let whole = Whole::of(chart);
    let numbers = number_size(chart, &grid, look);
    let mut texts = titles(chart, &headings, &columns, &grid, body, look);
    canvas.layer("", |layer| {
        for (row, series) in chart.series.iter().skip(grid.skipped).enumerate() {
            let mut filled = vec![false; columns.len()];
            for point in &series.points {
                let column = columns.iter().position(|x| *x == point.x);
                let (Some(column), Some(value)) = (column, drawn(point)) else {
                    continue;
                };
                if row >= grid.rows || column >= grid.columns {
                    continue;
                }
                // A second value for a cell would cover the first.
                if filled
                    .get_mut(column)
                    .is_none_or(|f| std::mem::replace(f, true))
                {
                    continue;
                }
                let cell = grid.cell(row, column);
                let tone = if whole.holds(&point.x, value) {
                    None
                } else {
                    Some(scale.step(value))
                };
                let ink = fill(layer, cell, tone, point.mark, look)?;
                if let Some(size) = numbers.filter(|s| wide(&read(value), *s) < grid.width) {
                    texts.push(Text {
                        text: read(value),
                        x: (cell.left + cell.right) / 2.0,
                        baseline: (cell.top + cell.bottom) / 2.0 + size * 0.36,
                        anchor: Anchor::Middle,
                        size,
                        weight: Weight::Regular,
                        colour: look.colour(ink),
                    });
                }
            }
        }
        Ok(())
    })?;
    canvas.layer("", |layer| texts.iter().try_for_each(|t| layer.text(t)))
}

/// Fills a cell and says in which colour its number is read. What is not finished is framed, not filled: a part
/// of the cohort has not had the time yet. What is whole by definition has no colour of the scale.
fn fill(
    layer: &Layer<'_>,
    cell: Rect,
    step: Option<usize>,
    mark: Mark,
    look: Look,
) -> Result<Tone, ChartError> {
    match (mark, step) {
        (Mark::Unfinished, _) => {
            layer.outline(cell, look.colour(Tone::Axis), look.text.pen)?;
            Ok(Tone::Soft)
        }
        (_, None) => {
            layer.rect(cell, look.colour(Tone::Grid))?;
            Ok(Tone::Soft)
        }
        (_, Some(step)) => {
            layer.rect(cell, look.colour(Tone::Heat(step)))?;
            Ok(if step < INVERTED {
                Tone::Ink
            } else {
                Tone::Paper
            })
        }
    }
}

fn wide(text: &str, size: f64) -> f64 {
    font::width(text, size, Weight::Regular)
}

/// The size of the cells' numbers: as large as lets the widest fit, or none at all.
fn number_size(chart: &Chart, grid: &Grid, look: Look) -> Option<f64> {
    let whole = Whole::of(chart);
    let points = chart.series.iter().flat_map(|s| &s.points);
    let widest = points
        .filter_map(|p| drawn(p).filter(|y| !whole.holds(&p.x, *y)))
        .map(|y| wide(&read(y), 1.0))
        .fold(0.0, f64::max);
    let fits = |size: f64| {
        let (across, down) = (widest * size + 3.0, size * 1.3);
        across <= grid.width && down <= grid.height
    };
    let sizes = (0..80).map(|i| look.text.tick - 0.25 * f64::from(i));
    sizes
        .take_while(|size| *size >= SMALLEST)
        .find(|size| fits(*size))
}

/// A value in a cell: two digits where there is something to say, so that columns stay narrow.
fn read(value: f64) -> String {
    if value.abs() >= 1000.0 {
        return short(value);
    }
    let rounded = if value.abs() < 9.95 {
        (value * 10.0).round() / 10.0
    } else {
        value.round()
    };
    format!("{}", rounded + 0.0)
}

/// The scale's colours with its ends, and what a frame means; returns where the map may begin.
pub(super) fn key(
    chart: &Chart,
    scale: Option<Scale>,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<f64, ChartError> {
    let Some(scale) = scale else {
        return Ok(body.top);
    };
    let size = look.text.tick;
    let unit = if chart.y_unit == "%" {
        "\u{202F}%".to_owned()
    } else if chart.y_unit.is_empty() {
        String::new()
    } else {
        format!(" {}", font::clean(&chart.y_unit))
    };
    let text = |words: String, x: f64| Text {
        text: words,
        x,
        baseline: body.top + size * 0.87,
        anchor: Anchor::Start,
        size,
        weight: Weight::Regular,
        colour: look.colour(Tone::Soft),
    };
    let low = text(format!("{}{unit}", read(scale.low)), body.left);
    let (wide, tall) = (size * 1.5, size * 0.95);
    let from = low.bounds().right + size * 0.5;
    let high = text(
        format!("{}{unit}", read(scale.high)),
        from + wide * STEPS as f64 + size * 0.5,
    );
    let framed = Rect {
        left: high.bounds().right + size * 1.8,
        top: body.top,
        right: high.bounds().right + size * 1.8 + wide,
        bottom: body.top + tall,
    };
    let words = text("unfinished".to_owned(), framed.right + size * 0.5);
    let unfinished = chart
        .series
        .iter()
        .flat_map(|s| &s.points)
        .any(|p| p.mark == Mark::Unfinished && p.y.is_some());
    let fits = |text: &Text| text.bounds().right <= body.right;
    canvas.layer("", |layer| {
        if !fits(&high) {
            return Ok(());
        }
        for step in 0..STEPS {
            let left = from + wide * step as f64;
            let area = Rect {
                left,
                top: body.top,
                right: left + wide,
                bottom: body.top + tall,
            };
            layer.rect(area, look.colour(Tone::Heat(step)))?;
        }
        layer.text(&low)?;
        layer.text(&high)?;
        if unfinished && fits(&words) {
            layer.outline(framed, look.colour(Tone::Axis), look.text.pen)?;
            layer.text(&words)?;
        }
        Ok(())
    })?;
    Ok(body.top + size * 2.0)
}
