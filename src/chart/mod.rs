//! The chart stage: a [`Chart`] goes in, an SVG comes out, and a PNG is painted from that same SVG.
//!
//! The stage is pure. It reads no clock, no file and no font of the machine, and the same chart gives the
//! same bytes everywhere. What a chart says (its finding, its definitions, which figures are trusted) is
//! decided before; here is decided only how it looks.

mod axis;
mod bars;
mod canvas;
mod columns;
pub mod drawing;
mod endings;
pub mod finding;
mod font;
mod frame;
mod heat;
mod histogram;
mod key;
mod label;
mod line;
pub mod number;
mod panels;
mod period;
mod plane;
mod plot;
mod png;
pub mod reading;
mod stacked;
pub mod stamp;
#[cfg(test)]
mod tests;
pub mod theme;

use chrono::NaiveDate;

pub use png::png;
pub use theme::Theme;

use canvas::Canvas;
use frame::{Look, Type};

/// A chart, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// States the finding.
    pub title: String,
    /// Defines the metric and its unit.
    pub subtitle: String,
    /// Source, definition, and what the marks mean; one paragraph each.
    pub footer: Vec<String>,
    /// How the series are drawn.
    pub kind: Kind,
    /// Title of the horizontal axis; empty for dates, which speak for themselves.
    pub x_title: String,
    /// Unit of the values, printed above the vertical axis; empty if the subtitle says enough.
    pub y_unit: String,
    /// Scale of the vertical axis of a [`Kind::Line`]; bars and columns are always linear, from zero.
    pub scale: Scale,
    /// What is compared, in the order that decides the colours.
    pub series: Vec<Series>,
    /// Lines to read the series against; bars, which have no axis, show none.
    pub references: Vec<Reference>,
    /// What the chart shows, for those who cannot see it.
    pub alt: String,
    /// Title of the names at the left of a [`Kind::Heat`].
    pub y_title: String,
    /// Whether the series follow one another, as cohorts do: they are coloured from pale to strong.
    pub ordered: bool,
    /// What must be known before anything is believed, e.g. that the data are simulated: stands in a box above
    /// the title (see [`stamp`]).
    pub stamp: Option<String>,
}

impl Chart {
    /// Whether the values are percentages and each says so, in place of a unit above the axis.
    fn says_percent(&self) -> bool {
        self.y_unit == "%" && !matches!(self.kind, Kind::Bars | Kind::Columns)
    }
}

/// How the series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines over time, named at their ends.
    Line,
    /// Ranked horizontal bars: one point per series, or one series with named points. A point's label is
    /// printed beside its bar, in small grey.
    Bars,
    /// Vertical bars over days, which may be negative; every further series is drawn as a line over them.
    Columns,
    /// Lines over numbers, such as retention by age: [`Kind::Line`] whose axes begin at the first number and zero.
    Curve,
    /// Bars over numbers, such as users by active days; a point's label is printed above its bar. Drawn in a panel
    /// each where there are several panels.
    Histogram,
    /// A bar a period: the series of [`Role::Up`] stacked above zero, those of [`Role::Down`] below, in the order
    /// given. A value that is missing beside others of its period is drawn open. A panel each as above.
    Stacked,
    /// A map of cells: a row a series, a column a point's `x`, coloured by `y`. A panel each as above.
    Heat,
}

/// Scale of the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    Linear,
    /// Equal steps for equal ratios; values that are not positive cannot be drawn and leave a gap.
    Log,
}

/// Where a point stands on the horizontal axis. The points of one chart should agree in kind; those that
/// differ from the first are left out.
#[derive(Debug, Clone, PartialEq)]
pub enum X {
    /// A day.
    Day(NaiveDate),
    /// Years since launch, months since ten million, and the like.
    Number(f64),
    /// A name, in the order of first appearance.
    Name(String),
}

/// How far a point is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Somebody stated it: a dot, joined to the next by a thin dashed line.
    Statement,
    /// Computed from complete data: a solid line.
    Computed,
    /// Nobody measured it: dashed, without a dot.
    Interpolated,
    /// The period is not over: hollow or hatched.
    Unfinished,
    /// Not growth but a fault of the data: hollow, and not joined.
    Artefact,
}

/// One value of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Where.
    pub x: X,
    /// How much; `None` is a gap, which is left open.
    pub y: Option<f64>,
    /// How far it is to be trusted.
    pub mark: Mark,
    /// A note such as "60 M recalled", printed beside the point if there is room.
    pub label: Option<String>,
}

/// What a series is to the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The report's platform: strong.
    Subject,
    /// Another platform.
    Rival,
    /// A line over columns, such as a seven-day mean.
    Line,
    /// A part above zero of a stack; a `Whole` tells how high the stack is where a part is not known.
    Up,
    /// A part below zero of a stack.
    Down,
    /// The sum of the parts above zero, where it is known though they are not.
    Whole,
    /// What a stack says of its period as a whole, printed above it: the net change.
    Net,
}

