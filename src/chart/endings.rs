//! The names at the ends of the lines, in place of a legend.

use super::Mark;
use super::canvas::{Anchor, Text};
use super::font;
use super::frame::Look;
use super::label::{self, Obstacles, Rect};
use super::line::{Strand, natural_width};
use super::number::short;
use super::plane::{Place, Plane};
use super::plot;
use super::theme::Tone;

/// Share of the width within which a line counts as reaching the right edge.
const NEAR: f64 = 0.1;
/// Height of a line of label, as a share of its size.
const LEADING: f64 = 1.22;

/// A line from a series' end to its label, and its colour.
pub(super) type Leader = (Vec<Place>, Tone);

/// A label that waits for its place.
struct Ending<'a> {
    strand: &'a Strand,
    name: &'a str,
    value: String,
    end: Place,
    y: f64,
}

impl Ending<'_> {
    /// The label in one line, or its name above its value.
    fn lines(&self, look: Look, room: f64, two: bool) -> Vec<String> {
        let (size, weight) = (look.text.label, self.strand.weight());
        // The room was measured for these words: sums of fractions must not cut them.
        let room = room + 0.1;
        let whole = join(self.name, &self.value);
        if font::width(&whole, size, weight) <= room {
            return vec![whole];
        }
        if two {
            let lines = font::wrap(&whole, size, weight, room, 3);
            if lines.last().is_some_and(|last| last.ends_with(&self.value)) {
                return lines;
            }
            return vec![
                font::ellipsise(self.name, size, weight, room),
                font::ellipsise(&self.value, size, weight, room),
            ];
        }
        let tail = format!(" {}", self.value);
        let head = font::ellipsise(
            self.name,
            size,
            weight,
            room - font::width(&tail, size, weight),
        );
        vec![font::ellipsise(
            &join(&head, &self.value),
            size,
            weight,
            room,
        )]
    }

    fn texts(
        &self,
        lines: &[String],
        x: f64,
        centre: f64,
        anchor: Anchor,
        look: Look,
    ) -> Vec<Text> {
        let size = look.text.label;
        let step = size * LEADING;
        let first = centre - step * (lines.len() as f64 - 1.0) / 2.0 + size * 0.36;
        let line = |(i, text): (usize, &String)| Text {
            text: text.clone(),
            x,
            baseline: first + step * i as f64,
            anchor,
            size,
            weight: self.strand.weight(),
            colour: look.colour(self.strand.words()),
        };
        lines.iter().enumerate().map(line).collect()
    }
}

fn join(name: &str, value: &str) -> String {
    if name.is_empty() {
        value.to_owned()
    } else {
        format!("{name} {value}")
    }
}

/// What the last point says; a period that is not over says so.
fn value_of(strand: &Strand) -> Option<String> {
    let (dot, y) = strand.run.last()?;
    let so_far = if dot.mark == Mark::Unfinished && !strand.aged {
        " so far"
    } else {
        ""
    };
    let unit = if strand.percent { "\u{202F}%" } else { "" };
    Some(format!("{}{unit}{so_far}", short(y)))
}

/// Width to keep free on the right of the plot for the names of the lines that reach it.
pub(super) fn column_width(strands: &[Strand], ends: (f64, f64), body: Rect, look: Look) -> f64 {
    let far = ends.1 - (ends.1 - ends.0) * NEAR;
    let reaching = strands
        .iter()
        .filter(|s| s.named && s.run.last().is_some_and(|(dot, _)| dot.x >= far));
    let widths = reaching.map(|s| {
        natural_width(
            &join(&s.run.name, &value_of(s).unwrap_or_default()),
            s,
            look,
        )
    });
    let most = body.width() * if look.text.narrow { 0.3 } else { 0.34 };
    widths.fold(look.text.label * 5.0, f64::max).min(most) + gap(look)
}

/// Distance from the plot to the names.
pub(super) fn gap(look: Look) -> f64 {
    look.text.label * 0.8
}

/// Places the names: beside the end of a line that stops early if there is room, else in the column.
pub(super) fn place(
    strands: &[Strand],
    plane: &Plane,
    body: Rect,
    look: Look,
    obstacles: &mut Obstacles,
) -> (Vec<Text>, Vec<Leader>) {
    let mut endings: Vec<Ending<'_>> = strands
        .iter()
        .filter(|strand| !strand.quiet)
        .filter_map(|strand| ending(strand, plane))
        .collect();
    // The subject first, then the largest: those that come late may find no room.
    endings.sort_by(|a, b| {
        b.strand
            .strong
            .cmp(&a.strand.strong)
            .then(b.y.total_cmp(&a.y))
    });
    let (named, grey): (Vec<_>, Vec<_>) = endings.into_iter().partition(|e| e.strand.named);
    let near = plane.area.right - plane.area.width() * NEAR;
    let (mut texts, mut column) = (Vec::new(), Vec::new());
    for ending in named {
        match (ending.end.0 < near)
            .then(|| beside(&ending, look, plane, obstacles))
            .flatten()
        {
            Some(placed) => texts.extend(placed),
            None => column.push(ending),
        }
    }
    let (placed, leaders) = in_column(column, plane, body, look);
    // The column lies outside the plot, where the obstacles do not count.
    let mut aside = Obstacles::new(body);
    for text in &placed {
        aside.add_box(text.bounds());
    }
    for (path, _) in &leaders {
        obstacles.add_path(path);
        aside.add_path(path);
    }
    texts.extend(placed);
    let room = body.right - plane.area.right - gap(look);
    for ending in grey {
        if ending.end.0 < near {
            texts.extend(
                beside(&ending, look, plane, obstacles)
                    .into_iter()
                    .flatten(),
            );
        } else {
            let lines = ending.lines(look, room, false);
            let candidate = ending.texts(
                &lines,
                plane.area.right + gap(look),
                ending.end.1,
                Anchor::Start,
                look,
            );
            texts.extend(aside.take(candidate, Text::bounds));
        }
    }
    (texts, leaders)
}

