//! Ticks: few, round, and labelled with their unit.

use chrono::{Datelike, Days, NaiveDate};

use super::number::{exact, short};

/// A labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
    /// A second line: the year, where it begins to hold.
    pub(super) below: Option<String>,
}

/// The ends of an axis and its ticks.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    pub(super) ticks: Vec<Tick>,
}

/// A linear axis around `low..high` that ends in ticks; from zero unless `free`.
pub(super) fn linear(low: f64, high: f64, free: bool) -> Axis {
    let (mut low, mut high) = (low, high);
    if !free || low > high * 0.6 && low == high || high > 2.5 * low && low > 0.0 {
        low = low.min(0.0);
        high = high.max(0.0);
    }
    if high - low < f64::MIN_POSITIVE.max(high.abs() * 1e-9) {
        let around = if high == 0.0 { 1.0 } else { high.abs() * 0.5 };
        (low, high) = (low - around, high + around);
        if !free {
            low = low.max(0.0);
        }
    }
    let step = round_step((high - low) / 4.5);
    let first = (low / step + 1e-9).floor();
    let last = (high / step - 1e-9).ceil();
    let count = ((last - first) as usize).min(12);
    let values: Vec<f64> = (0..=count).map(|i| (first + i as f64) * step).collect();
    let (from, to) = (
        trimmed(low, first * step, step),
        trimmed(high, last * step, step),
    );
    let values: Vec<f64> = values
        .into_iter()
        .filter(|v| (from..=to).contains(v))
        .collect();
    Axis {
        low: from,
        high: to,
        log: false,
        ticks: labelled(&values),
    }
}

/// The end of an axis: the `tick` beyond the data, or just beyond the data if the tick would leave much
/// of the plot empty.
fn trimmed(data: f64, tick: f64, step: f64) -> f64 {
    let beyond = tick - data;
    if beyond.abs() > step * 0.4 {
        data + beyond.signum() * step * 0.1
    } else {
        tick
    }
}

