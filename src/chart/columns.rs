//! Vertical bars over days, with a line over them.

use super::axis;
use super::canvas::{Anchor, Canvas, Layer, Text};
use super::font::Weight;
use super::frame::Look;
use super::key::{Item, Key, Swatch};
use super::label::{Obstacles, Rect};
use super::line::{halo, pieces};
use super::plane::{self, Domain, Plane, Run};
use super::plot;
use super::theme::Tone;
use super::{Chart, ChartError, Mark, Role};

/// Draws the plot of a [`super::Kind::Columns`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let domain = Domain::of(chart);
    let runs = plane::runs(chart, &domain, false);
    let points = || runs.iter().flat_map(Run::values);
    let (Some(ends), Some(range)) = (
        plane::extent(points().map(|p| p.0.x)),
        plane::extent(points().map(|p| p.1)),
    ) else {
        return plot::no_data(body, look, canvas);
    };
    let first = runs
        .iter()
        .position(|run| run.role != Role::Line && run.values().next().is_some());
    let columns = first.and_then(|at| runs.get(at));
    let lines = overlays(&runs, first);
    // Under a line the columns step back.
    let tone = match columns {
        Some(run) if lines.is_empty() && run.role == Role::Subject => Tone::Subject,
        _ => Tone::Bar,
    };
    let unit = columns.map_or(1.0, narrowest);
    let ends = (ends.0 - unit * 0.5, ends.1 + unit * 0.5);
    let keyed = key(columns, &lines, tone, body, look);
    let vertical = axis::linear(range.0, range.1, false);
    let below = Rect {
        top: keyed.bottom,
        ..body
    };
    let plot = plot::lay_out(chart, below, &domain, ends, vertical, 2.0, look);
    plot.draw(chart, &domain, look, canvas)?;

    let mut obstacles = Obstacles::new(Rect {
        bottom: plot.plane.area.bottom,
        ..below
    });
    let boxes = columns.map_or_else(Vec::new, |run| bars(run, unit, &plot.plane));
    boxes.iter().for_each(|(area, _)| obstacles.add_box(*area));
    canvas.layer("", |layer| {
        boxes
            .iter()
            .try_for_each(|(area, mark)| bar(layer, *area, *mark, tone, look))?;
        keyed.draw(layer, look)
    })?;
    draw_lines(&lines, &plot.plane, look, canvas, &mut obstacles)?;
    plot.avoid(chart, &domain, &mut obstacles);
    let mut texts = plot.reference_labels(chart, &domain, look, &mut obstacles);
    texts.extend(notes(columns, &lines, &plot.plane, look, &mut obstacles));
    texts.extend(keyed.texts);
    canvas.layer(&halo(look), |layer| {
        texts.iter().try_for_each(|t| layer.text(t))
    })
}

/// Every series but the columns, with its colour.
fn overlays(runs: &[Run], columns: Option<usize>) -> Vec<(&Run, Tone)> {
    let others = runs
        .iter()
        .enumerate()
        .filter(|(i, run)| Some(*i) != columns && run.values().next().is_some());
    let tone = |n: usize| n.checked_sub(1).map_or(Tone::Subject, Tone::Rival);
    others
        .enumerate()
        .map(|(n, (_, run))| (run, tone(n)))
        .collect()
}

