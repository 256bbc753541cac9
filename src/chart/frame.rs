//! What stands around the plot: the title, the subtitle, and the footer.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, Text};
use super::font::{self, Weight};
use super::label::Rect;
use super::theme::{self, Theme, Tone};
use super::{Chart, ChartError, Size};

/// Sizes of type, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) title: f64,
    pub(super) subtitle: f64,
    pub(super) label: f64,
    pub(super) tick: f64,
    pub(super) footer: f64,
    pub(super) margin: f64,
    /// Widths of lines and dots are multiples of this.
    pub(super) pen: f64,
    /// Whether the picture is too narrow for two columns of text beside a plot.
    pub(super) narrow: bool,
}

impl Type {
    /// Type for a telephone, a page, or something larger.
    pub(super) fn of(size: Size) -> Self {
        if size.width < 520 {
            return Self {
                title: 17.0,
                subtitle: 12.5,
                label: 12.0,
                tick: 11.5,
                footer: 10.0,
                margin: 12.0,
                pen: 0.9,
                narrow: true,
            };
        }
        let scale = (f64::from(size.width) / 860.0)
            .max(1.0)
            .min(f64::from(size.height) / 480.0)
            .max(1.0);
        Self {
            title: 20.0 * scale,
            subtitle: 14.0 * scale,
            label: 13.0 * scale,
            tick: 12.0 * scale,
            footer: 11.0 * scale,
            margin: 16.0 * scale,
            pen: scale,
            narrow: false,
        }
    }
}

/// How a chart looks: its colours and its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) theme: Theme,
    pub(super) text: Type,
}

impl Look {
    pub(super) fn colour(&self, tone: Tone) -> RGBColor {
        theme::colour(tone, self.theme)
    }
}

/// A paragraph's type.
struct Style {
    size: f64,
    weight: Weight,
    tone: Tone,
    leading: f64,
}

/// Draws the background and the words around the plot; returns the room that is left for it.
pub(super) fn draw(
    chart: &Chart,
    size: Size,
    look: Look,
    canvas: &mut Canvas,
) -> Result<Rect, ChartError> {
    let text = look.text;
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let room = width - 2.0 * text.margin;
    let title = Style {
        size: text.title,
        weight: Weight::SemiBold,
        tone: Tone::Ink,
        leading: 1.22,
    };
    let subtitle = Style {
        size: text.subtitle,
        weight: Weight::Regular,
        tone: Tone::Soft,
        leading: 1.3,
    };
    let footer = Style {
        size: text.footer,
        weight: Weight::Regular,
        tone: Tone::Faint,
        leading: 1.35,
    };
    let lines = |words: &str, style: &Style, most: usize| {
        font::wrap(&font::clean(words), style.size, style.weight, room, most)
    };

    let mut texts = Vec::new();
    let stamp = stamp(chart, room, look);
    let mut top = stamp
        .as_ref()
        .map_or(text.margin * 0.8, |(area, _)| area.bottom + text.pen * 5.0);
    for (style, words) in [(&title, &chart.title), (&subtitle, &chart.subtitle)] {
        for line in font::balance(&font::clean(words), style.size, style.weight, room, 3) {
            texts.push(place(line, text.margin, top, style, look));
            top += style.size * style.leading;
        }
        top += text.pen * 3.0;
    }

    // The footer may take a third of the height; the page around the chart tells the rest.
    let step = footer.size * footer.leading;
    let most = ((height * 0.3 / step) as usize).max(1);
    let mut notes: Vec<String> = Vec::new();
    for paragraph in &chart.footer {
        let left = most.saturating_sub(notes.len());
        if left > 0 {
            notes.extend(lines(paragraph, &footer, left));
        }
    }
    let foot = height - text.margin * 0.7 - step * notes.len() as f64;
    for (i, note) in notes.iter().enumerate() {
        texts.push(place(
            note.clone(),
            text.margin,
            foot + step * i as f64,
            &footer,
            look,
        ));
    }

    let paper = Rect {
        left: 0.0,
        top: 0.0,
        right: width,
        bottom: height,
    };
    canvas.layer("", |layer| {
        layer.rect(paper, look.colour(Tone::Paper))?;
        if let Some((area, words)) = &stamp {
            layer.rect(*area, look.colour(STAMP))?;
            layer.text(words)?;
        }
        texts.iter().try_for_each(|t| layer.text(t))
    })?;
    let gap = text.margin * 0.6;
    Ok(Rect {
        left: text.margin,
        top: top + gap * 0.5,
        right: width - text.margin,
        bottom: foot - gap,
    })
}

/// The colour of the stamp's box.
const STAMP: Tone = Tone::Rival(0);

/// The stamp in its box, above the title: the first that is read.
fn stamp(chart: &Chart, room: f64, look: Look) -> Option<(Rect, Text)> {
    let (text, size) = (look.text, look.text.footer * 1.06);
    let aside = size * 0.6;
    let words = font::clean(chart.stamp.as_deref()?);
    let words = font::ellipsise(&words, size, Weight::SemiBold, room - 2.0 * aside);
    if words.is_empty() {
        return None;
    }
    let top = text.margin * 0.75;
    let area = Rect {
        left: text.margin,
        top,
        right: text.margin + font::width(&words, size, Weight::SemiBold) + 2.0 * aside,
        bottom: top + size * 1.7,
    };
    let words = Text {
        text: words,
        x: area.left + aside,
        baseline: top + size * 1.21,
        anchor: Anchor::Start,
        size,
        weight: Weight::SemiBold,
        colour: look.colour(Tone::Paper),
    };
    Some((area, words))
}

fn place(line: String, x: f64, top: f64, style: &Style, look: Look) -> Text {
    Text {
        text: line,
        x,
        baseline: top + style.size,
        anchor: Anchor::Start,
        size: style.size,
        weight: style.weight,
        colour: look.colour(style.tone),
    }
}
