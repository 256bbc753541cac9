//! The first bytes of a file, as the formats look at them.

use std::cell::OnceCell;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::database::Database;
use crate::ingest::error::IngestError;
use crate::ingest::{Compression, Input, Origin, sniff};

/// How many bytes the formats are told by.
const LENGTH: usize = 64 << 10;

/// The first bytes of a file.
pub(crate) struct Head {
    /// The file's name, in lower case and without the folders before it.
    pub name: String,
    /// The first bytes, decompressed; less a byte order mark.
    pub bytes: Vec<u8>,
    /// Whether these are all.
    pub whole: bool,
    /// Where it lies, if on disk and not compressed.
    pub path: Option<PathBuf>,
    /// The database that it is, if it is SQLite's: what is in it is told by asking it.
    pub database: Option<Database>,
    first: OnceCell<Option<Value>>,
}

impl Head {
    /// Reads the first bytes of an input.
    pub(super) fn read(input: &Input) -> Result<Self, IngestError> {
        let (compression, bytes) = sniff::open(input)?;
        let (head, bytes) = sniff::peek(bytes, LENGTH + 1)
            .map_err(|source| crate::ingest::failed(&input.name, compression, source))?;
        let path = match (&input.origin, compression) {
            (Origin::Path(path), Compression::None) => Some(path.clone()),
            _ => None,
        };
        let mut head = Head {
            path,
            ..Self::of(&input.name, &head)
        };
        if Database::is_sqlite(&head) {
            let database = match &head.path {
                Some(path) => Database::sqlite(&input.name, path)?,
                None => Database::spooled(&input.name, None, bytes)?,
            };
            // One that is locked or broken says so here.
            database.all("SELECT count(*) FROM sqlite_master")?;
            head.database = Some(database);
        }
        Ok(head)
    }

    /// The head of bytes at hand.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Self {
        let whole = bytes.len() <= LENGTH;
        let bytes = &bytes[..bytes.len().min(LENGTH)];
        let file = name.rsplit('/').next().unwrap_or(name);
        Head {
            name: file.to_lowercase(),
            bytes: bytes.strip_prefix(sniff::MARK).unwrap_or(bytes).to_vec(),
            whole,
            path: None,
            database: None,
            first: OnceCell::new(),
        }
    }

    /// The text of the bytes, as far as it is UTF-8.
    pub(super) fn text(&self) -> &str {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&self.bytes[..error.valid_up_to()]).unwrap_or(""),
        }
    }

    /// The first line, without its end.
    pub(super) fn line(&self) -> &str {
        self.text().lines().next().unwrap_or("")
    }

    /// The first JSON value, if it ends within the head: all of a small document, or the first line of NDJSON.
    pub(super) fn json(&self) -> Option<&Value> {
        let first = || {
            let stream = serde_json::Deserializer::from_slice(&self.bytes).into_iter::<Value>();
            stream.into_iter().next()?.ok()
        };
        self.first.get_or_init(first).as_ref()
    }

    /// The first JSON object: the value itself, or the first of an array.
    pub(super) fn object(&self) -> Option<&Map<String, Value>> {
        match self.json()? {
            Value::Object(object) => Some(object),
            Value::Array(values) => values.first()?.as_object(),
            _ => None,
        }
    }

    /// The names of the outermost object, also where it goes on behind the head; none of what is no object.
    pub(super) fn keys(&self) -> Vec<String> {
        if let Some(Value::Object(object)) = self.json() {
            return object.keys().cloned().collect();
        }
        let (mut keys, mut depth, mut at) = (vec![], 0u32, 0);
        let text = self.bytes.as_slice();
        while let Some(byte) = text.get(at) {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let Some(end) = string_end(text, at) else {
                        break;
                    };
                    let next = text[end..].iter().find(|b| !b.is_ascii_whitespace());
                    if depth == 1 && next == Some(&b':') {
                        keys.extend(serde_json::from_slice::<String>(&text[at..end]).ok());
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{') => keys,
            _ => vec![],
        }
    }
}

/// Where a JSON string that begins at `at` ends, its quote included.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    loop {
        match text.get(end)? {
            b'\\' => end += 2,
            b'"' => return Some(end + 1),
            _ => end += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_an_object_that_goes_on_are_known() {
        let head = Head::of(
            "data/x.json",
            br#"{"about": "a \" {", "chats": {"list": [{"id": 1, "na"#,
        );
        assert_eq!(head.keys(), ["about", "chats"]);
        assert!(head.json().is_none());
        assert!(Head::of("x", b"[{\"a\": 1}]").keys().is_empty());
        assert_eq!(
            Head::of("x", b"{\"a\": 1}\n{\"b\"").object().unwrap()["a"],
            1
        );
    }
}
