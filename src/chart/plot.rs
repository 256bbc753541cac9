//! What stands on the plane before the series do: ticks, grid and reference lines.

use super::axis::{self, Axis, Tick};
use super::canvas::{Anchor, Canvas, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::label::{Obstacles, Rect};
use super::plane::{Domain, Place, Plane};
use super::theme::Tone;
use super::{Chart, ChartError, Reference};

/// A plane with its axes laid out around it, not yet drawn.
pub(super) struct Plot {
    pub(super) plane: Plane,
    vertical: Axis,
    ticks: Vec<Tick>,
    texts: Vec<Text>,
}

/// Lays out the axes in `body`, with `margin` pixels left free on the right.
pub(super) fn lay_out(
    chart: &Chart,
    body: Rect,
    domain: &Domain,
    ends: (f64, f64),
    mut vertical: Axis,
    margin: f64,
    look: Look,
) -> Plot {
    let size = look.text.tick;
    let titles = Titles::of(chart, body, size);
    if chart.says_percent() {
        for tick in &mut vertical.ticks {
            tick.label.push_str("\u{202F}%");
        }
    }
    let widest = vertical
        .ticks
        .iter()
        .map(|t| wide(&t.label, size))
        .fold(0.0, f64::max);
    let mut area = Rect {
        left: body.left + widest + size * 0.6,
        right: body.right - margin,
        top: body.top + size * if titles.unit.is_empty() { 0.8 } else { 2.0 },
        bottom: body.bottom - size * if titles.across.is_empty() { 1.5 } else { 2.9 },
    };
    let ticks = horizontal(domain, ends, (area.left, area.right), body, size);
    if ticks.iter().any(|t| t.below.is_some()) {
        area.bottom -= size * 1.2;
    }
    area.bottom = area.bottom.max(area.top + 1.0);
    let enough = (area.height() / (size * 1.4)).max(1.0) as usize;
    let every = vertical.ticks.len().div_ceil(enough).max(1);
    vertical.ticks = vertical.ticks.into_iter().step_by(every).collect();
    let plane = Plane::new(area, ends, &vertical);
    let mut texts = titles.texts(body, area, look).to_vec();
    texts.extend(tick_labels(&plane, &vertical, &ticks, body, look));
    Plot {
        plane,
        vertical,
        ticks,
        texts,
    }
}

/// The titles of the axes, where there is room for them.
struct Titles {
    unit: String,
    across: String,
}

impl Titles {
    fn of(chart: &Chart, body: Rect, size: f64) -> Self {
        let roomy = body.height() > size * 8.0;
        let fitted = |words: &str| {
            let words = if roomy {
                font::clean(words)
            } else {
                String::new()
            };
            font::ellipsise(&words, size, Weight::Regular, body.width())
        };
        Self {
            unit: if chart.says_percent() {
                String::new()
            } else {
                fitted(&chart.y_unit)
            },
            across: fitted(&chart.x_title),
        }
    }

    fn texts(self, body: Rect, area: Rect, look: Look) -> [Text; 2] {
        let size = look.text.tick;
        let middle = (area.left + area.right) / 2.0;
        let centre = centred(middle, wide(&self.across, size), body);
        let foot = body.bottom - size * 0.3;
        [
            words(
                self.unit,
                (body.left, body.top + size * 0.75),
                Anchor::Start,
                look,
            ),
            words(self.across, (centre, foot), Anchor::Middle, look),
        ]
    }
}

/// The labels of both axes' ticks.
fn tick_labels(
    plane: &Plane,
    vertical: &Axis,
    ticks: &[Tick],
    body: Rect,
    look: Look,
) -> Vec<Text> {
    let (area, size) = (plane.area, look.text.tick);
    let mut texts = Vec::new();
    for tick in ticks {
        let labels = [(Some(&tick.label), 1.3), (tick.below.as_ref(), 2.5)];
        for (label, drop) in labels.into_iter().filter_map(|(l, drop)| Some((l?, drop))) {
            let centre = centred(plane.across(tick.at), wide(label, size), body);
            let at = (centre, area.bottom + size * drop);
            texts.push(words(label.clone(), at, Anchor::Middle, look));
        }
    }
    for tick in &vertical.ticks {
        let at = (area.left - size * 0.5, plane.down(tick.at) + size * 0.36);
        texts.push(words(tick.label.clone(), at, Anchor::End, look));
    }
    texts
}

/// Words in the type of the axes.
fn words(text: String, (x, baseline): Place, anchor: Anchor, look: Look) -> Text {
    Text {
        text,
        x,
        baseline,
        anchor,
        size: look.text.tick,
        weight: Weight::Regular,
        colour: look.colour(Tone::Faint),
    }
}

fn wide(text: &str, size: f64) -> f64 {
    font::width(text, size, Weight::Regular)
}

/// The centre nearest to `wanted` that keeps a text of `width` inside `body`.
fn centred(wanted: f64, width: f64, body: Rect) -> f64 {
    wanted
        .min(body.right - width / 2.0)
        .max(body.left + width / 2.0)
}

/// Ticks of the horizontal axis, which runs between the pixels `from` and `to`; their labels do not meet.
fn horizontal(
    domain: &Domain,
    ends: (f64, f64),
    (from, to): (f64, f64),
    body: Rect,
    size: f64,
) -> Vec<Tick> {
    let per = (to - from) / (ends.1 - ends.0).max(f64::MIN_POSITIVE);
    let fits = |ticks: &[Tick]| {
        let boxes = |pick: fn(&Tick) -> Option<&String>| {
            let mut edge = f64::NEG_INFINITY;
            ticks
                .iter()
                .filter_map(|t| pick(t).map(|label| (t.at, label)))
                .all(|(at, label)| {
                    let width = wide(label, size);
                    let centre = centred(from + (at - ends.0) * per, width, body);
                    let free = centre - width / 2.0 >= edge + size * 0.6;
                    edge = centre + width / 2.0;
                    free
                })
        };
        boxes(|t| Some(&t.label)) && boxes(|t| t.below.as_ref())
    };
    match domain {
        Domain::Days => axis::days(ends.0.ceil(), ends.1.floor(), fits),
        Domain::Numbers => axis::numbers(ends.0, ends.1, fits),
        Domain::Periods(periods) => periods.ticks(ends.1, fits),
        Domain::Counted(step) => {
            let (low, high) = (ends.0 + step * 0.5, ends.1 - step * 0.5);
            axis::counted(low, high, *step, fits)
        }
        Domain::Names(names) => {
            let every = (size * 4.0 / per).ceil().max(1.0);
            let room = per * every - size * 0.7;
            let shown = names.iter().enumerate().step_by(every as usize);
            let label =
                |name: &String| font::ellipsise(&font::clean(name), size, Weight::Regular, room);
            let ticks = shown.map(|(i, name)| Tick {
                at: i as f64,
                label: label(name),
                below: None,
            });
            let ticks: Vec<Tick> = ticks.collect();
            if fits(&ticks) { ticks } else { Vec::new() }
        }
    }
}

impl Plot {
    /// Draws grid, base line, ticks and their labels, and the reference lines.
    pub(super) fn draw(
        &self,
        chart: &Chart,
        domain: &Domain,
        look: Look,
        canvas: &mut Canvas,
    ) -> Result<(), ChartError> {
        let (area, pen) = (self.plane.area, look.text.pen);
        let level = |y: f64| [(area.left, y), (area.right, y)];
        canvas.layer("", |layer| {
            for tick in &self.vertical.ticks {
                let base = if self.vertical.log {
                    tick.at <= self.vertical.low
                } else {
                    tick.at == 0.0
                };
                let tone = if base { Tone::Axis } else { Tone::Grid };
                layer.path(&level(self.plane.down(tick.at)), look.colour(tone), pen)?;
            }
            // Where the axis does not begin at zero, its foot still bears the ticks.
            let ruled = |r: &Reference| matches!(r, Reference::Rule { .. });
            if !self.vertical.log && self.vertical.low > 0.0 && chart.references.iter().any(ruled) {
                layer.path(&level(area.bottom), look.colour(Tone::Axis), pen)?;
            }
            for tick in &self.ticks {
                let x = self.plane.across(tick.at);
                let mark = [(x, area.bottom), (x, area.bottom + look.text.tick * 0.35)];
                layer.path(&mark, look.colour(Tone::Axis), pen)?;
            }
            self.texts.iter().try_for_each(|t| layer.text(t))
        })?;
        canvas.layer("stroke-dasharray=\"20 25\"", |layer| {
            for (ends, _) in self.references(chart, domain) {
                layer.path(&ends, look.colour(Tone::Faint), pen * 1.2)?;
            }
            Ok(())
        })
    }

    /// The ends of every reference line that crosses the plane, and its label.
    fn references<'a>(&self, chart: &'a Chart, domain: &Domain) -> Vec<([Place; 2], &'a str)> {
        let area = self.plane.area;
        let line = |reference: &'a Reference| match reference {
            Reference::Horizontal { y, label } | Reference::Rule { y, label } => {
                let inside = *y >= self.vertical.low && *y <= self.vertical.high;
                let y = inside.then(|| self.plane.down(*y))?;
                Some(([(area.left, y), (area.right, y)], label.as_str()))
            }
            Reference::Vertical { x, label } => {
                let x = self.plane.across(domain.value(x)?);
                let inside = (area.left..=area.right).contains(&x);
                inside.then_some(([(x, area.top), (x, area.bottom)], label.as_str()))
            }
        };
        chart.references.iter().filter_map(line).collect()
    }

    /// Keeps later labels off the reference lines and the ticks' labels.
    pub(super) fn avoid(&self, chart: &Chart, domain: &Domain, obstacles: &mut Obstacles) {
        for (ends, _) in self.references(chart, domain) {
            obstacles.add_path(&ends);
        }
        self.avoid_ticks(obstacles);
    }

    /// Keeps later labels off the ticks' labels.
    pub(super) fn avoid_ticks(&self, obstacles: &mut Obstacles) {
        self.texts
            .iter()
            .for_each(|text| obstacles.add_box(text.bounds()));
    }

    /// The labels of the reference lines, where there is room.
    pub(super) fn reference_labels(
        &self,
        chart: &Chart,
        domain: &Domain,
        look: Look,
        obstacles: &mut Obstacles,
    ) -> Vec<Text> {
        let area = self.plane.area;
        let size = look.text.tick;
        let mut texts = Vec::new();
        for (ends, label) in self.references(chart, domain) {
            let label = font::ellipsise(
                &font::clean(label),
                size,
                Weight::Regular,
                area.width() * if ends[0].1 == ends[1].1 { 1.0 } else { 0.6 } - 8.0,
            );
            let words = |x: f64, baseline: f64, anchor: Anchor| {
                words(label.clone(), (x, baseline), anchor, look)
            };
            let [(x, y), (_, bottom)] = ends;
            let mut candidates = Vec::new();
            if y == bottom {
                for (x, anchor) in [
                    (area.left + 4.0, Anchor::Start),
                    (area.right - 4.0, Anchor::End),
                ] {
                    candidates.push(words(x, y - size * 0.45, anchor));
                    candidates.push(words(x, y + size * 1.1, anchor));
                }
            } else {
                for row in 0..6 {
                    let baseline = area.top + size * (0.9 + 1.3 * f64::from(row));
                    candidates.push(words(x + 5.0, baseline, Anchor::Start));
                    candidates.push(words(x - 5.0, baseline, Anchor::End));
                }
            }
            texts.extend(obstacles.take(candidates, Text::bounds));
        }
        texts
    }
}

