//! Where the rows of a CSV file begin and end, and which of them are sound.
//!
//! Polars pads a short row with nulls, reads past a quote that is never closed, and does not say on
//! which line a row stands. So every row is checked here first: its fields, quotes and encoding.

use memchr::{memchr, memchr_iter, memchr3, memrchr};

use super::reject::{Lines, Reason, Reject};

/// The longest row with quoted fields. A quote that is not closed within it is taken to be never
/// closed, so that one stray quote costs a line and not the rest of the file.
pub(super) const LONGEST_QUOTED: usize = 1 << 20;

/// How the file's rows are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub separator: u8,
    /// The number of fields in the header, which every row must have.
    pub width: usize,
}

/// What was found in a stretch of bytes.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the first row that is not complete begins.
    pub end: usize,
    /// The sound rows, as stretches of bytes.
    pub sound: Vec<(usize, usize)>,
    pub lines: Lines,
    pub rejects: Vec<Reject>,
    /// Which of the rejects have a field that is not text, and which field that is.
    pub not_text: Vec<(usize, usize)>,
    /// Whether any sound row may hold a quote.
    pub quotes: bool,
}

impl Scan {
    fn keep(&mut self, start: usize, end: usize, line: u64) {
        match self.sound.last_mut() {
            Some((_, last)) if *last == start => *last = end,
            _ => self.sound.push((start, end)),
        }
        self.lines.push(line);
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.rejects.push(reason.reject(line, &"".into()));
    }
}

/// Where one row ends.
enum Row {
    /// After its line feed, `lines` lines further on, with this many fields.
    Sound {
        end: usize,
        lines: u64,
        fields: usize,
    },
    /// The line that it starts on is bad.
    Bad(Reason),
    /// Beyond the bytes at hand.
    Open,
}

/// Finds the rows in `bytes` from `start` on. `line` is the line of the first, and is moved on.
/// `last` says that no more bytes follow; they then end with a line feed.
pub(super) fn scan(
    bytes: &[u8],
    start: usize,
    last: bool,
    line: &mut u64,
    dialect: Dialect,
) -> Scan {
    let end = memrchr(b'\n', &bytes[start..]).map_or(start, |i| start + i + 1);
    let lines = &bytes[start..end];
    let plain = memchr(b'"', &bytes[start..]).is_none()
        && std::str::from_utf8(lines).is_ok()
        && !stray_return(lines);
    if plain {
        scan_lines(bytes, start, end, line, dialect)
    } else {
        scan_rows(bytes, start, last, line, dialect)
    }
}

/// How many fields of a row end within its beginning.
fn fields_before(beginning: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let ends = |byte: &&u8| {
        quoted ^= **byte == b'"';
        **byte == separator && !quoted
    };
    beginning.iter().filter(ends).count()
}

/// Whether a carriage return stands elsewhere than before a line feed.
fn stray_return(bytes: &[u8]) -> bool {
    memchr_iter(b'\r', bytes).any(|i| bytes.get(i + 1) != Some(&b'\n'))
}

/// The rows of a stretch without quotes: its lines.
fn scan_lines(bytes: &[u8], start: usize, end: usize, line: &mut u64, dialect: Dialect) -> Scan {
    let mut scan = Scan {
        end,
        ..Scan::default()
    };
    let mut from = start;
    for feed in memchr_iter(b'\n', &bytes[start..end]) {
        let to = start + feed;
        let row = &bytes[from..to];
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        if !row.is_empty() {
            let fields = row.iter().filter(|b| **b == dialect.separator).count() + 1;
            if fields == dialect.width {
                scan.keep(from, to + 1, *line);
            } else {
                scan.reject(*line, Reason::Fields(fields, dialect.width));
            }
        }
        from = to + 1;
        *line += 1;
    }
    scan
}

/// The rows of a stretch with quotes, or with bytes that are not sound text.
fn scan_rows(bytes: &[u8], start: usize, last: bool, line: &mut u64, dialect: Dialect) -> Scan {
    let mut scan = Scan {
        end: start,
        quotes: true,
        ..Scan::default()
    };
    while scan.end < bytes.len() {
        let from = scan.end;
        match row(bytes, from, last, dialect.separator) {
            Row::Open => break,
            Row::Bad(reason) => {
                let Some(feed) = memchr(b'\n', &bytes[from..]) else {
                    break;
                };
                scan.reject(*line, reason);
                scan.end = from + feed + 1;
                *line += 1;
            }
            Row::Sound { end, lines, fields } => {
                let row = &bytes[from..end];
                if let Err(error) = std::str::from_utf8(row) {
                    let field = fields_before(&row[..error.valid_up_to()], dialect.separator);
                    scan.not_text.push((scan.rejects.len(), field));
                    scan.reject(*line, Reason::NotUtf8);
                } else if fields == dialect.width {
                    scan.keep(from, end, *line);
                } else if !matches!(row, b"\n" | b"\r\n") {
                    scan.reject(*line, Reason::Fields(fields, dialect.width));
                }
                scan.end = end;
                *line += lines;
            }
        }
    }
    scan
}

