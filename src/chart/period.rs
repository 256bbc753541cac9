//! Periods on a horizontal axis: each has one place of the same width, whatever its length in days.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::axis::{Tick, day_label, month_label, with_years};

/// Periods of one length, named by their first days.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Periods {
    first: NaiveDate,
    length: Length,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Length {
    Months(u32),
    Days(u32),
}

impl Periods {
    /// The periods that begin on these days: months where all are firsts of a month, else days; as long as
    /// the least distance between two of them. A period that is missing keeps its place.
    pub(super) fn of(days: impl Iterator<Item = NaiveDate>) -> Option<Self> {
        let mut days: Vec<NaiveDate> = days.collect();
        days.sort_unstable();
        days.dedup();
        let first = *days.first()?;
        let months = days.iter().all(|day| day.day() == 1);
        let number = if months { month_number } else { day_number };
        let steps = days
            .windows(2)
            .filter_map(|pair| u32::try_from(number(*pair.get(1)?) - number(*pair.first()?)).ok());
        let step = steps.min().unwrap_or(1).max(1);
        let length = if months {
            Length::Months(step)
        } else {
            Length::Days(step)
        };
        Some(Self { first, length })
    }

    /// Where a period stands: the first at 0, the next at 1.
    pub(super) fn value(&self, day: NaiveDate) -> f64 {
        match self.length {
            Length::Months(step) => {
                let within = f64::from(day.day0()) / 31.0;
                (f64::from(month_number(day) - month_number(self.first)) + within) / f64::from(step)
            }
            Length::Days(step) => {
                f64::from(day_number(day) - day_number(self.first)) / f64::from(step)
            }
        }
    }

    fn day(&self, at: u32) -> Option<NaiveDate> {
        match self.length {
            Length::Months(step) => self
                .first
                .checked_add_months(Months::new(at.checked_mul(step)?)),
            Length::Days(step) => self
                .first
                .checked_add_days(Days::new(u64::from(at) * u64::from(step))),
        }
    }

    /// Its name as it stands by itself: `Feb 2016`, `5 Feb 2016`, `Q1 2016`, `2016`.
    pub(super) fn name(&self, day: NaiveDate) -> String {
        match self.length {
            Length::Months(12) => day.year().to_string(),
            _ => format!("{} {}", self.label(day), day.year()),
        }
    }

    fn label(&self, day: NaiveDate) -> String {
        match self.length {
            Length::Months(12) => day.year().to_string(),
            Length::Months(3) if day.month0().is_multiple_of(3) => {
                format!("Q{}", day.month0() / 3 + 1)
            }
            Length::Months(_) => month_label(day),
            Length::Days(_) => day_label(day),
        }
    }

    /// Ticks at periods from 0 to `last`, thinned until they fit.
    pub(super) fn ticks(&self, last: f64, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
        let count = last.clamp(0.0, 20_000.0) as u32;
        let days: Vec<NaiveDate> = (0..=count).filter_map(|at| self.day(at)).collect();
        let placed = |chosen: Vec<(NaiveDate, String)>| -> Vec<Tick> {
            let mut ticks = with_years(chosen.iter().cloned());
            for (tick, (day, _)) in ticks.iter_mut().zip(&chosen) {
                tick.at = self.value(*day);
                if self.length == Length::Months(12) {
                    tick.below = None;
                }
            }
            ticks
        };
        for every in [1, 2, 4] {
            if matches!(self.length, Length::Months(_)) && every > 1 {
                break;
            }
            let chosen = days.iter().step_by(every).map(|d| (*d, self.label(*d)));
            let ticks = placed(chosen.collect());
            if ticks.len() <= 32 && fits(&ticks) {
                return ticks;
            }
        }
        // The first period of every month, quarter, half, year, and so on.
        for months in [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200] {
            let mut before = None;
            let starts = days.iter().filter(|day| {
                let span = month_number(**day).div_euclid(months);
                let aligned = month_number(**day).rem_euclid(months) == 0;
                let first = before != Some(span);
                before = Some(span);
                first && aligned
            });
            let label = |day: &NaiveDate| match self.length {
                _ if months >= 12 => day.year().to_string(),
                Length::Days(_) => month_label(*day),
                Length::Months(_) => self.label(*day),
            };
            let mut ticks = placed(starts.map(|d| (*d, label(d))).collect());
            if months >= 12 {
                ticks.iter_mut().for_each(|tick| tick.below = None);
            }
            if !ticks.is_empty() && fits(&ticks) {
                return ticks;
            }
        }
        placed(vec![(self.first, self.label(self.first))])
    }
}

fn month_number(day: NaiveDate) -> i32 {
    day.year() * 12 + day.month0() as i32
}

fn day_number(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods(days: &[&str]) -> Periods {
        Periods::of(days.iter().map(|d| d.parse().expect("a date"))).expect("periods")
    }

    fn labels(periods: &Periods, last: f64, most: usize) -> String {
        let ticks = periods.ticks(last, |ticks| ticks.len() <= most);
        let read: Vec<&str> = ticks.iter().map(|t| t.label.as_str()).collect();
        read.join(" ")
    }

    #[test]
    fn months_are_of_one_width_and_a_missing_one_keeps_its_place() {
        let months = periods(&["2016-01-01", "2016-02-01", "2016-04-01"]);
        let at = |day: &str| months.value(day.parse().expect("a date"));
        assert_eq!((at("2016-02-01"), at("2016-04-01")), (1.0, 3.0));
        assert_eq!(labels(&months, 3.0, 9), "Jan Feb Mar Apr");
        assert_eq!(
            labels(&months, 26.0, 9),
            "Jan Apr Jul Oct Jan Apr Jul Oct Jan"
        );
        assert_eq!(labels(&months, 26.0, 3), "2016 2017 2018");
    }

    #[test]
    fn weeks_are_named_by_their_first_day_while_there_is_room() {
        let weeks = periods(&["2016-02-01", "2016-02-08", "2016-02-15"]);
        assert_eq!(labels(&weeks, 2.0, 9), "1 Feb 8 Feb 15 Feb");
        assert_eq!(
            labels(&weeks, 25.0, 9),
            "1 Feb 29 Feb 28 Mar 25 Apr 23 May 20 Jun 18 Jul"
        );
        assert_eq!(labels(&weeks, 30.0, 7), "Feb Mar Apr May Jun Jul Aug");
        assert_eq!(
            weeks.name("2016-02-08".parse().expect("a date")),
            "8 Feb 2016"
        );
    }

    #[test]
    fn quarters_and_years_have_their_names() {
        let quarters = periods(&["2015-10-01", "2016-01-01"]);
        assert_eq!(labels(&quarters, 2.0, 9), "Q4 Q1 Q2");
        let years = periods(&["2015-01-01", "2016-01-01"]);
        assert_eq!(labels(&years, 1.0, 9), "2015 2016");
    }
}
