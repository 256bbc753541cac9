//! Where users came from and where they went, from one period to the next.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::answer::Expected;
use super::data::Data;
use super::question::Question;
use super::sets::{Span, Values, mark, under};

/// A period of the history and the one before it, where there is one of which anything is known.
struct Step {
    period: Span,
    before: Option<Span>,
    first: bool,
    now: Values,
    then: Values,
}

fn steps(data: &Data, question: &Question) -> Vec<Step> {
    let periods = data.periods(question.word("by"));
    let values = |span| data.values(span, question.dimension());
    let step = |place: usize| {
        let earlier = place.checked_sub(1).map(|p| periods[p]);
        let before = earlier.filter(|p| data.known(*p));
        Step {
            period: periods[place],
            before,
            first: place == 0,
            now: values(periods[place]),
            then: before.map(values).unwrap_or_default(),
        }
    };
    (0..periods.len()).map(step).collect()
}

impl Step {
    fn mark(&self, data: &Data) -> &'static str {
        mark(data.whole(self.period) && self.before.is_none_or(|b| data.whole(b)))
    }

    /// Whether something is known of both periods.
    fn compares(&self, data: &Data) -> bool {
        data.known(self.period) && self.before.is_some()
    }

    /// Whether every day of both periods is covered.
    fn is_whole(&self, data: &Data) -> bool {
        data.whole(self.period) && self.before.is_some_and(|b| data.whole(b))
    }

    /// The users of one period under a value, by what the other period says of them.
    fn count(of: &Values, value: &str, other: &Values, keep: fn(bool, bool) -> bool) -> usize {
        let users = of.iter().filter(|(_, v)| **v == value);
        users
            .filter(|(user, _)| {
                let there = other.get(user);
                keep(there.is_some(), there == Some(&value))
            })
            .count()
    }

    fn gained(&self, value: &str) -> Vec<u32> {
        let users = self.now.iter().filter(|(_, v)| **v == value);
        let gained = users.filter(|(user, _)| !self.then.contains_key(user));
        gained.map(|(user, _)| *user).collect()
    }

    fn retained(&self, value: &str) -> usize {
        Step::count(&self.now, value, &self.then, |_, same| same)
    }

    fn churned(&self, value: &str) -> usize {
        Step::count(&self.then, value, &self.now, |there, _| !there)
    }

    fn moved_in(&self, value: &str) -> usize {
        Step::count(&self.now, value, &self.then, |there, same| there && !same)
    }

    fn moved_out(&self, value: &str) -> usize {
        Step::count(&self.then, value, &self.now, |there, same| there && !same)
    }
}

/// Those of some users who were never seen before a day and did not come before the history.
fn newcomers(data: &Data, users: &[u32], day: NaiveDate) -> usize {
    let first = |user: &u32| data.first_active(*user) >= Some(day);
    let users = users.iter().filter(|u| first(u) && !data.came_before(**u));
    users.count()
}

fn signups_known<'a>(data: &Data, mut users: impl Iterator<Item = &'a u32>) -> bool {
    users.all(|u| data.signup(*u).is_some())
}

fn ratio(gained: usize, lost: usize) -> Option<f64> {
    (lost > 0).then(|| gained as f64 / lost as f64)
}

