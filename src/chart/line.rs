//! Lines over time, named at their ends.
//!
//! A line between two statements is nobody's measurement; it is dashed. Only complete computed data gives a
//! solid line, and no line runs on past its last point.

use super::axis;
use super::canvas::{Canvas, Layer};
use super::endings;
use super::font::{self, Weight};
use super::frame::Look;
use super::label::{Obstacles, Rect};
use super::plane::{self, Domain, Dot, Place, Plane, Run};
use super::plot;
use super::theme::{INVERTED, RIVALS, STEPS, Tone, hex};
use super::{Chart, ChartError, Kind, Mark, Reference, Role, Scale};

/// A series with its look.
pub(super) struct Strand {
    pub(super) run: Run,
    pub(super) tone: Tone,
    /// Whether it has a colour and a name of its own, or is one of many in grey.
    pub(super) named: bool,
    pub(super) strong: bool,
    /// Whether its values are percentages, and say so.
    pub(super) percent: bool,
    /// Whether it runs over ages, where an unfinished value is no period's.
    pub(super) aged: bool,
    /// Whether it stands without its name.
    pub(super) quiet: bool,
    /// How much thinner than usual it is drawn, for lines with many turns: 1 is as usual.
    slim: f64,
}

impl Strand {
    fn width(&self, look: Look) -> f64 {
        let width = if self.strong {
            2.8
        } else if self.named {
            1.6
        } else {
            1.0
        };
        width * look.text.pen * self.slim
    }

    /// Radius of its dots.
    pub(super) fn radius(&self, look: Look) -> f64 {
        let radius = if self.strong {
            4.0
        } else if self.named {
            2.8
        } else {
            2.0
        };
        radius * look.text.pen
    }

    /// Colour of its words; the grey of the unnamed lines would be too pale to read.
    pub(super) fn words(&self) -> Tone {
        match self.tone {
            // The paler steps of a scale would be too pale to read.
            Tone::Heat(step) if step < INVERTED => Tone::Faint,
            tone if self.named => tone,
            _ => Tone::Faint,
        }
    }

    pub(super) fn weight(&self) -> Weight {
        if self.strong {
            Weight::SemiBold
        } else {
            Weight::Regular
        }
    }
}

/// Draws the plot of a [`super::Kind::Line`].
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let log = chart.scale == Scale::Log;
    let domain = Domain::of(chart);
    let mut strands = strands(plane::runs(chart, &domain, log));
    if chart.ordered {
        in_order(&mut strands);
    }
    for strand in &mut strands {
        strand.percent = chart.says_percent();
        strand.aged = chart.kind == Kind::Curve;
        strand.slim = slimness(&strand.run, body);
    }
    let points = || strands.iter().flat_map(|s| s.run.values());
    let (Some(ends), Some(range)) = (
        plane::extent(points().map(|p| p.0.x)),
        plane::extent(points().map(|p| p.1)),
    ) else {
        return plot::no_data(body, look, canvas);
    };
    let ends = if ends.0 == ends.1 {
        (ends.0 - 1.0, ends.1 + 1.0)
    } else {
        ends
    };
    let vertical = vertical_axis(chart, range, log);
    let column = endings::column_width(&strands, ends, body, look);
    let plot = plot::lay_out(chart, body, &domain, ends, vertical, column, look);
    plot.draw(chart, &domain, look, canvas)?;
    draw_strands(&strands, &plot.plane, look, canvas)?;

    // A label may reach a little into the gap before the column of names, never over the ticks.
    let area = plot.plane.area;
    let mut obstacles = Obstacles::new(Rect {
        top: (area.top - look.text.tick * 0.8).max(body.top),
        right: area.right + endings::gap(look) - 4.0,
        ..area
    });
    for strand in &strands {
        let pieces = pieces(&strand.run.dots, &plot.plane);
        pieces
            .solid
            .iter()
            .chain(&pieces.dashed)
            .for_each(|path| obstacles.add_path(path));
        for place in strand.run.dots.iter().filter_map(|d| plot.plane.place(d)) {
            let r = strand.radius(look) * 0.9;
            obstacles.add_box(Rect {
                left: place.0 - r,
                top: place.1 - r,
                right: place.0 + r,
                bottom: place.1 + r,
            });
        }
    }
    plot.avoid(chart, &domain, &mut obstacles);
    let (mut texts, leaders) = endings::place(&strands, &plot.plane, body, look, &mut obstacles);
    texts.extend(plot.reference_labels(chart, &domain, look, &mut obstacles));
    texts.extend(endings::notes(&strands, &plot.plane, look, &mut obstacles));

    canvas.layer("stroke-dasharray=\"10 15\"", |layer| {
        leaders
            .iter()
            .try_for_each(|(path, tone)| layer.path(path, look.colour(*tone), look.text.pen * 0.8))
    })?;
    canvas.layer(&halo(look), |layer| {
        texts.iter().try_for_each(|t| layer.text(t))
    })
}