/// A named run of points, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name, printed at the end of its line.
    pub name: String,
    /// What it is to the report.
    pub role: Role,
    /// Its points.
    pub points: Vec<Point>,
    /// The panel that it stands in, by title; empty where the chart has only one.
    pub panel: String,
    /// How many it is of: printed beside its name in a [`Kind::Heat`] (the size of a cohort), and of more lines than
    /// there are colours the largest are named.
    pub size: Option<f64>,
}

/// A line to read the series against.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// A level, e.g. 100 for indexed growth. On a linear line chart it also frees the axis from zero.
    Horizontal {
        /// The level.
        y: f64,
        /// What it is; printed if there is room.
        label: String,
    },
    /// A level that values lie above or below, e.g. a quick ratio of 1: there is room on both sides of it.
    Rule {
        /// The level.
        y: f64,
        /// What it is; printed if there is room.
        label: String,
    },
    /// A moment, e.g. an announcement.
    Vertical {
        /// When.
        x: X,
        /// What it is; printed if there is room.
        label: String,
    },
}

/// Size of a picture in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Size {
    /// A column of a page.
    pub const PAGE: Size = Size {
        width: 760,
        height: 480,
    };
    /// A telephone held upright.
    pub const PHONE: Size = Size {
        width: 380,
        height: 440,
    };
    /// A slide, 16:9.
    pub const SLIDE: Size = Size {
        width: 1280,
        height: 720,
    };

    /// This size, with the height that the chart asks for: less for few bars, more for a map of many cohorts or
    /// several panels. A slide keeps its height.
    pub fn fit(self, chart: &Chart) -> Size {
        let bars = chart.series.iter().map(|s| s.points.len()).sum::<usize>();
        let height = match (chart.kind, u32::try_from(bars)) {
            (Kind::Bars, Ok(bars)) => self.height.min(140 + 40 * bars).max(240),
            (Kind::Heat | Kind::Histogram | Kind::Stacked, _) if self.width < 1000 => {
                panels::height(chart, self)
            }
            _ => self.height,
        };
        Size { height, ..self }
    }

    fn check(self) -> Result<(), ChartError> {
        let fits = |side: u32| (240..=8192).contains(&side);
        if fits(self.width) && fits(self.height) {
            Ok(())
        } else {
            Err(ChartError::Size(self.width, self.height))
        }
    }
}

/// Where the typeface comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fonts {
    /// From the SVG itself, which is to stand alone.
    Embedded,
    /// From the page that the SVG is inlined in (see [`theme::font_face_css`]).
    Page,
}

/// Why a chart could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The size is out of range.
    #[error("a chart of {0} by {1} pixels is out of range: each side must be from 240 to 8192")]
    Size(u32, u32),
    /// The built-in typeface could not be read, which a changed font file would explain.
    #[error("the built-in typeface cannot be read")]
    Font,
    /// plotters refused to draw.
    #[error("drawing failed: {0}")]
    Draw(String),
    /// The SVG could not be painted.
    #[error("painting the PNG failed: {0}")]
    Png(String),
}

impl ChartError {
    fn draw(error: impl std::fmt::Display) -> Self {
        Self::Draw(error.to_string())
    }
}

/// Draws `chart` as an SVG document.
pub fn svg(chart: &Chart, size: Size, theme: Theme, fonts: Fonts) -> Result<String, ChartError> {
    size.check()?;
    font::register()?;
    let look = Look {
        theme,
        text: Type::of(size),
    };
    let mut canvas = Canvas::new(size);
    let body = frame::draw(chart, size, look, &mut canvas)?;
    match chart.kind {
        Kind::Line | Kind::Curve => line::draw(chart, body, look, &mut canvas)?,
        Kind::Bars => bars::draw(chart, body, look, &mut canvas)?,
        Kind::Columns => columns::draw(chart, body, look, &mut canvas)?,
        Kind::Histogram | Kind::Stacked | Kind::Heat => {
            panels::draw(chart, body, look, &mut canvas)?;
        }
    }
    let alt = match &chart.stamp {
        Some(stamp) => format!("{stamp}. {}", chart.alt),
        None => chart.alt.clone(),
    };
    let alt = escape(&font::clean(&alt));
    let Size { width, height } = size;
    let head = match fonts {
        // Inlined in a page, a title would pop up wherever the pointer rests.
        Fonts::Page => String::new(),
        Fonts::Embedded => {
            let title = escape(&font::clean(&chart.title));
            format!(
                "<title>{title}</title>\n<desc>{alt}</desc>\n<style>{}</style>\n",
                theme::font_face_css()
            )
        }
    };
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{alt}\">\n{head}{}</svg>\n",
        canvas.finish()
    ))
}

/// Text as XML wants it, in content and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}