/// The labels of single points, where there is room beside them.
pub(super) fn point_label(
    label: &str,
    at: Place,
    away: f64,
    template: &Text,
    most: f64,
) -> Vec<Text> {
    let size = template.size;
    let text = font::ellipsise(label, size, template.weight, most);
    let mut candidates = Vec::new();
    for far in [away, away + size * 0.8] {
        for (x, baseline, anchor) in [
            (at.0, at.1 - far, Anchor::Middle),
            (at.0, at.1 + far + size * 0.73, Anchor::Middle),
            (at.0 + far, at.1 + size * 0.36, Anchor::Start),
            (at.0 - far, at.1 + size * 0.36, Anchor::End),
            (at.0 + far * 0.6, at.1 + far + size * 0.6, Anchor::Start),
            (at.0 - far * 0.6, at.1 - far, Anchor::End),
            (at.0 + far * 0.6, at.1 - far, Anchor::Start),
            (at.0 - far * 0.6, at.1 + far + size * 0.6, Anchor::End),
        ] {
            candidates.push(Text {
                text: text.clone(),
                x,
                baseline,
                anchor,
                ..template.clone()
            });
        }
    }
    candidates
}

/// Says that there is nothing to draw.
pub(super) fn no_data(body: Rect, look: Look, canvas: &mut Canvas) -> Result<(), ChartError> {
    let text = Text {
        text: "No data".to_owned(),
        x: (body.left + body.right) / 2.0,
        baseline: (body.top + body.bottom) / 2.0 + look.text.label * 0.36,
        anchor: Anchor::Middle,
        size: look.text.label,
        weight: Weight::Regular,
        colour: look.colour(Tone::Faint),
    };
    canvas.layer("", |layer| layer.text(&text))
}
