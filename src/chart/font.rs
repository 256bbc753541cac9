//! The one typeface of the charts: its files, and the measuring, shortening and wrapping of text.
//!
//! Text is measured from the glyphs' advances in font units, not by plotters' `estimate_layout`, which
//! takes the size for the line height and rounds to whole pixels. The bytes are the same.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef};
use plotters::style::{FontStyle, register_font};

use super::ChartError;

/// What `font-family` says: the embedded face, and whatever a reader's machine has for scripts it lacks.
pub(super) const FAMILY: &str = "Essor Inter, sans-serif";
/// The embedded face alone.
pub(super) const FACE: &str = "Essor Inter";

/// Regular weight, for measuring and for PNG.
pub(super) const REGULAR: &[u8] = include_bytes!("../../assets/fonts/inter-regular.ttf");
/// Semibold weight, for measuring and for PNG.
pub(super) const SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/inter-semibold.ttf");
/// Regular weight, for browsers.
pub(super) const REGULAR_WOFF2: &[u8] = include_bytes!("../../assets/fonts/inter-regular.woff2");
/// Semibold weight, for browsers.
pub(super) const SEMIBOLD_WOFF2: &[u8] = include_bytes!("../../assets/fonts/inter-semibold.woff2");

/// Cap height as a share of the size.
pub(super) const CAP: f64 = 0.73;
/// Depth of the descenders as a share of the size.
pub(super) const DESCENT: f64 = 0.22;

/// The two weights that charts use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

struct Faces {
    regular: FontRef<'static>,
    semibold: FontRef<'static>,
}

static FACES: LazyLock<Option<Faces>> = LazyLock::new(|| {
    register_font(FAMILY, FontStyle::Normal, REGULAR).ok()?;
    register_font(FAMILY, FontStyle::Bold, SEMIBOLD).ok()?;
    Some(Faces {
        regular: FontRef::try_from_slice(REGULAR).ok()?,
        semibold: FontRef::try_from_slice(SEMIBOLD).ok()?,
    })
});

/// Makes the faces known to plotters; every drawing begins with it.
pub(super) fn register() -> Result<(), ChartError> {
    FACES.as_ref().map(|_| ()).ok_or(ChartError::Font)
}

/// Width of `text` in pixels.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let Some(faces) = FACES.as_ref() else {
        return 0.0;
    };
    let face = match weight {
        Weight::Regular => &faces.regular,
        Weight::SemiBold => &faces.semibold,
    };
    let em = f64::from(face.units_per_em().unwrap_or(1000.0));
    text.chars().map(|c| advance(face, c, em)).sum::<f64>() * size
}

/// Advance of one character in ems.
fn advance(face: &FontRef<'_>, c: char, em: f64) -> f64 {
    let glyph = face.glyph_id(c);
    if glyph.0 != 0 {
        return f64::from(face.h_advance_unscaled(glyph)) / em;
    }
    // A character we lack is drawn by a fallback font; this is room enough for most.
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0.0,
        0x1_F000.. => 1.4,
        0x1100.. => 1.05,
        _ => 0.75,
    }
}

