//! What a simulation is asked for, and whether it can be had.

use std::fmt;
use std::str::FromStr;

use super::SimulateError;
use crate::calendar::Day;

/// The most days that are simulated at once.
pub const MOST_DAYS: u32 = 1100;

/// How many days a window of monthly actives has, unless the simulated span is itself a month.
pub const MONTH: u32 = 30;

/// How many users may be active in a month.
const ACTIVES: std::ops::RangeInclusive<u64> = 100..=10_000_000_000;

/// How many messages a daily active user may send on a day, on average.
const MESSAGES_A_USER: std::ops::RangeInclusive<f64> = 0.1..=5_000.0;

/// A platform's headline figures, which its simulation shall have.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The first simulated day.
    pub from: Day,
    /// How many days are simulated.
    pub days: u32,
    /// Distinct users in a month: in the whole span where it has 28 to 31 days, else in any 30 days.
    pub monthly_actives: u64,
    /// New users a day, on average.
    pub signups: u64,
    /// Messages a day, on average.
    pub messages: u64,
    /// Mean daily actives as a share of monthly actives (stickiness).
    pub daily_share: f64,
    /// What the draws depend on.
    pub seed: u64,
}

impl Ask {
    /// Refuses what no platform can be, and says what to change.
    pub fn check(&self) -> Result<(), SimulateError> {
        let wrong = |sentence: String| Err(SimulateError::Impossible(sentence));
        if self.days == 0 || self.days > MOST_DAYS {
            return wrong(format!(
                "{} days can't be simulated; ask for 1 to {MOST_DAYS}",
                self.days
            ));
        }
        if !ACTIVES.contains(&self.monthly_actives) {
            return wrong(format!(
                "{} monthly actives can't be simulated; ask for 100 to 10G",
                Quantity(self.monthly_actives)
            ));
        }
        if self.signups == 0 {
            return wrong(
                "without signups nobody replaces those who leave; ask for at least 1 signup a day"
                    .into(),
            );
        }
        if !(self.daily_share > 0.0 && self.daily_share < 1.0) {
            return wrong(format!(
                "a daily share of {} is none; ask for one between 0 and 1, such as 0.45",
                self.daily_share
            ));
        }
        self.check_balance()
    }

    /// Refuses figures that contradict one another.
    fn check_balance(&self) -> Result<(), SimulateError> {
        let window = self.window();
        let newcomers = self.signups.saturating_mul(u64::from(window));
        if newcomers as f64 > 0.9 * self.monthly_actives as f64 {
            return Err(SimulateError::Impossible(format!(
                "{} signups a day are {} in {window} days, and all of them count among the {} monthly actives; \
                 ask for at most {} signups or at least {} monthly actives",
                Quantity(self.signups),
                Quantity(newcomers),
                Quantity(self.monthly_actives),
                Quantity::about(self.monthly_actives as f64 * 0.9 / f64::from(window)),
                Quantity::about(newcomers as f64 / 0.88),
            )));
        }
        let daily = self.monthly_actives as f64 * self.daily_share;
        let each = self.messages as f64 / daily;
        if !MESSAGES_A_USER.contains(&each) {
            return Err(SimulateError::Impossible(format!(
                "{} messages a day are too {} for {} daily actives; ask for {} to {}",
                Quantity(self.messages),
                if each < 1.0 { "few" } else { "many" },
                Quantity::about(daily),
                Quantity::about(daily * MESSAGES_A_USER.start() * 1.01),
                Quantity::about(daily * MESSAGES_A_USER.end()),
            )));
        }
        Ok(())
    }

    /// Days in the window of monthly actives.
    pub fn window(&self) -> u32 {
        if (28..=31).contains(&self.days) {
            self.days
        } else {
            MONTH
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "essor simulate --from {} --days {} --monthly-actives {} --signups {} --messages {} --daily-share {}, seed {}",
            self.from,
            self.days,
            Quantity(self.monthly_actives),
            Quantity(self.signups),
            Quantity(self.messages),
            self.daily_share,
            self.seed
        )
    }
}

/// A whole number that is written with a letter where it is large: `350k`, `100M`, `15G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(pub u64);

/// Letters of the powers of ten; what is written comes first.
const LETTERS: [(&str, u32); 9] = [
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("bn", 9),
    ("B", 9),
    ("b", 9),
    ("g", 9),
    ("m", 6),
    ("K", 3),
];

impl Quantity {
    /// A number rounded down to two digits, as a proposal wants it.
    fn about(value: f64) -> Self {
        let value = value.max(1.0);
        let unit = 10f64.powi(((value.log10() + 1e-9).floor() as i32 - 1).max(0));
        Quantity(((value / unit + 1e-9).floor() * unit) as u64)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = LETTERS[..3]
            .iter()
            .map(|(letter, power)| (letter, 10u64.pow(*power)))
            .find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(unit / 10));
        match written {
            // A number with one digit after the point is exact here, and 0 is left out.
            Some((letter, unit)) => write!(f, "{}{letter}", self.0 as f64 / unit as f64),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "`{text}` is not a quantity; write a whole number, or one such as 350k, 1.5M or 15G"
            )
        };
        let (digits, power) = LETTERS
            .iter()
            .find_map(|(letter, power)| Some((text.strip_suffix(letter)?, *power)))
            .unwrap_or((text, 0));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(part) || part.len() > power as usize {
            return Err(wrong());
        }
        let zeros = "0".repeat(power as usize - part.len());
        format!("{whole}{part}{zeros}")
            .parse()
            .map(Quantity)
            .map_err(|_| wrong())
    }
}
