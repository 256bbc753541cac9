//! Counts written with marks between their thousands, read the same way in all rows of a column.

use std::collections::HashSet;

use crate::ingest::cell;
use crate::ingest::reject::Reason;

/// How the counts of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    thousands: Option<char>,
    decimal: Option<char>,
}

/// A mark that may stand for thousands or for decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclear(pub char);

/// Marks that part thousands and nothing else.
const SPACES: [char; 7] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}', '_'];

/// How a text of digits and marks is written.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    thousands: Option<char>,
    /// Groups of three behind the first.
    groups: usize,
    decimal: Option<char>,
    /// Whether the first group is one that a number with thousands may begin with.
    led: bool,
}

/// The first mark of a text that parts it into groups of three throughout, and the mark of its decimals.
fn written(text: &str) -> Option<Written> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut marks = digits.chars().filter(|c| !c.is_ascii_digit());
    let first = marks.next();
    let known = |c: &char| SPACES.contains(c) || matches!(c, ',' | '.');
    let Some(first) = first.filter(known) else {
        return first.is_none().then_some(Written {
            thousands: None,
            groups: 0,
            decimal: None,
            led: true,
        });
    };
    let last = marks.next_back().unwrap_or(first);
    let decimal = (last != first && matches!(last, ',' | '.')).then_some(last);
    let whole = match decimal {
        Some(mark) => {
            let (whole, fraction) = digits.rsplit_once(mark)?;
            (!fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()))
                .then_some(whole)?
        }
        None => digits,
    };
    let mut groups = whole.split(first);
    let lead = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let sound = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    if !sound(lead) || !rest.iter().all(|group| sound(group) && !group.is_empty()) {
        return None;
    }
    if rest.iter().all(|group| group.len() == 3) {
        let led = (1..=3).contains(&lead.len()) && !lead.starts_with('0');
        return Some(Written {
            thousands: Some(first),
            groups: rest.len(),
            decimal,
            led,
        });
    }
    // One mark, and not three digits behind it: a decimal.
    let one = rest.len() == 1 && decimal.is_none() && matches!(first, ',' | '.');
    one.then_some(Written {
        thousands: None,
        groups: 0,
        decimal: Some(first),
        led: true,
    })
}

/// What the counts of a column show.
#[derive(Debug, Default)]
struct Evidence {
    /// Numbers of digits alone: below a thousand, and beyond.
    small: HashSet<String>,
    large: usize,
    /// Numbers in groups of three, by their mark.
    grouped: HashSet<(char, String)>,
    /// Marks that can only part thousands, and those that can only be decimals.
    thousands: HashSet<char>,
    decimals: HashSet<char>,
}

impl Evidence {
    fn add(&mut self, text: &str) {
        let Some(written) = written(text) else {
            return;
        };
        if let Some(mark) = written.decimal {
            self.decimals.insert(mark);
        }
        match written.thousands {
            None if written.decimal.is_some() => {}
            None if text.len() <= 3 => _ = self.small.insert(text.to_owned()),
            None => self.large += 1,
            // `0,125` and `1234,567` are no thousands.
            Some(mark) if !written.led => _ = self.decimals.insert(mark),
            Some(mark) => {
                self.grouped.insert((mark, text.to_owned()));
                if written.groups > 1 || written.decimal.is_some() || SPACES.contains(&mark) {
                    self.thousands.insert(mark);
                }
            }
        }
    }

    /// The mark between thousands; an error where it may as well be a decimal's.
    fn thousands(&self) -> Result<Option<char>, Unclear> {
        let marks: HashSet<char> = self.grouped.iter().map(|(mark, _)| *mark).collect();
        let mut marks: Vec<char> = marks.into_iter().collect();
        marks.sort_unstable();
        let Some(mark) = marks.first().copied() else {
            return Ok(None);
        };
        // A column whose large numbers have no marks is written without them.
        if self.large > 0 && self.large >= self.grouped.len() {
            return Ok(None);
        }
        let known = |mark: &char| self.thousands.contains(mark) && !self.decimals.contains(mark);
        if let Some(mark) = marks.iter().copied().find(known) {
            return Ok(Some(mark));
        }
        if self.decimals.contains(&mark) && !self.thousands.contains(&mark) {
            return Ok(None);
        }
        // Groups of exactly three digits everywhere, and a number below a thousand that has no mark.
        let three = self.grouped.len() >= 2 && !self.small.is_empty();
        match three && marks.len() == 1 && self.large == 0 && !self.decimals.contains(&mark) {
            true => Ok(Some(mark)),
            false => Err(Unclear(mark)),
        }
    }
}

