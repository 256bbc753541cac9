//! One line of a collector, of which only the keys that are figures are read.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::{KEYS, MOMENTS, Said};
use crate::ingest::cell;
use crate::ingest::exports::documents::NotJson;

/// What is looked at in a report: building all of it would take most of the time.
#[derive(Default)]
pub(super) struct Fields {
    /// Its `homeserver`, where that is a text.
    pub server: Option<String>,
    pub moments: [Value; MOMENTS.len()],
    pub said: [Said; KEYS.len()],
}

/// One line of a collector.
pub(super) enum Given {
    Report(Box<Fields>),
    /// JSON that is no object.
    Other,
}

/// Reads a line of a collector.
pub(super) fn read(bytes: &[u8]) -> Result<Given, NotJson> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotJson)?;
    serde_json::from_str(text).map_err(|_| NotJson)
}

/// What stands under a key.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Server,
    Moment(usize),
    Count(usize),
    Other,
}

/// The keys that are looked at, by name: Synapse sorts them.
pub(super) static LOOKED_AT: LazyLock<Vec<(&str, Key)>> = LazyLock::new(|| {
    let moments = (0..).map(Key::Moment).zip(MOMENTS);
    let counts = (0..).map(Key::Count).zip(KEYS);
    let all = moments.chain(counts).chain([(Key::Server, "homeserver")]);
    let mut all: Vec<(&str, Key)> = all.map(|(key, name)| (name, key)).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    all
});

/// Reads a key. It is looked for first where the next one stands in a report that is sorted.
struct Next<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for Next<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Next<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        let known = LOOKED_AT.as_slice();
        let place = match known.get(*self.0) {
            Some((next, _)) if *next == name => *self.0,
            _ => match known.binary_search_by_key(&name, |(known, _)| *known) {
                Ok(place) => place,
                Err(_) => return Ok(Key::Other),
            },
        };
        *self.0 = place + 1;
        Ok(known[place].1)
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Line)
    }
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a report")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Given, M::Error> {
        let (mut fields, mut next) = (Box::<Fields>::default(), 0);
        // Of a key that comes twice the last counts.
        while let Some(key) = map.next_key_seed(Next(&mut next))? {
            match key {
                Key::Other => _ = map.next_value::<IgnoredAny>()?,
                Key::Server => {
                    let value = map.next_value::<Value>()?;
                    fields.server = value.as_str().map(str::to_owned);
                }
                Key::Moment(place) => fields.moments[place] = map.next_value()?,
                Key::Count(place) => fields.said[place] = count(&map.next_value()?),
            }
        }
        Ok(Given::Report(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Given::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Other)
    }
}

/// What a JSON value says as a count.
fn count(value: &Value) -> Said {
    let number = match value {
        Value::Null => return None,
        Value::Number(number) => number.as_i64().map_or_else(
            || number.as_f64().map_or(cell::NOT_WHOLE, cell::from_float),
            |whole| whole.max(-i64::MAX),
        ),
        _ => cell::NOT_WHOLE,
    };
    cell::whole(number).transpose()
}