/// The end of the row at `start` and the lines it takes; nothing where it goes on beyond the bytes.
pub(super) fn first(
    bytes: &[u8],
    start: usize,
    last: bool,
    separator: u8,
) -> Result<Option<(usize, u64)>, Reason> {
    match row(bytes, start, last, separator) {
        Row::Sound { end, lines, .. } => Ok(Some((end, lines))),
        Row::Bad(reason) => Err(reason),
        Row::Open => Ok(None),
    }
}

fn row(bytes: &[u8], start: usize, last: bool, separator: u8) -> Row {
    let (mut at, mut fields, mut lines) = (start, 1, 1);
    loop {
        if bytes.get(at) == Some(&b'"') {
            match closing(bytes, start, at + 1) {
                Some(close) => {
                    lines += memchr_iter(b'\n', &bytes[at..close]).count() as u64;
                    at = close + 1;
                }
                None if last || bytes.len() >= start + LONGEST_QUOTED => {
                    return Row::Bad(Reason::OpenQuote);
                }
                None => return Row::Open,
            }
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\r'), Some(b'\n')) => at += 1,
                (Some(b), _) if *b == separator || *b == b'\n' => {}
                (None, _) | (Some(b'\r'), None) if !last => return Row::Open,
                _ => return Row::Bad(Reason::AfterQuote),
            }
        } else {
            let Some(length) = memchr3(separator, b'\n', b'"', &bytes[at..]) else {
                return Row::Open;
            };
            let mut field = &bytes[at..at + length];
            at += length;
            match bytes[at] {
                b'"' => return Row::Bad(Reason::StrayQuote),
                b'\n' => field = field.strip_suffix(b"\r").unwrap_or(field),
                _ => {}
            }
            if memchr(b'\r', field).is_some() {
                return Row::Bad(Reason::StrayReturn);
            }
        }
        if bytes[at] == b'\n' {
            return Row::Sound {
                end: at + 1,
                lines,
                fields,
            };
        }
        at += 1;
        fields += 1;
    }
}

/// The quote that closes a field whose text begins at `from`; a doubled one stands for itself.
fn closing(bytes: &[u8], start: usize, mut from: usize) -> Option<usize> {
    let limit = bytes.len().min(start + LONGEST_QUOTED);
    while from < limit {
        let quote = from + memchr(b'"', &bytes[from..limit])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        from = quote + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (Vec<u64>, Vec<(u64, String)>) {
        let dialect = Dialect {
            separator: b',',
            width: 2,
        };
        let mut line = 2;
        let scan = scan(text.as_bytes(), 0, true, &mut line, dialect);
        assert_eq!(scan.end, text.len());
        let lines = (0..scan.lines.rows())
            .map(|row| scan.lines.of(row))
            .collect();
        (
            lines,
            scan.rejects
                .into_iter()
                .map(|r| (r.line, r.reason.into_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_row_stands_on_its_first_line() {
        assert_eq!(run("a,b\n\n\"c\nd\",e\r\nf,\"g \"\"h\"\"\"\n").0, [2, 4, 6]);
        assert_eq!(run("a,b\r\n\r\nc,d\r\n").0, [2, 4]);
    }

    #[test]
    fn a_bad_quote_costs_its_line_only() {
        let (lines, rejects) = run("a,b\na,\"b\nc,d\ne,f\n");
        assert_eq!(lines, [2, 4, 5]);
        assert_eq!(rejects, [(3, Reason::OpenQuote.text().into_owned())]);
        // The quote opened on line 2 is closed by the one that opens on line 3.
        assert_eq!(
            run("a,\"b\nc,\"d\"\n"),
            (vec![3], vec![(2, Reason::AfterQuote.text().into_owned())])
        );
        assert_eq!(run("a,b\"c\n\"a\"b,c\nx,y\n").0, [4]);
        assert_eq!(
            run("a,b\rc\nx,y\n"),
            (vec![3], vec![(2, Reason::StrayReturn.text().into_owned())])
        );
    }

    #[test]
    fn every_row_has_as_many_fields_as_the_header() {
        let (lines, rejects) = run("a\na,b\na,b,c\n");
        assert_eq!(lines, [3]);
        assert_eq!(
            rejects,
            [
                (2, "1 field where the header has 2".into()),
                (4, "3 fields where the header has 2".into())
            ]
        );
    }
}
