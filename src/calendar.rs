//! Days and months: parsing, ends, and the arithmetic that growth figures need.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};

/// A calendar day.
pub type Day = NaiveDate;

/// The mean length of a month in days over the Gregorian cycle (146,097 / 4,800), by which growth
/// over an exact number of days becomes growth a month (CMGR).
pub const DAYS_A_MONTH: f64 = 146_097.0 / 4_800.0;

/// The mean length of a year in days over the Gregorian cycle, for CAGR.
pub const DAYS_A_YEAR: f64 = 146_097.0 / 400.0;

/// A text that is no day or month.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CalendarError {
    /// Not `YYYY-MM-DD`, or a day that does not exist.
    #[error("`{0}` is not a day; write it as YYYY-MM-DD, such as 2016-02-29")]
    Day(String),
    /// Not `YYYY-MM`.
    #[error("`{0}` is not a month; write it as YYYY-MM, such as 2016-02")]
    Month(String),
    /// None of `YYYY`, `YYYY-MM`, `YYYY-MM-DD`.
    #[error("`{0}` is not a date; write it as YYYY, YYYY-MM or YYYY-MM-DD")]
    Date(String),
}

/// Reads `YYYY-MM-DD` and nothing else.
pub fn day(text: &str) -> Result<Day, CalendarError> {
    let wrong = || CalendarError::Day(text.to_owned());
    let b = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        b[range].iter().try_fold(0u32, |n, c| {
            c.is_ascii_digit().then(|| n * 10 + u32::from(c - b'0'))
        })
    };
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return Err(wrong());
    }
    let (year, month, day) = (digits(0..4), digits(5..7), digits(8..10));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return Err(wrong());
    };
    NaiveDate::from_ymd_opt(year as i32, month, day).ok_or_else(wrong)
}

/// The first day of a period written as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
pub fn start_of(text: &str) -> Result<Day, CalendarError> {
    period(text).map(|(first, _)| first)
}

/// The last day of a period written as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
pub fn end_of(text: &str) -> Result<Day, CalendarError> {
    period(text).map(|(_, last)| last)
}

fn period(text: &str) -> Result<(Day, Day), CalendarError> {
    let wrong = || CalendarError::Date(text.to_owned());
    match text.len() {
        4 => {
            let first = day(&format!("{text}-01-01")).map_err(|_| wrong())?;
            let last = day(&format!("{text}-12-31")).map_err(|_| wrong())?;
            Ok((first, last))
        }
        7 => Month::from_str(text)
            .map(|m| (m.first(), m.last()))
            .map_err(|_| wrong()),
        _ => day(text).map(|d| (d, d)).map_err(|_| wrong()),
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Day);

impl Month {
    /// The month that a day lies in.
    pub fn of(day: Day) -> Self {
        Month(day.with_day(1).unwrap_or(day))
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.0
    }

    /// Its last day.
    pub fn last(self) -> Day {
        self.next().0.pred_opt().unwrap_or(self.0)
    }

    /// The month after it.
    pub fn next(self) -> Self {
        Month(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// The month `n` months before it.
    pub fn back(self, n: u32) -> Self {
        Month(self.0.checked_sub_months(Months::new(n)).unwrap_or(self.0))
    }

    /// How many days it has.
    pub fn days(self) -> i64 {
        (self.next().0 - self.0).num_days()
    }

    /// The name a reader sees: `February 2016`.
    pub fn title(self) -> String {
        self.0.format("%B %Y").to_string()
    }
}

impl FromStr for Month {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 7 {
            return Err(CalendarError::Month(text.to_owned()));
        }
        day(&format!("{text}-01"))
            .map(Month)
            .map_err(|_| CalendarError::Month(text.to_owned()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

/// A day as a reader sees it: `23 February 2016`.
pub fn long(day: Day) -> String {
    day.format("%-d %B %Y").to_string()
}

/// The days since 1970-01-01, as Arrow's `Date32` counts them.
pub fn date32(day: Day) -> i32 {
    (day - NaiveDate::default()).num_days() as i32
}

/// The day of an Arrow `Date32`.
pub fn from_date32(days: i32) -> Day {
    let step = Days::new(u64::from(days.unsigned_abs()));
    let moved = if days < 0 {
        NaiveDate::default().checked_sub_days(step)
    } else {
        NaiveDate::default().checked_add_days(step)
    };
    moved.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_knows_its_ends_across_leap_years() {
        let month: Month = "2016-02".parse().unwrap();
        assert_eq!(month.last().to_string(), "2016-02-29");
        assert_eq!(month.days(), 29);
        assert_eq!(month.back(12).to_string(), "2015-02");
        assert_eq!(
            "2015-12".parse::<Month>().unwrap().next().to_string(),
            "2016-01"
        );
    }

    #[test]
    fn only_iso_days_are_days() {
        for text in [
            "2016-2-3",
            "2016-02-30",
            "23/02/2016",
            "2016-02-23T00:00",
            "",
            "２０１６-02-01",
            "+016-02-01",
        ] {
            assert_eq!(day(text), Err(CalendarError::Day(text.to_owned())));
        }
        assert_eq!(date32(day("1970-01-02").unwrap()), 1);
        assert_eq!(from_date32(-1).to_string(), "1969-12-31");
    }

    #[test]
    fn a_period_has_a_first_and_a_last_day() {
        assert_eq!(start_of("2013").unwrap().to_string(), "2013-01-01");
        assert_eq!(end_of("2018").unwrap().to_string(), "2018-12-31");
        assert_eq!(end_of("2016-02").unwrap().to_string(), "2016-02-29");
        assert!(start_of("201").is_err());
    }
}
