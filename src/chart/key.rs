//! The key above a plot: what its colours and marks mean, where names at the lines' ends can't say it.

use super::ChartError;
use super::Mark;
use super::canvas::{Anchor, Layer, Text};
use super::columns;
use super::font::{self, Weight};
use super::frame::Look;
use super::label::Rect;
use super::theme::Tone;

/// A sample in the key.
pub(super) enum Swatch {
    /// A bar of a colour, as its mark has it drawn.
    Bar(Tone, Mark),
    /// A line of a colour.
    Line(Tone),
    /// A bar whose end is not known.
    Open,
    /// A bar whose parts are not known.
    Frame,
}

/// An entry: its sample, its words, and their colour.
pub(super) type Item = (Swatch, String, Tone);

/// The key, placed.
pub(super) struct Key {
    swatches: Vec<(Rect, Swatch)>,
    pub(super) texts: Vec<Text>,
    /// Where the plot may begin.
    pub(super) bottom: f64,
}

impl Key {
    /// Places the entries in rows from the top of `body`; what does not fit `rows` rows is left out.
    pub(super) fn of(items: Vec<Item>, rows: usize, body: Rect, look: Look) -> Self {
        let size = look.text.tick;
        let (wide, row) = (size * 1.1, size * 1.55);
        let share = if look.text.narrow { 0.9 } else { 0.45 };
        let most = (body.width() * share - wide * 1.4).max(0.0);
        let last = body.top + row * (rows.saturating_sub(1) as f64 + 0.5);
        let mut key = Key {
            swatches: Vec::new(),
            texts: Vec::new(),
            bottom: body.top,
        };
        let (mut x, mut top) = (body.left, body.top);
        for (swatch, words, tone) in items {
            let words = font::ellipsise(&words, size, Weight::Regular, most);
            let lead = wide * 1.4;
            let width = lead + font::width(&words, size, Weight::Regular);
            if x > body.left && x + width > body.right {
                (x, top) = (body.left, top + row);
            }
            if words.is_empty() || top > last {
                continue;
            }
            let area = Rect {
                left: x,
                top: top + size * 0.1,
                right: x + wide,
                bottom: top + size * 0.9,
            };
            key.swatches.push((area, swatch));
            key.texts.push(Text {
                text: words,
                x: x + lead,
                baseline: top + size * 0.87,
                anchor: Anchor::Start,
                size,
                weight: Weight::Regular,
                colour: look.colour(tone),
            });
            key.bottom = top + row;
            x += width + size * 1.5;
        }
        key
    }

    /// Draws the samples; the texts are drawn with those of the plot.
    pub(super) fn draw(&self, layer: &Layer<'_>, look: Look) -> Result<(), ChartError> {
        self.swatches
            .iter()
            .try_for_each(|(area, swatch)| match swatch {
                Swatch::Bar(tone, mark) => columns::bar(layer, *area, *mark, *tone, look),
                Swatch::Line(tone) => {
                    let middle = (area.top + area.bottom) / 2.0;
                    let line = [(area.left, middle), (area.right, middle)];
                    layer.path(&line, look.colour(*tone), look.text.pen * 2.4)
                }
                Swatch::Open => {
                    let (colour, pen) = (look.colour(Tone::Faint), look.text.pen);
                    let base = [(area.left, area.bottom), (area.right, area.bottom)];
                    layer.open(*area, colour, pen)?;
                    layer.path(&base, colour, pen)
                }
                Swatch::Frame => layer.outline(*area, look.colour(Tone::Faint), look.text.pen),
            })
    }
}
