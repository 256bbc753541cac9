//! The drawn pictures are read back: words that overlap or leave the sheet are found here, whatever
//! placed them.

mod chance;
mod gallery;

use super::canvas::{Anchor, Text};
use super::font::Weight;
use super::label::Rect;
use super::*;
use chance::Chance;

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let at = tag
        .find(&format!(" {name}=\""))
        .unwrap_or_else(|| panic!("no {name} in {tag}"));
    let rest = &tag[at + name.len() + 3..];
    &rest[..rest.find('"').expect("an end")]
}

/// The words of a picture with the boxes they cover.
fn texts(svg: &str) -> Vec<(String, Rect)> {
    let mut found = Vec::new();
    for part in svg.split("<text").skip(1) {
        let (tag, rest) = part.split_once('>').expect("a tag");
        let (content, _) = rest.split_once("</text>").expect("an end");
        let number = |name: &str| attribute(tag, name).parse::<f64>().expect("a number") / 10.0;
        assert_eq!(attribute(tag, "dy"), "0.76em");
        let text = content
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&");
        let size = number("font-size");
        let placed = Text {
            text: text.clone(),
            x: number("x"),
            baseline: number("y") + 0.76 * size,
            anchor: match attribute(tag, "text-anchor") {
                "start" => Anchor::Start,
                "middle" => Anchor::Middle,
                _ => Anchor::End,
            },
            size,
            weight: if tag.contains("font-weight=\"bold\"") {
                Weight::SemiBold
            } else {
                Weight::Regular
            },
            colour: plotters::style::RGBColor(0, 0, 0),
        };
        found.push((text, placed.bounds()));
    }
    found
}

fn check_words(svg: &str, size: Size, what: &str) {
    let sheet = Rect {
        left: 0.0,
        top: 0.0,
        right: f64::from(size.width),
        bottom: f64::from(size.height),
    };
    let texts = texts(svg);
    for (i, (text, area)) in texts.iter().enumerate() {
        assert!(
            sheet.holds(area),
            "{what}: {text:?} leaves the sheet: {area:?}"
        );
        for (other, covered) in &texts[..i] {
            assert!(
                !area.grown(-0.3).overlaps(covered),
                "{what}: {text:?} {area:?} covers {other:?} {covered:?}"
            );
        }
    }
}

#[test]
fn no_words_overlap_or_leave_the_sheet() {
    for seed in 0..400 {
        let chart = Chance(seed * 7919 + 1).chart();
        for size in [Size::PAGE, Size::PHONE, Size::SLIDE] {
            let size = if seed % 2 == 0 {
                size.fit(&chart)
            } else {
                size
            };
            let drawn = svg(&chart, size, Theme::Light, Fonts::Page).expect("a chart");
            check_words(
                &drawn,
                size,
                &format!("seed {seed} at {size:?}, {:?}", chart.kind),
            );
            assert!(
                !drawn.contains("NaN") && !drawn.contains("2147483647"),
                "seed {seed} at {size:?}, {:?}",
                chart.kind
            );
        }
    }
}

fn simple(name: &str) -> Chart {
    let point = |day: u32, y: f64| Point {
        x: X::Day(NaiveDate::from_ymd_opt(2015, day, 1).expect("a date")),
        y: Some(y),
        mark: Mark::Statement,
        label: None,
    };
    Chart {
        title: format!("{name} grew"),
        subtitle: "Monthly active users".to_owned(),
        footer: vec!["Source: tests".to_owned()],
        kind: Kind::Line,
        x_title: String::new(),
        y_unit: String::new(),
        scale: Scale::Linear,
        series: vec![Series {
            name: name.to_owned(),
            role: Role::Subject,
            points: vec![point(1, 50e6), point(5, 62e6), point(12, 100e6)],
            panel: String::new(),
            size: None,
        }],
        references: Vec::new(),
        alt: format!("{name} & \"others\""),
        y_title: String::new(),
        ordered: false,
        stamp: None,
    }
}

#[test]
fn names_stay_text() {
    let drawn = svg(
        &simple("<script>alert(1)</script>\u{0}"),
        Size::SLIDE,
        Theme::Light,
        Fonts::Embedded,
    )
    .expect("svg");
    assert!(!drawn.contains("<script") && !drawn.contains('\u{0}'));
    assert!(
        drawn.contains("&lt;script&gt;alert(1)&lt;/script&gt; 100\u{202F}M</text>"),
        "{drawn}"
    );
    assert!(
        drawn.contains(
            "aria-label=\"&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;others&quot;\""
        )
    );
    assert!(resvg::usvg::Tree::from_str(&drawn, &resvg::usvg::Options::default()).is_ok());
}

#[test]
fn the_same_chart_gives_the_same_bytes_and_no_ids() {
    let draw = || {
        svg(
            &simple("Telegram"),
            Size::PAGE,
            Theme::Dark,
            Fonts::Embedded,
        )
        .expect("svg")
    };
    assert_eq!(draw(), draw());
    assert!(
        !draw().contains(" id=\""),
        "ids would clash when several charts share a page"
    );
}

