//! NDJSON, and JSON arrays of objects.
//!
//! These are read by `serde_json` and not by Polars: Polars' JSON reader guesses one type a column
//! from the first rows and then turns what does not fit into null or text without a word, takes the
//! last of two equal names in an object, and gives no line numbers. Figures must be exact.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::StringViewBuilder;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::cell;
use super::clean::Context;
use super::columns::{Layout, Role};
use super::error::IngestError;
use super::reject::{Lines, Reason, Reject};
use super::stream::{Body, Chunk, Cutter};
use super::table::{Column, Table};

/// Below this a number written with a point or exponent is read exactly if it is whole (2^39).
const EXACT: f64 = 549_755_813_888.0;

/// How many rows are looked at for one that is an object.
const LOOKED_AT: usize = 10_000;

/// The names in the first row that is an object, which decide what the file gives. The chunks read
/// on the way are kept.
pub(super) fn first_names(
    name: &str,
    cutter: &mut dyn Cutter,
    read: &mut Vec<Chunk>,
) -> Result<Vec<Arc<str>>, IngestError> {
    let mut looked_at = 0;
    while looked_at < LOOKED_AT
        && let Some(chunk) = cutter.next()?
    {
        if let Body::Json { bytes, rows } = &chunk.body {
            for (start, end) in rows.iter().take(LOOKED_AT - looked_at) {
                if let Some(names) = names(&bytes[*start..*end]) {
                    read.push(chunk);
                    return Ok(names);
                }
            }
            looked_at += rows.len();
        }
        read.push(chunk);
    }
    if looked_at == 0 {
        return Err(IngestError::Empty {
            name: name.to_owned(),
        });
    }
    let detail = format!(
        "no object among its first {} rows",
        looked_at.min(LOOKED_AT)
    );
    Err(IngestError::Corrupt {
        name: name.to_owned(),
        format: "JSON",
        detail,
    })
}

fn names(row: &[u8]) -> Option<Vec<Arc<str>>> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(row).ok()?;
    (!object.is_empty()).then(|| object.keys().map(|name| Arc::from(name.as_str())).collect())
}

/// The names met so far in a file, and what they give. Shared by the workers, so that two names for
/// one thing are found however far apart they stand.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<Arc<str>, Role>>);

impl Known {
    fn role(&self, name: &str, layout: &Layout) -> Result<(Arc<str>, Role), IngestError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, role)) = known.get_key_value(name) {
            return Ok((name.clone(), *role));
        }
        let role = layout.role(name)?;
        if let Some((first, _)) = known
            .iter()
            .find(|(_, other)| role != Role::Ignored && **other == role)
        {
            return Err(layout.twice(first, name, role));
        }
        let name: Arc<str> = Arc::from(name);
        known.insert(name.clone(), role);
        Ok((name, role))
    }
}

/// Reads the rows of a chunk.
pub(super) fn parse(
    bytes: &[u8],
    rows: &[(usize, usize)],
    lines: &Lines,
    known: &Known,
    context: &Context,
) -> Result<Table, IngestError> {
    let mut fields = Fields {
        list: vec![],
        numbers: HashMap::new(),
        next: 0,
        rows: 0,
        known,
        layout: &context.layout,
        fault: None,
        error: None,
    };
    let mut kept = Lines::default();
    let mut rejects: Vec<Reject> = vec![];
    for (row, (start, end)) in rows.iter().enumerate() {
        let line = lines.of(row as u32);
        let mut reader = serde_json::Deserializer::from_slice(&bytes[*start..*end]);
        let read = Object(&mut fields)
            .deserialize(&mut reader)
            .and_then(|()| reader.end());
        if let Some(error) = fields.error.take() {
            return Err(error);
        }
        let fault = match (fields.fault.take(), read) {
            (Some(fault), _) => Some(fault),
            (None, Err(_)) => Some((Reason::NotAnObject, Arc::from(""))),
            (None, Ok(())) => None,
        };
        match fault {
            Some((reason, column)) => rejects.push(reason.reject(line, &column)),
            None => {
                fields.commit();
                kept.push(line);
            }
        }
        fields.clear();
    }
    let rows = fields.rows;
    let names: Vec<Arc<str>> = fields.list.iter().map(|field| field.name.clone()).collect();
    let columns = fields
        .list
        .into_iter()
        .map(|mut field| Column::Text(field.column.finish()))
        .collect();
    let slots = context.layout.slots(&names)?;
    Ok(Table {
        columns,
        slots,
        rows,
        lines: kept,
        rejects,
    })
}

