//! Growth accounting: who was there in a period, above zero, and who left, below.

use super::axis;
use super::canvas::{Anchor, Canvas, Layer, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::key::{Item, Key, Swatch};
use super::label::{Obstacles, Rect};
use super::line::halo;
use super::number::short;
use super::plane::{self, Domain, Plane, Run};
use super::plot;
use super::theme::Tone;
use super::{Chart, ChartError, Mark, Role};

/// How the outlines of what is not known are dashed.
const UNKNOWN: &str = "stroke-dasharray=\"25 20\"";

/// The stack of one period.
struct Stack {
    x: f64,
    /// The parts above zero from the base, and those below it: which series, how much.
    up: Vec<(usize, f64)>,
    down: Vec<(usize, f64)>,
    /// Whether a part above or below is not known.
    open_up: bool,
    open_down: bool,
    /// How high the stack is, if that is known without its parts.
    whole: Option<f64>,
    net: Option<f64>,
    unfinished: bool,
}

impl Stack {
    fn known(&self) -> f64 {
        self.up.iter().map(|part| part.1).sum()
    }

    fn high(&self) -> f64 {
        self.known().max(self.whole.unwrap_or(0.0))
    }

    fn low(&self) -> f64 {
        self.down.iter().map(|part| part.1).sum()
    }
}

/// Draws one panel of a [`super::Kind::Stacked`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let domain = Domain::of_bars(chart);
    let runs = plane::runs(chart, &domain, false);
    let tones = tones(&runs);
    let stacks = stacks(&runs);
    let drawn = stacks.iter().flat_map(|s| [-s.low(), s.high()]);
    let (Some(ends), Some(range), true) = (
        plane::extent(stacks.iter().map(|s| s.x)),
        plane::extent(drawn),
        stacks
            .iter()
            .any(|s| s.whole.is_some() || !s.up.is_empty() || !s.down.is_empty()),
    ) else {
        return plot::no_data(body, look, canvas);
    };
    let half = domain.unit() / 2.0;
    // Room above the highest bar for what is printed there.
    let vertical = axis::linear(range.0, range.1 * 1.07, false);
    let ends = (ends.0 - half, ends.1 + half);
    let plot = plot::lay_out(chart, body, &domain, ends, vertical, 2.0, look);
    plot.draw(chart, &domain, look, canvas)?;

    let plane = &plot.plane;
    let pitch = plane.length(domain.unit());
    let mut obstacles = Obstacles::new(body);
    let bars = Bars {
        tones: &tones,
        pitch,
        plane,
        look,
    };
    canvas.layer("", |layer| {
        stacks
            .iter()
            .try_for_each(|stack| bars.draw(stack, &mut obstacles, layer))?;
        let zero = plane.down(0.0);
        let base = [(plane.area.left, zero), (plane.area.right, zero)];
        layer.path(&base, look.colour(Tone::Axis), look.text.pen)
    })?;
    canvas.layer(UNKNOWN, |layer| {
        stacks
            .iter()
            .try_for_each(|stack| bars.draw_unknown(stack, &mut obstacles, layer))
    })?;
    plot.avoid_ticks(&mut obstacles);
    let texts = nets(&stacks, pitch, plane, look, &mut obstacles);
    canvas.layer(&halo(look), |layer| {
        texts.iter().try_for_each(|t| layer.text(t))
    })
}