#[test]
fn a_light_chart_uses_only_colours_that_dark_css_knows() {
    let css = theme::dark_css(".chart svg");
    let drawn = svg(&simple("Telegram"), Size::PAGE, Theme::Light, Fonts::Page).expect("svg");
    for part in drawn.split("=\"#").skip(1) {
        assert!(css.contains(&part[..6]), "{}", &part[..6]);
    }
}

#[test]
fn statements_are_dots_on_dashes_and_nothing_is_solid() {
    let drawn = svg(&simple("Telegram"), Size::PAGE, Theme::Light, Fonts::Page).expect("svg");
    assert!(drawn.contains("stroke-dasharray=\"40 30\""));
    assert!(!drawn.contains("stroke-linecap=\"round\""));
    let mut computed = simple("Telegram");
    computed.series[0]
        .points
        .iter_mut()
        .for_each(|p| p.mark = Mark::Computed);
    let drawn = svg(&computed, Size::PAGE, Theme::Light, Fonts::Page).expect("svg");
    assert!(drawn.contains("stroke-linecap=\"round\"") && !drawn.contains("stroke-dasharray"));
    assert!(!drawn.contains("<circle"));
}

#[test]
fn an_empty_chart_says_so() {
    for kind in [
        Kind::Line,
        Kind::Bars,
        Kind::Columns,
        Kind::Curve,
        Kind::Histogram,
        Kind::Stacked,
        Kind::Heat,
    ] {
        let mut chart = simple("Telegram");
        (chart.kind, chart.series) = (kind, Vec::new());
        let drawn = svg(&chart, Size::PHONE, Theme::Light, Fonts::Page).expect("svg");
        assert!(drawn.contains(">No data</text>"));
    }
}

#[test]
fn sizes_out_of_range_are_refused() {
    let tiny = svg(
        &simple("Telegram"),
        Size {
            width: 10,
            height: 500,
        },
        Theme::Light,
        Fonts::Page,
    );
    assert!(matches!(tiny, Err(ChartError::Size(10, 500))));
    let drawn = svg(&simple("Telegram"), Size::PHONE, Theme::Light, Fonts::Page).expect("svg");
    for scale in [0.0, -1.0, f32::NAN, 1e9] {
        assert!(matches!(png(&drawn, scale), Err(ChartError::Png(_))));
    }
}

#[test]
fn the_png_has_the_size_of_the_chart_and_its_words() {
    let drawn = svg(
        &simple("Telegram"),
        Size::PHONE,
        Theme::Light,
        Fonts::Embedded,
    )
    .expect("svg");
    let png = png(&drawn, 2.0).expect("png");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&png[12..16], b"IHDR");
    let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert_eq!(
        (side(16), side(20)),
        (Size::PHONE.width * 2, Size::PHONE.height * 2)
    );
    let wordless: String = drawn
        .split("<text")
        .map(|p| p.split_once("</text>").map_or(p, |(_, rest)| rest))
        .collect();
    assert!(
        super::png(&wordless, 2.0).expect("png").len() < png.len() / 2,
        "the words were not painted"
    );
}

#[test]
fn a_reference_far_off_the_plane_is_left_out() {
    let mut chart = simple("Telegram");
    let point = |x: f64| Point {
        x: X::Number(x),
        y: Some(x),
        mark: Mark::Computed,
        label: None,
    };
    chart.series[0].points = vec![point(1.0), point(1.5)];
    chart.references = [-1e18, 1e18]
        .map(|x| Reference::Vertical {
            x: X::Number(x),
            label: "far".to_owned(),
        })
        .to_vec();
    let drawn = svg(&chart, Size::PAGE, Theme::Light, Fonts::Page).expect("svg");
    assert!(!drawn.contains("far"));
}

#[test]
fn dark_css_makes_the_light_chart_the_dark_one() {
    let draw = |theme| svg(&simple("Telegram"), Size::PHONE, theme, Fonts::Page).expect("svg");
    let style = format!("<style>{}</style>\n<g transform", theme::dark_css("svg"));
    let recoloured = draw(Theme::Light).replacen("<g transform", &style, 1);
    let painted = |svg: &str| png(svg, 1.0).expect("png");
    assert!(painted(&recoloured) == painted(&draw(Theme::Dark)));
    assert!(painted(&recoloured) != painted(&draw(Theme::Light)));
}

#[test]
fn columns_fill_most_of_their_day() {
    let mut chart = simple("Mastodon");
    chart.kind = Kind::Columns;
    chart.series[0]
        .points
        .iter_mut()
        .for_each(|p| p.mark = Mark::Computed);
    let day = NaiveDate::from_ymd_opt(2022, 9, 1).expect("a date");
    chart.series[0].points = day
        .iter_days()
        .take(61)
        .map(|d| Point {
            x: X::Day(d),
            y: Some(5.0),
            mark: Mark::Computed,
            label: None,
        })
        .collect();
    let drawn = svg(&chart, Size::PAGE, Theme::Light, Fonts::Page).expect("svg");
    let wide = drawn.split("<rect").skip(1).filter(|tag| {
        attribute(tag, "width")
            .parse::<f64>()
            .is_ok_and(|w| w > 70.0)
    });
    assert!(wide.count() > 61, "the columns are thinner than 7 pixels");
}