fn ending<'a>(strand: &'a Strand, plane: &Plane) -> Option<Ending<'a>> {
    let (dot, y) = strand.run.last()?;
    Some(Ending {
        strand,
        name: &strand.run.name,
        value: value_of(strand)?,
        end: plane.place(dot)?,
        y,
    })
}

/// A place beside the end of the line, clear of everything.
fn beside(
    ending: &Ending<'_>,
    look: Look,
    plane: &Plane,
    obstacles: &mut Obstacles,
) -> Option<Vec<Text>> {
    let (size, (x, y)) = (look.text.label, ending.end);
    let away = ending.strand.radius(look) + 4.0;
    let lines = ending.lines(look, plane.area.width() * 0.5, false);
    let spots = [
        (x + away, y, Anchor::Start),
        (x, y - away - size * 0.5, Anchor::Middle),
        (x, y + away + size * 0.5, Anchor::Middle),
        (x + away, y - size * 0.8, Anchor::Start),
        (x + away, y + size * 0.8, Anchor::Start),
        (x - 2.0, y - away - size * 0.5, Anchor::Start),
        (x - 2.0, y + away + size * 0.5, Anchor::Start),
        (x, y - away - size * 0.5, Anchor::End),
        (x, y + away + size * 0.5, Anchor::End),
        (x - away, y, Anchor::End),
    ];
    let candidates = spots.map(|(x, centre, anchor)| ending.texts(&lines, x, centre, anchor, look));
    let bounds = |texts: &Vec<Text>| texts.first().map_or(plane.area, Text::bounds);
    obstacles.take(candidates, bounds)
}

/// The column on the right: every name as near to its line's end as the others let it.
fn in_column(
    mut endings: Vec<Ending<'_>>,
    plane: &Plane,
    body: Rect,
    look: Look,
) -> (Vec<Text>, Vec<Leader>) {
    let x = plane.area.right + gap(look);
    let room = body.right - x;
    let step = look.text.label * LEADING;
    let (top, bottom) = (
        (plane.area.top - look.text.label * 0.75).max(body.top),
        plane.area.bottom,
    );
    let height = |lines: &[String]| step * lines.len() as f64 + 2.0;
    let fitted = |endings: &[Ending<'_>], two: bool| -> Vec<Vec<String>> {
        endings.iter().map(|e| e.lines(look, room, two)).collect()
    };
    let mut labels = fitted(&endings, true);
    if labels.iter().map(|l| height(l)).sum::<f64>() > bottom - top {
        labels = fitted(&endings, false);
    }
    while labels.iter().map(|l| height(l)).sum::<f64>() > bottom - top && labels.pop().is_some() {
        endings.pop();
    }
    let mut column: Vec<(Ending<'_>, Vec<String>)> = endings.into_iter().zip(labels).collect();
    column.sort_by(|a, b| {
        a.0.end
            .1
            .total_cmp(&b.0.end.1)
            .then(b.0.y.total_cmp(&a.0.y))
    });
    let wanted: Vec<(f64, f64)> = column
        .iter()
        .map(|(e, lines)| (e.end.1, height(lines)))
        .collect();
    let (mut texts, mut leaders) = (Vec::new(), Vec::new());
    for ((ending, lines), centre) in column.iter().zip(label::spread(&wanted, top, bottom)) {
        texts.extend(ending.texts(lines, x, centre, Anchor::Start, look));
        let from = (
            ending.end.0 + ending.strand.radius(look) + 1.5,
            ending.end.1,
        );
        let moved = (centre - ending.end.1).abs() > look.text.label * 0.45;
        if moved || plane.area.right - ending.end.0 > gap(look) {
            // Grey: in the colour of its line a long leader would look like figures that stand still.
            leaders.push((vec![from, (x - 3.0, centre)], Tone::Axis));
        }
    }
    (texts, leaders)
}

/// The notes of single points, where there is room beside them.
pub(super) fn notes(
    strands: &[Strand],
    plane: &Plane,
    look: Look,
    obstacles: &mut Obstacles,
) -> Vec<Text> {
    let mut order: Vec<&Strand> = strands.iter().collect();
    order.sort_by_key(|s| (!s.strong, !s.named));
    let mut texts = Vec::new();
    for strand in order {
        let template = Text {
            text: String::new(),
            x: 0.0,
            baseline: 0.0,
            anchor: Anchor::Start,
            size: look.text.tick,
            weight: font::Weight::Regular,
            colour: look.colour(strand.words()),
        };
        for dot in &strand.run.dots {
            if let (Some(label), Some(at)) = (&dot.label, plane.place(dot)) {
                let away = strand.radius(look) + 4.0;
                let candidates =
                    plot::point_label(label, at, away, &template, plane.area.width() * 0.5);
                texts.extend(obstacles.take(candidates, Text::bounds));
            }
        }
    }
    texts
}
