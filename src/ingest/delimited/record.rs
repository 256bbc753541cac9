//! One row of delimited text in any dialect, split strictly into its fields.

use std::ops::Range;

use crate::ingest::reject::Reason;
use crate::ingest::scan::LONGEST_QUOTED;

/// How the rows of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// What stands between two fields.
    pub separator: u8,
    /// What stands around a field that holds separators.
    pub quote: Option<u8>,
    /// What stands before a quote that is part of a field; where there is none, quotes are doubled.
    pub escape: Option<u8>,
    /// Whether blanks around a field are no part of it.
    pub padded: bool,
    /// Whether a carriage return alone ends a line.
    pub returns: bool,
}

impl Dialect {
    /// Comma, double quotes, doubled: RFC 4180 with lines that may end in LF.
    pub(crate) const COMMON: Dialect = Dialect {
        separator: b',',
        quote: Some(b'"'),
        escape: None,
        padded: false,
        returns: false,
    };

    /// Where the line that `at` stands in ends, its end included; nothing where that is beyond the bytes.
    pub(super) fn line_end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        if !self.returns {
            return Some(at + memchr::memchr(b'\n', &bytes[at..])? + 1);
        }
        let end = at + memchr::memchr2(b'\n', b'\r', &bytes[at..])?;
        let pair = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
        Some(end + 1 + usize::from(pair))
    }

    /// How many lines end within the bytes.
    fn lines(&self, bytes: &[u8]) -> u64 {
        let (mut at, mut lines) = (0, 0);
        while let Some(end) = self.line_end(bytes, at) {
            (at, lines) = (end, lines + 1);
        }
        lines
    }

    /// Whether the bytes at a place end a line, and in how many bytes.
    fn ending(&self, rest: &[u8]) -> Option<usize> {
        match rest {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            [b'\r', ..] if self.returns => Some(1),
            _ => None,
        }
    }
}

/// The fields of one row, without quotes and escapes.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Whether any field was quoted, which a blank line's is not.
    quoted: bool,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.quoted = false;
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, field: usize) -> Option<Range<usize>> {
        let start = match field.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        Some(start..*self.ends.get(field)?)
    }

    /// The bytes of a field; empty where there is none.
    pub(crate) fn get(&self, field: usize) -> &[u8] {
        self.range(field).map_or(&[], |range| &self.text[range])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|field| self.get(field))
    }

    /// Whether it is a line with nothing on it.
    pub(crate) fn blank(&self) -> bool {
        self.len() == 1 && !self.quoted && self.get(0).trim_ascii().is_empty()
    }

    /// Takes away the last field.
    pub(crate) fn pop(&mut self) {
        self.ends.pop();
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// Where one row ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// Its end and how many lines it takes; its fields were read.
    Sound { end: usize, lines: u64 },
    /// The line that it starts on is bad, and ends here.
    Bad { end: usize, reason: Reason },
    /// Beyond the bytes at hand.
    Open,
}

/// Reads the row at `start`. `last` says that no more bytes follow.
pub(crate) fn read(
    bytes: &[u8],
    start: usize,
    last: bool,
    dialect: &Dialect,
    fields: &mut Fields,
) -> Row {
    fields.clear();
    let bad = |reason| match dialect.line_end(bytes, start) {
        Some(end) => Row::Bad { end, reason },
        None if last => Row::Bad {
            end: bytes.len(),
            reason,
        },
        None => Row::Open,
    };
    let mut at = start;
    loop {
        if dialect.padded {
            at += blanks(&bytes[at..], dialect);
        }
        let ends = match dialect.quote {
            Some(quote) if bytes.get(at) == Some(&quote) => {
                quoted(bytes, start, at, last, quote, dialect, fields)
            }
            _ => unquoted(bytes, at, dialect, fields),
        };
        at = match ends {
            Ok(Some(end)) => end,
            Ok(None) if last => bytes.len(),
            Ok(None) => return Row::Open,
            Err(reason) => return bad(reason),
        };
        fields.ends.push(fields.text.len());
        // A carriage return at the end of the bytes at hand may have its line feed behind it.
        if !last && at + 1 >= bytes.len() && bytes.get(at) != Some(&b'\n') {
            return Row::Open;
        }
        if at >= bytes.len() {
            break;
        }
        if let Some(length) = dialect.ending(&bytes[at..]) {
            at += length;
            break;
        }
        at += 1;
    }
    let lines = dialect.lines(&bytes[start..at]).max(1);
    Row::Sound { end: at, lines }
}

/// How many blanks stand here that are no separators.
fn blanks(rest: &[u8], dialect: &Dialect) -> usize {
    rest.iter()
        .take_while(|b| matches!(b, b' ' | b'\t') && **b != dialect.separator)
        .count()
}

