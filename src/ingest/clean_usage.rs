//! Usage: one dense figure a row, from wide and long files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array};
use arrow::error::ArrowError;
use chrono_tz::Tz;

use super::clean::{self, Cleaned, Context, Fault, NO_MOMENT, Names, Place, Rows};
use super::columns::{Role, Shape};
use super::error::IngestError;
use super::moment::When;
use super::platforms;
use super::reject::Reason;
use super::table::{Memo, Table};
use super::{Options, cell};
use crate::metric::{self, Kind, METRICS};

/// Cleans a chunk of a usage file.
pub(super) fn clean(table: Table, context: &Context) -> Result<Cleaned, IngestError> {
    let mut reader = Reader::new(&table, context);
    let width = if context.layout.shape == Shape::Long {
        1
    } else {
        table.slots.measures.len()
    };
    let mut rows = Rows::with_capacity(table.rows * width);
    let mut rejects = vec![];
    for row in 0..table.rows {
        let before = rows.day.len();
        if let Err((role, reason)) = reader.row(row, &mut rows) {
            rows.truncate(before);
            rejects.push(reason.reject(table.lines.of(row as u32), &table.slots.name(role)));
        }
    }
    let places = reader.places.list();
    let columns = columns(&mut rows, &places, context).map_err(|e| context.internal(e))?;
    rows.finish(context, table, places, rejects, columns)
}

/// Reads rows of one chunk.
struct Reader<'a> {
    table: &'a Table,
    options: &'a Options,
    zone: Tz,
    shape: Shape,
    day: Option<usize>,
    metric: Option<usize>,
    /// The metric of every row, where essor.toml says it.
    said: Option<Result<u8, Reason>>,
    value: Option<usize>,
    days: Memo<Result<When, Reason>>,
    metrics: Memo<Result<u8, Reason>>,
    places: Places,
}

impl<'a> Reader<'a> {
    fn new(table: &'a Table, context: &'a Context) -> Self {
        let (slots, options) = (&table.slots, &context.options);
        Reader {
            table,
            options,
            zone: options.zone,
            shape: context.layout.shape,
            day: slots.column(Role::Day),
            metric: slots.column(Role::Metric),
            said: options.source.metric.as_deref().map(find),
            value: slots.column(Role::Value),
            days: Memo::new(Err(Reason::NoDay)),
            metrics: Memo::new(Err(Reason::NoMetric)),
            places: Places::new(table, options),
        }
    }

    /// Adds what one row of the file gives: nothing of it where any of it is bad.
    #[inline]
    fn row(&mut self, row: usize, rows: &mut Rows) -> Result<(), Fault> {
        let columns = &self.table.columns;
        let when = match self.day {
            Some(day) => {
                let column = &columns[day];
                self.days.short(column, row, || column.when(row, self.zone))
            }
            None => Err(Reason::NoDay),
        };
        let when = when.map_err(|reason| (Role::Day, reason))?;
        let place = self.places.of(self.table, row, self.options)?;
        if self.shape == Shape::Wide {
            for (column, metric) in &self.table.slots.measures {
                let value = columns[*column]
                    .count(row)
                    .map_err(|reason| (Role::Measure(*metric), reason))?;
                if let Some(value) = value {
                    push(rows, row, place, *metric, when, value)?;
                }
            }
            return Ok(());
        }
        let metric = match self.metric {
            _ if let Some(said) = self.said => said,
            Some(metric) => self
                .metrics
                .text(&columns[metric], row, find)
                .and_then(|found| found),
            None => Err(Reason::NoMetric),
        };
        let metric = metric.map_err(|reason| (Role::Metric, reason))?;
        let value = self
            .value
            .map_or(Ok(None), |value| columns[value].count(row));
        let value = value
            .and_then(|value| value.ok_or(Reason::NoValue))
            .map_err(|reason| (Role::Value, reason))?;
        push(rows, row, place, metric, when, value)
    }
}

/// The place in [`METRICS`] of a metric that a long file names.
fn find(name: &str) -> Result<u8, Reason> {
    if cell::trim(name).is_empty() {
        return Err(Reason::NoMetric);
    }
    let metric = metric::find(name).map_err(|_| Reason::NotAMetric)?;
    let place = METRICS.iter().position(|m| m.name == metric.name);
    place
        .and_then(|place| u8::try_from(place).ok())
        .ok_or(Reason::NotAMetric)
}

#[inline]
fn push(
    rows: &mut Rows,
    row: usize,
    place: u32,
    metric: u8,
    when: When,
    value: i64,
) -> Result<(), Fault> {
    let at = match when.at {
        None => NO_MOMENT,
        Some(at) if matches!(METRICS[usize::from(metric)].kind, Kind::Flow | Kind::Level) => at,
        // Many programs write a day as its midnight.
        Some(_) if when.midnight => NO_MOMENT,
        Some(_) => return Err((Role::Day, Reason::MomentOfDistinct)),
    };
    rows.row.push(row as u32);
    rows.place.push(place);
    rows.metric.push(metric);
    rows.day.push(when.day);
    rows.at.push(at);
    rows.value.push(value);
    Ok(())
}

