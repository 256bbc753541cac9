//! Who signed up when, and how long they stay.
//!
//! The platform is in balance: as many signed up a day before the simulated days as do in them, and
//! nobody stays longer than the oldest cohort is old. So those who leave are replaced, and monthly
//! actives stay level however long the simulation is.

use chrono::{Datelike, Days};

use super::ask::Ask;
use crate::calendar::Day;

/// Signups by weekday from Monday, against the mean: people try things at weekends.
const SIGNUPS_BY_WEEKDAY: [f64; 7] = [0.98, 0.97, 0.96, 0.97, 0.99, 1.07, 1.06];

/// The share of newcomers who only look in, and leave by a power law.
const VISITORS: f64 = 0.55;

/// The exponent of that law.
const VISITORS_LEAVE: f64 = 1.1;

/// The number of the first user who signs up on the first simulated day: there is room before it.
const FIRST_NUMBER: u64 = 1 << 40;

/// Those who signed up on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cohort {
    /// The day, counted from the first simulated one; negative before it.
    pub(super) day: i32,
    /// The number of its first user; the others follow, who stays longest first.
    pub(super) first: u64,
    /// How many they are.
    pub(super) size: u64,
}

/// The share of a cohort that has not left for good, by age.
#[derive(Debug, Clone)]
pub(super) struct Survival(Vec<f64>);

impl Survival {
    /// Nobody stays for `longest` days or more. Visitors leave by a power law; what is left
    /// dwindles evenly until the longest stay.
    pub(super) fn new(longest: f64) -> Self {
        let ages = 0..=longest.max(1.0).ceil() as usize;
        let share = |age: usize| {
            let left = (1.0 - age as f64 / longest).max(0.0);
            left * (VISITORS * (1.0 + age as f64).powf(-VISITORS_LEAVE) + 1.0 - VISITORS)
        };
        Survival(ages.map(share).collect())
    }

    /// The share that is still there at this age in days: 1 at age 0.
    pub(super) fn at(&self, age: usize) -> f64 {
        self.0.get(age).copied().unwrap_or(0.0)
    }

    /// How many days before the first simulated one the oldest cohort that matters signed up.
    pub(super) fn history(&self) -> usize {
        self.0.len() - 1
    }

    /// The age at which the user who stays at rank `rank` (0 the longest, 1 the shortest) is gone,
    /// at most `most`, where they are still there at age `age`.
    pub(super) fn leaves(&self, rank: f64, age: usize, most: usize) -> usize {
        let end = most.min(self.0.len()).max(age);
        let later = self.0.get(age..end).unwrap_or(&[]);
        age + later.partition_point(|share| *share > rank)
    }
}

/// Every cohort from the oldest that matters to the last simulated day. The first `lead` of the
/// simulated days come before those that were asked for.
pub(super) fn cohorts(ask: &Ask, lead: usize, history: usize) -> Vec<Cohort> {
    let first_day = first_day(ask, lead);
    let mut before = vec![];
    let (mut sum, mut number) = (0.0, FIRST_NUMBER);
    for back in 1..=history as u64 {
        let day = first_day
            .checked_sub_days(Days::new(back))
            .unwrap_or(first_day);
        let size = next_size(&mut sum, ask.signups as f64 * rhythm(day));
        number -= size;
        before.push(Cohort {
            day: -(back as i32),
            first: number,
            size,
        });
    }
    before.reverse();
    before.extend(simulated(ask, lead, first_day));
    before
}

/// The cohorts of the simulated days. Those asked for add up to the mean exactly.
fn simulated(ask: &Ask, lead: usize, first_day: Day) -> Vec<Cohort> {
    let days: Vec<Day> = first_day
        .iter_days()
        .take(lead + ask.days as usize)
        .collect();
    let asked: f64 = days.iter().skip(lead).map(|day| rhythm(*day)).sum();
    let even = f64::from(ask.days) / asked;
    let (mut sum, mut number) = (0.0, FIRST_NUMBER);
    let mut cohorts = vec![];
    for (at, day) in days.iter().enumerate() {
        if at == lead {
            sum = 0.0;
        }
        let even = if at < lead { 1.0 } else { even };
        let size = next_size(&mut sum, ask.signups as f64 * rhythm(*day) * even);
        cohorts.push(Cohort {
            day: at as i32,
            first: number,
            size,
        });
        number += size;
    }
    cohorts
}

/// Adds `expected` to the sum so far; how many whole users it grows by. Sums that end a little
/// below a whole number for want of digits are rounded up to it.
fn next_size(sum: &mut f64, expected: f64) -> u64 {
    let before = (*sum + 1e-6).floor();
    *sum += expected;
    ((*sum + 1e-6).floor() - before) as u64
}

fn rhythm(day: Day) -> f64 {
    SIGNUPS_BY_WEEKDAY[day.weekday().num_days_from_monday() as usize]
}

/// The first simulated day, which comes before those asked for where these are fewer than a month.
pub(super) fn first_day(ask: &Ask, lead: usize) -> Day {
    ask.from
        .checked_sub_days(Days::new(lead as u64))
        .unwrap_or(ask.from)
}
