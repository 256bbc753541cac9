//! The bytes of an export, of which Telegram Desktop writes control characters as no JSON has them.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::ingest::sniff::Bytes;

/// The bytes of an export with each `\x1f` written as JSON has it, `\u001f`; counts lines as they are parsed.
pub(super) struct Mended {
    bytes: Bytes,
    buffer: Vec<u8>,
    at: usize,
    /// Whether a backslash was read and not given.
    escape: bool,
    /// What is given before more is read, from its end.
    pending: Vec<u8>,
    line: Rc<Cell<u64>>,
}

impl Mended {
    pub(super) fn new(bytes: Bytes, line: Rc<Cell<u64>>) -> Self {
        Mended {
            bytes,
            buffer: vec![],
            at: 0,
            escape: false,
            pending: vec![],
            line,
        }
    }

    fn raw(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.buffer.len() {
            self.buffer.resize(1 << 16, 0);
            self.at = self.buffer.len();
            let read = self.bytes.read(&mut self.buffer)?;
            self.buffer.truncate(read);
            self.at = 0;
        }
        let byte = self.buffer.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.pending.pop() {
            return Ok(Some(byte));
        }
        let byte = self.raw()?;
        match byte {
            Some(b'\\') if !self.escape => {
                self.escape = true;
                self.next()
            }
            _ if self.escape => {
                self.escape = false;
                match byte {
                    Some(b'x') => self.pending.extend_from_slice(b"00u"),
                    byte => self.pending.extend(byte),
                }
                Ok(Some(b'\\'))
            }
            byte => Ok(byte),
        }
    }
}

impl Read for Mended {
    /// Gives a byte at a time, so that lines are counted where they are parsed and not before.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(place) = buffer.first_mut() else {
            return Ok(0);
        };
        let Some(byte) = self.next()? else {
            return Ok(0);
        };
        if byte == b'\n' {
            self.line.set(self.line.get() + 1);
        }
        *place = byte;
        Ok(1)
    }
}