/// A logarithmic axis around `low..high`, both positive, with ticks at 1, 2 and 5 or at decades.
pub(super) fn logarithmic(low: f64, high: f64) -> Axis {
    let fine = [1.0, 2.0, 5.0, 10.0];
    let below = |value: f64| {
        let decade = 10f64.powf((value.log10() + 1e-9).floor());
        let steps = fine.iter().rev().map(|f| f * decade);
        steps
            .into_iter()
            .find(|s| *s <= value * 1.000_001)
            .unwrap_or(decade)
    };
    let above = |value: f64| {
        let decade = 10f64.powf((value.log10() - 1e-9).floor());
        fine.iter()
            .map(|f| f * decade)
            .find(|s| *s >= value * 0.999_999)
            .unwrap_or(decade * 10.0)
    };
    let (mut first, mut last) = (below(low), above(high));
    if last <= first * 1.5 {
        (first, last) = (below(first * 0.75), above(last * 1.5));
    }
    let decades = (last / first).log10().ceil().max(1.0);
    let start = first.log10().floor() as i32;
    let all = (0..=decades as i32 + 1).flat_map(|d| {
        let decade = 10f64.powi(start + d);
        fine.iter()
            .take(3)
            .map(move |f| f * decade)
            .collect::<Vec<_>>()
    });
    let inside = |value: &f64| *value >= first * 0.999_999 && *value <= last * 1.000_001;
    let mut values: Vec<f64> = all.filter(inside).collect();
    if values.len() > 7 {
        let every = (decades / 6.0).ceil().max(1.0) as i32;
        values = (0..=decades as i32 + 1)
            .filter(|d| d % every == 0)
            .map(|d| 10f64.powi(start + d))
            .filter(inside)
            .collect();
    }
    Axis {
        low: first,
        high: last,
        log: true,
        ticks: labelled(&values),
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, no less than `least`.
fn round_step(least: f64) -> f64 {
    let decade = 10f64.powf(least.log10().floor());
    let found = [1.0, 2.0, 2.5, 5.0]
        .iter()
        .map(|f| f * decade)
        .find(|s| *s >= least * 0.999_999);
    found.unwrap_or(decade * 10.0)
}

/// Ticks with the shortest labels that still differ.
fn labelled(values: &[f64]) -> Vec<Tick> {
    let mut labels: Vec<String> = values.iter().map(|v| short(*v)).collect();
    let mut distinct = labels.clone();
    distinct.dedup();
    if distinct.len() < labels.len() {
        let whole = values.iter().all(|v| v.fract() == 0.0 && v.abs() < 9e15);
        labels = values
            .iter()
            .map(|v| {
                if whole {
                    exact(*v as i64)
                } else {
                    format!("{v}")
                }
            })
            .collect();
    }
    values
        .iter()
        .zip(labels)
        .map(|(at, label)| Tick {
            at: *at,
            label,
            below: None,
        })
        .collect()
}

/// Ticks for plain numbers on a horizontal axis, thinned until `fits` is content.
pub(super) fn numbers(low: f64, high: f64, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
    let mut least = (high - low) / 8.0;
    if !(least.is_finite() && least > 0.0) {
        return labelled(&[low]);
    }
    for _ in 0..12 {
        let step = round_step(least);
        let first = (low / step - 1e-9).ceil();
        let count = ((high / step + 1e-9).floor() - first).clamp(0.0, 20.0) as usize;
        let values: Vec<f64> = (0..=count)
            .map(|i| (first + i as f64) * step)
            .filter(|v| *v <= high * 1.000_001)
            .collect();
        let ticks = labelled(&values);
        if fits(&ticks) {
            return ticks;
        }
        least = step * 1.01;
    }
    labelled(&[low])
}

/// Ticks for whole numbers `step` apart that each have a bar, thinned until `fits` is content: the first,
/// and then every second, fifth, seventh and so on.
pub(super) fn counted(low: f64, high: f64, step: f64, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
    let count = ((high - low) / step).clamp(0.0, 20_000.0) as usize;
    for every in [1.0, 2.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 500.0, 5_000.0] {
        // Four weeks read best in sevens.
        if every == 5.0 && (high % 7.0 == 0.0) {
            continue;
        }
        let values: Vec<f64> = (0..=count)
            .map(|i| low + i as f64 * step)
            .filter(|v| *v == low || v % (every * step) == 0.0)
            .collect();
        let ticks = labelled(&values);
        if fits(&ticks) {
            return ticks;
        }
    }
    labelled(&[low])
}

/// Day number of a date.
pub(super) fn day_number(day: NaiveDate) -> f64 {
    f64::from(day.num_days_from_ce())
}

fn date(number: f64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(number as i32)
}

/// Ticks for days: days under 60 of them, months under 18 months, else years; thinned until they fit.
pub(super) fn days(low: f64, high: f64, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
    let (Some(from), Some(to)) = (date(low), date(high)) else {
        return Vec::new();
    };
    let span = high - low;
    let candidates: Vec<Vec<Tick>> = if span < 60.0 {
        [1, 2, 7, 14, 28]
            .iter()
            .map(|step| by_days(from, to, *step))
            .collect()
    } else if span < 548.0 {
        [1, 2, 3, 6, 12]
            .iter()
            .map(|step| by_months(from, to, *step))
            .collect()
    } else if by_years(from, to, 1).len() < 2 {
        [3, 6]
            .iter()
            .map(|step| by_months(from, to, *step))
            .collect()
    } else {
        let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000];
        steps.iter().map(|step| by_years(from, to, *step)).collect()
    };
    let fitting = candidates
        .into_iter()
        .find(|ticks| !ticks.is_empty() && ticks.len() <= 9 && fits(ticks));
    fitting.unwrap_or_else(|| {
        vec![Tick {
            at: low,
            label: day_label(from),
            below: Some(from.year().to_string()),
        }]
    })
}

/// A day without its year: `23 Feb`.
pub(super) fn day_label(day: NaiveDate) -> String {
    format!("{} {}", day.day(), month_label(day))
}

/// A month without its year: `Feb`.
pub(super) fn month_label(day: NaiveDate) -> String {
    let name = MONTHS.get(day.month0() as usize);
    name.copied().unwrap_or_default().to_owned()
}

/// English, whatever the machine's locale says.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day as a label: `23 Feb 2016`.
pub(super) fn long_day(day: NaiveDate) -> String {
    format!("{} {}", day_label(day), day.year())
}

/// Ticks that say the year below wherever it changes.
pub(super) fn with_years(days: impl Iterator<Item = (NaiveDate, String)>) -> Vec<Tick> {
    let mut year = None;
    let mut ticks = Vec::new();
    for (day, label) in days {
        let below = (year != Some(day.year())).then(|| day.year().to_string());
        year = Some(day.year());
        ticks.push(Tick {
            at: day_number(day),
            label,
            below,
        });
    }
    ticks
}

fn by_days(from: NaiveDate, to: NaiveDate, step: u64) -> Vec<Tick> {
    let days = std::iter::successors(Some(from), |day| day.checked_add_days(Days::new(step)));
    with_years(
        days.take_while(|day| *day <= to)
            .take(61)
            .map(|day| (day, day_label(day))),
    )
}

fn by_months(from: NaiveDate, to: NaiveDate, step: i32) -> Vec<Tick> {
    let first = from.year() * 12 + from.month0() as i32;
    let months = (first..first + 26)
        .filter(|month| month.rem_euclid(step) == 0)
        .filter_map(|month| {
            let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
            let day = NaiveDate::from_ymd_opt(year, month as u32 + 1, 1)?;
            Some((
                day,
                MONTHS
                    .get(month as usize)
                    .copied()
                    .unwrap_or_default()
                    .to_owned(),
            ))
        });
    with_years(months.filter(|(day, _)| *day >= from && *day <= to))
}

fn by_years(from: NaiveDate, to: NaiveDate, step: i32) -> Vec<Tick> {
    let first = from.year().div_euclid(step) * step;
    let years = (0..24).map(|i| first.saturating_add(step.saturating_mul(i)));
    let days = years.filter_map(|year| Some((NaiveDate::from_ymd_opt(year, 1, 1)?, year)));
    days.filter(|(day, _)| *day >= from && *day <= to)
        .map(|(day, year)| Tick {
            at: day_number(day),
            label: year.to_string(),
            below: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> String {
        ticks
            .iter()
            .map(|t| t.label.replace('\u{202F}', "_"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn day(text: &str) -> f64 {
        day_number(text.parse().expect("a date"))
    }

    #[test]
    fn linear_axes_start_at_zero_and_end_in_a_round_number() {
        assert_eq!(
            labels(&linear(35e6, 1e9, false).ticks),
            "0 250_M 500_M 750_M 1_bn"
        );
        assert_eq!(
            labels(&linear(-12e3, 130e3, false).ticks),
            "0 50_k 100_k 150_k"
        );
        assert_eq!(linear(-12e3, 130e3, false).low, -17e3);
        assert_eq!(
            labels(&linear(0.0, 0.0, false).ticks).split(' ').next(),
            Some("0")
        );
        assert_eq!(linear(100.0, 120.0, true).low, 100.0);
        assert_eq!(linear(100.0, 900.0, true).low, 0.0);
    }

    #[test]
    fn log_axes_have_1_2_5_or_decades() {
        assert_eq!(
            labels(&logarithmic(35e6, 1e9).ticks),
            "20_M 50_M 100_M 200_M 500_M 1_bn"
        );
        assert_eq!(
            labels(&logarithmic(1.0, 1e6).ticks),
            "1 10 100 1_k 10_k 100_k 1_M"
        );
        assert!(logarithmic(1e-18, 1e18).ticks.len() < 9);
        assert!(logarithmic(5e6, 5e6).ticks.len() > 1);
    }

    #[test]
    fn days_months_and_years() {
        let any = |_: &[Tick]| true;
        assert_eq!(
            labels(&days(day("2013-04-16"), day("2016-02-23"), any)),
            "2014 2015 2016"
        );
        assert_eq!(
            labels(&days(day("2022-09-01"), day("2022-11-30"), any)),
            "Sep Oct Nov"
        );
        assert_eq!(
            labels(&days(day("2022-11-01"), day("2022-11-20"), any)),
            "1 Nov 8 Nov 15 Nov"
        );
        assert_eq!(
            days(day("2022-11-01"), day("2023-02-20"), any)[2]
                .below
                .as_deref(),
            Some("2023")
        );
        assert_eq!(
            labels(&days(day("2022-11-05"), day("2022-11-05"), any)),
            "5 Nov"
        );
    }
}
