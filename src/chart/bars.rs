//! Ranked horizontal bars, always from zero, each with its value at its end.

use std::cmp::Ordering;

use super::axis;
use super::canvas::{Anchor, Canvas, Layer, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::label::Rect;
use super::number::short;
use super::plane;
use super::plot;
use super::theme::Tone;
use super::{Chart, ChartError, Mark, Point, Role, X};

/// One bar.
struct Row {
    name: String,
    value: Option<f64>,
    mark: Mark,
    strong: bool,
    note: String,
}

/// Where the parts of the rows stand.
struct Grid {
    pitch: f64,
    /// Left edge of the bars' room and its width up to the longest bar's end.
    left: f64,
    width: f64,
    /// Where zero stands in that room, from 0 to 1, and how much one unit of value takes of it.
    zero: f64,
    per: f64,
    stacked: bool,
    notes: bool,
}

/// Draws the plot of a [`super::Kind::Bars`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let mut rows = rows(chart);
    if rows.iter().all(|row| row.value.is_none()) {
        return plot::no_data(body, look, canvas);
    }
    let least = look.text.label * 1.3;
    let most = ((body.height() / least) as usize).max(1);
    let hidden = shorten(&mut rows, most);
    let shown = rows.len() + usize::from(hidden > 0);
    let pitch = (body.height() / shown as f64)
        .min(look.text.label * if look.text.narrow { 4.2 } else { 3.2 });
    let grid = grid(&rows, pitch, body, look);
    let mut texts = Vec::new();
    canvas.layer("", |layer| {
        for (i, row) in rows.iter().enumerate() {
            let top = body.top + pitch * i as f64;
            texts.extend(draw_row(row, top, &grid, body, look, layer)?);
        }
        let zero = grid.left + grid.zero * grid.width;
        let foot = body.top + pitch * rows.len() as f64;
        // Where the names stand in its way, each bar draws its own piece of the base line.
        if grid.stacked {
            return Ok(());
        }
        layer.path(
            &[(zero, body.top), (zero, foot)],
            look.colour(Tone::Axis),
            look.text.pen,
        )
    })?;
    if hidden > 0 {
        let words = format!("… and {hidden} more, smaller or without a figure");
        let baseline = body.top + pitch * (rows.len() as f64 + 0.5) + look.text.label * 0.36;
        let room = body.width();
        let words = font::ellipsise(&words, look.text.tick, Weight::Regular, room);
        texts.push(text(
            words,
            body.left,
            baseline,
            look.text.tick,
            Weight::Regular,
            Tone::Faint,
            look,
        ));
    }
    canvas.layer("", |layer| texts.iter().try_for_each(|t| layer.text(t)))
}

fn text(
    words: String,
    x: f64,
    baseline: f64,
    size: f64,
    weight: Weight,
    tone: Tone,
    look: Look,
) -> Text {
    Text {
        text: words,
        x,
        baseline,
        anchor: Anchor::Start,
        size,
        weight,
        colour: look.colour(tone),
    }
}

/// The bars, largest first, those without a figure last.
fn rows(chart: &Chart) -> Vec<Row> {
    let mut rows = Vec::new();
    for series in &chart.series {
        let single = series.points.len() == 1 && chart.series.len() > 1;
        for point in &series.points {
            let name = if single {
                series.name.clone()
            } else {
                point_name(point, &series.name)
            };
            rows.push(Row {
                name: font::clean(&name),
                value: point.y.filter(|y| y.abs() <= plane::LARGEST),
                mark: point.mark,
                strong: series.role == Role::Subject,
                note: point.label.as_deref().map(font::clean).unwrap_or_default(),
            });
        }
    }
    rows.sort_by(|a, b| match (a.value, b.value) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (None, None) => Ordering::Equal,
    });
    rows
}

fn point_name(point: &Point, series: &str) -> String {
    match &point.x {
        X::Name(name) if !name.is_empty() => name.clone(),
        X::Name(_) => series.to_owned(),
        X::Day(day) => axis::long_day(*day),
        X::Number(number) => short(*number),
    }
}

/// Keeps the first `most` rows, one of them for the words that count the others, and the subject always.
fn shorten(rows: &mut Vec<Row>, most: usize) -> usize {
    if rows.len() <= most {
        return 0;
    }
    let keep = most.saturating_sub(1).max(1);
    let hidden = rows.len() - keep;
    let subject = rows
        .iter()
        .position(|row| row.strong)
        .filter(|at| *at >= keep);
    if let Some(at) = subject {
        let row = rows.remove(at);
        rows.truncate(keep - 1);
        rows.push(row);
    } else {
        rows.truncate(keep);
    }
    hidden
}

