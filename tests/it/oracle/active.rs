//! Who was active: windows, periods, how often, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::Expected;
use super::data::Data;
use super::question::Question;
use super::sets::{Span, Values, mark, under};

pub fn active_users(data: &Data, question: &Question) -> Expected {
    let days = data.history().days();
    let windows = days.map(|d| (d, Span::ending(d, question.number("window"))));
    let mut expected = question.expected(&["day", "dimension_value"], &["users"]);
    for (day, window) in windows {
        users_of(data, question, &mut expected, &day, window);
    }
    expected
}

pub fn active_users_calendar(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["period", "dimension_value"], &["users"]);
    for period in data.periods(question.word("by")) {
        users_of(data, question, &mut expected, &period.first, period);
    }
    expected
}

/// Users under each value, of days of which not one may be covered: then there is no figure.
fn users_of(
    data: &Data,
    question: &Question,
    expected: &mut Expected,
    label: &dyn ToString,
    span: Span,
) {
    let values = data.values(span, question.dimension());
    let known = data.known(span);
    for value in data.all_values(question.dimension()) {
        expected.row(
            &[label, &value],
            [
                ("users", json!(known.then_some(under(&values, value)))),
                ("all_users", json!(known.then_some(values.len()))),
                ("mark", json!(data.mark(span))),
            ],
        );
    }
}

pub fn actives(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["day", "metric"], &[]);
    for day in data.history().days() {
        let so_far = Span {
            last: day,
            ..Span::of(day, "month")
        };
        for (metric, span) in [
            ("dau", Span::ending(day, 1)),
            ("wau_7d", Span::ending(day, 7)),
            ("mau_28d", Span::ending(day, 28)),
            ("mau_30d", Span::ending(day, 30)),
            ("mau_month", so_far),
        ] {
            let users = data.known(span).then(|| data.active(span).len());
            expected.row(
                &[&day, &metric],
                [("users", json!(users)), ("mark", json!(data.mark(span)))],
            );
        }
    }
    expected
}

pub fn r30v2(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["day", "dimension_value"], &["active"]);
    for period in data.periods(question.word("by")) {
        let day = period.last.min(data.history().last);
        let span = Span::ending(day, 60);
        for value in data.all_values(question.dimension()) {
            let mut days: BTreeMap<u32, BTreeSet<_>> = BTreeMap::new();
            for row in data.rows_in(span) {
                if row.value(question.dimension()) == value {
                    days.entry(row.user).or_default().insert(row.day);
                }
            }
            let stayed = days.values().filter(|days| {
                let (first, last) = (days.first().unwrap(), days.last().unwrap());
                (*last - *first).num_days() > 30
            });
            let finished = data.whole(span) && day == period.last;
            expected.row(
                &[&day, &value],
                [
                    ("users", json!(stayed.count())),
                    ("active", json!(days.len())),
                    ("mark", json!(mark(finished))),
                ],
            );
        }
    }
    expected
}

pub fn stickiness(data: &Data, question: &Question) -> Expected {
    let dimension = question.dimension();
    let mut expected = question.expected(&["day", "dimension_value"], &["mau", "mean_dau"]);
    for day in data.history().days() {
        let window = Span::ending(day, question.number("window"));
        let covered: Vec<_> = window.days().filter(|d| data.covered(*d)).collect();
        let users = data.values(window, dimension);
        let daily: Vec<Values> = covered
            .iter()
            .map(|d| data.values(Span::ending(*d, 1), dimension))
            .collect();
        let mean = |count: &dyn Fn(&Values) -> usize| {
            daily.iter().map(count).sum::<usize>() as f64 / covered.len() as f64
        };
        let all_mean = mean(&Values::len);
        for value in data.all_values(dimension) {
            let mean = mean(&|users| under(users, value));
            let mau = under(&users, value);
            let known = !covered.is_empty();
            let share = (mau > 0).then_some(mean / mau as f64);
            expected.row(
                &[&day, &value],
                [
                    ("mau", json!(known.then_some(mau))),
                    ("mean_dau", json!(known.then_some(mean))),
                    ("days", json!(covered.len())),
                    ("stickiness", json!(share)),
                    ("all_mau", json!(known.then_some(users.len()))),
                    ("all_mean_dau", json!(known.then_some(all_mean))),
                    ("mark", json!(data.mark(window))),
                ],
            );
        }
    }
    expected
}

pub fn power_users(data: &Data, question: &Question) -> Expected {
    let window = Span::ending(data.history().last, question.number("window"));
    let values = data.values(window, question.dimension());
    let mut days: BTreeMap<u32, BTreeSet<_>> = BTreeMap::new();
    for row in data.rows_in(window) {
        days.entry(row.user).or_default().insert(row.day);
    }
    let user_days: usize = days.values().map(BTreeSet::len).sum();
    let mut expected = question.expected(&["dimension_value", "days"], &[]);
    for value in values.values().collect::<BTreeSet<_>>() {
        let of_value = days.iter().filter(|(user, _)| values[user] == *value);
        let often: Vec<usize> = of_value.map(|(_, days)| days.len()).collect();
        for n in 1..=question.number("window") as usize {
            let users = often.iter().filter(|days| **days == n).count();
            let columns: [(&str, Value); 7] = [
                ("users", json!(users)),
                ("share", json!(users as f64 / often.len() as f64)),
                ("at_least", json!(often.iter().filter(|d| **d >= n).count())),
                ("active", json!(often.len())),
                ("all_active", json!(values.len())),
                ("user_days", json!(user_days)),
                ("mark", json!(data.mark(window))),
            ];
            expected.row(&[value, &n], columns);
        }
    }
    expected
}