/// The places of a chunk, numbered.
struct Places {
    platforms: Names,
    servers: Names,
    dimensions: Names,
    values: Names,
    numbers: HashMap<[u32; 4], u32>,
    keys: Vec<[u32; 4]>,
    recent: Vec<([u32; 4], u32)>,
}

impl Places {
    const SLOTS: usize = 1 << 10;

    fn new(table: &Table, options: &Options) -> Self {
        let names = |role, fixed: &str| Names::new(table.slots.column(role), fixed);
        let platform = options.source.platform.as_deref().unwrap_or("");
        let platform = platforms::canonical(platform, options).unwrap_or("");
        let server = options.source.server.as_deref().unwrap_or("").trim();
        Places {
            platforms: names(Role::Platform, platform),
            servers: names(Role::Server, server),
            dimensions: names(
                Role::Dimension,
                options.source.dimension.as_deref().unwrap_or(""),
            ),
            values: names(Role::DimensionValue, ""),
            numbers: HashMap::new(),
            keys: vec![],
            recent: vec![([u32::MAX; 4], 0); Self::SLOTS],
        }
    }

    #[inline]
    fn of(&mut self, table: &Table, row: usize, options: &Options) -> Result<u32, Fault> {
        let columns = &table.columns;
        let platform = self
            .platforms
            .of(columns, row, |text| {
                platforms::canonical(text, options).map(|name| Cow::Owned(name.to_owned()))
            })
            .map_err(|reason| (Role::Platform, reason))?;
        let plain = |text: &str| cell::name(text).map(|name| Cow::Owned(name.to_owned()));
        let server = self
            .servers
            .of(columns, row, plain)
            .map_err(|reason| (Role::Server, reason))?;
        let dimension = self
            .dimensions
            .of(columns, row, plain)
            .map_err(|reason| (Role::Dimension, reason))?;
        let value = self
            .values
            .of(columns, row, plain)
            .map_err(|reason| (Role::DimensionValue, reason))?;
        Ok(self.number([platform, server, dimension, value]))
    }

    #[inline]
    fn number(&mut self, key: [u32; 4]) -> u32 {
        let [platform, server, dimension, value] = key;
        let mixed =
            platform ^ server.rotate_left(8) ^ dimension.rotate_left(16) ^ value.rotate_left(24);
        let slot = &mut self.recent[(mixed.wrapping_mul(0x9e37_79b9) >> 22) as usize];
        if slot.0 != key {
            let keys = &mut self.keys;
            let number = *self.numbers.entry(key).or_insert_with(|| {
                keys.push(key);
                keys.len() as u32 - 1
            });
            *slot = (key, number);
        }
        slot.1
    }

    fn list(&self) -> Vec<Place> {
        let of = |names: &Names, number: u32| -> Arc<str> { names.list[number as usize].clone() };
        let place = |[platform, server, dimension, value]: &[u32; 4]| Place {
            platform: of(&self.platforms, *platform),
            server: of(&self.servers, *server),
            dimension: of(&self.dimensions, *dimension),
            dimension_value: of(&self.values, *value),
        };
        self.keys.iter().map(place).collect()
    }
}

/// The columns of `usage`, in its order.
fn columns(
    rows: &mut Rows,
    places: &[Place],
    context: &Context,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let count = rows.day.len();
    let of_place = |name: fn(&Place) -> &Arc<str>| match places {
        [first, others @ ..] if others.iter().all(|place| name(place) == name(first)) => {
            clean::constant(name(first), count)
        }
        _ => clean::spread(rows.place.iter().copied(), |place| {
            name(&places[place as usize])
        }),
    };
    let kind = |metric: u32| match METRICS[metric as usize].kind {
        _ if context.layout.cumulative[metric as usize] => "counter",
        kind => kind.name(),
    };
    let metrics = || rows.metric.iter().map(|metric| u32::from(*metric));
    Ok(vec![
        of_place(|place| &place.platform)?,
        of_place(|place| &place.server)?,
        Arc::new(Date32Array::from(rows.day.clone())),
        Arc::new(clean::moments(&rows.at)),
        clean::spread(metrics(), |metric| METRICS[metric as usize].name)?,
        clean::spread(metrics(), kind)?,
        of_place(|place| &place.dimension)?,
        of_place(|place| &place.dimension_value)?,
        Arc::new(Int64Array::from(std::mem::take(&mut rows.value))),
        clean::constant("reported", count)?,
    ])
}