impl Numbers {
    /// How the counts of a column are read by the evidence of these; `None` where they are read as they are everywhere.
    pub(super) fn decide<'a>(
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Option<Self>, Unclear> {
        let mut evidence = Evidence::default();
        texts.for_each(|text| evidence.add(cell::trim(text)));
        let thousands = evidence.thousands()?;
        Ok(thousands.map(|mark| Numbers {
            thousands: Some(mark),
            decimal: None,
        }))
    }

    /// What essor.toml says of the marks in a file's numbers.
    pub(super) fn declared(thousands: Option<char>, decimal: Option<char>) -> Option<Self> {
        (thousands.is_some() || decimal.is_some()).then_some(Numbers { thousands, decimal })
    }

    /// A count of the column in digits alone; what is not whole stays as it is written.
    pub(super) fn read(&self, text: &str) -> Result<String, Reason> {
        let text = cell::trim(text);
        let Some(written) = written(text) else {
            return Ok(text.to_owned());
        };
        match written.thousands {
            None => Ok(text.to_owned()),
            Some(mark) if Some(mark) == self.decimal => Err(Reason::NotWhole),
            Some(mark) if Some(mark) != self.thousands || !written.led => {
                Err(Reason::NotTheNumbers)
            }
            // A fraction is what it is rejected for later on.
            Some(_) if written.decimal.is_some() => Err(Reason::NotWhole),
            Some(mark) => Ok(text.replace(mark, "")),
        }
    }

    /// The mark between thousands.
    pub(super) fn thousands(&self) -> Option<char> {
        self.thousands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(texts: &[&str]) -> Result<Option<char>, Unclear> {
        let numbers = Numbers::decide(texts.iter().copied())?;
        Ok(numbers.and_then(|n| n.thousands))
    }

    fn by(mark: char) -> Numbers {
        Numbers {
            thousands: Some(mark),
            decimal: None,
        }
    }

    #[test]
    fn thousands_are_told_from_decimals_by_evidence() {
        for (texts, mark) in [
            (&["1,234,567"][..], ','),
            (&["1.234.567"], '.'),
            (&["1.234,5"], '.'),
            (&["1 234"], ' '),
            (&["1\u{a0}234"], '\u{a0}'),
            (&["1\u{202f}234"], '\u{202f}'),
            (&["1'234"], '\''),
            (&["1,234", "12,345", "999"], ','),
            (&["1,234", "1,234,567"], ','),
        ] {
            assert_eq!(decide(texts), Ok(Some(mark)), "{texts:?}");
        }
        // As read today: digits alone, or numbers that are not whole.
        for texts in [
            &["1234", "5", ""][..],
            &["1.5", "2.25"],
            &["1,5", "1,234"],
            &["0,125", "1,250"],
            &["1234", "5678", "1,234"],
            &["n/a"],
        ] {
            assert_eq!(decide(texts), Ok(None), "{texts:?}");
        }
        for texts in [
            &["1,234"][..],
            &["1,234", "1,234", "999"],
            &["1.250", "12.375"],
            &["1,234", "1.234", "5"],
        ] {
            assert!(decide(texts).is_err(), "{texts:?}");
        }
    }

    #[test]
    fn a_count_is_its_digits_or_rejected() {
        let comma = by(',');
        assert_eq!(comma.read("1,234,567"), Ok("1234567".into()));
        assert_eq!(comma.read(" 999 "), Ok("999".into()));
        assert_eq!(comma.read("-1,234"), Ok("-1234".into()));
        assert_eq!(comma.read("1,234.5"), Err(Reason::NotWhole));
        assert_eq!(comma.read("1.234"), Err(Reason::NotTheNumbers));
        assert_eq!(comma.read("0,123"), Err(Reason::NotTheNumbers));
        // Left for the rule of all counts to reject.
        for text in ["1.5", "12,34", "1,2345", "n/a", "1,23,456", ""] {
            assert_eq!(comma.read(text), Ok(text.into()), "{text}");
            if !text.is_empty() {
                assert_eq!(cell::count(text), Err(Reason::NotWhole), "{text}");
            }
        }
        let declared = Numbers::declared(None, Some(',')).unwrap();
        assert_eq!(declared.read("1,234"), Err(Reason::NotWhole));
        assert_eq!(by('\u{202f}').read("1\u{202f}234"), Ok("1234".into()));
    }
}
