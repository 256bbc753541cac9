//! The elements of an array inside a large JSON object, one at a time: `{"analytics_usercount": [{...}, ...], ...}`.
//!
//! serde_json hands elements on as it meets them, a reader is asked for rows; so the file is decoded by a thread of its
//! own, which waits until what it has decoded is taken.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::Opening;
use super::bounded::{Bounded, Progress};
use crate::ingest::error::IngestError;
use crate::ingest::sniff::Bytes;

/// How many elements go from thread to thread together.
const BATCH: usize = 1024;

/// An element: the line that it begins on, and its fields where it is an object.
pub(super) type Element = (u64, Option<Map<String, Value>>);

/// What the decoding thread sends.
enum Batch {
    More(Vec<Element>),
    Last(Vec<Element>),
    Broken(String),
}

/// Elements one after the other.
pub(super) struct Nested {
    name: String,
    batches: Receiver<Batch>,
    waiting: std::vec::IntoIter<Element>,
    ended: bool,
}

impl Nested {
    /// Begins to decode the elements of the array of this name in the outermost object.
    pub(super) fn open(opening: Opening, array: &'static str) -> Result<Self, IngestError> {
        let (send, batches) = sync_channel(2);
        let bytes = opening.bytes;
        let decode = move || {
            if let Err(error) = Decoder::new(array, send.clone()).run(bytes) {
                // Nobody waits any more where the reading has ended.
                _ = send.send(Batch::Broken(error));
            }
        };
        let started = thread::Builder::new().spawn(decode);
        started.map_err(|source| IngestError::Read {
            name: opening.name.to_owned(),
            source,
        })?;
        Ok(Nested {
            name: opening.name.to_owned(),
            batches,
            waiting: vec![].into_iter(),
            ended: false,
        })
    }

    /// The next element; none where there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Element>, IngestError> {
        loop {
            if let Some(element) = self.waiting.next() {
                return Ok(Some(element));
            }
            if self.ended {
                return Ok(None);
            }
            match self.batches.recv() {
                Ok(Batch::More(batch)) => self.waiting = batch.into_iter(),
                Ok(Batch::Last(batch)) => {
                    self.waiting = batch.into_iter();
                    self.ended = true;
                }
                Ok(Batch::Broken(detail)) => {
                    return Err(IngestError::Corrupt {
                        name: self.name.clone(),
                        format: "JSON",
                        detail,
                    });
                }
                // What was decoded so far must not pass for all.
                Err(_) => {
                    return Err(IngestError::Internal {
                        name: self.name.clone(),
                        detail: "the decoding thread ended early".to_owned(),
                    });
                }
            }
        }
    }
}

struct Decoder {
    array: &'static str,
    progress: Progress,
    send: SyncSender<Batch>,
    batch: Vec<Element>,
}

impl Decoder {
    fn new(array: &'static str, send: SyncSender<Batch>) -> Self {
        Decoder {
            array,
            progress: Progress::default(),
            send,
            batch: vec![],
        }
    }

    /// Decodes all; an error says where and not what.
    fn run(mut self, bytes: Bytes) -> Result<(), String> {
        let mut bytes = Bounded::buffered(bytes, &self.progress);
        bytes.skip_mark().map_err(|e| e.to_string())?;
        let mut decoder = serde_json::Deserializer::from_reader(bytes);
        let place = |e: serde_json::Error| {
            format!(
                "it can't be decoded at line {}, byte {}",
                e.line(),
                e.column()
            )
        };
        decoder.deserialize_map(Outer(&mut self)).map_err(place)?;
        decoder.end().map_err(place)?;
        _ = self.send.send(Batch::Last(self.batch));
        Ok(())
    }

    /// Whether somebody still waits.
    fn add(&mut self, element: Element) -> bool {
        self.batch.push(element);
        self.batch.len() < BATCH
            || self
                .send
                .send(Batch::More(std::mem::take(&mut self.batch)))
                .is_ok()
    }
}

/// The outermost object.
struct Outer<'a>(&'a mut Decoder);

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.0.progress.row();
            map.next_value_seed(Table {
                taken: name == self.0.array,
                decoder: &mut *self.0,
            })?;
        }
        Ok(())
    }
}

/// One array, taken or passed by element by element.
struct Table<'a> {
    decoder: &'a mut Decoder,
    taken: bool,
}

impl<'de> DeserializeSeed<'de> for Table<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, decoder: D) -> Result<(), D::Error> {
        decoder.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Table<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            self.decoder.progress.row();
            if !self.taken {
                match seq.next_element::<IgnoredAny>()? {
                    Some(_) => continue,
                    None => return Ok(()),
                }
            }
            let line = self.decoder.progress.clone();
            let Some(element) = seq.next_element_seed(Fields(line))? else {
                return Ok(());
            };
            if !self.decoder.add(element) {
                return Err(serde::de::Error::custom("nobody waits"));
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        IgnoredAny.visit_map(map).map(|_| ())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// One element: its line is that of its opening bracket.
struct Fields(Progress);

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Element;

    fn deserialize<D: Deserializer<'de>>(self, decoder: D) -> Result<Element, D::Error> {
        decoder.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
        let line = self.0.line();
        let fields = Map::deserialize(MapAccessDeserializer::new(map))?;
        Ok((line, Some(fields)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Element, A::Error> {
        let line = self.0.line();
        IgnoredAny.visit_seq(seq).map(|_| (line, None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }

    fn visit_unit<E>(self) -> Result<Element, E> {
        Ok((self.0.line(), None))
    }
}
