//! How the days and counts of a file's columns are written, decided once from its first rows.

use std::sync::Arc;

use chrono_tz::Tz;

use super::dates::Dates;
use super::numbers::Numbers;
use super::record::{self, Dialect, Fields, Row};
use crate::ingest::columns::{Role, Slots};
use crate::ingest::error::IngestError;
use crate::ingest::moment::When;
use crate::ingest::reject::Reason;
use crate::ingest::{Options, cell};
use crate::project::{DateFormat, Source};

/// How much is looked at to know that a file is written as most are.
const GLANCE: usize = 64 << 10;

/// What stands in a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spelling {
    /// Days that are rewritten.
    Dates(Dates),
    /// Counts that are.
    Numbers(Numbers),
}

/// The columns that are rewritten, by their places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spellings {
    pub of: Vec<(usize, Spelling)>,
    zone: Tz,
}

impl Spellings {
    /// A field as files have it that are written as most are.
    pub(super) fn read(&self, column: usize, text: &str) -> Result<Option<String>, Reason> {
        let found = self.of.iter().find(|(place, _)| *place == column);
        match found {
            None => Ok(None),
            Some((_, Spelling::Dates(dates))) => dates.read(text, self.zone).map(Some),
            Some((_, Spelling::Numbers(numbers))) => numbers.read(text).map(Some),
        }
    }

    /// What was decided of each column, in words.
    pub(crate) fn words(&self, names: &[Arc<str>]) -> Vec<String> {
        let words = |(place, spelling): &(usize, Spelling)| {
            let name = names.get(*place)?;
            Some(match spelling {
                Spelling::Dates(dates) => match dates.order() {
                    Some(order) => format!("`{name}`: {}", order.name()),
                    None => format!("`{name}`: dates in words or with the year first"),
                },
                Spelling::Numbers(numbers) => match numbers.thousands() {
                    Some(mark) => format!("`{name}`: thousands parted by {}", mark_shown(mark)),
                    None => format!("`{name}`: no mark between thousands"),
                },
            })
        };
        self.of.iter().filter_map(words).collect()
    }
}

fn mark_shown(mark: char) -> String {
    match mark {
        ' ' => "blanks".to_owned(),
        '\u{a0}' | '\u{202f}' | '\u{2009}' => "narrow or hard blanks".to_owned(),
        mark => format!("`{mark}`"),
    }
}

/// The columns of days and of counts.
fn places(slots: &Slots) -> (Option<usize>, Vec<usize>) {
    let day = slots
        .column(Role::Day)
        .or_else(|| slots.column(Role::Moment));
    let mut counts: Vec<usize> = slots.measures.iter().map(|(column, _)| *column).collect();
    counts.extend(
        [Role::Value, Role::Messages]
            .iter()
            .filter_map(|role| slots.column(*role)),
    );
    (day, counts)
}

/// The texts of some columns in the rows of a sample.
pub(crate) fn texts(
    sample: &[u8],
    whole: bool,
    dialect: &Dialect,
    width: usize,
    columns: &[usize],
) -> Vec<Vec<String>> {
    let mut found = vec![vec![]; columns.len()];
    let (mut at, mut fields) = (0, Fields::default());
    while at < sample.len() {
        at = match record::read(sample, at, whole, dialect, &mut fields) {
            Row::Open => break,
            Row::Bad { end, .. } => end,
            Row::Sound { end, .. } => {
                if fields.len() == width {
                    for (texts, column) in found.iter_mut().zip(columns) {
                        if let Ok(text) = std::str::from_utf8(fields.get(*column)) {
                            texts.push(text.to_owned());
                        }
                    }
                }
                end
            }
        };
    }
    found
}

/// The only column of a sample whose texts are all dates.
pub(crate) fn dated(sample: &[u8], whole: bool, dialect: &Dialect, width: usize) -> Option<usize> {
    let all: Vec<usize> = (0..width).collect();
    let found = texts(sample, whole, dialect, width, &all);
    let dates = |texts: &Vec<String>| {
        let mut filled = texts
            .iter()
            .filter(|text| !text.trim().is_empty())
            .peekable();
        filled.peek().is_some() && filled.all(|text| super::dates::is_date(text))
    };
    let mut dated = (0..).zip(&found).filter(|(_, texts)| dates(texts));
    let (column, _) = dated.next()?;
    dated.next().is_none().then_some(column)
}

