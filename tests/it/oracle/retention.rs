//! Who came back: cohorts, and the curve of all of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};
use serde_json::{Value, json};

use super::answer::Expected;
use super::data::Data;
use super::question::Question;
use super::sets::{Span, Values, mark};

/// A user who counts in a cohort, with the day the user came.
struct Member {
    user: u32,
    came: NaiveDate,
}

/// Those who came in each period, but for who may have come before what is loaded.
fn cohorts(data: &Data, by: &str) -> BTreeMap<Span, Vec<Member>> {
    let first = Span::of(data.history().first, by);
    let mut cohorts: BTreeMap<Span, Vec<Member>> = BTreeMap::new();
    for user in data.users() {
        let signup = data.signup(user);
        let came = signup.or(data.first_active(user)).unwrap();
        let period = Span::of(came, by);
        let before = Span::of(period.first - Days::new(1), by);
        let known = match signup {
            Some(day) => day >= data.history().first,
            None => period != first && data.known(before),
        };
        if known {
            let members = cohorts.entry(period).or_default();
            members.push(Member { user, came });
        }
    }
    cohorts
}

/// The period so many periods later.
fn later(period: Span, age: u64, by: &str) -> Span {
    let first = match by {
        "month" => period.first + Months::new(age as u32),
        "week" => period.first + Days::new(7 * age),
        _ => period.first + Days::new(age),
    };
    Span::of(first, by)
}

/// Of one cohort at one age: who had the chance, who took it, and whether it is finished.
struct Cell {
    eligible: BTreeSet<u32>,
    retained: BTreeSet<u32>,
    finished: bool,
}

/// The users of a cohort who were active in a period, or from it on; nothing is known without a covered day.
fn cell_of_period(
    data: &Data,
    cohort: Span,
    members: &[Member],
    looked_at: Span,
    on: bool,
) -> Option<Cell> {
    if !data.known(looked_at) {
        return None;
    }
    let looked_at = Span {
        last: looked_at.last.max(if on {
            data.history().last
        } else {
            looked_at.last
        }),
        ..looked_at
    };
    let active = data.active(looked_at);
    let eligible: BTreeSet<u32> = members.iter().map(|m| m.user).collect();
    Some(Cell {
        retained: eligible.intersection(&active).copied().collect(),
        eligible,
        finished: data.whole(cohort) && data.whole(looked_at),
    })
}

/// The users of a cohort who were active some days after each of them came.
fn cell_of_bracket(data: &Data, cohort: Span, members: &[Member], from: u64, to: u64) -> Cell {
    let span = |first: NaiveDate, last: NaiveDate| Span {
        first: first + Days::new(from),
        last: last + Days::new(to),
    };
    let of = |m: &&Member| span(m.came, m.came);
    let eligible = || members.iter().filter(|m| data.whole(of(m)));
    let retained = eligible().filter(|m| data.active(of(m)).contains(&m.user));
    Cell {
        eligible: eligible().map(|m| m.user).collect(),
        retained: retained.map(|m| m.user).collect(),
        finished: data.whole(cohort) && members.iter().all(|m| data.whole(of(&m))),
    }
}

/// Every cell of an answer, by cohort and age.
fn cells(data: &Data, question: &Question) -> BTreeMap<(Span, u64), Cell> {
    let by = question.word("cohort");
    let mut cells = BTreeMap::new();
    for (cohort, members) in cohorts(data, by) {
        if question.word("kind") == "bracket" {
            let (from, to) = (
                question.number("bracket_from"),
                question.number("bracket_to"),
            );
            cells.insert(
                (cohort, from),
                cell_of_bracket(data, cohort, &members, from, to),
            );
            continue;
        }
        let on = question.word("kind") == "unbounded";
        for age in 0..=30 {
            let cell = cell_of_period(data, cohort, &members, later(cohort, age, by), on);
            cells.extend(cell.map(|c| ((cohort, age), c)));
        }
    }
    cells
}

/// The figures of a value: of eligible and of retained users.
#[derive(Clone, Copy, Default)]
struct Counts {
    eligible: usize,
    retained: usize,
}

impl Counts {
    fn of(cell: &Cell, keep: impl Fn(&u32) -> bool) -> Self {
        Counts {
            eligible: cell.eligible.iter().filter(|u| keep(u)).count(),
            retained: cell.retained.iter().filter(|u| keep(u)).count(),
        }
    }

    fn add(&mut self, other: Counts) {
        self.eligible += other.eligible;
        self.retained += other.retained;
    }

    /// Beside those of all values.
    fn columns(self, all: Counts) -> Vec<(&'static str, Value)> {
        vec![
            ("eligible", json!(self.eligible)),
            ("retained", json!(self.retained)),
            ("rate", json!(self.retained as f64 / self.eligible as f64)),
            ("all_eligible", json!(all.eligible)),
            ("all_retained", json!(all.retained)),
        ]
    }
}

/// The value of a user of a cohort; who was not active in its period has none.
fn value_of(values: &Values, user: u32) -> &'static str {
    values.get(&user).copied().unwrap_or_default()
}

pub fn retention(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["cohort", "age", "dimension_value"], &["eligible"]);
    let mut pooled: BTreeMap<(u64, &str), Counts> = BTreeMap::new();
    let mut pooled_all: BTreeMap<u64, Counts> = BTreeMap::new();
    for ((cohort, age), cell) in cells(data, question) {
        let values = data.values(cohort, question.dimension());
        let all = Counts::of(&cell, |_| true);
        if cell.finished {
            pooled_all.entry(age).or_default().add(all);
        }
        for value in data.all_values(question.dimension()) {
            let counts = Counts::of(&cell, |u| value_of(&values, *u) == value);
            if cell.finished {
                pooled.entry((age, value)).or_default().add(counts);
            }
            let mut columns = counts.columns(all);
            columns.push(("mark", json!(mark(cell.finished))));
            if counts.eligible > 0 {
                expected.row(&[&cohort.first, &age, &value], columns);
            }
        }
    }
    for ((age, value), counts) in pooled {
        let mut columns = counts.columns(pooled_all[&age]);
        columns.push(("mark", json!("computed")));
        if counts.eligible > 0 {
            expected.row(&[&"", &age, &value], columns);
        }
    }
    expected
}

pub fn retention_curve(data: &Data, question: &Question) -> Expected {
    let cohorts = cohorts(data, "day");
    let mut expected = question.expected(&["age", "dimension_value"], &["eligible"]);
    for age in 0..=30 {
        let mut counts: BTreeMap<&str, (Counts, BTreeSet<NaiveDate>)> = BTreeMap::new();
        let mut all = Counts::default();
        for (cohort, members) in &cohorts {
            let values = data.values(*cohort, question.dimension());
            let looked_at = later(*cohort, age, "day");
            let Some(cell) = cell_of_period(data, *cohort, members, looked_at, false) else {
                continue;
            };
            all.add(Counts::of(&cell, |_| true));
            for user in &cell.eligible {
                let known = counts.entry(value_of(&values, *user)).or_default();
                known.0.add(Counts::of(&cell, |u| u == user));
                known.1.insert(cohort.first);
            }
        }
        for (value, (counts, cohorts)) in counts {
            let mut columns = counts.columns(all);
            columns.push(("cohorts", json!(cohorts.len())));
            expected.row(&[&age, &value], columns);
        }
    }
    expected
}
