//! The plane that lines and columns are drawn on: from a chart's points to values, from values to pixels.

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

use super::axis::{self, Axis};
use super::font;
use super::label::Rect;
use super::period::Periods;
use super::{Chart, Mark, Role, X};

/// Beyond this nothing is counted, and differences would no longer be finite.
pub(super) const LARGEST: f64 = 1e18;
/// Below this a logarithmic axis sees zero.
pub(super) const SMALLEST: f64 = 1e-18;

/// A place on the sheet.
pub(super) type Place = (f64, f64);

/// What the horizontal axis counts.
pub(super) enum Domain {
    Days,
    Numbers,
    Names(Vec<String>),
    /// Periods of a stack.
    Periods(Periods),
    /// Numbers that each have a bar, this far apart.
    Counted(f64),
}

impl Domain {
    /// The kind of the first point decides.
    pub(super) fn of(chart: &Chart) -> Self {
        let all = || chart.series.iter().flat_map(|s| &s.points).map(|p| &p.x);
        match all().next() {
            None | Some(X::Day(_)) => Self::Days,
            Some(X::Number(_)) => Self::Numbers,
            Some(X::Name(_)) => {
                let mut names: Vec<String> = Vec::new();
                for x in all() {
                    if let X::Name(name) = x
                        && !names.contains(name)
                    {
                        names.push(name.clone());
                    }
                }
                Self::Names(names)
            }
        }
    }

    /// The domain of bars that each stand for a period or a number.
    pub(super) fn of_bars(chart: &Chart) -> Self {
        let all = || chart.series.iter().flat_map(|s| &s.points).map(|p| &p.x);
        match Self::of(chart) {
            Self::Days => {
                let days = all().filter_map(|x| match x {
                    X::Day(day) => Some(*day),
                    _ => None,
                });
                Periods::of(days).map_or(Self::Days, Self::Periods)
            }
            Self::Numbers => {
                let mut numbers: Vec<f64> = all()
                    .filter_map(|x| match x {
                        X::Number(number) if number.abs() <= LARGEST => Some(*number),
                        _ => None,
                    })
                    .collect();
                numbers.sort_by(f64::total_cmp);
                let steps = numbers.windows(2).filter_map(|pair| match pair {
                    [a, b] if b > a => Some(b - a),
                    _ => None,
                });
                let least = steps.fold(f64::INFINITY, f64::min);
                Self::Counted(if least.is_finite() { least } else { 1.0 })
            }
            names => names,
        }
    }

    /// The distance between two bars.
    pub(super) fn unit(&self) -> f64 {
        match self {
            Self::Counted(step) => *step,
            _ => 1.0,
        }
    }

    /// Where `x` stands on the axis, if it is of the axis' kind.
    pub(super) fn value(&self, x: &X) -> Option<f64> {
        match (self, x) {
            (Self::Days, X::Day(day)) => Some(axis::day_number(*day)),
            (Self::Periods(periods), X::Day(day)) => Some(periods.value(*day)),
            (Self::Numbers | Self::Counted(_), X::Number(number)) if number.abs() <= LARGEST => {
                Some(*number)
            }
            (Self::Names(names), X::Name(name)) => {
                names.iter().position(|n| n == name).map(|at| at as f64)
            }
            _ => None,
        }
    }
}

/// A point on the plane; `y` is a gap where it cannot be drawn.
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: Option<f64>,
    pub(super) mark: Mark,
    pub(super) label: Option<String>,
}

/// A series on the plane, from left to right.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) role: Role,
    /// How large it is beside the others, where that is not its last value.
    pub(super) size: Option<f64>,
    pub(super) dots: Vec<Dot>,
}

impl Run {
    /// The values that can be drawn.
    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = (&Dot, f64)> {
        self.dots.iter().filter_map(|dot| Some((dot, dot.y?)))
    }

    /// The last of them, an artefact only if there is nothing else.
    pub(super) fn last(&self) -> Option<(&Dot, f64)> {
        self.values()
            .rfind(|(dot, _)| dot.mark != Mark::Artefact)
            .or_else(|| self.values().next_back())
    }
}

/// The chart's series on the plane.
pub(super) fn runs(chart: &Chart, domain: &Domain, log: bool) -> Vec<Run> {
    let drawable = |y: &f64| y.abs() <= LARGEST && (!log || *y > SMALLEST);
    chart
        .series
        .iter()
        .map(|series| {
            let dots = series.points.iter().filter_map(|point| {
                let label = point
                    .label
                    .as_deref()
                    .map(font::clean)
                    .filter(|l| !l.is_empty());
                Some(Dot {
                    x: domain.value(&point.x)?,
                    y: point.y.filter(drawable),
                    mark: point.mark,
                    label,
                })
            });
            let mut dots: Vec<Dot> = dots.collect();
            dots.sort_by(|a, b| a.x.total_cmp(&b.x));
            Run {
                name: font::clean(&series.name),
                role: series.role,
                size: series.size,
                dots,
            }
        })
        .collect()
}

/// Lowest and highest.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |found, v| match found {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// The plane: plotters' coordinates for both axes, counted in tenths of a pixel.
pub(super) struct Plane {
    pub(super) area: Rect,
    x: RangedCoordf64,
    y: RangedCoordf64,
    log: bool,
}

impl Plane {
    /// The plane over `area` whose axes run between `ends` and as `vertical` says.
    pub(super) fn new(area: Rect, ends: (f64, f64), vertical: &Axis) -> Self {
        let log = vertical.log;
        let scaled = |y: f64| if log { y.ln() } else { y };
        let y = (scaled(vertical.low)..scaled(vertical.high)).into();
        Self {
            area,
            x: (ends.0..ends.1).into(),
            y,
            log,
        }
    }

    /// Where `x` stands on the sheet.
    pub(super) fn across(&self, x: f64) -> f64 {
        // What lies far off the plane stays off it, but within what plotters can count.
        let (from, to) = (self.x.range().start, self.x.range().end);
        let x = x.min(to + (to - from)).max(from - (to - from));
        f64::from(
            self.x
                .map(&x, (tenths(self.area.left), tenths(self.area.right))),
        ) / 10.0
    }

    /// How many pixels `x` units take on the horizontal axis.
    pub(super) fn length(&self, x: f64) -> f64 {
        let range = self.x.range();
        self.area.width() * x / (range.end - range.start).max(f64::MIN_POSITIVE)
    }

    /// Where `y` stands on the sheet.
    pub(super) fn down(&self, y: f64) -> f64 {
        let y = if self.log {
            y.max(f64::MIN_POSITIVE).ln()
        } else {
            y
        };
        f64::from(
            self.y
                .map(&y, (tenths(self.area.bottom), tenths(self.area.top))),
        ) / 10.0
    }

    /// Where a dot stands on the sheet.
    pub(super) fn place(&self, dot: &Dot) -> Option<Place> {
        dot.y.map(|y| (self.across(dot.x), self.down(y)))
    }
}

fn tenths(pixels: f64) -> i32 {
    (pixels * 10.0).round() as i32
}
