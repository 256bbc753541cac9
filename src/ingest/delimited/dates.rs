//! Days written in other ways than ISO 8601, read the same way in all rows of a column.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use regex::Regex;

use super::months;
use crate::ingest::cell;
use crate::ingest::moment::When;
use crate::ingest::reject::Reason;
use crate::project::DateFormat;

/// A date as far as it can be told without knowing its column.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    /// Year, month and day in an order that only one reading has.
    Plain(NaiveDate),
    /// Two numbers before a year: day and month in either order.
    Numbers(u32, u32, i32),
    /// A month by its name.
    Named { year: i32, month: String, day: u32 },
}

/// How the days of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dates {
    order: Option<DateFormat>,
    languages: u64,
}

/// Why a column's dates can't be read one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclear {
    /// No day beyond the 12th.
    Order,
    /// Days beyond the 12th in both places.
    Contradiction,
    /// Names of months of which languages differ.
    Language,
}

impl Unclear {
    pub(super) fn text(self) -> &'static str {
        match self {
            Unclear::Order => "no day in it is beyond the 12th",
            Unclear::Contradiction => {
                "some of its days can only be read one way and some the other"
            }
            Unclear::Language => {
                "the names of its months are those of different months in two languages"
            }
        }
    }
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// The time at the end of a moment: hours, minutes, seconds, a fraction, a half of the day, an offset.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?P<date>.*?[^\d:.])(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?:[ \u{a0}\u{202f}]?(?P<half>[ap]\.?m\.?))?(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$",
    )
});
static YEAR_FIRST: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})\.?$"));
static YEAR_LAST: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(\d{1,2})([-/.])(\d{1,2})([-/.])(\d{4})\.?$"));
static TOGETHER: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(\d{4})(\d{2})(\d{2})$"));
/// Chinese, Japanese and Korean write the words year, month and day behind their numbers.
static UNITS: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(\d{4})[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일]$"));

/// Words that stand between the parts of a date.
const BETWEEN: [&str; 8] = ["de", "del", "di", "of", "the", "den", "г", "год"];
/// What follows the number of a day.
const ORDINAL: [&str; 10] = ["st", "nd", "rd", "th", "er", "re", "e", "º", "ª", "."];

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

/// Reads the words of a date.
fn written(text: &str) -> Option<Written> {
    // `2016. 2. 23.`
    let joined = text.replace(". ", ".");
    if let Some(found) = YEAR_FIRST.as_ref()?.captures(&joined)
        && found[2] == found[4]
    {
        let day = date(number(&found[1])?, number(&found[3])?, number(&found[5])?)?;
        return Some(Written::Plain(day));
    }
    if let Some(found) = YEAR_LAST.as_ref()?.captures(&joined)
        && found[2] == found[4]
    {
        let (first, second) = (number(&found[1])?, number(&found[3])?);
        return Some(Written::Numbers(first, second, number(&found[5])?));
    }
    for together in [&TOGETHER, &UNITS] {
        if let Some(found) = together.as_ref()?.captures(text) {
            let day = date(number(&found[1])?, number(&found[2])?, number(&found[3])?)?;
            return Some(Written::Plain(day));
        }
    }
    named(text)
}

/// `23 Feb 2016`, `Tuesday, February 23rd, 2016`, `23. února 2016`, `2016 févr. 23`.
fn named(text: &str) -> Option<Written> {
    let (mut year, mut day, mut name) = (None, None, None);
    let blank = |c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/' | '\u{a0}' | '\u{202f}');
    for word in text.split(blank).filter(|word| !word.is_empty()) {
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, rest) = word.split_at(digits);
        let rest = rest.to_lowercase();
        match digits.len() {
            0 if name.is_none() && months::languages(&rest).is_some() => name = Some(rest),
            0 if months::weekday(&rest) || BETWEEN.contains(&rest.trim_end_matches('.')) => {}
            1 | 2 if day.is_none() && (rest.is_empty() || ORDINAL.contains(&rest.as_str())) => {
                day = Some(number(digits)?);
            }
            4 if year.is_none() && matches!(rest.as_str(), "" | ".") => {
                year = Some(number(digits)?)
            }
            _ => return None,
        }
    }
    Some(Written::Named {
        year: year?,
        month: name?,
        day: day?,
    })
}

