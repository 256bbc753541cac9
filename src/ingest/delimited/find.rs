//! How a delimited text is written, found once from its first bytes.
//!
//! The strict reading of rows is the judge: of all dialects that may be meant, that is taken in which the
//! most rows of the sample are sound. csv-nose, which looks at the types of columns too, is asked where
//! several are as good, and for separators that are not tried of themselves.

use std::cmp::Reverse;
use std::sync::Arc;

use super::record::{self, Dialect, Fields, Row};
use super::text;
use crate::ingest::csv::separator;
use crate::ingest::error::IngestError;
use crate::ingest::{scan, sniff};
use crate::project::Source;

/// How much of a text the dialect is told by.
const SAMPLE: usize = 128 << 10;

/// A text that is not written as most are.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub dialect: Dialect,
    /// The names of the columns.
    pub names: Vec<Arc<str>>,
    /// The names as the header's row has them, to know it when it comes again.
    pub header: Vec<Vec<u8>>,
    /// Whether these were in the file; else they are numbers.
    pub named: bool,
    /// How many fields each row has: as many as there are names, and empty ones behind them.
    pub width: usize,
    /// How many lines stand before the header.
    pub preamble: u64,
    /// Where the first row begins, and on which line.
    pub start: usize,
    pub line: u64,
    /// The columns that hold numbers or dates in all rows of the sample.
    pub figures: Vec<bool>,
}

impl Found {
    /// A text in the common dialect, or with another separator, below this header.
    pub(crate) fn common(dialect: Dialect, names: &[Arc<str>], header: text::Header) -> Self {
        Found {
            dialect,
            names: names.to_vec(),
            header: header.fields,
            named: true,
            width: names.len(),
            preamble: 0,
            start: header.end,
            line: header.line,
            figures: vec![],
        }
    }
}

/// Finds how a text is written that begins so; nothing where it is as most are: a header on its first line, fields
/// between commas, semicolons or tabs, double quotes, lines that end with LF or CRLF.
pub(crate) fn find(
    file: &str,
    sample: &[u8],
    whole: bool,
    source: &Source,
) -> Result<Option<Found>, IngestError> {
    let marked = match sample.starts_with(sniff::MARK) {
        true => sniff::MARK.len(),
        false => 0,
    };
    let declared = source.delimiter.is_some() || source.skip.is_some();
    let common = match whole && sample.last().is_some_and(|b| *b != b'\n') {
        true => common(&[sample, b"\n"].concat(), marked, whole),
        false => common(sample, marked, whole),
    };
    if common == Common::Sound && !declared {
        return Ok(None);
    }
    let short = &sample[..sample.len().min(SAMPLE)];
    let whole = whole && short.len() == sample.len();
    let mut views = candidates(short, marked, source)
        .into_iter()
        .map(|(dialect, rank)| View::of(short, marked, whole, dialect, rank, source.skip))
        .filter(|view| view.width > 1)
        .collect::<Vec<_>>();
    let nose = nose(&short[marked..]);
    views.sort_by_cached_key(|view| Reverse(view.merit(nose)));
    let Some(best) = views.first() else {
        return Ok(None);
    };
    if let Common::Faulty { rows, rejects } = common
        && !declared
    {
        // What is read today is read differently only where that takes most of its faults away.
        let faults = best.bad + best.odd;
        let same = best.preamble == 0 && best.named;
        if rows > rejects && !(same && faults * 2 <= rejects) {
            return Ok(None);
        }
    }
    if best.fit() < 0.5 && !declared {
        return Ok(None);
    }
    let rival = views.iter().find(|view| {
        view.dialect.separator != best.dialect.separator
            && view.named == best.named
            && view.standing() == best.standing()
    });
    if let Some(rival) = rival
        && nose != Some(best.dialect.separator)
    {
        let of = |view: &View| shown(view.dialect.separator);
        return Err(IngestError::Undecided {
            name: file.to_owned(),
            what: "what stands between its fields".to_owned(),
            detail: format!("`{}` and `{}` both fit", of(best), of(rival)),
            advice: format!("delimiter = \"{}\"", of(best)),
        });
    }
    Ok(Some(best.found(short, marked)))
}

/// A separator as it is shown and declared.
pub(crate) fn shown(separator: u8) -> String {
    match separator {
        b'\t' => "tab".to_owned(),
        b' ' => "space".to_owned(),
        byte if byte.is_ascii_graphic() => char::from(byte).to_string(),
        byte => format!("0x{byte:02x}"),
    }
}