/// The attributes that keep words readable across grid lines.
pub(super) fn halo(look: Look) -> String {
    let paper = hex(look.colour(Tone::Paper));
    format!(
        "stroke=\"{paper}\" stroke-width=\"30\" stroke-linejoin=\"round\" paint-order=\"stroke\""
    )
}

/// From zero, unless a reference level says that the values are an index or a ratio.
fn vertical_axis(chart: &Chart, range: (f64, f64), log: bool) -> axis::Axis {
    let drawable = |y: f64| y.abs() <= plane::LARGEST && (!log || y > plane::SMALLEST);
    let levels = chart.references.iter().filter_map(|r| match r {
        Reference::Horizontal { y, .. } | Reference::Rule { y, .. } => Some(*y),
        Reference::Vertical { .. } => None,
    });
    let levels: Vec<f64> = levels.filter(|y| drawable(*y)).collect();
    let (mut low, mut high) = levels
        .iter()
        .fold(range, |(low, high), y| (low.min(*y), high.max(*y)));
    if log {
        return axis::logarithmic(low, high);
    }
    for reference in &chart.references {
        if let Reference::Rule { y, .. } = reference
            && drawable(*y)
        {
            let room = (high - low) * 0.15;
            low = low.min(y - room);
            high = high.max(y + room);
        }
    }
    axis::linear(low, high, !levels.is_empty())
}

/// Gives every series its look. With more rivals than colours, the largest are coloured.
pub(super) fn strands(runs: Vec<Run>) -> Vec<Strand> {
    let mut ranked: Vec<(usize, f64)> = runs
        .iter()
        .enumerate()
        .filter(|(_, run)| run.role != Role::Subject)
        .filter_map(|(i, run)| run.last().map(|(_, y)| (i, run.size.unwrap_or(y))))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let coloured: Vec<usize> = ranked.iter().take(RIVALS).map(|r| r.0).collect();
    let (mut subjects, mut rivals) = (0, 0);
    let mut strands = Vec::with_capacity(runs.len());
    for (i, run) in runs.into_iter().enumerate() {
        let strong = run.role == Role::Subject;
        let named = (strong && subjects == 0) || coloured.contains(&i);
        let tone = if strong && subjects == 0 {
            Tone::Subject
        } else if named {
            rivals += 1;
            Tone::Rival(rivals - 1)
        } else {
            Tone::Other
        };
        subjects += usize::from(strong);
        strands.push(Strand {
            run,
            tone,
            named,
            strong: strong && subjects == 1,
            percent: false,
            aged: false,
            quiet: false,
            slim: 1.0,
        });
    }
    strands
}

/// Series that follow one another, such as cohorts: from pale to strong, the first, the last and some between
/// them named.
fn in_order(strands: &mut [Strand]) {
    let last = strands.len().saturating_sub(1);
    let palest = 2;
    // A single point is no curve and needs no name among others that are.
    let lines = strands.iter().filter(|s| s.run.values().count() > 1);
    let lines = lines.count().max(1);
    let named = lines.min(RIVALS - 1);
    let mut line = 0;
    for (i, strand) in strands.iter_mut().enumerate() {
        strand.strong = false;
        strand.tone = Tone::Heat(match last {
            0 => STEPS - 2,
            _ => palest + i * (STEPS - 1 - palest) / last,
        });
        // Evenly chosen, the first and the last among them.
        let nth = |n: usize| n * (lines - 1) / named.saturating_sub(1).max(1);
        let alone = lines > 1 && strand.run.values().nth(1).is_none();
        strand.named = !alone && (0..named).any(|n| nth(n) == line);
        strand.quiet = alone;
        line += usize::from(!alone);
    }
}

/// Daily figures go up and down with the week: a line that turns every few pixels is drawn thinner, else it would
/// run into a band.
fn slimness(run: &Run, body: Rect) -> f64 {
    let values: Vec<f64> = run.values().map(|(_, y)| y).collect();
    let turns = values.windows(3).filter(|three| match three {
        [a, b, c] => (b - a) * (c - b) < 0.0,
        _ => false,
    });
    let pixels = body.width() / turns.count().max(1) as f64;
    (0.3 + 0.7 * pixels / 7.0).clamp(0.4, 1.0)
}