/// Finds the scale at which every bar and the words at its end fit.
fn grid(rows: &[Row], pitch: f64, body: Rect, look: Look) -> Grid {
    let size = look.text.label;
    let stacked = look.text.narrow && pitch >= size * 2.35;
    let name_room = body.width() * if look.text.narrow { 0.32 } else { 0.26 };
    let widest = rows
        .iter()
        .map(|r| font::width(&r.name, size, weight(r)))
        .fold(0.0, f64::max)
        .min(name_room);
    let left = if stacked {
        body.left
    } else {
        body.left + widest + size * 0.7
    };
    let (low, high) = plane::extent(rows.iter().filter_map(|r| r.value)).unwrap_or((0.0, 0.0));
    let (low, high) = (low.min(0.0), high.max(0.0));
    let span = if high > low { high - low } else { 1.0 };
    let (zero, per) = (-low / span, 1.0 / span);
    let room = body.right - left;
    let width_for = |notes: bool| {
        let fit = rows.iter().map(|row| {
            let end = zero + row.value.unwrap_or(0.0).max(0.0) * per;
            let words = end_width(row, notes && !stacked, look);
            if end > 0.0 {
                (room - words).max(0.0) / end
            } else {
                room
            }
        });
        fit.fold(room, f64::min)
    };
    let with = width_for(true);
    let notes = stacked || with >= room * 0.4;
    let width = if notes {
        with
    } else {
        width_for(false).max(room * 0.2)
    };
    Grid {
        pitch,
        left,
        width,
        zero,
        per,
        stacked,
        notes,
    }
}

fn weight(row: &Row) -> Weight {
    if row.strong {
        Weight::SemiBold
    } else {
        Weight::Regular
    }
}

fn value_words(row: &Row) -> String {
    match (row.value, row.mark) {
        (Some(value), Mark::Unfinished) => format!("{} so far", short(value)),
        (Some(value), _) => short(value),
        (None, _) => "no figure".to_owned(),
    }
}

/// Width of the value, and of the note if it stands behind it.
fn end_width(row: &Row, note: bool, look: Look) -> f64 {
    let size = look.text.label;
    let value = size * 0.5 + font::width(&value_words(row), size, weight(row));
    if note && !row.note.is_empty() {
        value + size * 0.6 + font::width(&row.note, look.text.footer, Weight::Regular)
    } else {
        value
    }
}

fn draw_row(
    row: &Row,
    top: f64,
    grid: &Grid,
    body: Rect,
    look: Look,
    layer: &Layer<'_>,
) -> Result<Vec<Text>, ChartError> {
    let size = look.text.label;
    let words = |s: String, x: f64, middle: f64| {
        text(
            s,
            x,
            middle + size * 0.36,
            size,
            weight(row),
            Tone::Ink,
            look,
        )
    };
    let note = |s: String, x: f64, middle: f64| {
        text(
            s,
            x,
            middle + size * 0.36,
            look.text.footer,
            Weight::Regular,
            Tone::Faint,
            look,
        )
    };
    let name_middle = if grid.stacked {
        top + size * 0.65
    } else {
        top + grid.pitch / 2.0
    };
    let thick = if grid.stacked {
        grid.pitch - size * 1.75
    } else {
        grid.pitch * 0.68
    }
    .min(size * 1.9);
    let middle = if grid.stacked {
        top + size * 1.3 + thick / 2.0
    } else {
        name_middle
    };
    let name_room = if grid.stacked {
        body.width()
    } else {
        grid.left - body.left - size * 0.6
    };
    let name = font::ellipsise(&row.name, size, weight(row), name_room);
    let name_end = body.left + font::width(&name, size, weight(row)) + size * 0.6;
    let mut texts = Vec::new();
    if grid.stacked {
        let rest = font::ellipsise(
            &row.note,
            look.text.footer,
            Weight::Regular,
            body.right - name_end,
        );
        texts.push(note(rest, name_end, name_middle));
        texts.push(words(name, body.left, name_middle));
    } else {
        let right = grid.left - size * 0.6;
        texts.push(Text {
            anchor: Anchor::End,
            ..words(name, right, name_middle)
        });
    }

    let zero = grid.left + grid.zero * grid.width;
    let end = zero + row.value.unwrap_or(0.0) * grid.per * grid.width;
    let area = Rect {
        left: zero.min(end),
        top: middle - thick / 2.0,
        right: zero.max(end),
        bottom: middle + thick / 2.0,
    };
    bar(row, area, look, layer)?;
    if grid.stacked {
        let base = [(zero, area.top - 1.0), (zero, area.bottom + 1.0)];
        layer.path(&base, look.colour(Tone::Axis), look.text.pen)?;
    }
    let value = words(value_words(row), area.right + size * 0.4, middle);
    let after = value.bounds().right + size * 0.6;
    if grid.notes && !grid.stacked {
        let rest = font::ellipsise(
            &row.note,
            look.text.footer,
            Weight::Regular,
            body.right - after,
        );
        texts.push(note(rest, after, middle));
    }
    texts.push(value);
    Ok(texts)
}

fn bar(row: &Row, area: Rect, look: Look, layer: &Layer<'_>) -> Result<(), ChartError> {
    if area.width() < 0.05 {
        return Ok(());
    }
    let colour = look.colour(if row.strong { Tone::Subject } else { Tone::Bar });
    let line = look.colour(if row.strong {
        Tone::Subject
    } else {
        Tone::Faint
    });
    match row.mark {
        Mark::Statement | Mark::Computed => layer.rect(area, colour),
        Mark::Interpolated => layer.outline(area, colour, look.text.pen * 1.5),
        Mark::Unfinished => layer.hatch(area, line),
        Mark::Artefact => layer.outline(area, line, look.text.pen),
    }
}
