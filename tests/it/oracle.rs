//! A second engine: random small data sets, each figure worked out again with plain sets.
//!
//! Every data set is a platform of its own, in files of its own, so that one ingest serves them all.
//! `ESSOR_ORACLE=2000` says how many there are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use essor::engine::{self, Settings};
use essor::query::parameter::Given;
use essor::query::{self, Library, rows};
use essor::store::Store;
use serde_json::Value;

use crate::project::Project;

type Row = (u32, NaiveDate, u64, &'static str);
type Users = BTreeSet<u32>;

/// Numbers that look random and are the same on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// One platform: its loads, each a file of rows (user, day, messages, country).
struct Data {
    loads: Vec<Vec<Row>>,
}

const STARTS: [&str; 6] = [
    "2015-12-20",
    "2016-02-25",
    "2015-02-26",
    "2016-03-25",
    "2016-10-28",
    "2016-06-01",
];
const COUNTRIES: [&str; 4] = ["", "BR", "DE", "é"];

impl Data {
    fn random(chance: &mut Chance) -> Self {
        let start: NaiveDate = STARTS[chance.below(6) as usize].parse().unwrap();
        let (users, days) = (1 + chance.below(9), 1 + chance.below(75));
        let load = |chance: &mut Chance| {
            let from = chance.below(days);
            let length = 1 + chance.below(days);
            let row = |chance: &mut Chance| {
                let day = start + Days::new(from + chance.below(length));
                let messages = [0, 1, 1, 3, 250][chance.below(5) as usize];
                (
                    chance.below(users) as u32,
                    day,
                    messages,
                    COUNTRIES[chance.below(4) as usize],
                )
            };
            (0..1 + chance.below(60)).map(|_| row(chance)).collect()
        };
        Data {
            loads: (0..1 + chance.below(3)).map(|_| load(chance)).collect(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.loads.iter().flatten()
    }

    /// Whether a day lies in the span of a load.
    fn covered(&self, day: NaiveDate) -> bool {
        self.loads.iter().any(|load| {
            let days = || load.iter().map(|r| r.1);
            days().min() <= Some(day) && Some(day) <= days().max()
        })
    }

    fn span(&self) -> (NaiveDate, NaiveDate) {
        let days = || self.rows().map(|r| r.1);
        (days().min().unwrap(), days().max().unwrap())
    }

    fn active(&self, keep: impl Fn(NaiveDate) -> bool) -> Users {
        self.rows().filter(|r| keep(r.1)).map(|r| r.0).collect()
    }

    /// The value that each user of some days counts under: that of the last day, the first of several.
    fn values(&self, keep: impl Fn(NaiveDate) -> bool) -> BTreeMap<u32, &'static str> {
        let mut values: BTreeMap<u32, (NaiveDate, &str)> = BTreeMap::new();
        for (user, day, _, country) in self.rows().filter(|r| keep(r.1)) {
            let last = values.entry(*user).or_insert((*day, country));
            if *day > last.0 || *day == last.0 && *country < last.1 {
                *last = (*day, country);
            }
        }
        values
            .into_iter()
            .map(|(user, (_, value))| (user, value))
            .collect()
    }
}

/// The first day of the period that a day is in.
fn start(day: NaiveDate, by: &str) -> NaiveDate {
    match by {
        "month" => day.with_day(1).unwrap(),
        "week" => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
        _ => day,
    }
}

fn days(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take_while(move |d| *d <= to)
}

fn periods(data: &Data, by: &str) -> Vec<NaiveDate> {
    let (first, last) = data.span();
    let all: BTreeSet<NaiveDate> = days(first, last).map(|d| start(d, by)).collect();
    all.into_iter().collect()
}

type Answer = Vec<serde_json::Map<String, Value>>;

fn number(row: &serde_json::Map<String, Value>, column: &str) -> Option<u64> {
    row[column].as_u64()
}

fn day_of(row: &serde_json::Map<String, Value>, column: &str) -> Option<NaiveDate> {
    row[column].as_str().map(|d| d.parse().unwrap())
}

fn check_windows(data: &Data, answer: &Answer, width: u64) {
    let (first, last) = data.span();
    assert_eq!(answer.len(), days(first, last).count());
    for (row, day) in answer.iter().zip(days(first, last)) {
        let from = day - Days::new(width - 1);
        let inside: Vec<NaiveDate> = days(from, day).collect();
        let whole = inside.iter().all(|d| data.covered(*d));
        let known = inside.iter().any(|d| data.covered(*d));
        let users = data.active(|d| from <= d && d <= day).len() as u64;
        assert_eq!(
            number(row, "users"),
            known.then_some(users),
            "{day} {width}"
        );
        assert_eq!(row["mark"] == "computed", whole, "{day} {width}");
    }
}

fn check_growth(data: &Data, answer: &Answer, by: &str) {
    let periods = periods(data, by);
    assert_eq!(answer.len(), periods.len());
    let known = |p: NaiveDate| {
        days(data.span().0, data.span().1).any(|d| start(d, by) == p && data.covered(d))
    };
    for (place, (row, period)) in answer.iter().zip(&periods).enumerate() {
        let now = data.active(|d| start(d, by) == *period);
        assert_eq!(
            number(row, "active"),
            known(*period).then_some(now.len() as u64)
        );
        let Some(before) = place.checked_sub(1).map(|p| periods[p]) else {
            assert_eq!(
                number(row, "new"),
                None,
                "nothing is known before the first"
            );
            continue;
        };
        if !known(*period) || !known(before) {
            assert_eq!(number(row, "churned"), None);
            continue;
        }
        let then = data.active(|d| start(d, by) == before);
        let seen = data.active(|d| start(d, by) < *period);
        let count = |users: Vec<&u32>| Some(users.len() as u64);
        let told = |column| number(row, column);
        assert_eq!(
            told("new"),
            count(now.difference(&seen).collect()),
            "{period}"
        );
        assert_eq!(told("retained"), count(now.intersection(&then).collect()));
        let back: Users = now.intersection(&seen).copied().collect();
        assert_eq!(told("resurrected"), count(back.difference(&then).collect()));
        assert_eq!(told("churned"), count(then.difference(&now).collect()));
    }
}

fn check_moves(data: &Data, answer: &Answer) {
    let periods = periods(data, "month");
    for row in answer {
        let period = day_of(row, "period").unwrap();
        let value = row["dimension_value"].as_str().unwrap();
        let now = data.values(|d| start(d, "month") == period);
        let active = now.values().filter(|v| **v == value).count() as u64;
        if let Some(told) = number(row, "active") {
            assert_eq!(told, active, "{period} {value}");
        }
        if number(row, "moved_in").is_some() {
            let before = periods[periods.iter().position(|p| *p == period).unwrap() - 1];
            let then = data.values(|d| start(d, "month") == before);
            let other = |a: &BTreeMap<u32, &str>, b: &BTreeMap<u32, &str>| {
                let of = a.iter().filter(|(_, v)| **v == value);
                of.filter(|(u, _)| b.get(u).is_some_and(|v| *v != value))
                    .count() as u64
            };
            assert_eq!(number(row, "moved_in"), Some(other(&now, &then)));
            assert_eq!(number(row, "moved_out"), Some(other(&then, &now)));
        }
    }
}

fn check_frequencies(data: &Data, answer: &Answer, width: u64) {
    let last = data.span().1;
    let mut active: BTreeMap<u32, BTreeSet<NaiveDate>> = BTreeMap::new();
    for (user, day, _, _) in data.rows() {
        if *day > last - Days::new(width) {
            active.entry(*user).or_default().insert(*day);
        }
    }
    for row in answer {
        let days = number(row, "days").unwrap();
        let users = active.values().filter(|d| d.len() as u64 == days).count();
        assert_eq!(number(row, "users"), Some(users as u64), "{days} days");
    }
}

fn check_retention(data: &Data, answer: &Answer) {
    let weeks = periods(data, "week");
    let known = |p: NaiveDate| (0..7).any(|i| data.covered(p + Days::new(i)));
    let mut expected: BTreeMap<(NaiveDate, u64), (u64, u64)> = BTreeMap::new();
    for (place, week) in weeks.iter().enumerate() {
        if place == 0 || !known(weeks[place - 1]) {
            continue;
        }
        let seen = data.active(|d| start(d, "week") < *week);
        let now = data.active(|d| start(d, "week") == *week);
        let cohort: Users = now.difference(&seen).copied().collect();
        for (age, later) in weeks[place..]
            .iter()
            .enumerate()
            .filter(|(_, w)| known(**w))
        {
            let active = data.active(|d| start(d, "week") == *later);
            let retained = cohort.intersection(&active).count() as u64;
            if !cohort.is_empty() && age <= 30 {
                expected.insert((*week, age as u64), (cohort.len() as u64, retained));
            }
        }
    }
    let told: BTreeMap<(NaiveDate, u64), (u64, u64)> = answer
        .iter()
        .filter_map(|row| {
            let key = (day_of(row, "cohort")?, number(row, "age")?);
            Some((key, (number(row, "eligible")?, number(row, "retained")?)))
        })
        .collect();
    assert_eq!(told, expected);
}

fn check_messages(data: &Data, answer: &Answer) {
    for row in answer {
        let period = day_of(row, "period").unwrap();
        let mut sent: BTreeMap<u32, u64> = BTreeMap::new();
        for (user, day, messages, _) in data.rows() {
            if start(*day, "month") == period {
                *sent.entry(*user).or_default() += messages;
            }
        }
        let mut counts: Vec<u64> = sent.into_values().collect();
        counts.sort_unstable();
        if counts.is_empty() {
            continue;
        }
        assert_eq!(
            number(row, "messages"),
            Some(counts.iter().sum()),
            "{period}"
        );
        for (column, share) in [("median", 50), ("p90", 90), ("p99", 99)] {
            let rank = (counts.len() * share).div_ceil(100).max(1);
            assert_eq!(
                number(row, column),
                Some(counts[rank - 1]),
                "{period} {column}"
            );
        }
    }
}

fn check_values(data: &Data, answer: &Answer) {
    for row in answer {
        let month = day_of(row, "month").unwrap();
        let value = row["dimension_value"].as_str().unwrap();
        let inside = |d: NaiveDate| start(d, "month") == month;
        let users = data
            .values(inside)
            .values()
            .filter(|v| **v == value)
            .count();
        let messages: u64 = data
            .rows()
            .filter(|r| inside(r.1) && r.3 == value)
            .map(|r| r.2)
            .sum();
        assert_eq!(number(row, "users"), Some(users as u64), "{month} {value}");
        assert_eq!(number(row, "messages"), Some(messages), "{month} {value}");
    }
}

fn check(data: &Data, question: &str, answer: &Answer) {
    let words: Vec<&str> = question.split(' ').collect();
    match words[..] {
        ["active_users", _, width] => check_windows(data, answer, width.parse().unwrap()),
        ["growth_accounting", _, _, _, _] => check_moves(data, answer),
        ["growth_accounting", _, by] => check_growth(data, answer, by),
        ["power_users", _, width] => check_frequencies(data, answer, width.parse().unwrap()),
        ["retention", ..] => check_retention(data, answer),
        ["messages_per_active_user", ..] => check_messages(data, answer),
        _ => check_values(data, answer),
    }
}

const QUESTIONS: [&str; 12] = [
    "active_users window 1",
    "active_users window 7",
    "active_users window 28",
    "active_users window 31",
    "growth_accounting by day",
    "growth_accounting by week",
    "growth_accounting by month",
    "growth_accounting by month dimension country",
    "power_users window 28",
    "retention cohort week",
    "messages_per_active_user by month",
    "activity_by_dimension dimension country",
];

#[test]
fn random_data_give_what_plain_sets_give() {
    let sets: u64 = std::env::var("ESSOR_ORACLE").map_or(12, |n| n.parse().unwrap());
    let project = Project::new("[project]\ndimensions = [\"country\"]\n");
    let mut chance = Chance(7);
    let all: Vec<Data> = (0..sets).map(|_| Data::random(&mut chance)).collect();
    for (set, data) in all.iter().enumerate() {
        for (load, rows) in data.loads.iter().enumerate() {
            let mut text = String::from("platform,user,day,messages,country\n");
            for (user, day, messages, country) in rows {
                text.push_str(&format!("P{set:05}x,{user},{day},{messages},{country}\n"));
            }
            project.write(&format!("data/{set}-{load}.csv"), text);
        }
    }
    project.ok("ingest data");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let essor = essor::project::Project::open(project.root()).unwrap();
        let store = Store::open(project.root()).await.unwrap();
        let context = engine::session(&store, &essor, Settings::default(), None)
            .await
            .unwrap();
        let library = Library::open(project.root()).unwrap();
        for (set, data) in all.iter().enumerate() {
            for question in QUESTIONS {
                let words: Vec<&str> = question.split(' ').collect();
                let mut given: Given = words[1..]
                    .chunks(2)
                    .map(|w| (w[0].to_owned(), w[1].to_owned()))
                    .collect();
                given.insert("platform".into(), format!("P{set:05}x"));
                let asked = library.iter().find(|q| q.name == words[0]).unwrap();
                let answer = query::run(&context, asked, &given)
                    .await
                    .unwrap_or_else(|e| panic!("{set} {question}: {e}"));
                println!("{set} {question}");
                check(data, question, &rows::rows(&answer.batch));
            }
        }
    });
}
