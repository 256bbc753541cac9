//! All that a simulation depends on once it is calibrated.

use std::ops::Range;

use chrono::Datelike;

use super::ask::Ask;
use super::cohort::{self, Cohort, Survival};
use super::draw::{Keys, mix, probit};
use super::value::Shares;

/// How likely users are to be active by weekday from Monday, against the likeliest day.
const ACTIVE_BY_WEEKDAY: [f64; 7] = [0.99, 1.0, 1.0, 1.0, 0.99, 0.94, 0.92];

/// How many messages active users send by weekday from Monday.
const MESSAGES_BY_WEEKDAY: [f64; 7] = [0.99, 1.0, 1.0, 1.01, 1.05, 1.0, 0.95];

/// Days of a user's own on which they only read, as a share.
const SILENT: f64 = 0.1;

/// How much a user's messages vary from day to day: the standard deviation of their logarithm.
const DAILY_SPREAD: f64 = 0.9;

/// How many places the table of that variation has.
pub(super) const PLACES: usize = 1024;

/// How many users are simulated together.
const BLOCK: u64 = 1 << 14;

/// What calibration finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dials {
    /// Nobody stays this many days.
    pub(super) longest: f64,
    /// The log-odds by which the median user is active on a day.
    pub(super) activity: f64,
    /// The scale of messages.
    pub(super) messages: f64,
}

/// A platform: its cohorts, its weekly rhythm, and how its users behave.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) keys: Keys,
    pub(super) dials: Dials,
    pub(super) cohorts: Vec<Cohort>,
    pub(super) survival: Survival,
    /// How many days are simulated, with those before the days asked for.
    pub(super) days: usize,
    /// How many of these come before the days asked for: where fewer days are asked for than a
    /// month has, monthly actives are counted over some days before them too.
    pub(super) lead: usize,
    /// The weekly rhythm of activity by simulated day, at most 1.
    pub(super) presence: Vec<f32>,
    /// The weekly rhythm of messages by simulated day.
    pub(super) talk: Vec<f32>,
    /// What the messages of a day are against the user's mean: as many quantiles, equally likely.
    pub(super) variation: Vec<f32>,
    /// The windows of monthly actives, as simulated days.
    pub(super) windows: Vec<Range<usize>>,
    pub(super) countries: Shares,
    pub(super) clients: Shares,
}

/// One user of a block: the cohort and the rank by length of stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// The place of the cohort in the model.
    pub(super) cohort: u32,
    /// The user's number.
    pub(super) number: u64,
    /// The share of the cohort that stays longer.
    pub(super) rank: f64,
}

impl Model {
    /// A platform with these dials.
    pub(super) fn new(ask: &Ask, dials: Dials) -> Self {
        let window = ask.window() as usize;
        let days = (ask.days as usize).max(window);
        let lead = days - ask.days as usize;
        let survival = Survival::new(dials.longest);
        let weekdays: Vec<usize> = cohort::first_day(ask, lead)
            .iter_days()
            .take(days)
            .map(|day| day.weekday().num_days_from_monday() as usize)
            .collect();
        let by_day = |of: [f64; 7]| weekdays.iter().map(|w| of[*w] as f32).collect();
        Model {
            keys: Keys::of(ask.seed),
            dials,
            cohorts: cohort::cohorts(ask, lead, survival.history()),
            survival,
            days,
            lead,
            presence: by_day(ACTIVE_BY_WEEKDAY),
            talk: by_day(MESSAGES_BY_WEEKDAY),
            variation: variation(),
            windows: windows(days, window),
            countries: Shares::of_countries(),
            clients: Shares::of_clients(),
        }
    }

    /// How many users of a cohort may still be there on the first simulated day.
    fn reach(&self, cohort: &Cohort) -> u64 {
        let share = self.survival.at(age(cohort));
        cohort.size.min((share * cohort.size as f64) as u64 + 1)
    }

    /// How many users are expected to be reachable.
    pub(super) fn expected(&self) -> f64 {
        self.cohorts
            .iter()
            .map(|c| self.survival.at(age(c)) * c.size as f64)
            .sum()
    }

    /// How many users may be active on a simulated day.
    pub(super) fn reachable(&self) -> u64 {
        self.cohorts.iter().map(|c| self.reach(c)).sum()
    }

    /// Into how many blocks the users fall.
    pub(super) fn blocks(&self) -> u64 {
        self.reachable().div_ceil(BLOCK).max(1)
    }

    /// The users of block `block` of `blocks`, in random order. A block has its part of every
    /// cohort; who left before the first simulated day is not even looked at.
    pub(super) fn members(&self, block: u64, blocks: u64) -> Vec<Member> {
        let mut members = Vec::with_capacity(BLOCK as usize + self.cohorts.len());
        for (at, cohort) in self.cohorts.iter().enumerate() {
            let share = self.survival.at(age(cohort));
            let start = (block + mix(cohort.first) % blocks) % blocks;
            for place in (start..self.reach(cohort)).step_by(blocks as usize) {
                let number = cohort.first + place;
                let within = (mix(number) >> 11) as f64 / (1u64 << 53) as f64;
                let rank = (place as f64 + within) / cohort.size as f64;
                if rank < share {
                    members.push(Member {
                        cohort: at as u32,
                        number,
                        rank,
                    });
                }
            }
        }
        let mut draws = self.keys.order(block);
        for end in (1..members.len()).rev() {
            let other = (u128::from(draws.bits()) * (end as u128 + 1)) >> 64;
            members.swap(end, other as usize);
        }
        members
    }
}

/// How old a cohort is on the first simulated day.
fn age(cohort: &Cohort) -> usize {
    (-cohort.day).max(0) as usize
}

/// Windows of a month one after the other, the last one ending on the last day.
fn windows(days: usize, window: usize) -> Vec<Range<usize>> {
    let first = days % window;
    (first..days)
        .step_by(window)
        .map(|start| start..start + window)
        .collect()
}

/// Quantiles of messages a day against the user's mean: none on silent days, else lognormal.
fn variation() -> Vec<f32> {
    let spoken = |p: f64| (probit(p) * DAILY_SPREAD).exp();
    let mut quantiles: Vec<f64> = (0..PLACES)
        .map(|place| (place as f64 + 0.5) / PLACES as f64)
        .map(|p| {
            if p < SILENT {
                0.0
            } else {
                spoken((p - SILENT) / (1.0 - SILENT))
            }
        })
        .collect();
    let mean = quantiles.iter().sum::<f64>() / PLACES as f64;
    quantiles.iter_mut().for_each(|q| *q /= mean);
    quantiles.iter().map(|q| *q as f32).collect()
}
