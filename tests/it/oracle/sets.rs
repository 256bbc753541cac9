//! What everything is worked out from: who was active when, as sets of users, day by day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, Months, NaiveDate};

use super::data::{Data, Row};

/// Days from the first to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl Span {
    /// The calendar period that a day is in; weeks begin on Monday.
    pub fn of(day: NaiveDate, by: &str) -> Self {
        let months = |months: u32, month0: u32| {
            let first = NaiveDate::from_ymd_opt(day.year(), month0 + 1, 1).unwrap();
            Span {
                first,
                last: first + Months::new(months) - Days::new(1),
            }
        };
        match by {
            "day" => Span::ending(day, 1),
            "week" => {
                let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
                Span::ending(monday + Days::new(6), 7)
            }
            "month" => months(1, day.month0()),
            "quarter" => months(3, day.month0() / 3 * 3),
            "year" => months(12, 0),
            _ => panic!("no period is called {by}"),
        }
    }

    /// The window of so many days that ends on a day.
    pub fn ending(last: NaiveDate, days: u64) -> Self {
        Span {
            first: last - Days::new(days - 1),
            last,
        }
    }

    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |d| *d <= self.last)
    }

    pub fn has(self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }
}

/// The value that each user counts under.
pub type Values = BTreeMap<u32, &'static str>;

/// How many count under a value.
pub fn under(values: &Values, value: &str) -> usize {
    values.values().filter(|v| **v == value).count()
}

impl Data {
    /// Whether a day lies in the span of a load.
    pub fn covered(&self, day: NaiveDate) -> bool {
        self.loads.iter().any(|load| {
            let days = || load.iter().map(|r| r.day);
            days().min() <= Some(day) && Some(day) <= days().max()
        })
    }

    /// Whether every day is covered.
    pub fn whole(&self, span: Span) -> bool {
        span.days().all(|d| self.covered(d))
    }

    /// Whether any day is covered.
    pub fn known(&self, span: Span) -> bool {
        span.days().any(|d| self.covered(d))
    }

    pub fn mark(&self, span: Span) -> &'static str {
        mark(self.whole(span))
    }

    /// From the first day that is covered to the last.
    pub fn history(&self) -> Span {
        let days = || self.rows().map(|r| r.day);
        Span {
            first: days().min().unwrap(),
            last: days().max().unwrap(),
        }
    }

    /// The periods of the history, in order, the first and last too if they are covered in part.
    pub fn periods(&self, by: &str) -> Vec<Span> {
        let periods: BTreeSet<Span> = self.history().days().map(|d| Span::of(d, by)).collect();
        periods.into_iter().collect()
    }

    pub fn rows_in(&self, span: Span) -> impl Iterator<Item = &Row> {
        self.rows().filter(move |r| span.has(r.day))
    }

    pub fn active(&self, span: Span) -> BTreeSet<u32> {
        self.rows_in(span).map(|r| r.user).collect()
    }

    /// The active users of some days, each under the value of the last day, of several the first.
    pub fn values(&self, span: Span, dimension: &str) -> Values {
        let mut last: BTreeMap<u32, (NaiveDate, &'static str)> = BTreeMap::new();
        for row in self.rows_in(span) {
            let value = row.value(dimension);
            let known = last.entry(row.user).or_insert((row.day, value));
            if row.day > known.0 || row.day == known.0 && value < known.1 {
                *known = (row.day, value);
            }
        }
        last.into_iter().map(|(u, (_, value))| (u, value)).collect()
    }

    /// Every value that any row has, and the empty one of who has none.
    pub fn all_values(&self, dimension: &str) -> BTreeSet<&'static str> {
        let values = self.rows().map(|r| r.value(dimension));
        values.chain([""]).collect()
    }

    pub fn first_active(&self, user: u32) -> Option<NaiveDate> {
        let days = self.rows().filter(|r| r.user == user).map(|r| r.day);
        days.min()
    }

    /// The user's first signup.
    pub fn signup(&self, user: u32) -> Option<NaiveDate> {
        let signups = self.signups.iter().flatten().filter(|s| s.0 == user);
        signups.map(|s| s.1).min()
    }

    /// Whether a user came before anything that is loaded.
    pub fn came_before(&self, user: u32) -> bool {
        self.signup(user) < Some(self.history().first) && self.signup(user).is_some()
    }

    /// All who were active or signed up.
    pub fn users(&self) -> BTreeSet<u32> {
        let signed_up = self.signups.iter().flatten().map(|s| s.0);
        self.rows().map(|r| r.user).chain(signed_up).collect()
    }
}

pub fn mark(whole: bool) -> &'static str {
    if whole { "computed" } else { "unfinished" }
}