/// Draws the key of all panels; returns where they may begin.
pub(super) fn key(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<f64, ChartError> {
    let domain = Domain::of_bars(chart);
    let mut runs = plane::runs(chart, &domain, false);
    let stacks: Vec<Stack> = chart
        .series
        .chunk_by(|a, b| a.panel == b.panel)
        .flat_map(|series| {
            let panel = Chart {
                series: series.to_vec(),
                ..chart.clone()
            };
            stacks(&plane::runs(&panel, &domain, false))
        })
        .collect();
    // The panels have the same parts: those of the first stand for all.
    let first = chart.series.first().map(|s| s.panel.clone());
    let parts = chart
        .series
        .iter()
        .filter(|s| Some(&s.panel) == first.as_ref());
    runs.truncate(parts.count());
    let key = Key::of(items(&runs, &tones(&runs), &stacks), 2, body, look);
    canvas.layer("", |layer| {
        key.draw(layer, look)?;
        key.texts.iter().try_for_each(|t| layer.text(t))
    })?;
    Ok(key.bottom)
}

/// The colours of the parts, pale for what stays and strong for what is new; by series.
fn tones(runs: &[Run]) -> Vec<Tone> {
    let count = runs.iter().filter(|run| run.role == Role::Up).count();
    let (mut up, mut down) = (0, 0);
    let tone = |run: &Run| match run.role {
        Role::Up => {
            up += 1;
            match (up, count) {
                (1, 1) => Tone::Subject,
                (1, _) => Tone::Bar,
                (n, _) if n == count.min(3) => Tone::Subject,
                (2, _) => Tone::Between,
                (n, _) => Tone::Rival(n - 3),
            }
        }
        _ => {
            down += 1;
            if down == 1 {
                Tone::Rival(0)
            } else {
                Tone::Paler
            }
        }
    };
    runs.iter().map(tone).collect()
}

fn stacks(runs: &[Run]) -> Vec<Stack> {
    let mut xs: Vec<f64> = runs
        .iter()
        .flat_map(|run| run.dots.iter().map(|d| d.x))
        .collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut stacks: Vec<Stack> = xs
        .into_iter()
        .map(|x| Stack {
            x,
            up: Vec::new(),
            down: Vec::new(),
            open_up: false,
            open_down: false,
            whole: None,
            net: None,
            unfinished: false,
        })
        .collect();
    for (series, run) in runs.iter().enumerate() {
        for dot in &run.dots {
            let found = stacks.binary_search_by(|s| s.x.total_cmp(&dot.x));
            let Some(stack) = found.ok().and_then(|at| stacks.get_mut(at)) else {
                continue;
            };
            stack.unfinished |= dot.mark == Mark::Unfinished;
            // A part of a whole is never less than nothing.
            let part = dot.y.filter(|y| *y >= 0.0);
            match (run.role, part) {
                (Role::Whole, whole) => stack.whole = whole,
                (Role::Net, _) => stack.net = dot.y,
                (Role::Down, None) => stack.open_down = true,
                (Role::Down, Some(y)) => stack.down.push((series, y)),
                (_, None) => stack.open_up = true,
                (_, Some(y)) => stack.up.push((series, y)),
            }
        }
    }
    stacks
}

/// How the stacks of a panel are drawn.
struct Bars<'a> {
    tones: &'a [Tone],
    pitch: f64,
    plane: &'a Plane,
    look: Look,
}

impl Bars<'_> {
    /// The box of a stack between two values.
    fn slice(&self, stack: &Stack, from: f64, to: f64) -> Rect {
        let half = (self.pitch * 0.41).clamp(0.4, 40.0);
        let x = self.plane.across(stack.x);
        let (a, b) = (self.plane.down(from), self.plane.down(to));
        Rect {
            left: x - half,
            top: a.min(b),
            right: x + half,
            bottom: a.max(b),
        }
    }

    /// The parts that are known.
    fn draw(
        &self,
        stack: &Stack,
        obstacles: &mut Obstacles,
        layer: &Layer<'_>,
    ) -> Result<(), ChartError> {
        for (parts, sign) in [(&stack.up, 1.0), (&stack.down, -1.0)] {
            let mut from = 0.0;
            for (series, part) in parts {
                let mut area = self.slice(stack, from * sign, (from + part) * sign);
                from += part;
                obstacles.add_box(area);
                // A thin gap between parts that are high enough to spare it.
                if area.height() > 4.0 && part < &from {
                    match sign > 0.0 {
                        true => area.bottom -= 0.8,
                        false => area.top += 0.8,
                    }
                }
                let tone = self.tones.get(*series).copied().unwrap_or(Tone::Bar);
                let colour = self.look.colour(tone);
                match stack.unfinished {
                    _ if area.height() < 0.05 => {}
                    true => layer.hatch(area, colour)?,
                    false => layer.rect(area, colour)?,
                }
            }
        }
        Ok(())
    }

    /// What is missing: a frame up to the sum of the parts where that is known, else one that stays open.
    fn draw_unknown(
        &self,
        stack: &Stack,
        obstacles: &mut Obstacles,
        layer: &Layer<'_>,
    ) -> Result<(), ChartError> {
        let (faint, pen) = (self.look.colour(Tone::Faint), self.look.text.pen * 1.2);
        let reach = self.look.text.tick * 1.2;
        let whole = stack.whole.filter(|whole| *whole > stack.known());
        if let (true, Some(whole)) = (stack.open_up, whole) {
            let area = self.slice(stack, stack.known(), whole);
            obstacles.add_box(area);
            layer.outline(area, faint, pen)?;
        } else if stack.open_up {
            let known = self.slice(stack, stack.known(), stack.known());
            let top = (known.top - reach).max(self.plane.area.top - reach * 0.5);
            let area = Rect { top, ..known };
            obstacles.add_box(area);
            layer.open(area, faint, pen)?;
        }
        if stack.open_down {
            let known = self.slice(stack, -stack.low(), -stack.low());
            let bottom = (known.bottom + reach).min(self.plane.area.bottom + reach * 0.3);
            let area = Rect { bottom, ..known };
            obstacles.add_box(area);
            layer.open(area, faint, pen)?;
        }
        Ok(())
    }
}