/// A separator as essor.toml declares it.
pub(crate) fn declared(text: &str) -> Option<u8> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Some(b'\t'),
        ("space", _) => Some(b' '),
        (_, [byte]) if byte.is_ascii() && !byte.is_ascii_alphanumeric() => Some(*byte),
        _ => {
            let hex = text.strip_prefix("0x")?;
            u8::from_str_radix(hex, 16).ok().filter(u8::is_ascii)
        }
    }
}

/// How a text looks that is read as most are.
#[derive(Debug, PartialEq, Eq)]
enum Common {
    /// All of it is sound.
    Sound,
    /// So many rows are, and so many are not.
    Faulty { rows: usize, rejects: usize },
    /// Its header can't be one.
    No,
}

fn common(sample: &[u8], marked: usize, whole: bool) -> Common {
    let blank = |b: &&u8| matches!(b, b'\n' | b'\r');
    let start = marked + sample[marked..].iter().take_while(blank).count();
    let Some(feed) = memchr::memchr(b'\n', &sample[start..]) else {
        return Common::No;
    };
    let separator = separator(&sample[start..start + feed]);
    let dialect = Dialect {
        separator,
        ..Dialect::COMMON
    };
    let mut fields = Fields::default();
    let Row::Sound { end, .. } = record::read(sample, start, whole, &dialect, &mut fields) else {
        return Common::No;
    };
    let names: Vec<&[u8]> = fields.iter().collect();
    let first = names.first().copied().unwrap_or_default();
    let wrapped = names.iter().all(|name| is_wrapped(name));
    if !are_names(&names)
        || names.len() < 2
        || wrapped
        || remark(first)
        || names.iter().any(|name| is_figure(name))
    {
        return Common::No;
    }
    let form = scan::Dialect {
        separator,
        width: names.len(),
    };
    let scanned = scan::scan(sample, end, whole, &mut 1, form);
    let (rows, rejects) = (scanned.lines.rows() as usize, scanned.rejects.len());
    let broken = memchr::memmem::find(&sample[end..], b"\n\n").is_some()
        || memchr::memmem::find(&sample[end..], b"\n\r\n").is_some();
    match rejects {
        0 if broken && View::of(sample, marked, whole, dialect, 0, None).second => Common::Faulty {
            rows: 0,
            rejects: 0,
        },
        0 => Common::Sound,
        _ => Common::Faulty { rows, rejects },
    }
}

fn is_wrapped(field: &[u8]) -> bool {
    matches!(field, [b'\'', .., b'\''] | [b'"', .., b'"'])
}

/// Whether a line that begins so is a remark and no row.
fn remark(first: &[u8]) -> bool {
    first.starts_with(b"#") || first.starts_with(b"//") || is_hint(first)
}

/// `sep=;`, by which spreadsheets are told the separator.
fn is_hint(line: &[u8]) -> bool {
    line.get(..4)
        .is_some_and(|s| s.eq_ignore_ascii_case(b"sep="))
}

/// Whether all of these can be names of columns.
fn are_names(fields: &[&[u8]]) -> bool {
    let trimmed: Vec<&[u8]> = fields.iter().map(|f| f.trim_ascii()).collect();
    let sound = |(place, name): (usize, &&[u8])| {
        !name.is_empty() && std::str::from_utf8(name).is_ok() && !trimmed[..place].contains(name)
    };
    trimmed.iter().enumerate().all(sound)
}

/// Whether a field looks like a number or a date in figures.
fn is_figure(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    let marks = |b: &u8| b.is_ascii_digit() || b" ,.'-/:+TZ%$".contains(b) || *b >= 0x80;
    field.iter().any(u8::is_ascii_digit)
        && field.first().is_some_and(|b| !b.is_ascii_alphabetic())
        && field.iter().all(marks)
}

/// What csv-nose takes for the separator.
fn nose(sample: &[u8]) -> Option<u8> {
    let sniffed = std::panic::catch_unwind(|| csv_nose::Sniffer::new().sniff_bytes(sample).ok());
    let separator = sniffed.ok()??.dialect.delimiter;
    (separator.is_ascii() && !separator.is_ascii_alphanumeric()).then_some(separator)
}