/// The stretches of a line.
pub(super) struct Pieces {
    pub(super) solid: Vec<Vec<Place>>,
    pub(super) dashed: Vec<Vec<Place>>,
    /// Computed points with a gap on both sides, which no line would show.
    pub(super) alone: Vec<Place>,
}

/// Cuts a line into what is measured, what is not, and what is not there.
pub(super) fn pieces(dots: &[Dot], plane: &Plane) -> Pieces {
    let mut pieces = Pieces {
        solid: Vec::new(),
        dashed: Vec::new(),
        alone: Vec::new(),
    };
    let mut before: Option<(Place, Mark, bool)> = None;
    let mut across = false;
    let lonely = |before: &Option<(Place, Mark, bool)>, alone: &mut Vec<Place>| {
        if let Some((place, Mark::Computed | Mark::Interpolated, false)) = before {
            alone.push(*place);
        }
    };
    for dot in dots {
        let Some(place) = plane.place(dot) else {
            lonely(&before, &mut pieces.alone);
            before = None;
            continue;
        };
        if dot.mark == Mark::Artefact {
            // The line passes under it, as a guess.
            across = true;
            continue;
        }
        if let Some((from, mark, _)) = before {
            let measured = mark == Mark::Computed && dot.mark == Mark::Computed && !across;
            let paths = if measured {
                &mut pieces.solid
            } else {
                &mut pieces.dashed
            };
            match paths.last_mut() {
                Some(path) if path.last() == Some(&from) => path.push(place),
                _ => paths.push(vec![from, place]),
            }
        }
        before = Some((place, dot.mark, before.is_some()));
        across = false;
    }
    lonely(&before, &mut pieces.alone);
    pieces
}

fn draw_strands(
    strands: &[Strand],
    plane: &Plane,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    // The subject is drawn last, over its rivals, and they over the grey ones.
    let mut order: Vec<&Strand> = strands.iter().collect();
    order.sort_by_key(|s| (s.strong, s.named));
    let all: Vec<(&Strand, Pieces)> = order
        .into_iter()
        .map(|s| (s, pieces(&s.run.dots, plane)))
        .collect();
    canvas.layer("stroke-dasharray=\"40 30\"", |layer| {
        for (strand, pieces) in &all {
            let width = strand.width(look) * if strand.strong { 0.75 } else { 0.8 };
            for path in &pieces.dashed {
                layer.path(path, look.colour(strand.tone), width)?;
            }
        }
        Ok(())
    })?;
    canvas.layer(
        "stroke-linejoin=\"round\" stroke-linecap=\"round\"",
        |layer| {
            for (strand, pieces) in &all {
                for path in &pieces.solid {
                    layer.path(path, look.colour(strand.tone), strand.width(look))?;
                }
            }
            Ok(())
        },
    )?;
    canvas.layer("", |layer| {
        all.iter()
            .try_for_each(|(strand, pieces)| draw_dots(strand, pieces, plane, look, layer))
    })
}

fn draw_dots(
    strand: &Strand,
    pieces: &Pieces,
    plane: &Plane,
    look: Look,
    layer: &Layer<'_>,
) -> Result<(), ChartError> {
    let (colour, paper, radius) = (
        look.colour(strand.tone),
        look.colour(Tone::Paper),
        strand.radius(look),
    );
    for place in &pieces.alone {
        layer.disc(*place, radius * 0.7, colour)?;
    }
    for dot in &strand.run.dots {
        let Some(place) = plane.place(dot) else {
            continue;
        };
        match dot.mark {
            Mark::Statement => {
                layer.disc(place, radius + look.text.pen, paper)?;
                layer.disc(place, radius, colour)?;
            }
            Mark::Unfinished => layer.ring(place, radius, colour, paper)?,
            Mark::Artefact => {
                layer.ring(place, radius, colour, paper)?;
                let r = radius * 0.7;
                layer.path(
                    &[(place.0 - r, place.1 + r), (place.0 + r, place.1 - r)],
                    colour,
                    look.text.pen,
                )?;
            }
            Mark::Computed | Mark::Interpolated => {}
        }
    }
    Ok(())
}

/// Words that measure a label's natural width: `WhatsApp 1 bn`.
pub(super) fn natural_width(text: &str, strand: &Strand, look: Look) -> f64 {
    font::width(text, look.text.label, strand.weight())
}