/// `text` without what XML forbids and without what could turn the reading direction of its neighbours.
pub(super) fn clean(text: &str) -> String {
    let spaced = text.chars().map(|c| {
        if matches!(c, '\t' | '\n' | '\r') {
            ' '
        } else {
            c
        }
    });
    spaced
        .filter(|c| {
            let code = u32::from(*c);
            !(c.is_control()
                || matches!(code, 0x061C | 0x200E | 0x200F | 0x2028..=0x202E | 0x2066..=0x2069)
                || (0xFDD0..=0xFDEF).contains(&code)
                || code & 0xFFFE == 0xFFFE)
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// `text`, cut with an ellipsis to fit `room`; nothing if not even that fits.
pub(super) fn ellipsise(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let head = head_within(text, size, weight, room - width("…", size, weight)).trim_end();
    // An ellipsis alone says nothing.
    if head.is_empty() {
        String::new()
    } else {
        format!("{head}…")
    }
}

/// The longest head of `text` that fits `room`.
fn head_within(text: &str, size: f64, weight: Weight, room: f64) -> &str {
    let mut used = 0.0;
    for (at, c) in text.char_indices() {
        used += width(c.encode_utf8(&mut [0; 4]), size, weight);
        if used > room {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// `text` in at most `most` lines no wider than `room`; the last one ends in an ellipsis if more is left.
pub(super) fn wrap(text: &str, size: f64, weight: Weight, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut words: std::collections::VecDeque<String> = text
        .split([' ', '\u{3000}'])
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect();
    while let Some(word) = words.pop_front() {
        let joined = if line.is_empty() {
            word.clone()
        } else {
            format!("{line} {word}")
        };
        if width(&joined, size, weight) <= room {
            line = joined;
            continue;
        }
        if line.is_empty() {
            // One word wider than the line: broken where it must be.
            let (head, tail) = split_at_width(&word, size, weight, room);
            line = head;
            if !tail.is_empty() {
                words.push_front(tail);
            }
        } else {
            words.push_front(word);
        }
        if lines.len() + 1 >= most {
            let rest = words.iter().cloned().collect::<Vec<_>>().join(" ");
            let whole = if rest.is_empty() {
                line
            } else {
                format!("{line} {rest}")
            };
            line = ellipsise(&whole, size, weight, room);
            break;
        }
        lines.push(std::mem::take(&mut line));
    }
    if !line.is_empty() && lines.len() < most {
        lines.push(line);
    }
    lines
}

/// Like [`wrap`], with the lines as even as they can be without needing one more: no lonely last word.
pub(super) fn balance(
    text: &str,
    size: f64,
    weight: Weight,
    room: f64,
    most: usize,
) -> Vec<String> {
    let mut best = wrap(text, size, weight, room, most);
    if best.last().is_none_or(|line| line.ends_with('…')) {
        return best;
    }
    for step in 1..10 {
        let narrower = wrap(
            text,
            size,
            weight,
            room * (1.0 - 0.05 * f64::from(step)),
            most + 1,
        );
        if narrower.len() > best.len() {
            break;
        }
        best = narrower;
    }
    best
}

/// The longest head of `word` that fits (one character at least), and the rest.
fn split_at_width(word: &str, size: f64, weight: Weight, room: f64) -> (String, String) {
    let least = word.chars().next().map_or(0, char::len_utf8);
    let at = head_within(word, size, weight, room).len().max(least);
    let (head, tail) = word.split_at_checked(at).unwrap_or((word, ""));
    (head.to_owned(), tail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_tabular_and_the_thin_space_is_thin() {
        let widths: Vec<f64> = ('0'..='9')
            .map(|c| width(&c.to_string(), 10.0, Weight::Regular))
            .collect();
        assert!(
            widths.iter().all(|w| (w - widths[0]).abs() < 0.05),
            "{widths:?}"
        );
        let thin = width("\u{202F}", 10.0, Weight::Regular);
        assert!(thin > 1.0 && thin < 2.5, "{thin}");
    }

    #[test]
    fn lines_fit_and_the_last_is_cut() {
        let text = "Telegram passed one hundred million monthly users ".repeat(9);
        for most in 1..4 {
            let lines = wrap(&text, 20.0, Weight::SemiBold, 300.0, most);
            assert_eq!(lines.len(), most);
            assert!(
                lines
                    .iter()
                    .all(|l| width(l, 20.0, Weight::SemiBold) <= 300.0)
            );
            assert!(lines.last().is_some_and(|l| l.ends_with('…')));
        }
        let unbroken = wrap(&"x".repeat(200), 20.0, Weight::Regular, 100.0, 9);
        assert!(
            unbroken
                .iter()
                .all(|l| width(l, 20.0, Weight::Regular) <= 100.0)
        );
    }

    #[test]
    fn what_xml_forbids_is_stripped() {
        assert_eq!(clean("a\u{0}b\u{1b}\u{202e}c\u{fffe}\n d"), "abc  d");
    }
}
