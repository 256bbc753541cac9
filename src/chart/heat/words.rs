//! The words around the cells of a map: its titles, the names and sizes of its rows, the numbers of its columns.

use super::grid::{Grid, Heading, corner};
use super::{SMALLEST, wide};
use crate::chart::axis;
use crate::chart::canvas::{Anchor, Text};
use crate::chart::font::{self, Weight};
use crate::chart::frame::Look;
use crate::chart::label::Rect;
use crate::chart::number::short;
use crate::chart::theme::Tone;
use crate::chart::{Chart, X};

/// The titles, the names and sizes of the rows, the numbers of the columns, and what was left out.
pub(super) fn titles(
    chart: &Chart,
    headings: &[Heading],
    columns: &[X],
    grid: &Grid,
    body: Rect,
    look: Look,
) -> Vec<Text> {
    let size = look.text.tick;
    let text = |words: &str, x: f64, baseline: f64, anchor: Anchor, tone: Tone| Text {
        text: words.to_owned(),
        x,
        baseline,
        anchor,
        size,
        weight: Weight::Regular,
        colour: look.colour(tone),
    };
    let mut texts = Vec::new();
    let names = grid.sizes - body.left;
    // The room was measured for these words: sums of fractions must not cut them.
    let fitted = |words: &str, room: f64| font::ellipsise(words, size, Weight::Regular, room + 0.1);
    let title = fitted(&font::clean(&chart.x_title), body.right - grid.left);
    texts.push(text(
        &title,
        grid.left,
        grid.top - size * 1.9,
        Anchor::Start,
        Tone::Faint,
    ));
    let (names_title, sizes_title) = corner(chart);
    let above = grid.top - size * 0.5;
    let sizes_room = wide(sizes_title, size);
    texts.push(text(
        &fitted(
            names_title,
            names - sizes_room - size * if sizes_room > 0.0 { 0.5 } else { 0.0 },
        ),
        body.left,
        above,
        Anchor::Start,
        Tone::Faint,
    ));
    texts.push(text(
        sizes_title,
        grid.sizes,
        above,
        Anchor::End,
        Tone::Faint,
    ));

    texts.extend(ages(columns, grid, body, above, look));
    texts.extend(row_names(headings, grid, body, look));
    let mut missing = Vec::new();
    let hidden = headings.len() - grid.rows;
    if hidden > 0 {
        let which = if grid.skipped > 0 { "earlier " } else { "" };
        missing.push(format!("{hidden} {which}rows"));
    }
    if columns.len() > grid.columns {
        missing.push(format!("{} further columns", columns.len() - grid.columns));
    }
    if !missing.is_empty() {
        let words = format!("Not shown: {}", missing.join(", "));
        let foot = grid.top + grid.height * grid.rows as f64 + size * 1.5;
        texts.push(text(
            &fitted(&words, body.width()),
            body.left,
            foot,
            Anchor::Start,
            Tone::Faint,
        ));
    }
    texts
}

/// The names and sizes of the rows: smaller where the rows are low, and every second or third where they are
/// lower still.
fn row_names(headings: &[Heading], grid: &Grid, body: Rect, look: Look) -> Vec<Text> {
    let smallest = look.text.tick.min(SMALLEST + 1.0);
    let size = (grid.height / 1.18).clamp(smallest, look.text.tick);
    let every = (size * 1.17 / grid.height).ceil().max(1.0) as usize;
    let text = |(row, words, x, anchor, tone): (usize, String, f64, Anchor, Tone)| Text {
        text: words,
        x,
        baseline: grid.top + grid.height * (row as f64 + 0.5) + size * 0.36,
        anchor,
        size,
        weight: Weight::Regular,
        colour: look.colour(tone),
    };
    let shown = headings.iter().skip(grid.skipped).take(grid.rows);
    shown
        .enumerate()
        .step_by(every)
        .flat_map(|(row, heading)| {
            let taken = match heading.size.as_str() {
                "" => 0.0,
                words => wide(words, size) + size,
            };
            let room = grid.sizes - body.left - taken + 0.1;
            let name = font::ellipsise(&heading.name, size, Weight::Regular, room);
            [
                (row, name, body.left, Anchor::Start, Tone::Ink),
                (
                    row,
                    heading.size.clone(),
                    grid.sizes,
                    Anchor::End,
                    Tone::Faint,
                ),
            ]
        })
        .map(text)
        .collect()
}

/// The labels of the columns: as many, evenly chosen, as stand clear of each other.
fn ages(columns: &[X], grid: &Grid, body: Rect, baseline: f64, look: Look) -> Vec<Text> {
    let size = look.text.tick;
    let words = |x: &X| match x {
        X::Number(number) => short(*number),
        X::Day(day) => axis::day_label(*day),
        X::Name(name) => font::ellipsise(
            &font::clean(name),
            size,
            Weight::Regular,
            grid.width.max(size * 3.0) - 2.0,
        ),
    };
    let label = |(i, x): (usize, &X)| Text {
        text: words(x),
        x: grid.left + grid.width * (i as f64 + 0.5),
        baseline,
        anchor: Anchor::Middle,
        size,
        weight: Weight::Regular,
        colour: look.colour(Tone::Faint),
    };
    for every in [1, 2, 4, 5, 10, 20, 50, 100] {
        let shown = columns.iter().take(grid.columns).enumerate();
        let labels: Vec<Text> = shown.step_by(every).map(label).collect();
        let mut edge = grid.sizes;
        let clear = labels.iter().map(Text::bounds).all(|area| {
            let clear = area.left > edge + size * 0.3 && area.right <= body.right + 1.0;
            edge = area.right;
            clear
        });
        if clear {
            return labels;
        }
    }
    Vec::new()
}
