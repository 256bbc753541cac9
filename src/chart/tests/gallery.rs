//! The charts of a messenger with a million users and a weekly rhythm, from rows and a header as a query gives
//! them: words are read back, and `ESSOR_GALLERY=DIR cargo test gallery` writes the pictures to look at.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde_json::{Map, Value, json};

use super::check_words;
use crate::chart::drawing::{self, Words};
use crate::chart::*;
use crate::query::header::Header;

type Rows = Vec<Map<String, Value>>;

fn rows(values: impl IntoIterator<Item = Value>) -> Rows {
    let object = |value| match value {
        Value::Object(row) => row,
        other => panic!("no row: {other}"),
    };
    values.into_iter().map(object).collect()
}

fn first() -> NaiveDate {
    NaiveDate::from_ymd_opt(2014, 1, 6).expect("a date")
}

/// A share that falls with age and stays above a floor.
fn kept(age: f64) -> f64 {
    0.24 + 0.42 / (1.0 + age * 0.9)
}

/// Noise between -1 and 1 that is the same everywhere.
fn noise(n: u64) -> f64 {
    let mut x = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn actives(days: u64) -> Rows {
    rows((0..days).map(|n| {
        let day = first() + Days::new(n);
        let grown = 300e3 * (1.0 + n as f64 / 420.0);
        let week = [1.04, 1.05, 1.05, 1.04, 1.02, 0.88, 0.84][day.weekday().num_days_from_monday() as usize];
        let dau = grown * week * (1.0 + 0.012 * noise(n));
        json!({"day": day.to_string(), "dau": dau.round(), "wau": (n >= 6).then(|| (grown * 1.62).round()),
               "mau": (n >= 27).then(|| (grown * 2.3).round()), "mark": if n + 1 == days { "unfinished" } else { "computed" }})
    }))
}

fn accounting(periods: u32, weekly: bool) -> Rows {
    let mut active: f64 = 400e3;
    let mut before = 0.0;
    let mut all = Vec::new();
    for n in 0..periods {
        let start = NaiveDate::from_ymd_opt(2014, 1, 1).expect("a date");
        let period = if weekly {
            first() + Days::new(7 * u64::from(n))
        } else {
            start + Months::new(n)
        };
        let wave = 1.0 + 0.35 * noise(u64::from(n));
        let churned = before * 0.085;
        let known = n > 0;
        let resurrected = active * 0.035;
        let part = |v: f64| known.then(|| v.round());
        all.push(json!({"period": period.to_string(), "active": active.round(), "retained": part(before - churned),
            "resurrected": part(resurrected), "new": part(active - (before - churned) - resurrected), "churned": part(churned),
            "quick_ratio": known.then(|| (active - before + churned) / churned.max(1.0)),
            "mark": if n + 1 == periods { "unfinished" } else { "computed" }}));
        before = active;
        // Next: what stays, what comes back, what is new.
        active *= 0.915 + 0.032 + if weekly { 0.064 } else { 0.09 } * wave;
    }
    rows(all)
}

fn cohorts(count: u32, weekly: bool) -> Rows {
    let mut all = Vec::new();
    for cohort in 0..count {
        let day = if weekly {
            first() + Days::new(7 * u64::from(cohort))
        } else {
            NaiveDate::from_ymd_opt(2014, 1, 1).expect("a date") + Months::new(cohort)
        };
        let size =
            (30e3 * (1.0 + f64::from(cohort) / 9.0) * (1.0 + 0.3 * noise(u64::from(cohort))))
                .round();
        for age in 0..count - cohort {
            let better = 1.0 + f64::from(cohort) * 0.012;
            let rate = if age == 0 {
                1.0
            } else {
                kept(f64::from(age)) * better * (1.0 + 0.05 * noise(u64::from(cohort * 100 + age)))
            };
            let last = age > 0 && age + cohort + 1 == count;
            all.push(
                json!({"cohort": day.to_string(), "age": age, "rate": rate, "eligible": size,
                "mark": if last { "unfinished" } else { "computed" }}),
            );
        }
    }
    rows(all)
}

const COUNTRIES: [&str; 9] = [
    "Brazil",
    "India",
    "Iran",
    "Germany",
    "Italy",
    "Spain",
    "Uzbekistan",
    "South Korea",
    "",
];

fn by_country(of: &Rows) -> Rows {
    let mut all = Vec::new();
    for (n, country) in COUNTRIES.iter().enumerate() {
        for row in of {
            let mut row = row.clone();
            let share = 1.0 / (n as f64 + 2.5);
            for (key, value) in &mut row {
                if let (Some(number), false) = (
                    value.as_f64(),
                    matches!(key.as_str(), "age" | "days" | "quick_ratio" | "share"),
                ) {
                    let scaled = if key == "rate" {
                        if number == 1.0 {
                            number
                        } else {
                            number * (0.7 + 0.06 * n as f64)
                        }
                    } else {
                        (number * share).round()
                    };
                    *value = json!(scaled);
                }
            }
            row.insert("dimension_value".to_owned(), json!(country));
            all.push(row);
        }
    }
    rows(all.into_iter().map(Value::Object))
}

fn power() -> Rows {
    let users = |days: u32| {
        let few = 190e3 * (-f64::from(days) / 3.2).exp();
        let many = 9e3 + 88e3 * ((f64::from(days) - 28.0) / 4.0).exp();
        (few + many).round()
    };
    let total: f64 = (1..=28).map(users).sum();
    rows((1..=28).map(|days| json!({"days": days, "users": users(days), "share": users(days) / total, "mark": "computed"})))
}

fn messages() -> Rows {
    rows((0..26u32).map(|n| {
        let period = NaiveDate::from_ymd_opt(2014, 1, 1).expect("a date") + Months::new(n);
        json!({"period": period.to_string(), "median": 9 + n / 6, "p90": 74 + n, "p99": 410 + n * 9, "mark": "computed"})
    }))
}

const DIMENSION: &str = ", dimension_value TEXT";

/// A name, the columns, the chart line, and the rows.
fn all() -> Vec<(&'static str, String, &'static str, Rows, &'static str)> {
    let actives_of = "day DATE, dau BIGINT, wau BIGINT, mau BIGINT, mark TEXT";
    let parts = "period DATE, active BIGINT, retained BIGINT, resurrected BIGINT, new BIGINT, churned BIGINT, quick_ratio DOUBLE, mark TEXT";
    let cells = "cohort DATE, age BIGINT, rate DOUBLE, eligible BIGINT, mark TEXT";
    let bars = "days BIGINT, users BIGINT, share DOUBLE, mark TEXT";
    let counts = "period DATE, median BIGINT, p90 BIGINT, p99 BIGINT, mark TEXT";
    let lines =
        "line x=day y=dau,wau,mau mark=mark titles=\"daily,weekly (7 days),monthly (28 days)\"";
    let stack = "stacked x=period up=retained,resurrected,new down=churned mark=mark";
    let whole = "stacked x=period up=retained,resurrected,new down=churned total=active mark=mark";
    let map = "heat x=age y=cohort value=rate count=eligible mark=mark x_title=\"weeks since the first active week\" y_title=Cohort";
    let map_by = "heat x=age y=cohort value=rate count=eligible mark=mark series=dimension_value x_title=\"months since the first\"";
    let curves = "curve x=age y=rate series=cohort mark=mark x_title=\"months since the first active month\"";
    let power_by = "histogram x=days y=users share=share mark=mark series=dimension_value x_title=\"active days of 28\"";
    let months =
        "Monthly active users by month: retained, resurrected and new above zero, churned below";
    let weeks = "share of each weekly cohort that was active again, by age in weeks";
    let with = |columns: &str| format!("{columns}{DIMENSION}");
    let of = str::to_owned;
    vec![
        (
            "lines-30",
            of(actives_of),
            lines,
            actives(30),
            "Active users, distinct, in rolling windows that end on the day",
        ),
        (
            "lines-365",
            of(actives_of),
            lines,
            actives(365),
            "Active users, distinct, in rolling windows that end on the day",
        ),
        (
            "lines-1000",
            of(actives_of),
            lines,
            actives(1000),
            "Active users, distinct, in rolling windows that end on the day",
        ),
        (
            "lines-by",
            with(actives_of),
            "line x=day y=dau,wau,mau series=dimension_value mark=mark",
            by_country(&actives(365)),
            "Monthly active users by country",
        ),
        ("stacked-2", of(parts), stack, accounting(2, false), months),
        (
            "stacked-12",
            of(parts),
            whole,
            accounting(12, false),
            months,
        ),
        (
            "stacked-12-open",
            of(parts),
            stack,
            accounting(12, false),
            months,
        ),
        ("stacked-60", of(parts), stack, accounting(60, true), months),
        (
            "stacked-by",
            with(parts),
            "stacked x=period up=retained,resurrected,new down=churned mark=mark series=dimension_value",
            by_country(&accounting(12, false)),
            months,
        ),
        (
            "quick",
            of(parts),
            "line x=period y=quick_ratio mark=mark rule=1 rule_title=\"growing above, shrinking below\"",
            accounting(24, false),
            "(new + resurrected) / churned, by month",
        ),
        ("heat-12", of(cells), map, cohorts(12, true), weeks),
        ("heat-26", of(cells), map, cohorts(26, true), weeks),
        ("heat-4", of(cells), map, cohorts(4, false), weeks),
        (
            "heat-by",
            with(cells),
            map_by,
            by_country(&cohorts(9, false)),
            weeks,
        ),
        (
            "curve-pooled",
            of(cells),
            "curve x=age y=rate mark=mark x_title=\"weeks since the first active week\"",
            rows(cohorts(26, true).into_iter().take(26).map(Value::Object)),
            "share of all cohorts active again",
        ),
        (
            "curve-cohorts",
            of(cells),
            curves,
            cohorts(12, false),
            "share of each monthly cohort that was active again",
        ),
        (
            "curve-by",
            with(cells),
            "curve x=age y=rate series=dimension_value mark=mark",
            by_country(&rows(
                cohorts(26, true).into_iter().take(26).map(Value::Object),
            )),
            "share of all cohorts active again",
        ),
        (
            "power",
            of(bars),
            "histogram x=days y=users share=share mark=mark x_title=\"active days of 28\"",
            power(),
            "users by the number of days on which they were active, of the 28 to 29 February 2016",
        ),
        (
            "power-by",
            with(bars),
            power_by,
            by_country(&power()),
            "users by active days",
        ),
        (
            "messages",
            of(counts),
            "line x=period y=median,p90,p99 titles=\"median,9 of 10 users send at most,99 of 100\" scale=log",
            messages(),
            "messages a month for each active user",
        ),
    ]
}

fn chart_of(columns: &str, line: &str, rows: &Rows, subtitle: &str) -> Chart {
    let header = Header::parse(&format!(
        "--- T.\n--! columns: {columns}\n--! grain:\n--! chart: {line}\nSELECT 1"
    ))
    .unwrap_or_else(|e| panic!("{line}: {e}"));
    let words = Words {
        finding:
            "Simulated messenger: 1.02 M monthly users in February 2016, 3.1 % more than in January"
                .to_owned(),
        subtitle: subtitle.to_owned(),
        footer: vec!["Source: activity in data/activity.parquet. Made with essor.".to_owned()],
        stamp: stamp::simulated(&["Simulated".to_owned()]),
        ..Words::default()
    };
    drawing::chart(&header, rows, &words).expect("a chart")
}

/// The page recolours light charts by CSS: every colour must be known to it, and give the dark chart.
fn becomes_dark(chart: &Chart, size: Size, what: &str) {
    let draw = |theme| svg(chart, size, theme, Fonts::Page).expect("a chart");
    let css = theme::dark_css("svg");
    let light = draw(Theme::Light);
    for part in light.split("=\"#").skip(1) {
        assert!(css.contains(&part[..6]), "{what}: {}", &part[..6]);
    }
    // Painting takes its time: the kinds whose words lie on colours.
    if !what.starts_with("heat-12") && !what.starts_with("stacked-12") {
        return;
    }
    let recoloured = light.replacen(
        "<g transform",
        &format!("<style>{css}</style>\n<g transform"),
        1,
    );
    let painted = |svg: &str| png(svg, 1.0).expect("a picture");
    assert!(
        painted(&recoloured) == painted(&draw(Theme::Dark)),
        "{what}"
    );
}

/// What data may be at their worst: nothing, one row, nothing but zeros, nothing known, one cohort, hundreds of
/// periods, a hundred billion of everything.
#[test]
fn degenerate_answers_give_a_chart_or_a_sentence() {
    let numbers = |of: &Rows, with: &Value| {
        let mut of = of.clone();
        for (key, value) in of.iter_mut().flatten() {
            if (value.is_number() || value.is_null()) && key != "age" && key != "days" {
                *value = with.clone();
            }
        }
        of
    };
    let many = [
        ("stacked", accounting(400, true)),
        ("heat", cohorts(60, true)),
        ("curve", cohorts(60, true)),
        ("line", actives(3000)),
        (
            "histogram",
            rows((0..400).map(|n| json!({"days": n, "users": n, "share": 0.0025}))),
        ),
    ];
    for (name, columns, line, rows, subtitle) in all() {
        let long = many.iter().find(|(kind, _)| line.starts_with(kind));
        let shapes: Vec<(&str, Rows)> = vec![
            ("none", Vec::new()),
            ("one", rows.iter().take(1).cloned().collect()),
            ("two", rows.iter().take(2).cloned().collect()),
            ("last", rows.iter().rev().take(1).cloned().collect()),
            ("zero", numbers(&rows, &json!(0))),
            ("null", numbers(&rows, &Value::Null)),
            ("large", numbers(&rows, &json!(1e11))),
            ("negative", numbers(&rows, &json!(-3))),
            ("twice", [rows.clone(), rows.clone()].concat()),
            (
                "many",
                long.map(|(_, rows)| rows.clone()).unwrap_or_default(),
            ),
        ];
        for (shape, rows) in shapes {
            let chart = chart_of(&columns, line, &rows, subtitle);
            for size in [Size::PAGE, Size::PHONE] {
                let size = size.fit(&chart);
                let drawn = svg(&chart, size, Theme::Light, Fonts::Page).expect("a chart");
                let what = format!("{name} of {shape} at {size:?}");
                check_words(&drawn, size, &what);
                assert!(
                    !drawn.contains("NaN") && !drawn.contains("2147483647"),
                    "{what}"
                );
                if matches!(shape, "none" | "null") {
                    assert!(drawn.contains(">No data</text>"), "{what}");
                }
            }
        }
    }
}

#[test]
fn the_charts_of_activity_are_readable() {
    let folder = std::env::var_os("ESSOR_GALLERY").map(std::path::PathBuf::from);
    let only = std::env::var("ESSOR_ONLY").unwrap_or_default();
    for (name, columns, line, rows, subtitle) in all() {
        let chart = chart_of(&columns, line, &rows, subtitle);
        for (place, size) in [
            ("page", Size::PAGE),
            ("phone", Size::PHONE),
            ("slide", Size::SLIDE),
        ] {
            let size = size.fit(&chart);
            for (tone, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
                let drawn = svg(&chart, size, theme, Fonts::Embedded).expect("a chart");
                let what = format!("{name}-{place}-{tone}");
                check_words(&drawn, size, &what);
                assert!(
                    drawn.contains("Simulated data: Simulated</text>"),
                    "{what}: no stamp"
                );
                if theme == Theme::Light && place == "phone" {
                    becomes_dark(&chart, size, &what);
                }
                assert!(
                    drawn.contains("aria-label=\"Simulated data: Simulated. "),
                    "{what}"
                );
                if let Some(folder) = folder.as_ref().filter(|_| name.starts_with(&only)) {
                    let picture = png(&drawn, 2.0).expect("a picture");
                    std::fs::write(folder.join(format!("{what}.png")), picture).expect("written");
                }
            }
        }
    }
}
