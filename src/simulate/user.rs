//! One user's days: when they are there, on which days they are active, and what they do on these.

use super::cohort::Cohort;
use super::draw::{Stream, probit};
use super::model::{Member, Model, PLACES};

/// How much users differ in how often they are active: the standard deviation of the log-odds.
const ACTIVITY_SPREAD: f64 = 1.5;

/// By how much the log-odds of those who stay longest exceed those of who leave first.
const LOYALTY: f64 = 1.5;

/// How much users differ in how many messages they send: the standard deviation of the logarithm.
const MESSAGES_SPREAD: f64 = 1.3;

/// How much more those send who are active more often.
const MESSAGES_WITH_ACTIVITY: f64 = 0.4;

/// The mean length in days of a spell in which a user is there, and of one in which they are not.
const SPELLS: [f64; 2] = [90.0, 22.0];

/// What one account can send in a day.
const MOST_MESSAGES: f32 = 50_000.0;

/// Among 64 users, how many have a second client; among 4 active days, on how many they use both.
const TWO_CLIENTS: u64 = 9;

/// Among 1024 users: how many move to another country for good, and how many travel.
const MOVE: u64 = 14;
const TRAVEL: u64 = 24;

/// Over how many days those who move do so.
const MOVING_DAYS: u64 = 400;

/// Days as bits, the first simulated one lowest.
pub(super) type Days = [u64];

/// How many words `days` days take.
pub(super) fn words(days: usize) -> usize {
    days.div_ceil(64)
}

/// What a user is like, once it is known on which days they are active.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    /// The pseudonym.
    pub(super) identity: u64,
    /// Messages an active day, on average.
    mean: f32,
    draws: Stream,
    country: u8,
    other_country: u8,
    client: u8,
    other_client: u8,
    abroad: Abroad,
}

/// When a user is in the other country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abroad {
    Never,
    /// From this simulated day on; on the day itself in both.
    From(u32),
    /// In some weeks.
    Trips(u64),
}

/// One row: a user and day, or a part of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) messages: u32,
    pub(super) country: u8,
    pub(super) client: u8,
}

impl User {
    /// Draws a user and the days on which they are active, as bits that were 0; on the days `both`
    /// they have two rows. None if they are never active.
    pub(super) fn draw(
        model: &Model,
        member: &Member,
        active: &mut Days,
        both: &mut Days,
    ) -> Option<Self> {
        let cohort = model.cohorts.get(member.cohort as usize)?;
        let number = member.number;
        let mut draws = model.keys.stream(number);
        let liveliness = probit(model.keys.even(number, 0)) * ACTIVITY_SPREAD;
        let odds = model.dials.activity + liveliness + LOYALTY * (0.5 - member.rank);
        let chance = 1.0 / (1.0 + (-odds).exp());
        days_active(model, cohort, member, chance as f32, &mut draws, active);
        if active.iter().all(|word| *word == 0) {
            return None;
        }
        let talkative = probit(model.keys.even(number, 1)) * MESSAGES_SPREAD;
        let mean = (talkative + liveliness * MESSAGES_WITH_ACTIVITY).exp();
        let traits = draws.bits();
        let client = model.clients.pick(traits >> 24);
        let mut user = User {
            identity: model.keys.identity(number),
            mean: (mean * model.dials.messages) as f32,
            draws,
            country: model.countries.pick(traits),
            other_country: model.countries.pick(traits >> 12),
            client,
            other_client: client,
            abroad: Abroad::Never,
        };
        user.draw_second(traits >> 36, active, both);
        Some(user)
    }

    /// Draws whether there is a second client or a second country, and the days with two rows.
    fn draw_second(&mut self, traits: u64, active: &Days, both: &mut Days) {
        if traits & 63 < TWO_CLIENTS {
            // Who is on a phone has a computer too, and the other way round.
            self.other_client = match self.client {
                0 | 1 => 2 + (traits >> 6 & 1) as u8,
                _ => 0,
            };
            for (both, active) in both.iter_mut().zip(active) {
                *both = active & self.draws.bits() & self.draws.bits();
            }
        }
        let abroad = traits >> 7 & 1023;
        if self.other_country == self.country || abroad >= MOVE + TRAVEL {
            return;
        }
        if abroad >= MOVE {
            self.abroad = Abroad::Trips(self.draws.bits());
            return;
        }
        let day = self.draws.bits() % MOVING_DAYS;
        self.abroad = Abroad::From(day as u32);
        let word = day as usize / 64;
        if let (Some(both), Some(active)) = (both.get_mut(word), active.get(word)) {
            *both |= active & (1 << (day % 64));
        }
    }

