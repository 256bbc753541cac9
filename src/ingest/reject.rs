//! One row that was not taken, and why.

use std::borrow::Cow;
use std::sync::Arc;

/// One row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line that the row starts on, from 1; in Parquet and Arrow files the row, from 1.
    pub line: u64,
    /// The column at fault, by the file's name; empty where it is the whole row.
    pub column: Arc<str>,
    /// What is expected. It never repeats the value, which may be what must not be kept.
    pub reason: Cow<'static, str>,
    /// Whether such a row gives nothing by the rules of its format, so that nothing is wrong with the file.
    pub by_rule: bool,
}

/// What is wrong with a value or a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    NotUtf8,
    NotDecoded,
    HeaderAgain,
    AnotherTable,
    NotTheDates,
    NotTheNumbers,
    StrayQuote,
    AfterQuote,
    OpenQuote,
    StrayReturn,
    Fields(usize, usize),
    NotAnObject,
    KeyTwice,
    NotAScalar,
    NotWhole,
    Negative,
    Overflow,
    NoValue,
    NoDay,
    NotADay,
    FarDay,
    NoSuchTime,
    MomentOfDistinct,
    NotAPeriod,
    NotThePeriod,
    NotPeriodEnd,
    NoPlatform,
    NameLength,
    NameControl,
    Spelling,
    NotAMetric,
    NoMetric,
    Precision,
    Status,
    Qualifier,
    Published,
    SameKey,
    NotText,
    NoUser,
    LongUser,
    NotAUser,
    NoMessages,
    ManyMessages,
}

impl Reason {
    pub(super) fn text(self) -> Cow<'static, str> {
        let text = match self {
            Reason::Fields(found, wanted) => {
                let s = if found == 1 { "" } else { "s" };
                return Cow::Owned(format!("{found} field{s} where the header has {wanted}"));
            }
            Reason::NotUtf8 => "not UTF-8: save the file as UTF-8",
            Reason::NotDecoded => {
                "bytes that are no text in the file's encoding: declare another with `encoding` in essor.toml"
            }
            Reason::HeaderAgain => "the header again",
            Reason::AnotherTable => "a row of another table: put it into a file of its own",
            Reason::NotTheDates => {
                "not a day as the rest of the column is written: write it the same way, or declare `date_format` in essor.toml"
            }
            Reason::NotTheNumbers => {
                "not a number as the rest of the column is written: write it the same way, or declare `thousands` in essor.toml"
            }
            Reason::StrayQuote => {
                "a quote inside an unquoted field: quote the whole field and double the quotes inside it"
            }
            Reason::AfterQuote => {
                "text after a closing quote: double the quotes inside a quoted field"
            }
            Reason::OpenQuote => "a quote that is never closed",
            Reason::StrayReturn => {
                "a carriage return inside an unquoted field: end lines with LF or CRLF"
            }
            Reason::NotAnObject => "not a JSON object with a name for each value",
            Reason::KeyTwice => "the same name twice in one object",
            Reason::NotAScalar => {
                "not a text or a number: true, false, lists and objects are not taken"
            }
            Reason::NotWhole => "not a whole number: digits only, so 1.5 billion is 1500000000",
            Reason::Negative => "negative count: a count is 0 or more",
            Reason::Overflow => "overflow: a count is at most 9007199254740992 (2^53)",
            Reason::NoValue => "no value: a row in long form needs one",
            Reason::NoDay => "no day: write it as YYYY-MM-DD",
            Reason::NotADay => {
                "not a day that exists: write YYYY-MM-DD, a time as RFC 3339 or YYYY-MM-DD HH:MM:SS, or whole seconds or milliseconds since 1970"
            }
            Reason::FarDay => "a day outside the years 1990 to 2100",
            Reason::NoSuchTime => {
                "a time that the source's zone skips (clocks went forward): give it in UTC"
            }
            Reason::MomentOfDistinct => {
                "users counted once within a window can't be given by the hour: give days"
            }
            Reason::NotAPeriod => "not a date: write it as YYYY, YYYY-MM or YYYY-MM-DD",
            Reason::NotThePeriod => "not written as the period that precision names",
            Reason::NotPeriodEnd => {
                "not the last day of the month, quarter or year that precision names"
            }
            Reason::NoPlatform => "no platform: name one in each row",
            Reason::NameLength => "a name longer than 200 characters",
            Reason::NameControl => "a name with control characters in it",
            Reason::Spelling => {
                "spelled differently from a platform already known; write it the same way or add an alias in essor.toml"
            }
            Reason::NotAMetric => "not a metric: `essor explain` lists them all",
            Reason::NoMetric => "no metric: name one in each row",
            Reason::Precision => "not a precision: one of day, month, quarter, year",
            Reason::Status => {
                "not a status: one of stated, derived, disputed, compiled, estimate, record, regional, spike"
            }
            Reason::Qualifier => "not a qualifier: one of exact, about, at_least, at_most",
            Reason::Published => "not a date: leave it empty or write YYYY, YYYY-MM or YYYY-MM-DD",
            Reason::SameKey => "the same figure as on an earlier line",
            Reason::NoUser => "no user: each row needs the id of one",
            Reason::LongUser => "a user id longer than 256 bytes",
            Reason::NotAUser => "not a user id: give a text, a whole number or a UUID",
            Reason::NoMessages => "no count of messages: write 0 where there were none",
            Reason::ManyMessages => "more than 4294967295 messages of a user and day",
            Reason::NotText => "a number or a date where a text is expected",
        };
        Cow::Borrowed(text)
    }

    pub(super) fn reject(self, line: u64, column: &Arc<str>) -> Reject {
        Reject {
            line,
            column: column.clone(),
            reason: self.text(),
            by_rule: false,
        }
    }
}

/// The line of each row of a chunk, kept as runs of rows on successive lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    runs: Vec<(u32, u64)>,
    rows: u32,
}

impl Lines {
    /// Rows that stand on successive lines from `first` on.
    pub(super) fn successive(first: u64, rows: u32) -> Self {
        Lines {
            runs: vec![(0, first)],
            rows,
        }
    }

    /// Adds a row that starts on `line`.
    pub(super) fn push(&mut self, line: u64) {
        let follows = self
            .runs
            .last()
            .is_some_and(|(row, first)| first + u64::from(self.rows - row) == line);
        if !follows {
            self.runs.push((self.rows, line));
        }
        self.rows += 1;
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// The lines of `rows` rows from `first` on.
    pub(super) fn slice(&self, first: u32, rows: u32) -> Self {
        let run = self.runs.partition_point(|(row, _)| *row <= first);
        let later = self
            .runs
            .get(run..)
            .unwrap_or_default()
            .iter()
            .filter(|(row, _)| *row < first + rows);
        let runs = std::iter::once((0, self.of(first)))
            .chain(later.map(|(row, line)| (row - first, *line)));
        Lines {
            runs: runs.collect(),
            rows,
        }
    }

    /// The line that a row starts on.
    pub(super) fn of(&self, row: u32) -> u64 {
        let run = self
            .runs
            .partition_point(|(first, _)| *first <= row)
            .saturating_sub(1);
        self.runs
            .get(run)
            .map_or(0, |(first, line)| line + u64::from(row - first))
    }
}