/// The date and, as ISO 8601 writes it, the time behind it.
fn parts(text: &str) -> Option<(&str, String)> {
    let Some(found) = TIME.as_ref()?.captures(text) else {
        return Some((text, String::new()));
    };
    let hour: u32 = number(&found["h"])?;
    let half = found.name("half").map(|m| m.as_str().to_lowercase());
    let hour = match half.as_deref() {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) if half.starts_with('p') => hour % 12 + 12,
        Some(_) => hour % 12,
    };
    let of = |name: &str| found.name(name).map_or("", |m| m.as_str());
    let second = if of("s").is_empty() { "00" } else { of("s") };
    let mut time = format!("{hour:02}:{}:{second}", of("m"));
    NaiveTime::parse_from_str(&time, "%H:%M:%S").ok()?;
    if !of("f").is_empty() {
        time = format!("{time}.{}", of("f"));
    }
    match of("zone").to_uppercase().as_str() {
        "" => {}
        "Z" | "UTC" | "GMT" => time.push('Z'),
        offset => {
            let (hours, minutes) = offset.split_at(3);
            time = format!("{time}{hours}:{}", minutes.trim_start_matches(':'));
        }
    }
    let date = found.name("date").map_or("", |m| m.as_str());
    let blank = |c: char| c.is_whitespace() || matches!(c, ',' | 'T' | 't');
    Some((date.trim_end_matches(blank), format!(" {time}")))
}

/// Whether a text is a date in some spelling.
pub(super) fn is_date(text: &str) -> bool {
    parts(cell::trim(text)).is_some_and(|(date, _)| written(date).is_some())
}

