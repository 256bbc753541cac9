//! Walks over an export as it is parsed: chats and their messages, and of those the fields that are read.

use std::fmt;

use chrono_tz::Tz;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{LOT, Sink};
use crate::ingest::moment::When;
use crate::ingest::reject::Reason;

/// The fields of a message that are read.
#[derive(Default)]
pub(super) struct Message {
    pub kind: Scalar,
    pub date: Scalar,
    pub unixtime: Scalar,
    pub from: Scalar,
}

/// A value of a field that is read.
#[derive(Default)]
pub(super) enum Scalar {
    /// Absent or null.
    #[default]
    None,
    Text(String),
    Number(i64),
    Other,
}

impl Scalar {
    pub(super) fn when(&self, zone: Tz) -> Result<When, Reason> {
        match self {
            Scalar::None => Err(Reason::NoDay),
            Scalar::Text(text) => When::read(text, zone),
            Scalar::Number(number) => When::epoch(*number, zone),
            Scalar::Other => Err(Reason::NotADay),
        }
    }
}

/// Where in the document a value stands.
#[derive(Clone, Copy)]
pub(super) enum Level {
    /// The export, a chat, or an object with a list of chats.
    Holder,
    Chats,
    Messages,
    Message,
}

/// Reads a value at a level.
pub(super) struct Within<'a, 'b> {
    pub level: Level,
    pub sink: &'a mut Sink<'b>,
}

impl<'de> DeserializeSeed<'de> for Within<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("chats and messages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let line = self.sink.line.get();
        let mut message = Message::default();
        while let Some(key) = map.next_key::<String>()? {
            let level = match (self.level, key.as_str()) {
                (Level::Holder, "messages") => Level::Messages,
                (Level::Holder, "chats" | "left_chats") => Level::Holder,
                (Level::Holder, "list") => Level::Chats,
                (Level::Message, "type" | "date" | "date_unixtime" | "from_id") => {
                    let value = map.next_value_seed(Field)?;
                    match key.as_str() {
                        "type" => message.kind = value,
                        "date" => message.date = value,
                        "date_unixtime" => message.unixtime = value,
                        _ => message.from = value,
                    }
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let sink = &mut *self.sink;
            map.next_value_seed(Within { level, sink })?;
        }
        match self.level {
            Level::Message => self.sink.message(line, &message),
            Level::Holder => {}
            Level::Chats | Level::Messages => {
                self.sink
                    .reject(line, "", "an object where a list is expected")
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let level = match self.level {
            Level::Chats => Level::Holder,
            Level::Messages => Level::Message,
            Level::Holder | Level::Message => {
                let line = self.sink.line.get();
                self.sink
                    .reject(line, "", "a list where an object is expected");
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        loop {
            let sink = &mut *self.sink;
            if list.next_element_seed(Within { level, sink })?.is_none() {
                return Ok(());
            }
            if self.sink.found.len() >= LOT && self.sink.hand_over().is_err() {
                return Err(A::Error::custom("nobody waits for more"));
            }
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }
}

impl Within<'_, '_> {
    fn scalar<E>(self) -> Result<(), E> {
        let line = self.sink.line.get();
        self.sink.reject(line, "", "neither a chat nor a message");
        Ok(())
    }
}

/// Reads a field of a message.
struct Field;

/// The longest text of a field that is kept: a sender's id has 256 bytes at most.
const LONGEST: usize = 300;

impl<'de> DeserializeSeed<'de> for Field {
    type Value = Scalar;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Scalar, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(match text.len() {
            0 => Scalar::None,
            1..=LONGEST => Scalar::Text(text.to_owned()),
            _ => Scalar::Other,
        })
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