/// The least distance between two columns.
pub(super) fn narrowest(run: &Run) -> f64 {
    let steps = run
        .dots
        .iter()
        .zip(run.dots.iter().skip(1))
        .map(|(a, b)| b.x - a.x)
        .filter(|step| *step > 0.0);
    let least = steps.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

/// The boxes of the columns; one that stands for zero has none.
pub(super) fn bars(run: &Run, unit: f64, plane: &Plane) -> Vec<(Rect, Mark)> {
    let zero = plane.down(0.0);
    let pitch = plane.length(unit);
    let half = (pitch * 0.4).clamp(0.5, 40.0);
    let column = |(dot, y): (&plane::Dot, f64)| {
        let (x, y) = (plane.across(dot.x), plane.down(y));
        (
            Rect {
                left: x - half,
                top: y.min(zero),
                right: x + half,
                bottom: y.max(zero),
            },
            dot.mark,
        )
    };
    run.values()
        .map(column)
        .filter(|(area, _)| area.height() > 0.0)
        .collect()
}

/// One column, as its mark has it drawn.
pub(super) fn bar(
    layer: &Layer<'_>,
    area: Rect,
    mark: Mark,
    tone: Tone,
    look: Look,
) -> Result<(), ChartError> {
    let colour = look.colour(tone);
    let line = look.colour(if tone == Tone::Bar { Tone::Faint } else { tone });
    match mark {
        Mark::Computed | Mark::Statement => layer.rect(area, colour),
        Mark::Unfinished => layer.hatch(area, line),
        Mark::Interpolated => layer.outline(area, colour, look.text.pen),
        Mark::Artefact => layer.outline(area, line, look.text.pen),
    }
}

fn draw_lines(
    lines: &[(&Run, Tone)],
    plane: &Plane,
    look: Look,
    canvas: &mut Canvas,
    obstacles: &mut Obstacles,
) -> Result<(), ChartError> {
    let width = look.text.pen * 2.4;
    let all: Vec<_> = lines
        .iter()
        .map(|(run, tone)| (pieces(&run.dots, plane), look.colour(*tone)))
        .collect();
    for (pieces, _) in &all {
        pieces
            .solid
            .iter()
            .chain(&pieces.dashed)
            .for_each(|path| obstacles.add_path(path));
    }
    canvas.layer("stroke-dasharray=\"40 30\"", |layer| {
        all.iter().try_for_each(|(p, colour)| {
            p.dashed
                .iter()
                .try_for_each(|path| layer.path(path, *colour, width))
        })
    })?;
    canvas.layer(
        "stroke-linejoin=\"round\" stroke-linecap=\"round\"",
        |layer| {
            all.iter().try_for_each(|(p, colour)| {
                p.solid
                    .iter()
                    .try_for_each(|path| layer.path(path, *colour, width))?;
                p.alone
                    .iter()
                    .try_for_each(|place| layer.disc(*place, width, *colour))
            })
        },
    )
}

/// The notes of columns and line points, where there is room.
fn notes(
    columns: Option<&Run>,
    lines: &[(&Run, Tone)],
    plane: &Plane,
    look: Look,
    obstacles: &mut Obstacles,
) -> Vec<Text> {
    let mut texts = Vec::new();
    let runs = columns
        .map(|run| (run, Tone::Faint))
        .into_iter()
        .chain(lines.iter().copied());
    for (run, tone) in runs {
        let template = text(String::new(), 0.0, 0.0, look, tone);
        for dot in &run.dots {
            if let (Some(label), Some(at)) = (&dot.label, plane.place(dot)) {
                let candidates =
                    plot::point_label(label, at, 4.0, &template, plane.area.width() * 0.5);
                texts.extend(obstacles.take(candidates, Text::bounds));
            }
        }
    }
    texts
}

fn text(words: String, x: f64, baseline: f64, look: Look, tone: Tone) -> Text {
    Text {
        text: words,
        x,
        baseline,
        anchor: Anchor::Start,
        size: look.text.tick,
        weight: Weight::Regular,
        colour: look.colour(tone),
    }
}

/// A key of what the columns and lines are, and of the marks that occur; at most two rows.
fn key(columns: Option<&Run>, lines: &[(&Run, Tone)], tone: Tone, body: Rect, look: Look) -> Key {
    let has = |mark: Mark| columns.is_some_and(|run| run.values().any(|(dot, _)| dot.mark == mark));
    let mut items: Vec<Item> = Vec::new();
    if let Some(run) = columns {
        let swatch = Swatch::Bar(tone, Mark::Computed);
        items.push((swatch, run.name.clone(), Tone::Soft));
    }
    items.extend(
        lines
            .iter()
            .map(|(run, tone)| (Swatch::Line(*tone), run.name.clone(), *tone)),
    );
    for (mark, words) in [
        (Mark::Unfinished, "not over yet"),
        (Mark::Artefact, "artefact, not growth"),
        (Mark::Interpolated, "interpolated"),
    ] {
        if has(mark) {
            items.push((Swatch::Bar(tone, mark), words.to_owned(), Tone::Soft));
        }
    }
    Key::of(items, 2, body, look)
}