/// The dialects that may be meant, the simplest first.
fn candidates(sample: &[u8], marked: usize, source: &Source) -> Vec<(Dialect, usize)> {
    let text = &sample[marked..];
    let has = |needle: &[u8]| memchr::memmem::find(text, needle).is_some();
    let lone =
        memchr::memchr_iter(b'\r', text).any(|i| text.get(i + 1).is_some_and(|b| *b != b'\n'));
    let hint = is_hint(text).then(|| text.get(4).copied()).flatten();
    let mut separators = vec![b',', b';', b'\t', b'|'];
    if let Some(hint) = hint.filter(|b| !b.is_ascii_alphanumeric() && !b"\r\n".contains(b)) {
        separators = vec![hint];
    } else if let Some(nose) = nose(text)
        && !separators.contains(&nose)
    {
        separators.push(nose);
    }
    // These are common within fields, and meant between them where fields are quoted on both sides.
    for separator in [b':', b' ', b'^', b'~'] {
        if !separators.contains(&separator) && has(&[b'"', separator, b'"']) {
            separators.push(separator);
        }
    }
    if let Some(given) = source.delimiter.as_deref().and_then(declared) {
        separators = vec![given];
    }
    let mut dialects = vec![];
    for separator in separators {
        let follows = |what: &[u8]| has(&[&[separator], what].concat());
        let count = |needle: &[u8]| memchr::memmem::find_iter(text, needle).count();
        let apart = count(&[separator]);
        let spaced = separator != b' ' && apart > 0 && count(&[separator, b' ']) == apart;
        let padding = match spaced {
            true => &[true][..],
            false if follows(b" \"") || follows(b"\t\"") || has(b"\" ") => &[false, true],
            false => &[false],
        };
        let mut quotes = vec![(Some(b'"'), None)];
        if has(b"\\\"") || has(&[b'\\', separator]) {
            quotes.push((Some(b'"'), Some(b'\\')));
        }
        if follows(b"'") {
            quotes.push((Some(b'\''), None));
            if has(b"\\'") {
                quotes.push((Some(b'\''), Some(b'\\')));
            }
        }
        if has(b"\"") && !follows(b"\"") && !has(b"\n\"") && !text.starts_with(b"\"") {
            quotes.push((None, None));
        }
        let returns = if lone { &[false, true][..] } else { &[false] };
        for (quote, escape) in quotes {
            for returns in returns {
                for padded in padding {
                    let dialect = Dialect {
                        separator,
                        quote,
                        escape,
                        padded: *padded,
                        returns: *returns,
                    };
                    dialects.push((dialect, dialects.len()));
                }
            }
        }
    }
    dialects
}

/// A row of the sample, as far as a dialect shows it.
struct Seen {
    start: usize,
    line: u64,
    /// Its fields; none of a blank line, and one too many to be any of a bad one.
    width: usize,
    filled: usize,
}

const BAD: usize = usize::MAX;

/// The sample as a dialect shows it.
struct View {
    dialect: Dialect,
    rank: usize,
    rows: Vec<Seen>,
    /// The fields of most rows.
    width: usize,
    /// Which of the rows is the header.
    header: usize,
    /// Empty fields at the end of each row that have no name.
    trailing: usize,
    named: bool,
    /// Rows behind the header: sound, of another width, and bad.
    sound: usize,
    odd: usize,
    bad: usize,
    preamble: u64,
    /// Fields that still stand between quotes.
    wrapped: usize,
    figures: Vec<bool>,
    /// Whether another header follows behind a blank line.
    second: bool,
}

impl View {
    fn of(
        sample: &[u8],
        marked: usize,
        whole: bool,
        dialect: Dialect,
        rank: usize,
        skip: Option<u64>,
    ) -> Self {
        let mut fields = Fields::default();
        let (mut at, mut line, mut rows, mut wrapped) = (marked, 1, vec![], 0);
        let mut skip = skip.unwrap_or(0);
        while at < sample.len() {
            if skip > 0 {
                let Some(end) = dialect.line_end(sample, at) else {
                    break;
                };
                (at, line, skip) = (end, line + 1, skip - 1);
                continue;
            }
            let (start, of) = (at, line);
            let width = match record::read(sample, at, whole, &dialect, &mut fields) {
                Row::Sound { end, lines } => {
                    (at, line) = (end, line + lines);
                    if fields.blank() { 0 } else { fields.len() }
                }
                Row::Bad { end, .. } => {
                    (at, line) = (end, line + 1);
                    BAD
                }
                Row::Open => break,
            };
            let sound = !matches!(width, 0 | BAD);
            wrapped += fields.iter().filter(|f| sound && is_wrapped(f)).count();
            rows.push(Seen {
                start,
                line: of,
                width,
                filled: fields
                    .iter()
                    .filter(|f| sound && !f.trim_ascii().is_empty())
                    .count(),
            });
        }
        let mut view = View {
            dialect,
            rank,
            width: 0,
            header: 0,
            trailing: 0,
            named: false,
            sound: 0,
            odd: 0,
            bad: 0,
            preamble: 0,
            wrapped,
            figures: vec![],
            second: false,
            rows,
        };
        view.head(sample, whole);
        view
    }

