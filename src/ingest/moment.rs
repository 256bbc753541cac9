//! Reading a day, or a moment that falls on one.

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::cell;
use super::reject::Reason;
use crate::calendar::date32;

/// The day that a row is of, and the moment within it where the file gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Microseconds since 1970 in UTC; none where the file gives whole days.
    pub at: Option<i64>,
    /// Whether the moment is the midnight that its day begins with.
    pub midnight: bool,
}

impl When {
    /// A whole day.
    pub(super) fn day(date: NaiveDate) -> Result<Self, Reason> {
        // A year outside this range is a slip of the pen (0216, 2061 would not be) or another unit.
        if !(1990..=2100).contains(&date.year()) {
            return Err(Reason::FarDay);
        }
        Ok(When {
            day: date32(date),
            at: None,
            midnight: true,
        })
    }

    /// A whole day that the file holds as a date.
    pub(super) fn date32(days: i32) -> Result<Self, Reason> {
        if days.unsigned_abs() > 400_000 {
            return Err(Reason::FarDay);
        }
        Self::day(crate::calendar::from_date32(days))
    }

    /// The moment so many microseconds after 1970 began in UTC.
    pub(super) fn instant(micros: i64, zone: Tz) -> Result<Self, Reason> {
        let utc = DateTime::from_timestamp_micros(micros).ok_or(Reason::FarDay)?;
        if !(1989..=2101).contains(&utc.year()) {
            return Err(Reason::FarDay);
        }
        let local = utc.with_timezone(&zone).naive_local();
        Ok(When {
            at: Some(micros),
            midnight: local.time() == NaiveTime::MIN,
            ..Self::day(local.date())?
        })
    }

    /// The moment at which a clock on the wall shows `local`; the earlier where it does so twice.
    pub(super) fn on_the_wall(local: NaiveDateTime, zone: Tz) -> Result<Self, Reason> {
        let whole = Self::day(local.date())?;
        let moment = match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => moment,
            MappedLocalTime::None => return Err(Reason::NoSuchTime),
        };
        Ok(When {
            at: Some(moment.timestamp_micros()),
            midnight: local.time() == NaiveTime::MIN,
            ..whole
        })
    }

    /// The moment of a wall clock that the file holds as microseconds.
    pub(super) fn wall_micros(micros: i64, zone: Tz) -> Result<Self, Reason> {
        let local = DateTime::from_timestamp_micros(micros)
            .ok_or(Reason::FarDay)?
            .naive_utc();
        Self::on_the_wall(local, zone)
    }

    /// Whole seconds or milliseconds since 1970. The two ranges lie a factor of 150 apart, so a
    /// number within 1990 to 2100 can only be read one way.
    pub(super) fn epoch(number: i64, zone: Tz) -> Result<Self, Reason> {
        const SECONDS: std::ops::Range<i64> = 631_152_000..4_133_980_800;
        if SECONDS.contains(&number) {
            Self::instant(number * 1_000_000, zone)
        } else if (SECONDS.start * 1000..SECONDS.end * 1000).contains(&number) {
            Self::instant(number * 1_000, zone)
        } else if number == cell::NOT_WHOLE {
            Err(Reason::NotADay)
        } else {
            Err(Reason::FarDay)
        }
    }

    /// A day or a moment in any of the ways that a text may give it.
    pub(super) fn read(text: &str, zone: Tz) -> Result<Self, Reason> {
        let text = cell::trim(text);
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(Reason::NoDay);
        }
        if bytes.iter().all(u8::is_ascii_digit) {
            let number = text.parse().map_err(|_| Reason::FarDay)?;
            return Self::epoch(number, zone);
        }
        let date = date(bytes.get(..10).unwrap_or(bytes)).ok_or(Reason::NotADay)?;
        if bytes.len() == 10 {
            return Self::day(date);
        }
        if !matches!(bytes[10], b'T' | b't' | b' ') {
            return Err(Reason::NotADay);
        }
        let (time, rest) = time(&bytes[11..]).ok_or(Reason::NotADay)?;
        let local = NaiveDateTime::new(date, time);
        match offset(rest).ok_or(Reason::NotADay)? {
            None => Self::on_the_wall(local, zone),
            Some(seconds) => Self::instant(
                local.and_utc().timestamp_micros() - seconds * 1_000_000,
                zone,
            ),
        }
    }
}

/// A number of exactly as many digits as the slice has bytes.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
    })
}

