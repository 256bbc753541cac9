//! Which encoding a text is in, and its bytes decoded to UTF-8 while they are read.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::ingest::error::IngestError;
use crate::ingest::sniff::Bytes;

/// Stands in decoded text for bytes that are no text in the file's encoding: never UTF-8, so that the
/// row they stand in is rejected where all rows are checked.
const UNDECODED: u8 = 0xff;

/// The encoding of a text, by the name that the WHATWG gives it.
pub(crate) type Found = &'static Encoding;

/// The encoding that essor.toml names.
pub(crate) fn named(label: &str) -> Option<Found> {
    Encoding::for_label(label.trim().as_bytes())
}

/// The encoding of a text that begins so; `whole` says that there is no more of it.
pub(crate) fn find(
    file: &str,
    sample: &[u8],
    whole: bool,
    declared: Option<&str>,
) -> Result<Found, IngestError> {
    if let Some(label) = declared {
        return named(label).ok_or_else(|| IngestError::Declared {
            name: file.to_owned(),
            key: "encoding",
            value: format!("\"{label}\""),
            detail: "there is no such encoding; write one such as `windows-1252` or `utf-16le`"
                .to_owned(),
        });
    }
    // UTF-32 begins as UTF-16 does, with two more zeros.
    if !sample.starts_with(&[0xff, 0xfe, 0, 0])
        && let Some((found, _)) = Encoding::for_bom(sample)
    {
        return Ok(found);
    }
    if let Some(found) = of_zeros(sample) {
        return Ok(found);
    }
    let (sequences, faults) = tally(sample, whole);
    // One slip in a text full of sound UTF-8 is a slip: its row is rejected.
    if faults == 0 || sequences > faults {
        return Ok(UTF_8);
    }
    if sequences * 10 > faults {
        return Err(IngestError::Undecided {
            name: file.to_owned(),
            what: "its encoding".to_owned(),
            detail: "some of it is UTF-8 and some is not".to_owned(),
            advice: "encoding = \"utf-8\"` or `encoding = \"windows-1252\"".to_owned(),
        });
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(sample, whole);
    Ok(detector.guess(None, chardetng::Utf8Detection::Deny))
}

/// UTF-16 without a mark: ASCII in it has a zero in every other byte.
fn of_zeros(sample: &[u8]) -> Option<Found> {
    let head = sample.get(..sample.len().min(1024) & !1)?;
    let pairs = head.len() / 2;
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|b| **b == 0);
    let (even, odd) = (zeros(0).count(), zeros(1).count());
    match (even * 2 > pairs, odd * 2 > pairs) {
        (true, false) if odd == 0 => Some(UTF_16BE),
        (false, true) if even == 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// How many characters beyond ASCII are sound UTF-8, and how many bytes are none.
fn tally(sample: &[u8], whole: bool) -> (usize, usize) {
    let (mut sequences, mut faults, mut rest) = (0, 0, sample);
    loop {
        let (sound, next) = match std::str::from_utf8(rest) {
            Ok(sound) => (sound, None),
            Err(error) => {
                let (sound, bad) = rest.split_at(error.valid_up_to());
                let next = match error.error_len() {
                    Some(length) => Some(&bad[length..]),
                    // A character that the end of the sample cuts in two is no fault.
                    None if !whole => None,
                    None => Some(&bad[bad.len()..]),
                };
                faults += usize::from(next.is_some());
                (std::str::from_utf8(sound).unwrap_or(""), next)
            }
        };
        if !sound.is_ascii() {
            sequences += sound.chars().filter(|c| !c.is_ascii()).count();
        }
        match next {
            Some(next) => rest = next,
            None => return (sequences, faults),
        }
    }
}

/// The text of bytes in some encoding, as UTF-8.
pub(crate) fn decoded(bytes: Bytes, encoding: Found) -> Bytes {
    Box::new(Decoded {
        bytes,
        decoder: encoding.new_decoder_with_bom_removal(),
        raw: vec![],
        text: vec![],
        at: 0,
        ended: false,
    })
}

struct Decoded {
    bytes: Bytes,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    ended: bool,
}

/// How many bytes are decoded at a time.
const STRETCH: usize = 1 << 16;

impl Decoded {
    /// Decodes the next bytes of the file.
    fn decode(&mut self) -> io::Result<()> {
        self.raw.clear();
        let wanted = STRETCH as u64;
        let read = self
            .bytes
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.raw)?;
        self.ended = read < STRETCH;
        self.text.clear();
        self.at = 0;
        let mut from = 0;
        let mut room = [0u8; 4096];
        loop {
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[from..],
                &mut room,
                self.ended,
            );
            from += read;
            self.text.extend_from_slice(&room[..written]);
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.text.push(UNDECODED),
            }
        }
        // Bytes that an encoding leaves open become control characters (U+0080 to U+009F), which no
        // text holds.
        let mut pairs = 0;
        while let Some(found) = memchr::memchr(0xc2, &self.text[pairs..]) {
            pairs += found + 1;
            if let Some(byte) = self.text.get_mut(pairs).filter(|b| **b < 0xa0) {
                *byte = UNDECODED;
            }
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() && !self.ended {
            self.decode()?;
        }
        let rest = &self.text[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: Found) -> Vec<u8> {
        let mut text = vec![];
        let bytes: Bytes = Box::new(io::Cursor::new(bytes.to_vec()));
        decoded(bytes, encoding).read_to_end(&mut text).unwrap();
        text
    }

    fn found(bytes: &[u8]) -> &'static str {
        find("f", bytes, true, None).unwrap().name()
    }

    #[test]
    fn marks_zeros_and_sound_utf8_tell_the_encoding() {
        assert_eq!(found(b"day,users\n"), "UTF-8");
        assert_eq!(found("Zürich".as_bytes()), "UTF-8");
        assert_eq!(found(b"\xef\xbb\xbfday"), "UTF-8");
        assert_eq!(found(b"\xff\xfed\0a\0y\0"), "UTF-16LE");
        assert_eq!(found(b"\xfe\xff\0d\0a\0y"), "UTF-16BE");
        assert_eq!(found(b"d\0a\0y\0,\0"), "UTF-16LE");
        assert_eq!(found(b"\0d\0a\0y\0,"), "UTF-16BE");
        assert_eq!(
            found(b"stadt,tag\nM\xfcnchen,1\nK\xf6ln,2\nD\xfcsseldorf,3\n"),
            "windows-1252"
        );
        // One slip among sound characters costs its row only.
        assert_eq!(found(b"\xc3\xbc \xc3\xbc \xff"), "UTF-8");
        assert!(find("f", b"\xc3\xbc \xff", true, None).is_err());
        // A character cut in two by the end of the sample is no slip; at the end of the file it is.
        assert_eq!(tally(b"\xc3\xbc\xc3", false), (1, 0));
        assert_eq!(tally(b"\xc3\xbc\xc3", true), (1, 1));
    }

    #[test]
    fn text_is_decoded_and_what_is_none_is_marked() {
        let latin = named("latin1").unwrap();
        assert_eq!(read(b"M\xfcnchen \x80", latin), "München €".as_bytes());
        // 0x81 is no character of Windows-1252.
        assert_eq!(read(b"a\x81b", latin), b"a\xc2\xffb");
        assert_eq!(read(b"\xff\xfed\0a\0", UTF_16LE), b"da");
        assert_eq!(read(b"\xfe\xff\0d\x20\xac", UTF_16BE), "d€".as_bytes());
        // Half of a pair, and a byte too many.
        assert_eq!(read(b"\x00\xd8a\0", UTF_16LE), b"\xffa");
        assert_eq!(read(b"a\0b", UTF_16LE), b"a\xff");
        let long: Vec<u8> = b"\xe9".repeat(200_000);
        assert_eq!(read(&long, latin), "é".repeat(200_000).as_bytes());
    }
}