    /// The fields of a row that was sound.
    fn fields(&self, sample: &[u8], row: usize) -> Vec<Vec<u8>> {
        let mut fields = Fields::default();
        if let Some(seen) = self.rows.get(row) {
            // It was read once, so it is not open.
            record::read(sample, seen.start, true, &self.dialect, &mut fields);
        }
        fields.iter().map(<[u8]>::to_vec).collect()
    }

    /// Finds the width of most rows, the header, and what stands before and behind it.
    fn head(&mut self, sample: &[u8], whole: bool) {
        let mut counts = std::collections::BTreeMap::new();
        for row in self.rows.iter().filter(|row| !matches!(row.width, 0 | BAD)) {
            *counts.entry(row.width).or_insert(0usize) += 1;
        }
        // Of widths that are as frequent that of the first row, if it may be a header.
        let first = self.rows.iter().find(|row| !matches!(row.width, 0 | BAD));
        let first = first.filter(|row| row.width > 1 && row.filled == row.width);
        let first = first.map(|row| row.width);
        let most = counts
            .iter()
            .max_by_key(|(width, count)| (**count, Some(**width) == first, **width));
        let Some((width, _)) = most else {
            return;
        };
        self.width = *width;
        let is_head = |row: &Seen| row.width == *width && (row.filled > 1 || *width == 1);
        let remarks = |row: &Seen| remark(&sample[row.start..]);
        let Some(mut header) = self
            .rows
            .iter()
            .position(|row| is_head(row) && !remarks(row))
        else {
            self.width = 0;
            return;
        };
        // Rows with a separator at their end below a header without one.
        let above = header.checked_sub(1).and_then(|above| self.rows.get(above));
        if let Some(above) = above
            && above.width.wrapping_add(1) == *width
            && above.filled == above.width
            && above.width > 1
            && self.ends_empty(sample, header)
        {
            header -= 1;
            self.trailing = 1;
        }
        self.header = header;
        let mut names = self.fields(sample, header);
        while names.len() > 1
            && names
                .last()
                .is_some_and(|name| name.trim_ascii().is_empty())
            && self.column_empty(sample, names.len() - 1)
        {
            names.pop();
            self.trailing += 1;
        }
        let behind = self.rows.get(header + 1..).unwrap_or_default();
        self.bad = behind.iter().filter(|row| row.width == BAD).count();
        self.sound = behind.iter().filter(|row| row.width == *width).count();
        let rest = behind.iter().filter(|row| row.width != 0).count();
        self.odd = rest - self.bad - self.sound;
        self.preamble = self.rows.get(header).map_or(0, |row| row.line - 1);
        // Blank lines alone are no preamble.
        if self.rows[..header].iter().all(|row| row.width == 0)
            && self.rows.first().is_some_and(|r| r.line == 1)
        {
            self.preamble = 0;
        }
        self.kinds(sample, names.len());
        let slices: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let figures = slices.iter().zip(&self.figures);
        self.named = are_names(&slices)
            && !slices.iter().all(|name| is_figure(name))
            && !figures.clone().any(|(name, kind)| *kind && is_figure(name));
        self.second = self.second_header(sample, header);
        _ = whole;
    }

    /// Whether the last field is empty in all rows from `first` on that are as wide as most.
    fn ends_empty(&self, sample: &[u8], first: usize) -> bool {
        (first..self.rows.len())
            .filter(|row| self.rows[*row].width == self.width)
            .all(|row| {
                let fields = self.fields(sample, row);
                fields.last().is_some_and(|f| f.trim_ascii().is_empty())
            })
    }

