//! Cohorts as a map: a row a cohort, a column an age, a cell the share that is still there.

use super::axis;
use super::canvas::{Anchor, Canvas, Layer, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::label::Rect;
use super::number::short;
use super::period::Periods;
use super::plane;
use super::plot;
use super::theme::{INVERTED, STEPS, Tone};
use super::{Chart, ChartError, Mark, Point, X};

/// Least height of a row and width of a column in pixels: beyond that, some are left out.
const LEAST: f64 = 4.0;
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

/// Where the parts of the map stand.
struct Grid {
    /// Of the first cell.
    left: f64,
    top: f64,
    /// Of a cell.
    width: f64,
    height: f64,
    rows: usize,
    columns: usize,
    /// Rows before the first that is shown.
    skipped: usize,
    /// Right edge of the cohorts' sizes.
    sizes: f64,
}

impl Grid {
    fn cell(&self, row: usize, column: usize) -> Rect {
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
struct Heading {
    name: String,
    size: String,
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

/// The columns from left to right. Numbers that stand evenly keep the place of one that is missing.
fn columns(chart: &Chart) -> Vec<X> {
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

fn headings(chart: &Chart) -> Vec<Heading> {
    let days: Vec<_> = chart
        .series
        .iter()
        .map(|s| crate::calendar::day(&s.name).ok())
        .collect();
    let periods = match days.iter().all(Option::is_some) {
        true => Periods::of(days.iter().copied().flatten()),
        false => None,
    };
    let heading = |(series, day): (&super::Series, &Option<chrono::NaiveDate>)| Heading {
        name: match (&periods, day) {
            (Some(periods), Some(day)) => periods.name(*day),
            _ => font::clean(&series.name),
        },
        size: series.size.map(short).unwrap_or_default(),
    };
    chart.series.iter().zip(&days).map(heading).collect()
}

fn wide(text: &str, size: f64) -> f64 {
    font::width(text, size, Weight::Regular)
}

fn grid(chart: &Chart, headings: &[Heading], columns: usize, body: Rect, look: Look) -> Grid {
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
fn corner(chart: &Chart) -> (&str, &str) {
    let sized = chart.series.iter().any(|s| s.size.is_some());
    (&chart.y_title, if sized { "Users" } else { "" })
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

/// The titles, the names and sizes of the rows, the numbers of the columns, and what was left out.
fn titles(
    chart: &Chart,
    headings: &[Heading],
    columns: &[X],
    grid: &Grid,
    body: Rect,
    look: Look,
) -> Vec<Text> {
    let size = look.text.tick;
    let text = |words: &str, x: f64, baseline: f64, anchor: Anchor, tone: Tone| Text {
        text: words.to_owned(),
        x,
        baseline,
        anchor,
        size,
        weight: Weight::Regular,
        colour: look.colour(tone),
    };
    let mut texts = Vec::new();
    let names = grid.sizes - body.left;
    // The room was measured for these words: sums of fractions must not cut them.
    let fitted = |words: &str, room: f64| font::ellipsise(words, size, Weight::Regular, room + 0.1);
    let title = fitted(&font::clean(&chart.x_title), body.right - grid.left);
    texts.push(text(
        &title,
        grid.left,
        grid.top - size * 1.9,
        Anchor::Start,
        Tone::Faint,
    ));
    let (names_title, sizes_title) = corner(chart);
    let above = grid.top - size * 0.5;
    let sizes_room = wide(sizes_title, size);
    texts.push(text(
        &fitted(
            names_title,
            names - sizes_room - size * if sizes_room > 0.0 { 0.5 } else { 0.0 },
        ),
        body.left,
        above,
        Anchor::Start,
        Tone::Faint,
    ));
    texts.push(text(
        sizes_title,
        grid.sizes,
        above,
        Anchor::End,
        Tone::Faint,
    ));

    texts.extend(ages(columns, grid, body, above, look));
    texts.extend(row_names(headings, grid, body, look));
    let mut missing = Vec::new();
    let hidden = headings.len() - grid.rows;
    if hidden > 0 {
        let which = if grid.skipped > 0 { "earlier " } else { "" };
        missing.push(format!("{hidden} {which}rows"));
    }
    if columns.len() > grid.columns {
        missing.push(format!("{} further columns", columns.len() - grid.columns));
    }
    if !missing.is_empty() {
        let words = format!("Not shown: {}", missing.join(", "));
        let foot = grid.top + grid.height * grid.rows as f64 + size * 1.5;
        texts.push(text(
            &fitted(&words, body.width()),
            body.left,
            foot,
            Anchor::Start,
            Tone::Faint,
        ));
    }
    texts
}

/// The names and sizes of the rows: smaller where the rows are low, and every second or third where they are
/// lower still.
fn row_names(headings: &[Heading], grid: &Grid, body: Rect, look: Look) -> Vec<Text> {
    let smallest = look.text.tick.min(SMALLEST + 1.0);
    let size = (grid.height / 1.18).clamp(smallest, look.text.tick);
    let every = (size * 1.17 / grid.height).ceil().max(1.0) as usize;
    let text = |(row, words, x, anchor, tone): (usize, String, f64, Anchor, Tone)| Text {
        text: words,
        x,
        baseline: grid.top + grid.height * (row as f64 + 0.5) + size * 0.36,
        anchor,
        size,
        weight: Weight::Regular,
        colour: look.colour(tone),
    };
    let shown = headings.iter().skip(grid.skipped).take(grid.rows);
    shown
        .enumerate()
        .step_by(every)
        .flat_map(|(row, heading)| {
            let taken = match heading.size.as_str() {
                "" => 0.0,
                words => wide(words, size) + size,
            };
            let room = grid.sizes - body.left - taken + 0.1;
            let name = font::ellipsise(&heading.name, size, Weight::Regular, room);
            [
                (row, name, body.left, Anchor::Start, Tone::Ink),
                (
                    row,
                    heading.size.clone(),
                    grid.sizes,
                    Anchor::End,
                    Tone::Faint,
                ),
            ]
        })
        .map(text)
        .collect()
}

/// The labels of the columns: as many, evenly chosen, as stand clear of each other.
fn ages(columns: &[X], grid: &Grid, body: Rect, baseline: f64, look: Look) -> Vec<Text> {
    let size = look.text.tick;
    let words = |x: &X| match x {
        X::Number(number) => short(*number),
        X::Day(day) => axis::day_label(*day),
        X::Name(name) => font::ellipsise(
            &font::clean(name),
            size,
            Weight::Regular,
            grid.width.max(size * 3.0) - 2.0,
        ),
    };
    let label = |(i, x): (usize, &X)| Text {
        text: words(x),
        x: grid.left + grid.width * (i as f64 + 0.5),
        baseline,
        anchor: Anchor::Middle,
        size,
        weight: Weight::Regular,
        colour: look.colour(Tone::Faint),
    };
    for every in [1, 2, 4, 5, 10, 20, 50, 100] {
        let shown = columns.iter().take(grid.columns).enumerate();
        let labels: Vec<Text> = shown.step_by(every).map(label).collect();
        let mut edge = grid.sizes;
        let clear = labels.iter().map(Text::bounds).all(|area| {
            let clear = area.left > edge + size * 0.3 && area.right <= body.right + 1.0;
            edge = area.right;
            clear
        });
        if clear {
            return labels;
        }
    }
    Vec::new()
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
