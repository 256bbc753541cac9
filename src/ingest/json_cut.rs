//! Where the rows of NDJSON and of a JSON array begin and end.

use super::error::IngestError;
use super::reject::Lines;
use super::sniff::MARK;
use super::stream::{Body, Chunk, Cutter, Source};

/// Cuts NDJSON: a row a line.
pub(super) struct ByLine {
    pub source: Source,
}

impl Cutter for ByLine {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        let source = &mut self.source;
        let mut buffer = source.buffer(&[]);
        let end = loop {
            source.fill(&mut buffer)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            match memchr::memrchr(b'\n', &buffer) {
                Some(feed) => break feed + 1,
                None => source.bounded(buffer.len())?,
            }
        };
        source.leave(&mut buffer, end);
        let (mut rows, mut lines) = (vec![], Lines::default());
        let mut from = 0;
        for feed in memchr::memchr_iter(b'\n', &buffer) {
            let start = if source.line == 1 && buffer.starts_with(MARK) {
                from + MARK.len()
            } else {
                from
            };
            if buffer
                .get(start..feed)
                .is_some_and(|row| !row.iter().all(u8::is_ascii_whitespace))
            {
                source.bounded(feed - start)?;
                rows.push((start, feed));
                lines.push(source.line);
            }
            source.line += 1;
            from = feed + 1;
        }
        Ok(Some(Chunk {
            body: Body::Json {
                bytes: buffer,
                rows,
            },
            lines,
            rejects: vec![],
        }))
    }
}

/// Cuts a JSON array: a row an element.
pub(super) struct ByElement {
    source: Source,
    begun: bool,
    done: bool,
    /// Whether a comma was read last, so that an element must follow.
    owed: bool,
}

impl ByElement {
    pub(super) fn new(source: Source) -> Self {
        ByElement {
            source,
            begun: false,
            done: false,
            owed: false,
        }
    }

    fn corrupt(&self, detail: &str) -> IngestError {
        let detail = format!("{detail} at line {}", self.source.line);
        IngestError::Corrupt {
            name: self.source.name.clone(),
            format: "JSON",
            detail,
        }
    }

    /// Skips white space, counting lines.
    fn skip(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(byte) = bytes.get(at).filter(|b| b.is_ascii_whitespace()) {
            self.source.line += u64::from(*byte == b'\n');
            at += 1;
        }
        at
    }

    /// Finds the elements that end within `bytes`; gives the start of what is left.
    fn elements(
        &mut self,
        bytes: &[u8],
        rows: &mut Vec<(usize, usize)>,
        lines: &mut Lines,
    ) -> Result<usize, IngestError> {
        let mut at = if !self.begun && bytes.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        loop {
            at = self.skip(bytes, at);
            match bytes.get(at) {
                None => return Ok(at),
                Some(_) if self.done => return Err(self.corrupt("text behind the closing bracket")),
                Some(b'[') if !self.begun => {
                    self.begun = true;
                    at += 1;
                    continue;
                }
                Some(_) if !self.begun => return Err(self.corrupt("no opening bracket")),
                Some(b']') if !self.owed => {
                    self.done = true;
                    at += 1;
                    continue;
                }
                Some(b']' | b',') => return Err(self.corrupt("a comma without an element")),
                Some(_) => {}
            }
            let Some(end) = element(bytes, at) else {
                return Ok(at);
            };
            self.owed = bytes[end] == b',';
            self.done = !self.owed;
            rows.push((at, end));
            lines.push(self.source.line);
            self.source.line += memchr::memchr_iter(b'\n', &bytes[at..end]).count() as u64;
            at = end + 1;
        }
    }
}

impl Cutter for ByElement {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        let mut buffer = self.source.buffer(&[]);
        let (mut rows, mut lines) = (vec![], Lines::default());
        loop {
            self.source.fill(&mut buffer)?;
            let end = self.elements(&buffer, &mut rows, &mut lines)?;
            if rows.is_empty() && !self.source.ended {
                self.source.bounded(buffer.len() - end)?;
                // What was skipped must not be skipped, and its lines counted, again.
                buffer.drain(..end);
                continue;
            }
            if self.source.ended && (!self.done || end < buffer.len()) {
                return Err(self.corrupt("the array is never closed"));
            }
            self.source.leave(&mut buffer, end);
            if rows.is_empty() {
                return Ok(None);
            }
            return Ok(Some(Chunk {
                body: Body::Json {
                    bytes: buffer,
                    rows,
                },
                lines,
                rejects: vec![],
            }));
        }
    }
}

/// The comma or bracket behind the element that starts at `start`.
fn element(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)?,
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
}

/// The quote that closes a string.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