pub fn growth_accounting(data: &Data, question: &Question) -> Expected {
    let keys = &["period", "dimension_value"];
    let mut expected = question.expected(keys, &["active", "previous"]);
    for step in steps(data, question) {
        let known = data.known(step.period);
        let compares = step.compares(data);
        let told = |n: usize| json!(compares.then_some(n));
        for value in data.all_values(question.dimension()) {
            let (active, previous) = (under(&step.now, value), under(&step.then, value));
            let gained = step.gained(value);
            let new = newcomers(data, &gained, step.period.first);
            let first_known = step.first && signups_known(data, step.now.keys());
            let ratio = ratio(gained.len(), step.churned(value)).filter(|_| step.is_whole(data));
            let net = active as i64 - previous as i64;
            expected.row(
                &[&step.period.first, &value],
                [
                    ("active", json!(known.then_some(active))),
                    ("previous", json!(step.before.map(|_| previous))),
                    ("new", json!((compares || first_known).then_some(new))),
                    ("retained", told(step.retained(value))),
                    ("resurrected", told(gained.len() - new)),
                    ("churned", told(step.churned(value))),
                    ("moved_in", told(step.moved_in(value))),
                    ("moved_out", told(step.moved_out(value))),
                    ("net", json!(compares.then_some(net))),
                    ("quick_ratio", json!(ratio)),
                    ("all_active", json!(known.then_some(step.now.len()))),
                    ("mark", json!(step.mark(data))),
                ],
            );
        }
    }
    expected
}

pub fn quick_ratio(data: &Data, question: &Question) -> Expected {
    let keys = &["period", "dimension_value"];
    let mut expected = question.expected(keys, &["active", "previous"]);
    for step in steps(data, question) {
        let known = data.known(step.period);
        let compares = step.compares(data);
        let told = |n: usize| json!(compares.then_some(n));
        for value in data.all_values(question.dimension()) {
            let gained = step.gained(value).len();
            let ratio = ratio(gained, step.churned(value)).filter(|_| step.is_whole(data));
            let previous = step.before.map(|_| under(&step.then, value));
            expected.row(
                &[&step.period.first, &value],
                [
                    ("active", json!(known.then_some(under(&step.now, value)))),
                    ("previous", json!(previous)),
                    ("gained", told(gained)),
                    ("retained", told(step.retained(value))),
                    ("churned", told(step.churned(value))),
                    ("moved_in", told(step.moved_in(value))),
                    ("moved_out", told(step.moved_out(value))),
                    ("quick_ratio", json!(ratio)),
                    ("all_active", json!(known.then_some(step.now.len()))),
                    ("mark", json!(step.mark(data))),
                ],
            );
        }
    }
    expected
}

pub fn growth_moves(data: &Data, question: &Question) -> Expected {
    let mut expected = question
        .expected(&["period", "from_value", "to_value"], &[])
        .most_first("users");
    for step in steps(data, question) {
        let mut moves: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (user, to) in &step.now {
            if let Some(from) = step.then.get(user).filter(|from| *from != to) {
                *moves.entry((*from, *to)).or_default() += 1;
            }
        }
        for ((from, to), users) in moves {
            expected.row(
                &[&step.period.first, &from, &to],
                [
                    ("users", json!(users)),
                    ("moved_out", json!(step.moved_out(from))),
                    ("moved_in", json!(step.moved_in(to))),
                    ("mark", json!(step.mark(data))),
                ],
            );
        }
    }
    expected
}

pub fn new_users(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["day"], &[]);
    let signed_up = |day| {
        let users: BTreeSet<u32> = data.users();
        let users = users.iter().filter(|u| data.signup(**u) == Some(day));
        users.count()
    };
    let counted = |day: NaiveDate| {
        data.signups.iter().any(|file| {
            let days = || file.iter().map(|s| s.1);
            days().min() <= Some(day) && Some(day) <= days().max()
        })
    };
    for day in data.history().days() {
        let users = data.active(Span::ending(day, 1));
        let first_seen: Vec<u32> = users
            .into_iter()
            .filter(|u| data.first_active(*u) == Some(day))
            .collect();
        let new = newcomers(data, &first_seen, day);
        // After a day that is not covered whoever is first seen may have come on that day.
        let told = if day == data.history().first {
            signups_known(data, first_seen.iter())
        } else {
            data.covered(day - Days::new(1))
        };
        let new_users: Value = json!((data.covered(day) && told).then_some(new));
        expected.row(
            &[&day],
            [
                ("signups", json!(counted(day).then(|| signed_up(day)))),
                ("new_users", new_users),
                ("mark", json!(mark(data.covered(day)))),
            ],
        );
    }
    expected
}