/// `YYYY-MM-DD`; written out here since `calendar::day` makes a message of each text that is none.
fn date(bytes: &[u8]) -> Option<NaiveDate> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *bytes else {
        return None;
    };
    let (year, month, day) = (
        digits(&[y0, y1, y2, y3])?,
        digits(&[m0, m1])?,
        digits(&[d0, d1])?,
    );
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`, and what follows it.
fn time(bytes: &[u8]) -> Option<(NaiveTime, &[u8])> {
    if bytes.get(2) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(bytes.get(..2)?)?, digits(bytes.get(3..5)?)?);
    let rest = &bytes[5..];
    let Some((b':', rest)) = rest.split_first() else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, rest));
    };
    let second = digits(rest.get(..2)?)?;
    let (micro, rest) = match rest[2..].split_first() {
        Some((b'.', fraction)) => micros(fraction)?,
        _ => (0, &rest[2..]),
    };
    Some((
        NaiveTime::from_hms_micro_opt(hour, minute, second, micro)?,
        rest,
    ))
}

/// A fraction of a second in whole microseconds: finer digits must be zero.
fn micros(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let length = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let (fraction, rest) = bytes.split_at(length);
    if length == 0 || length > 9 || fraction.iter().skip(6).any(|b| *b != b'0') {
        return None;
    }
    let padded = (0..6).map(|i| u32::from(fraction.get(i).map_or(0, |b| b - b'0')));
    Some((padded.fold(0, |n, digit| n * 10 + digit), rest))
}

/// The seconds east of UTC: none for a time on the wall, and nothing for a text that is no offset.
fn offset(bytes: &[u8]) -> Option<Option<i64>> {
    match bytes {
        [] => Some(None),
        [b'Z' | b'z'] => Some(Some(0)),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (digits(&[*h0, *h1])?, digits(&[*m0, *m1])?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(Some(if *sign == b'-' {
                -seconds
            } else {
                seconds
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: Tz) -> Result<(String, Option<i64>), Reason> {
        When::read(text, zone).map(|w| {
            (
                crate::calendar::from_date32(w.day).to_string(),
                w.at.map(|m| m / 1_000_000),
            )
        })
    }

    #[test]
    fn a_moment_falls_on_the_day_of_its_zone() {
        let paris = chrono_tz::Europe::Paris;
        assert_eq!(at("2016-02-29", paris), Ok(("2016-02-29".into(), None)));
        // 2018-08-11 22:00 UTC is midnight in Paris.
        assert_eq!(
            at("1534024800", Tz::UTC),
            Ok(("2018-08-11".into(), Some(1_534_024_800)))
        );
        assert_eq!(
            at("1534024800000", paris),
            Ok(("2018-08-12".into(), Some(1_534_024_800)))
        );
        assert_eq!(
            at("2018-08-11T22:00:00Z", paris),
            Ok(("2018-08-12".into(), Some(1_534_024_800)))
        );
        assert_eq!(
            at("2018-08-12T03:30:00.000+05:30", Tz::UTC),
            Ok(("2018-08-11".into(), Some(1_534_024_800)))
        );
        assert_eq!(
            at("2018-08-12 00:00", paris),
            Ok(("2018-08-12".into(), Some(1_534_024_800)))
        );
        assert!(When::read("2018-08-12 00:00:00", paris).unwrap().midnight);
    }

    #[test]
    fn a_clock_set_back_gives_the_earlier_time_and_one_set_forward_none() {
        let paris = chrono_tz::Europe::Paris;
        // 02:30 on 2016-10-30 came at 00:30 UTC and again at 01:30 UTC.
        assert_eq!(
            at("2016-10-30 02:30", paris),
            Ok(("2016-10-30".into(), Some(1_477_787_400)))
        );
        assert_eq!(at("2016-03-27 02:30", paris), Err(Reason::NoSuchTime));
    }

    #[test]
    fn nothing_else_is_a_day() {
        for text in [
            "2016-2-3",
            "2016-02-30",
            "23/02/2016",
            "2016-02-23T",
            "2016-02-23 1:00",
            "2016-02-23 00:00:60",
            "2016-02-23T00:00:00+0100",
            "2016-02-23T00:00:00.0000001Z",
            "2016-02-23 00:00 UTC",
            "２０１６-02-01",
            "é2016-02-3",
            "1534024800.0",
        ] {
            assert_eq!(When::read(text, Tz::UTC), Err(Reason::NotADay), "{text}");
        }
        for text in [
            "20160223",
            "0216-02-23",
            "2101-01-01",
            "99999999999999999999999",
            "1534024800000000",
        ] {
            assert_eq!(When::read(text, Tz::UTC), Err(Reason::FarDay), "{text}");
        }
        assert_eq!(When::read(" ", Tz::UTC), Err(Reason::NoDay));
    }
}
