//! Colours, for light and dark, and the CSS a page needs to show a chart.
//!
//! Lines and their labels share a colour, so every one of them has the contrast that text needs (4.5:1).
//! The rivals' colours also differ in lightness, for readers of a grey print.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plotters::style::RGBColor;

use super::font;

/// What a chart is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// White paper.
    Light,
    /// A near-black screen.
    Dark,
}

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// The background.
    Paper,
    /// Titles and names.
    Ink,
    /// The subtitle.
    Soft,
    /// Ticks, notes and the footer.
    Faint,
    /// Grid lines.
    Grid,
    /// The base line and reference lines.
    Axis,
    /// Lines of the series that have no colour of their own.
    Other,
    /// Bars of the rivals, columns under a line.
    Bar,
    /// The report's platform.
    Subject,
    /// The n-th of the coloured rivals.
    Rival(usize),
    /// A part between the palest and the strongest of a stack.
    Between,
    /// A second part below zero.
    Paler,
    /// The n-th step of the scale of a heat map, from the lowest.
    Heat(usize),
}

/// How many rivals have a colour of their own.
pub(super) const RIVALS: usize = 7;

/// How many steps a heat map's scale has.
pub(super) const STEPS: usize = 9;
/// From this step on [`Tone::Paper`] is read on the scale's colours, and below it [`Tone::Ink`].
pub(super) const INVERTED: usize = 5;

/// Light and dark of every tone; no light colour occurs twice, for `dark_css` tells them apart by value.
const TONES: [(u32, u32); 11 + RIVALS + STEPS] = [
    (0xFFFFFF, 0x161616),
    (0x1B1B1B, 0xEDEDED),
    (0x4F4F4F, 0xC4C4C4),
    (0x6B6B6B, 0xA3A3A3),
    (0xE4E4E4, 0x333333),
    (0x8C8C8C, 0x7C7C7C),
    (0xBDBDBD, 0x5A5A5A),
    (0xA9BCCD, 0x5B7690),
    (0x0B57A4, 0x6DB5FF),
    (0xBF4A00, 0xFF9A5C),
    (0x00704F, 0x3CCB9F),
    (0x7A2E80, 0xE08BE0),
    (0x7D5F00, 0xE0BA3A),
    (0x3F4B59, 0xB4C2D2),
    (0x1B7A9E, 0x76D3EE),
    (0x981B32, 0xFF838F),
    (0x3D9E8F, 0x2F9C80),
    (0xE39A6B, 0xA85B2A),
    // Higher values stand further from the paper: darker on white, brighter on black.
    (0xEAF2FB, 0x1B2A3A),
    (0xD2E4F5, 0x1E3650),
    (0xB4D2ED, 0x214468),
    (0x93BEE4, 0x265484),
    (0x72A9DA, 0x2C659F),
    (0x3873B2, 0x5E9BD6),
    (0x2867A6, 0x7FB3E6),
    (0x17528F, 0xA3CAF0),
    (0x0C3C73, 0xC8E0F8),
];

/// The colour of `tone` in `theme`.
pub(super) fn colour(tone: Tone, theme: Theme) -> RGBColor {
    let at = match tone {
        Tone::Paper => 0,
        Tone::Ink => 1,
        Tone::Soft => 2,
        Tone::Faint => 3,
        Tone::Grid => 4,
        Tone::Axis => 5,
        Tone::Other => 6,
        Tone::Bar => 7,
        Tone::Subject => 8,
        Tone::Rival(n) => 9 + n % RIVALS,
        Tone::Between => 9 + RIVALS,
        Tone::Paler => 10 + RIVALS,
        Tone::Heat(n) => 11 + RIVALS + n.min(STEPS - 1),
    };
    let (light, dark) = TONES.get(at).copied().unwrap_or((0, 0xFF_FFFF));
    let [_, red, green, blue] = match theme {
        Theme::Light => light,
        Theme::Dark => dark,
    }
    .to_be_bytes();
    RGBColor(red, green, blue)
}

/// `#RRGGBB`, in the capitals that plotters writes too.
pub(super) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// The `@font-face` rules of both weights, for the page that inlines charts drawn with [`super::Fonts::Page`].
pub fn font_face_css() -> String {
    let mut css = String::new();
    for (weight, bytes) in [
        ("400", font::REGULAR_WOFF2),
        ("600 700", font::SEMIBOLD_WOFF2),
    ] {
        let data = STANDARD.encode(bytes);
        let _ = write!(
            css,
            "@font-face{{font-family:\"{}\";font-style:normal;font-weight:{weight};\
             src:url(data:font/woff2;base64,{data}) format(\"woff2\")}}",
            font::FACE,
        );
    }
    css
}

/// CSS that gives an inlined light chart its dark colours; `selector` names the charts, e.g. `.chart svg`.
pub fn dark_css(selector: &str) -> String {
    let mut css = String::new();
    for (light, dark) in TONES {
        for paint in ["fill", "stroke"] {
            let _ = write!(
                css,
                "{selector} [{paint}=\"#{light:06X}\"]{{{paint}:#{dark:06X}}}"
            );
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(rgb: u32) -> f64 {
        let [_, r, g, b] = rgb.to_be_bytes();
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.03928 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_has_contrast_in_both_themes() {
        let (paper, _) = (TONES[0], ());
        for (light, dark) in TONES[1..4].iter().chain(&TONES[8..9 + RIVALS]) {
            assert!(
                contrast(*light, paper.0) >= 4.5,
                "{light:06X} {}",
                contrast(*light, paper.0)
            );
            assert!(
                contrast(*dark, paper.1) >= 4.5,
                "{dark:06X} {}",
                contrast(*dark, paper.1)
            );
        }
    }

    #[test]
    fn numbers_on_a_heat_map_have_contrast_in_both_themes() {
        let (paper, ink) = (TONES[0], TONES[1]);
        for (step, (light, dark)) in TONES[11 + RIVALS..].iter().enumerate() {
            let words = if step < INVERTED { ink } else { paper };
            assert!(contrast(*light, words.0) >= 4.5, "step {step}, light");
            assert!(contrast(*dark, words.1) >= 4.5, "step {step}, dark");
        }
    }

    #[test]
    fn light_colours_are_told_apart_by_value() {
        let mut seen: Vec<u32> = TONES.iter().map(|t| t.0).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), TONES.len());
        let css = dark_css(".chart svg");
        assert!(css.contains(".chart svg [fill=\"#1B1B1B\"]{fill:#EDEDED}"));
        assert!(css.contains(".chart svg [stroke=\"#FFFFFF\"]{stroke:#161616}"));
    }

    #[test]
    fn both_weights_are_embedded_and_small() {
        let css = font_face_css();
        assert_eq!(css.matches("@font-face").count(), 2);
        assert!(css.len() < 90_000, "{}", css.len());
    }
}