    /// Whether a column has nothing in any row behind the header.
    fn column_empty(&self, sample: &[u8], column: usize) -> bool {
        (self.header + 1..self.rows.len())
            .filter(|row| self.rows[*row].width == self.width)
            .all(|row| {
                let fields = self.fields(sample, row);
                fields
                    .get(column)
                    .is_some_and(|f| f.trim_ascii().is_empty())
            })
    }

    /// Which columns hold figures in the rows before the first blank line.
    fn kinds(&mut self, sample: &[u8], columns: usize) {
        let mut seen = vec![(0usize, 0usize); columns];
        for row in self.header + 1..self.rows.len() {
            match self.rows[row].width {
                0 if seen.iter().any(|(_, filled)| *filled > 0) => break,
                width if width == self.width => {
                    for (field, (figures, filled)) in self.fields(sample, row).iter().zip(&mut seen)
                    {
                        *figures += usize::from(is_figure(field));
                        *filled += usize::from(!field.trim_ascii().is_empty());
                    }
                }
                _ => {}
            }
        }
        let mostly =
            |(figures, filled): &(usize, usize)| *figures > 0 && figures * 10 >= filled * 9;
        self.figures = seen.iter().map(mostly).collect();
    }

    /// Whether another table with as many columns follows behind a blank line.
    fn second_header(&self, sample: &[u8], header: usize) -> bool {
        let first = self.fields(sample, header);
        (header + 2..self.rows.len()).any(|row| {
            let blank = self.rows[row - 1].width == 0 || self.rows[row - 1].filled == 0;
            blank && self.rows[row].width == self.width && {
                let fields = self.fields(sample, row);
                fields != first && another_header(&fields, &self.figures)
            }
        })
    }

    fn fit(&self) -> f64 {
        let all = self.sound + self.odd + self.bad;
        if all == 0 {
            return 1.0;
        }
        self.sound as f64 / all as f64
    }

    /// What decides between separators.
    fn standing(&self) -> (bool, u32) {
        (self.named, (self.fit() * 20.0).round() as u32)
    }

    /// The better the larger.
    fn merit(
        &self,
        nose: Option<u8>,
    ) -> (
        bool,
        u32,
        Reverse<usize>,
        bool,
        Reverse<usize>,
        usize,
        Reverse<usize>,
    ) {
        let (named, fit) = self.standing();
        (
            named,
            fit,
            Reverse(self.wrapped.min(1)),
            nose == Some(self.dialect.separator),
            Reverse(self.bad + self.odd),
            self.width,
            Reverse(self.rank),
        )
    }

    fn found(&self, sample: &[u8], marked: usize) -> Found {
        let columns = self.width - self.trailing.min(self.width);
        let mut header = self.fields(sample, self.header);
        header.truncate(columns);
        let text = |name: &Vec<u8>| Arc::from(String::from_utf8_lossy(name).trim());
        let numbered = || (1..=columns).map(|i| Arc::from(format!("column_{i}")));
        let named = self.named || !header.iter().any(|name| is_figure(name));
        let names = match named {
            true => header.iter().map(text).collect(),
            false => numbered().collect(),
        };
        let first = self.header + usize::from(named);
        let (start, line) = match self.rows.get(first) {
            Some(row) => (row.start, row.line),
            // The header alone: what follows it begins where it ends.
            None => {
                let last = self.rows.last().map_or(marked, |row| row.start);
                let mut fields = Fields::default();
                match record::read(sample, last, true, &self.dialect, &mut fields) {
                    Row::Sound { end, lines } => {
                        (end, self.rows.last().map_or(1, |r| r.line) + lines)
                    }
                    _ => (sample.len(), 1),
                }
            }
        };
        Found {
            dialect: self.dialect,
            names,
            header: if named { header } else { vec![] },
            named,
            width: self.width,
            preamble: self.preamble,
            start,
            line,
            figures: self.figures.clone(),
        }
    }
}

/// Whether a row behind a blank line is the header of another table: a name wherever the first had figures.
pub(super) fn another_header<F: AsRef<[u8]>>(fields: &[F], figures: &[bool]) -> bool {
    let name = |field: &[u8]| !is_figure(field) && !field.trim_ascii().is_empty();
    let all = fields
        .iter()
        .all(|f| f.as_ref().iter().any(|b| !b.is_ascii_whitespace()));
    let mut columns = fields
        .iter()
        .zip(figures)
        .filter(|(_, figures)| **figures)
        .peekable();
    all && columns.peek().is_some() && columns.all(|(field, _)| name(field.as_ref()))
}
