//! The sheet that plotters' SVG backend draws on.
//!
//! plotters counts in whole pixels and knows neither dashes nor text halos. So a canvas is drawn in tenths
//! of a pixel and scaled down, and in layers: each is one run of the backend, wrapped in a `<g>` that carries
//! what the backend cannot say.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, DrawingArea, FontFamily, IntoDrawingArea, PathElement, Rectangle, SVGBackend,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontStyle, RGBColor, ShapeStyle, TextStyle};

use super::font::{self, CAP, DESCENT, FAMILY, Weight};
use super::label::Rect;
use super::{ChartError, Size};

/// Drawing units in a pixel.
const UNIT: f64 = 10.0;
/// plotters takes the font size for the line height and writes it divided by this.
const LINE_HEIGHT: f64 = 1.24;
/// plotters' `dy` of a text hung from its top.
const HANG: f64 = 0.76;

/// Where a text's x stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text, placed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) baseline: f64,
    pub(super) anchor: Anchor,
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) colour: RGBColor,
}

impl Text {
    /// The box that the text covers.
    pub(super) fn bounds(&self) -> Rect {
        let width = font::width(&self.text, self.size, self.weight);
        let left = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - width / 2.0,
            Anchor::End => self.x - width,
        };
        Rect {
            left,
            top: self.baseline - CAP * self.size,
            right: left + width,
            bottom: self.baseline + DESCENT * self.size,
        }
    }
}

/// The sheet.
pub(super) struct Canvas {
    size: Size,
    body: String,
}

/// One layer of it.
pub(super) struct Layer<'a>(DrawingArea<SVGBackend<'a>, Shift>);

impl Canvas {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            body: String::new(),
        }
    }

    /// Draws a layer whose group carries `attributes`, which are ours and need no escaping.
    pub(super) fn layer(
        &mut self,
        attributes: &str,
        draw: impl FnOnce(&Layer<'_>) -> Result<(), ChartError>,
    ) -> Result<(), ChartError> {
        let tenfold = |pixels: u32| pixels.saturating_mul(10);
        let mut buffer = String::new();
        {
            let backend = SVGBackend::with_string(
                &mut buffer,
                (tenfold(self.size.width), tenfold(self.size.height)),
            );
            let layer = Layer(backend.into_drawing_area());
            draw(&layer)?;
            layer.0.present().map_err(ChartError::draw)?;
        }
        let drawn = inner(&buffer);
        if !drawn.trim().is_empty() {
            let space = if attributes.is_empty() { "" } else { " " };
            self.body
                .push_str(&format!("<g{space}{attributes}>\n{drawn}</g>\n"));
        }
        Ok(())
    }

    /// Everything drawn so far, scaled back to pixels.
    pub(super) fn finish(self) -> String {
        format!("<g transform=\"scale(.1)\">\n{}</g>\n", self.body)
    }
}

/// What stands inside the root element, without the line breaks and defaults that plotters adds. Text is
/// escaped by then, so that none of the patterns can occur in it.
fn inner(svg: &str) -> String {
    let body = svg.split_once('>').map_or("", |(_, rest)| rest);
    let body = body.rsplit_once("</svg>").map_or(body, |(head, _)| head);
    body.trim_start()
        .replace("\">\n", "\">")
        .replace("\n</text>", "</text>")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" \"/>", "\"/>")
}

fn unit(pixels: f64) -> i32 {
    // `as` saturates; what is off the sheet stays off it.
    (pixels * UNIT).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (unit(x), unit(y))
}

fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(u32::try_from(unit(width)).unwrap_or(1))
}

impl Layer<'_> {
    /// A line through `points`.
    pub(super) fn path(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
        self.0
            .draw(&PathElement::new(points, stroke(colour, width)))
            .map_err(ChartError::draw)
    }

    /// A filled disc.
    pub(super) fn disc(
        &self,
        centre: (f64, f64),
        radius: f64,
        colour: RGBColor,
    ) -> Result<(), ChartError> {
        self.0
            .draw(&Circle::new(at(centre), unit(radius), colour.filled()))
            .map_err(ChartError::draw)
    }

    /// A hollow disc: `paper` inside, so that no line shows through.
    pub(super) fn ring(
        &self,
        centre: (f64, f64),
        radius: f64,
        colour: RGBColor,
        paper: RGBColor,
    ) -> Result<(), ChartError> {
        self.disc(centre, radius, paper)?;
        self.0
            .draw(&Circle::new(at(centre), unit(radius), stroke(colour, 1.5)))
            .map_err(ChartError::draw)
    }

    /// A filled rectangle.
    pub(super) fn rect(&self, area: Rect, colour: RGBColor) -> Result<(), ChartError> {
        let corners = [at((area.left, area.top)), at((area.right, area.bottom))];
        self.0
            .draw(&Rectangle::new(corners, colour.filled()))
            .map_err(ChartError::draw)
    }

    /// The outline of a rectangle, drawn inside it.
    pub(super) fn outline(
        &self,
        area: Rect,
        colour: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        let inset = width / 2.0;
        let (l, t, r, b) = (
            area.left + inset,
            area.top + inset,
            area.right - inset,
            area.bottom - inset,
        );
        self.path(
            &[(l, t), (r, t), (r, b), (l, b), (l, t), (r, t)],
            colour,
            width,
        )
    }

    /// The sides of a rectangle that stands on its bottom, or hangs from its top, and is open at the other end:
    /// how far it reaches is not known.
    pub(super) fn open(&self, area: Rect, colour: RGBColor, width: f64) -> Result<(), ChartError> {
        let inset = width / 2.0;
        for x in [area.left + inset, area.right - inset] {
            self.path(&[(x, area.top), (x, area.bottom)], colour, width)?;
        }
        Ok(())
    }

    /// Diagonal hatching clipped to a rectangle, with its outline: a period that is not over.
    pub(super) fn hatch(&self, area: Rect, colour: RGBColor) -> Result<(), ChartError> {
        let (width, height) = (area.right - area.left, area.bottom - area.top);
        let mut offset = 3.0;
        while offset < width + height && offset < 20_000.0 {
            // The line x + y = offset, from the left or bottom side to the top or right one.
            let from = (offset.min(width), offset - offset.min(width));
            let to = (offset - offset.min(height), offset.min(height));
            let shift = |p: (f64, f64)| (area.left + p.0, area.top + p.1);
            self.path(&[shift(from), shift(to)], colour, 1.0)?;
            offset += 4.5;
        }
        self.outline(area, colour, 1.0)
    }

    /// A line of text.
    pub(super) fn text(&self, text: &Text) -> Result<(), ChartError> {
        if text.text.is_empty() {
            return Ok(());
        }
        let style = match text.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::SemiBold => FontStyle::Bold,
        };
        let horizontal = match text.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = TextStyle {
            font: FontDesc::new(
                FontFamily::Name(FAMILY),
                text.size * UNIT * LINE_HEIGHT,
                style,
            ),
            color: text.colour.to_backend_color(),
            pos: Pos::new(horizontal, VPos::Top),
        };
        let corner = at((text.x, text.baseline - HANG * text.size));
        self.0
            .draw_text(&text.text, &style, corner)
            .map_err(ChartError::draw)
    }
}