/// Decides how the columns of a file are read whose rows begin with `sample`; nothing where all are as everywhere.
pub(crate) fn decide(
    file: &str,
    sample: &[u8],
    whole: bool,
    (dialect, width): (&Dialect, usize),
    (names, slots): (&[Arc<str>], &Slots),
    options: &Options,
) -> Result<Option<Spellings>, IngestError> {
    let (day, counts) = places(slots);
    let source = &options.source;
    let mut columns: Vec<usize> = day.into_iter().collect();
    columns.extend(&counts);
    let declares =
        source.date_format.is_some() || source.decimal.is_some() || source.thousands.is_some();
    if !declares {
        let glance = &sample[..sample.len().min(GLANCE)];
        let end = whole && glance.len() == sample.len();
        let mut found = texts(glance, end, dialect, width, &columns).into_iter();
        let days = day.and_then(|_| found.next()).unwrap_or_default();
        let plain = days
            .iter()
            .all(|text| When::read(text, options.zone).is_ok())
            && found.flatten().all(|text| cell::count(&text).is_ok());
        if plain {
            return Ok(None);
        }
    }
    let mut found = texts(sample, whole, dialect, width, &columns).into_iter();
    let name = |column: usize| names.get(column).map_or("", |name| name.as_ref());
    let mut spellings = Spellings {
        of: vec![],
        zone: options.zone,
    };
    if let Some(column) = day {
        let days = found.next().unwrap_or_default();
        let dates = Dates::decide(
            days.iter().map(String::as_str),
            source.date_format,
            options.zone,
        );
        let dates = dates.map_err(|why| IngestError::Undecided {
            name: file.to_owned(),
            what: format!("whether day or month stands first in `{}`", name(column)),
            detail: why.text().to_owned(),
            advice: DateFormat::ADVICE.to_owned(),
        })?;
        spellings
            .of
            .extend(dates.map(|dates| (column, Spelling::Dates(dates))));
    }
    let numbers = numbers(file, found.collect(), &counts, &name, source)?;
    spellings.of.extend(numbers);
    Ok((!spellings.of.is_empty()).then_some(spellings))
}

/// How the counts of each column are read. A file is written by one hand: what one column can't decide another may.
fn numbers<'a>(
    file: &str,
    texts: Vec<Vec<String>>,
    counts: &[usize],
    name: &dyn Fn(usize) -> &'a str,
    source: &Source,
) -> Result<Vec<(usize, Spelling)>, IngestError> {
    let mark = |text: &Option<String>| text.as_deref().and_then(|t| t.chars().next());
    if let Some(declared) = Numbers::declared(mark(&source.thousands), mark(&source.decimal)) {
        let all = counts
            .iter()
            .map(|column| (*column, Spelling::Numbers(declared)));
        return Ok(all.collect());
    }
    let mut decided = vec![];
    for (column, texts) in counts.iter().zip(&texts) {
        decided.push((*column, Numbers::decide(texts.iter().map(String::as_str))));
    }
    let known: Vec<Numbers> = decided
        .iter()
        .filter_map(|(_, d)| d.as_ref().ok().copied()?)
        .collect();
    let agreed = known
        .first()
        .filter(|first| known.iter().all(|other| other == *first));
    let mut spellings = vec![];
    for (column, numbers) in decided {
        let numbers = match numbers {
            Ok(None) => continue,
            Ok(Some(numbers)) => numbers,
            Err(unclear) => match agreed.filter(|n| n.thousands() == Some(unclear.0)) {
                Some(numbers) => *numbers,
                None => {
                    let mark = unclear.0;
                    return Err(IngestError::Undecided {
                        name: file.to_owned(),
                        what: format!(
                            "whether `{mark}` stands before thousands or decimals in `{}`",
                            name(column)
                        ),
                        detail: "its numbers can be read both ways".to_owned(),
                        advice: format!("thousands = \"{mark}\"` or `decimal = \"{mark}\""),
                    });
                }
            },
        };
        spellings.push((column, Spelling::Numbers(numbers)));
    }
    Ok(spellings)
}
