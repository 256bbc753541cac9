//! Small multiples: a panel each for the values of a dimension, all of one kind.

use super::canvas::{Anchor, Canvas, Text};
use super::font::{self, Weight};
use super::frame::Look;
use super::label::Rect;
use super::theme::Tone;
use super::{Chart, ChartError, Kind, Role, Series, Size, heat, histogram, stacked};

/// Draws the only panel, or the largest of several side by side.
pub(super) fn draw(
    chart: &Chart,
    body: Rect,
    look: Look,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    let scale = match chart.kind {
        Kind::Heat => heat::Scale::of(chart),
        _ => None,
    };
    let top = match chart.kind {
        Kind::Heat => heat::key(chart, scale, body, look, canvas)?,
        Kind::Stacked => stacked::key(chart, body, look, canvas)?,
        _ => body.top,
    };
    let body = Rect { top, ..body };
    let mut panels = panels(chart);
    if panels.len() <= 1 {
        return draw_one(chart, body, look, scale, canvas);
    }
    let size = look.text.label;
    let (across, most) = room(chart.kind, panels.len(), look.text.narrow);
    // On a sheet that is not as high as is asked for, fewer.
    let fitting = (body.height() / (size * 8.0)).max(1.0) as usize;
    let most = most.min(across * fitting);
    let hidden = panels.len().saturating_sub(most);
    panels.truncate(most);
    let down = panels.len().div_ceil(across);
    let foot = if hidden > 0 { size * 1.6 } else { 0.0 };
    let gap = size * 1.2;
    let width = (body.width() - gap * (across as f64 - 1.0)) / across as f64;
    let height = (body.height() - foot) / down as f64;
    let mut texts = Vec::new();
    for (i, (title, panel)) in panels.iter().enumerate() {
        let left = body.left + (width + gap) * (i % across) as f64;
        let top = body.top + height * (i / across) as f64;
        let area = Rect {
            left,
            top: top + size * 1.7,
            right: left + width,
            bottom: top + height - size * 0.5,
        };
        let title = font::ellipsise(&font::clean(title), size, Weight::SemiBold, width);
        texts.push(words(
            title,
            (left, top + size),
            size,
            Weight::SemiBold,
            Tone::Ink,
            look,
        ));
        draw_one(panel, area, look, scale, canvas)?;
    }
    if hidden > 0 {
        let said = format!("… and {hidden} more, smaller");
        let said = font::ellipsise(&said, look.text.tick, Weight::Regular, body.width());
        let at = (body.left, body.bottom - size * 0.3);
        texts.push(words(
            said,
            at,
            look.text.tick,
            Weight::Regular,
            Tone::Faint,
            look,
        ));
    }
    canvas.layer("", |layer| texts.iter().try_for_each(|t| layer.text(t)))
}

fn words(
    text: String,
    (x, baseline): (f64, f64),
    size: f64,
    weight: Weight,
    tone: Tone,
    look: Look,
) -> Text {
    Text {
        text,
        x,
        baseline,
        anchor: Anchor::Start,
        size,
        weight,
        colour: look.colour(tone),
    }
}

fn draw_one(
    chart: &Chart,
    body: Rect,
    look: Look,
    scale: Option<heat::Scale>,
    canvas: &mut Canvas,
) -> Result<(), ChartError> {
    match chart.kind {
        Kind::Heat => heat::draw(chart, body, look, scale, canvas),
        Kind::Histogram => histogram::draw(chart, body, look, canvas),
        _ => stacked::draw(chart, body, look, canvas),
    }
}

/// The panels with their titles, the largest first.
fn panels(chart: &Chart) -> Vec<(String, Chart)> {
    let mut panels: Vec<(String, Vec<Series>)> = Vec::new();
    for series in &chart.series {
        match panels.iter_mut().find(|(title, _)| *title == series.panel) {
            Some((_, found)) => found.push(series.clone()),
            None => panels.push((series.panel.clone(), vec![series.clone()])),
        }
    }
    panels.sort_by(|a, b| weight(&b.1).total_cmp(&weight(&a.1)));
    let only = |series: Vec<Series>| Chart {
        series,
        ..chart.clone()
    };
    panels
        .into_iter()
        .map(|(title, series)| (title, only(series)))
        .collect()
}

/// How large a panel is: its cohorts, or else all that stands above zero in it.
fn weight(series: &[Series]) -> f64 {
    let part = |s: &Series| {
        let values = s.points.iter().filter_map(|p| p.y);
        match s.role {
            Role::Down | Role::Net | Role::Whole => 0.0,
            _ => s.size.unwrap_or_else(|| values.filter(|y| *y > 0.0).sum()),
        }
    };
    series.iter().map(part).sum()
}

/// How many panels stand side by side, and how many at most in all.
fn room(kind: Kind, panels: usize, narrow: bool) -> (usize, usize) {
    match (kind, narrow) {
        (Kind::Heat, true) => (1, 3),
        (Kind::Heat, false) => (2, 4),
        (_, true) => (1, 4),
        (_, false) if matches!(panels, 2 | 4) => (2, 4),
        (_, false) => (3, 6),
    }
}

/// The height that the panels of a chart ask for at a width.
pub(super) fn height(chart: &Chart, size: Size) -> u32 {
    let narrow = size.width < 520;
    let mut titles: Vec<&str> = chart.series.iter().map(|s| s.panel.as_str()).collect();
    titles.sort_unstable();
    titles.dedup();
    let (across, most) = room(chart.kind, titles.len(), narrow);
    let down = titles.len().min(most).div_ceil(across) as u32;
    let rows = |title: &str| chart.series.iter().filter(|s| s.panel == title).count() as u32;
    let rows = titles
        .iter()
        .map(|title| rows(title))
        .max()
        .unwrap_or(0)
        .min(26);
    match (chart.kind, titles.len()) {
        (Kind::Heat, 0 | 1) => {
            if narrow {
                (240 + rows * 20).clamp(320, 780)
            } else {
                (205 + rows * 23).clamp(280, 780)
            }
        }
        (Kind::Heat, _) => (170 + down * (70 + rows * 17)).clamp(320, 1600),
        (_, 0 | 1) => size.height,
        _ => (160 + down * if narrow { 190 } else { 200 }).max(size.height),
    }
}