/// One name and its values so far.
struct Field {
    name: Arc<str>,
    role: Role,
    column: StringViewBuilder,
    /// The value in the row being read.
    text: String,
    given: bool,
    null: bool,
}

struct Fields<'a> {
    list: Vec<Field>,
    numbers: HashMap<Box<str>, usize>,
    /// Where the next name stands if the row has its names in the order of the first.
    next: usize,
    rows: usize,
    known: &'a Known,
    layout: &'a Layout,
    fault: Option<(Reason, Arc<str>)>,
    error: Option<IngestError>,
}

impl Fields<'_> {
    /// The number of a name's column, new or not.
    #[inline]
    fn number(&mut self, name: &str) -> Option<usize> {
        let number = match self.list.get(self.next) {
            Some(field) if *field.name == *name => self.next,
            _ => self.look_up(name)?,
        };
        self.next = number + 1;
        Some(number)
    }

    fn look_up(&mut self, name: &str) -> Option<usize> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        match self.known.role(name, self.layout) {
            Ok((name, role)) => {
                let mut column = StringViewBuilder::new();
                (0..self.rows).for_each(|_| column.append_null());
                self.numbers.insert(name.as_ref().into(), self.list.len());
                self.list.push(Field {
                    name,
                    role,
                    column,
                    text: String::new(),
                    given: false,
                    null: true,
                });
                Some(self.list.len() - 1)
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    fn commit(&mut self) {
        self.rows += 1;
        for field in &mut self.list {
            if field.null {
                field.column.append_null()
            } else {
                field.column.append_value(&field.text)
            }
        }
    }

    fn clear(&mut self) {
        self.next = 0;
        for field in &mut self.list {
            (field.given, field.null) = (false, true);
            field.text.clear();
        }
    }
}

/// Reads one object into the fields.
struct Object<'a, 'b>(&'a mut Fields<'b>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        use serde::de::Error;
        let stop = || M::Error::custom("stopped");
        while let Some(number) = map.next_key_seed(Key(self.0))? {
            let number = number.ok_or_else(stop)?;
            let field = &mut self.0.list[number];
            if std::mem::replace(&mut field.given, true) {
                self.0.fault = Some((Reason::KeyTwice, field.name.clone()));
                return Err(stop());
            }
            if field.role == Role::Ignored {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let taken = map.next_value_seed(Value(field))?;
            if !taken && self.0.fault.is_none() {
                self.0.fault = Some((Reason::NotAScalar, self.0.list[number].name.clone()));
            }
        }
        Ok(())
    }
}

struct Key<'a, 'b>(&'a mut Fields<'b>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.number(name))
    }
}

/// Reads one value as text; says whether it is one that is taken.
struct Value<'a>(&'a mut Field);

impl Value<'_> {
    fn set(self, text: &str) -> bool {
        self.0.null = false;
        self.0.text.push_str(text);
        true
    }

    fn whole(self, number: impl itoa::Integer) -> bool {
        self.set(itoa::Buffer::new().format(number))
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(self.set(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<bool, E> {
        Ok(self.whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<bool, E> {
        Ok(self.whole(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<bool, E> {
        // A float of a text may be off in its last place: only where that can't reach a whole number
        // is it taken for one.
        let exact = if number.abs() < EXACT {
            number
        } else {
            f64::NAN
        };
        match cell::from_float(exact) {
            // Its own text, which no reader of counts or days takes.
            cell::NOT_WHOLE => Ok(self.set(&format!("{number:?}"))),
            whole => Ok(self.whole(whole)),
        }
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<bool, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}