impl Dates {
    /// How the days of a column are read by the evidence of these; `None` where they are read as they are everywhere.
    pub(super) fn decide<'a>(
        texts: impl Iterator<Item = &'a str>,
        declared: Option<DateFormat>,
        zone: Tz,
    ) -> Result<Option<Self>, Unclear> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for text in texts {
            *seen.entry(text).or_default() += 1;
        }
        let (mut common, mut others, mut numbers) = (0, 0, false);
        let (mut day_first, mut month_first) = (false, false);
        let mut languages = months::ANY;
        let mut names = vec![];
        for (text, count) in seen {
            let text = cell::trim(text);
            if When::read(text, zone).is_ok() {
                common += count;
                continue;
            }
            let Some(written) = parts(text).and_then(|(date, _)| written(date)) else {
                continue;
            };
            match written {
                Written::Plain(_) => {}
                Written::Numbers(first, second, _) => {
                    numbers = true;
                    day_first |= first > 12 && second <= 12;
                    month_first |= second > 12 && first <= 12;
                }
                Written::Named { month, .. } => {
                    languages &= months::languages(&month).unwrap_or(0);
                    names.push(month);
                }
            }
            others += count;
        }
        if others <= common && declared.is_none() {
            return Ok(None);
        }
        let order = match (declared, day_first, month_first) {
            (Some(declared), ..) => Some(declared),
            (None, true, true) => return Err(Unclear::Contradiction),
            (None, true, false) => Some(DateFormat::DayFirst),
            (None, false, true) => Some(DateFormat::MonthFirst),
            (None, false, false) if numbers => return Err(Unclear::Order),
            (None, false, false) => None,
        };
        // A column of several languages is read where all of them agree.
        if languages == 0 {
            languages = months::ANY;
        }
        if names
            .iter()
            .any(|name| months::month(name, languages).is_none())
        {
            return Err(Unclear::Language);
        }
        Ok(Some(Dates { order, languages }))
    }

    /// A day or moment of the column as ISO 8601 writes it.
    pub(super) fn read(&self, text: &str, zone: Tz) -> Result<String, Reason> {
        let text = cell::trim(text);
        if text.is_empty() || When::read(text, zone).is_ok() {
            return Ok(text.to_owned());
        }
        let read = || {
            let (date_text, time) = parts(text)?;
            let day = match (written(date_text)?, self.order) {
                (Written::Plain(day), _) => day,
                (Written::Numbers(day, month, year), Some(DateFormat::DayFirst))
                | (Written::Numbers(month, day, year), Some(DateFormat::MonthFirst)) => {
                    date(year, month, day)?
                }
                (Written::Numbers(..), None) => return None,
                (Written::Named { year, month, day }, _) => {
                    date(year, months::month(&month, self.languages)?, day)?
                }
            };
            Some(format!("{day}{time}"))
        };
        read().ok_or(Reason::NotTheDates)
    }

    /// What day and month stand first, in the words of essor.toml; empty where nothing depends on it.
    pub(super) fn order(&self) -> Option<DateFormat> {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(texts: &[&str]) -> Result<Option<Dates>, Unclear> {
        Dates::decide(texts.iter().copied(), None, Tz::UTC)
    }

    fn read(texts: &[&str]) -> Vec<String> {
        let dates = decide(texts).unwrap().unwrap();
        let read = texts.iter().map(|text| dates.read(text, Tz::UTC));
        read.map(|read| read.unwrap_or_else(|reason| reason.text().into_owned()))
            .collect()
    }

    #[test]
    fn twenty_spellings_of_one_day() {
        for text in [
            "23/02/2016",
            "02/23/2016",
            "23-02-2016",
            "23.02.2016",
            "23.2.2016",
            "23. 2. 2016",
            "2016/02/23",
            "2016/2/23",
            "2016.02.23",
            "2016. 2. 23.",
            "20160223",
            "23 Feb 2016",
            "23-Feb-2016",
            "23. Februar 2016",
            "23 février 2016",
            "23 de febrero de 2016",
            "23 февраля 2016 г.",
            "February 23, 2016",
            "Feb 23rd, 2016",
            "Tuesday, February 23, 2016",
            "mardi 23 février 2016",
            "2016 Feb 23",
            "2016年2月23日",
            "2016년 2월 23일",
            " 23/02/2016 ",
        ] {
            assert_eq!(read(&[text]), ["2016-02-23"], "{text}");
        }
    }

    #[test]
    fn times_stand_behind_in_their_own_spellings() {
        for (text, moment) in [
            ("23/02/2016 14:05", "2016-02-23 14:05:00"),
            ("23.02.2016, 9:05:07", "2016-02-23 09:05:07"),
            ("02/23/2016 12:05 AM", "2016-02-23 00:05:00"),
            ("02/23/2016 12:05 PM", "2016-02-23 12:05:00"),
            ("Feb 23, 2016 2:05:07 p.m.", "2016-02-23 14:05:07"),
            ("2016/02/23T14:05:07.250Z", "2016-02-23 14:05:07.250Z"),
            ("23 Feb 2016 14:05:07 +0100", "2016-02-23 14:05:07+01:00"),
            ("20160223 14:05 UTC", "2016-02-23 14:05:00Z"),
        ] {
            assert_eq!(read(&[text]), [moment], "{text}");
            assert!(When::read(moment, Tz::UTC).is_ok(), "{moment}");
        }
    }

    #[test]
    fn the_order_is_decided_once_and_by_evidence() {
        assert_eq!(
            read(&["03/04/2016", "23/02/2016"]),
            ["2016-04-03", "2016-02-23"]
        );
        assert_eq!(
            read(&["03/04/2016", "02/23/2016"]),
            ["2016-03-04", "2016-02-23"]
        );
        assert_eq!(decide(&["03/04/2016", "05/06/2016"]), Err(Unclear::Order));
        assert_eq!(
            decide(&["23/02/2016", "02/23/2016"]),
            Err(Unclear::Contradiction)
        );
        let declared = Dates::decide(
            ["03/04/2016"].into_iter(),
            Some(DateFormat::MonthFirst),
            Tz::UTC,
        );
        let declared = declared.unwrap().unwrap();
        assert_eq!(
            declared.read("03/04/2016", Tz::UTC).as_deref(),
            Ok("2016-03-04")
        );
        // A later row that contradicts is rejected.
        assert_eq!(
            declared.read("23/02/2016", Tz::UTC),
            Err(Reason::NotTheDates)
        );
        // Days in ISO 8601 are read as ever, also beside a few others.
        assert_eq!(decide(&["2016-02-23", "2016-02-24", "3/4/2016"]), Ok(None));
        assert_eq!(decide(&["1534024800", "n/a"]), Ok(None));
    }

    #[test]
    fn months_of_two_languages_are_settled_by_their_column() {
        assert_eq!(decide(&["5 listopad 2016"]), Err(Unclear::Language));
        assert_eq!(
            read(&["5 listopada 2016", "3 lutego 2016"]),
            ["2016-11-05", "2016-02-03"]
        );
    }

    #[test]
    fn nothing_else_is_a_date() {
        let dates = Dates {
            order: Some(DateFormat::DayFirst),
            languages: months::ANY,
        };
        for text in [
            "31/02/2016",
            "23/02/16",
            "23/02-2016",
            "Feb 2016",
            "23 Foo 2016",
            "23 Feb 2016 users",
            "23/02/2016 25:00",
            "23/02/2016 13:00 PM",
            "Total",
            "1,234",
        ] {
            assert_eq!(
                dates.read(text, Tz::UTC),
                Err(Reason::NotTheDates),
                "{text}"
            );
        }
    }
}