/// Reads a quoted field and gives where it ends; nothing where that is beyond the bytes.
fn quoted(
    bytes: &[u8],
    start: usize,
    open: usize,
    last: bool,
    quote: u8,
    dialect: &Dialect,
    fields: &mut Fields,
) -> Result<Option<usize>, Reason> {
    fields.quoted = true;
    let limit = bytes.len().min(start + LONGEST_QUOTED);
    let unclosed = || match last || bytes.len() >= start + LONGEST_QUOTED {
        true => Err(Reason::OpenQuote),
        false => Ok(None),
    };
    let mut at = open + 1;
    loop {
        let stop = match dialect.escape {
            Some(escape) => memchr::memchr2(quote, escape, &bytes[at..limit]),
            None => memchr::memchr(quote, &bytes[at..limit]),
        };
        let Some(length) = stop else {
            return unclosed();
        };
        fields.text.extend_from_slice(&bytes[at..at + length]);
        at += length;
        let next = bytes.get(at + 1);
        if bytes[at] != quote {
            let Some(next) = next else {
                return unclosed();
            };
            // A backslash before anything but what it escapes is a backslash.
            if *next != quote && Some(*next) != dialect.escape {
                fields.text.push(bytes[at]);
            }
            fields.text.push(*next);
            at += 2;
        } else if next == Some(&quote) {
            fields.text.push(quote);
            at += 2;
        } else {
            at += 1;
            break;
        }
    }
    if dialect.padded {
        at += blanks(&bytes[at..], dialect);
    }
    match bytes.get(at) {
        None => Ok(None),
        Some(byte) if *byte == dialect.separator => Ok(Some(at)),
        Some(b'\r') if at + 1 == bytes.len() && !last => Ok(None),
        Some(_) if dialect.ending(&bytes[at..]).is_some() => Ok(Some(at)),
        Some(_) => Err(Reason::AfterQuote),
    }
}

/// Reads a field that is not quoted.
fn unquoted(
    bytes: &[u8],
    open: usize,
    dialect: &Dialect,
    fields: &mut Fields,
) -> Result<Option<usize>, Reason> {
    let from = fields.text.len();
    let mut at = open;
    while let Some(byte) = bytes.get(at) {
        if *byte == dialect.separator || *byte == b'\n' {
            break;
        }
        if *byte == b'\r' {
            match bytes.get(at + 1) {
                _ if dialect.returns => break,
                Some(b'\n') => break,
                // Whether it stands alone is not known yet, or it does at the end of the file.
                None => return Ok(None),
                Some(_) => {
                    let rest = &bytes[at..];
                    let next = memchr::memchr3(dialect.separator, b'\n', b'"', rest);
                    let quote = next.is_some_and(|next| rest.get(next) == Some(&b'"'));
                    return Err(match quote && dialect.quote == Some(b'"') {
                        true => Reason::StrayQuote,
                        false => Reason::StrayReturn,
                    });
                }
            }
        }
        if Some(*byte) == dialect.quote && *byte == b'"' {
            return Err(Reason::StrayQuote);
        }
        if Some(*byte) == dialect.escape
            && let Some(next) = bytes.get(at + 1)
            && (*next == dialect.separator
                || Some(*next) == dialect.quote
                || Some(*next) == dialect.escape)
        {
            fields.text.push(*next);
            at += 2;
            continue;
        }
        fields.text.push(*byte);
        at += 1;
    }
    if dialect.padded {
        let kept = fields.text[from..].trim_ascii_end().len();
        fields.text.truncate(from + kept);
    }
    Ok((at < bytes.len()).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, dialect: &Dialect) -> Vec<Result<Vec<String>, Reason>> {
        let (mut at, mut fields, mut rows) = (0, Fields::default(), vec![]);
        while at < text.len() {
            at = match read(text.as_bytes(), at, true, dialect, &mut fields) {
                Row::Sound { end, .. } => {
                    let texts = fields.iter().map(|f| String::from_utf8(f.into()).unwrap());
                    rows.push(Ok(texts.collect()));
                    end
                }
                Row::Bad { end, reason } => {
                    rows.push(Err(reason));
                    end
                }
                Row::Open => panic!("all of it is there"),
            };
        }
        rows
    }

    fn row(texts: &[&str]) -> Result<Vec<String>, Reason> {
        Ok(texts.iter().map(|t| (*t).to_owned()).collect())
    }

    #[test]
    fn quotes_are_doubled_or_escaped() {
        let common = Dialect::COMMON;
        assert_eq!(
            rows("a,\"b \"\"c\"\",\nd\"\n\"\",\r\nx\"y,1\n", &common),
            [
                row(&["a", "b \"c\",\nd"]),
                row(&["", ""]),
                Err(Reason::StrayQuote)
            ]
        );
        let escaped = Dialect {
            escape: Some(b'\\'),
            ..common
        };
        assert_eq!(
            rows("\"a \\\"b\\\"\",c\\,d,\\n\n", &escaped),
            [row(&["a \"b\"", "c,d", "\\n"])]
        );
        let single = Dialect {
            quote: Some(b'\''),
            ..common
        };
        assert_eq!(
            rows("'Men''s, red',Men's\n", &single),
            [row(&["Men's, red", "Men's"])]
        );
    }

    #[test]
    fn lines_end_with_a_return_and_blanks_are_padding_where_the_dialect_says_so() {
        let common = Dialect::COMMON;
        let returns = Dialect {
            returns: true,
            ..common
        };
        let both = [row(&["a", "b"]), row(&["c", "d"]), row(&["e", "f"])];
        assert_eq!(rows("a,b\rc,d\r\ne,f", &returns), both);
        assert_eq!(
            rows("a,b\rc,d\ne,f", &common),
            [Err(Reason::StrayReturn), row(&["e", "f"])]
        );
        let padded = Dialect {
            padded: true,
            ..common
        };
        assert_eq!(rows("a , \"b\" \n", &padded), [row(&["a", "b"])]);
    }

    #[test]
    fn a_row_beyond_the_bytes_is_open() {
        let common = Dialect::COMMON;
        let mut fields = Fields::default();
        for text in ["a,b", "a,\"b", "a,\"b\"", "a,b\r", "a,"] {
            assert_eq!(
                read(text.as_bytes(), 0, false, &common, &mut fields),
                Row::Open,
                "{text}"
            );
        }
    }
}