/// What the colours mean, from the top of the stack to its foot, then the marks.
fn items(runs: &[Run], tones: &[Tone], stacks: &[Stack]) -> Vec<Item> {
    let parts = |role: Role| {
        runs.iter()
            .zip(tones)
            .filter(move |(run, _)| run.role == role)
            .map(|(run, tone)| {
                let swatch = Swatch::Bar(*tone, Mark::Computed);
                (swatch, run.name.clone(), Tone::Soft)
            })
    };
    let up: Vec<Item> = parts(Role::Up).collect();
    let mut items: Vec<Item> = up.into_iter().rev().chain(parts(Role::Down)).collect();
    let mut mark = |swatch: Swatch, words: &str| items.push((swatch, words.to_owned(), Tone::Soft));
    let split = |s: &Stack| s.whole.is_some_and(|whole| whole > s.known());
    if stacks.iter().any(|s| s.open_up && split(s)) {
        mark(Swatch::Frame, "only their sum is known");
    }
    if stacks.iter().any(|s| s.open_down || s.open_up && !split(s)) {
        mark(Swatch::Open, "not known");
    }
    if stacks.iter().any(|s| s.unfinished) {
        mark(Swatch::Bar(Tone::Subject, Mark::Unfinished), "not over yet");
    }
    items
}

/// The net change of every period where all fit above their stacks; else of the last one that is over.
fn nets(
    stacks: &[Stack],
    pitch: f64,
    plane: &Plane,
    look: Look,
    obstacles: &mut Obstacles,
) -> Vec<Text> {
    let size = look.text.tick;
    let said: Vec<(&Stack, String)> = stacks
        .iter()
        .filter(|s| !s.unfinished)
        .filter_map(|s| Some((s, signed(s.net?))))
        .collect();
    let widest = said
        .iter()
        .map(|(_, words)| font::width(words, size, Weight::Regular))
        .fold(0.0, f64::max);
    let from = if widest + 4.0 <= pitch {
        0
    } else {
        said.len().saturating_sub(1)
    };
    let place = |(stack, words): (&Stack, String)| {
        let text = |anchor, x, lines: f64| Text {
            text: words.clone(),
            x,
            baseline: plane.down(stack.high()) - size * (0.4 + lines),
            anchor,
            size,
            weight: Weight::Regular,
            colour: look.colour(Tone::Ink),
        };
        let x = plane.across(stack.x);
        let half = pitch * 0.41;
        let spots = [0.0, 0.6, 1.2].into_iter().flat_map(|lines| {
            [
                text(Anchor::Middle, x, lines),
                text(Anchor::End, x + half, lines),
                text(Anchor::Start, x - half, lines),
            ]
        });
        obstacles.take(spots, Text::bounds)
    };
    said.into_iter().skip(from).filter_map(place).collect()
}

fn signed(change: f64) -> String {
    if change > 0.0 {
        format!("+{}", short(change))
    } else {
        short(change)
    }
}