    /// Whether the user is in the other country on a simulated day.
    fn is_abroad(&self, day: usize) -> bool {
        match self.abroad {
            Abroad::Never => false,
            Abroad::From(from) => day >= from as usize,
            Abroad::Trips(weeks) => {
                let week = weeks.rotate_right((day as u32 / 7) * 3);
                week & 7 == 0
            }
        }
    }

    /// The rows of one active day. Days must be asked for in order, as each uses up a draw.
    pub(super) fn day(&mut self, model: &Model, day: usize, both: bool) -> (Row, Option<Row>) {
        let bits = self.draws.bits();
        let variation = model.variation[bits as usize % PLACES];
        // Rounded up as often as the part after the point says, so that sums stay what they are.
        let upward = (bits >> 40) as f32 / (1u32 << 24) as f32;
        let mean = (self.mean * variation * model.talk[day]).min(MOST_MESSAGES);
        let messages = (mean + upward) as u32;
        let country = if self.is_abroad(day) {
            self.other_country
        } else {
            self.country
        };
        let row = Row {
            messages,
            country,
            client: self.client,
        };
        if !both {
            return (row, None);
        }
        let part = ((u64::from(messages) * (bits >> 10 & 0xff)) >> 8) as u32;
        let arrives = self.abroad == Abroad::From(day as u32);
        let second = Row {
            messages: part,
            country: if arrives { self.country } else { country },
            client: self.other_client,
        };
        let first = Row {
            messages: messages - part,
            ..row
        };
        (first, Some(second))
    }
}

/// Sets the days on which a user is active: those on which they are there and have not lapsed, each by chance;
/// the day of the signup in any case.
fn days_active(
    model: &Model,
    cohort: &Cohort,
    member: &Member,
    chance: f32,
    draws: &mut Stream,
    active: &mut Days,
) {
    let before = (-cohort.day).max(0) as usize;
    let first = cohort.day.max(0) as usize;
    let most = before + model.days - first;
    let gone = model.survival.leaves(member.rank, before, most);
    let end = first + gone - before;
    let even = model.keys.even(member.number, 2);
    let lapsed = before > 0 && even < share_lapsed(before);
    let mut day = first as f64;
    let mut there = !lapsed;
    while (day as usize) < end {
        let length = -draws.unit().ln() * SPELLS[usize::from(!there)];
        let until = ((day + length.max(1.0)) as usize).min(end);
        if there {
            draw_days(model, day as usize, until, chance, draws, active);
        }
        day += length.max(1.0);
        there = !there;
    }
    if cohort.day >= 0 && end > first {
        active[first / 64] |= 1 << (first % 64);
    }
}

/// The chance that who signed up `age` days ago and has not left is in a lapse: that of a process
/// that leaves and enters a state at constant rates.
fn share_lapsed(age: usize) -> f64 {
    let [there, away] = SPELLS.map(|days| 1.0 / days);
    let share = there / (there + away);
    share * (1.0 - (-(there + away) * age as f64).exp())
}

/// Sets each of the days `from..until` by `chance` and the day's rhythm. One draw serves four days.
fn draw_days(
    model: &Model,
    from: usize,
    until: usize,
    chance: f32,
    draws: &mut Stream,
    active: &mut Days,
) {
    let scale = chance * 65_536.0;
    let mut bits = 0;
    for (at, presence) in model.presence[from..until].iter().enumerate() {
        if at % 4 == 0 {
            bits = draws.bits();
        }
        let day = from + at;
        let hit = (((bits & 0xffff) as f32) < scale * presence) as u64;
        active[day / 64] |= hit << (day % 64);
        bits >>= 16;
    }
}
