//! Bars over numbers: how many users were active on so many days.

use super::axis;
use super::canvas::{Anchor, Canvas, Text};
use super::columns;
use super::font::{self, Weight};
use super::frame::Look;
use super::key::{Key, Swatch};
use super::label::{Obstacles, Rect};
use super::line::halo;
use super::plane::{self, Domain, Dot, Plane};
use super::plot;
use super::theme::Tone;
use super::{Chart, ChartError, Mark};

/// Draws one panel of a [`super::Kind::Histogram`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let domain = Domain::of_bars(chart);
    let runs = plane::runs(chart, &domain, false);
    let run = runs.iter().find(|run| run.values().next().is_some());
    let Some((run, ends, range)) = run.and_then(|run| {
        let ends = plane::extent(run.values().map(|(dot, _)| dot.x))?;
        Some((run, ends, plane::extent(run.values().map(|(_, y)| y))?))
    }) else {
        return plot::no_data(body, look, canvas);
    };
    let half = domain.unit() / 2.0;
    let unfinished = run.values().any(|(dot, _)| dot.mark == Mark::Unfinished);
    let items = unfinished.then(|| {
        let swatch = Swatch::Bar(Tone::Subject, Mark::Unfinished);
        (swatch, "not over yet".to_owned(), Tone::Soft)
    });
    let key = Key::of(items.into_iter().collect(), 1, body, look);
    let below = Rect {
        top: key.bottom,
        ..body
    };
    let labelled = run.dots.iter().any(|dot| dot.label.is_some());
    let vertical = axis::linear(range.0, range.1 * if labelled { 1.07 } else { 1.0 }, false);
    let ends = (ends.0 - half, ends.1 + half);
    let plot = plot::lay_out(chart, below, &domain, ends, vertical, 2.0, look);
    plot.draw(chart, &domain, look, canvas)?;

    let mut obstacles = Obstacles::new(Rect {
        bottom: plot.plane.area.bottom,
        ..below
    });
    let boxes = columns::bars(run, domain.unit(), &plot.plane);
    boxes.iter().for_each(|(area, _)| obstacles.add_box(*area));
    canvas.layer("", |layer| {
        boxes
            .iter()
            .try_for_each(|(area, mark)| columns::bar(layer, *area, *mark, Tone::Subject, look))?;
        key.draw(layer, look)
    })?;
    plot.avoid_ticks(&mut obstacles);
    let pitch = plot.plane.length(domain.unit());
    let mut texts = key.texts;
    texts.extend(notes(run, &plot.plane, pitch, look, &mut obstacles));
    canvas.layer(&halo(look), |layer| {
        texts.iter().try_for_each(|t| layer.text(t))
    })
}

/// The labels of the bars where every one fits above its own; else those of the first, the last and the highest.
fn notes(
    run: &plane::Run,
    plane: &Plane,
    pitch: f64,
    look: Look,
    obstacles: &mut Obstacles,
) -> Vec<Text> {
    let labelled: Vec<(&Dot, &String)> = run
        .dots
        .iter()
        .filter_map(|dot| Some((dot, dot.label.as_ref()?)))
        .collect();
    let size = look.text.tick;
    let widest = labelled
        .iter()
        .map(|(_, label)| font::width(label, size, Weight::Regular))
        .fold(0.0, f64::max);
    let highest = run.values().max_by(|a, b| a.1.total_cmp(&b.1));
    let (first, last) = (run.values().next(), run.values().next_back());
    let chosen = |dot: &Dot| {
        let at = |end: Option<(&Dot, f64)>| end.is_some_and(|(end, _)| end.x == dot.x);
        widest + size * 0.3 <= pitch || at(highest) || at(first) || at(last)
    };
    let place = |(dot, label): (&Dot, &String)| {
        let (x, y) = plane.place(dot)?;
        let above = y.min(plane.down(0.0)) - size * 0.4;
        let text = |anchor, x| Text {
            text: label.clone(),
            x,
            baseline: above,
            anchor,
            size,
            weight: Weight::Regular,
            colour: look.colour(Tone::Soft),
        };
        let spots = [
            text(Anchor::Middle, x),
            text(Anchor::Start, x - pitch * 0.4),
            text(Anchor::End, x + pitch * 0.4),
        ];
        obstacles.take(spots, Text::bounds)
    };
    labelled
        .into_iter()
        .filter(|(dot, _)| chosen(dot))
        .filter_map(place)
        .collect()
}
