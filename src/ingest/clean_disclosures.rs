//! Disclosures: one public statement a row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringBuilder};
use chrono::{Datelike, NaiveDate};

use super::clean::{self, Cleaned, Context, Fault, NO_MOMENT, Place, Rows};
use super::columns::Role;
use super::error::IngestError;
use super::reject::Reason;
use super::table::{Column, Table};
use super::{cell, platforms};
use crate::calendar::{self, Month, date32};
use crate::metric::{self, METRICS, Metric};

pub(super) const STATUS: &[&str] = &[
    "stated", "derived", "disputed", "compiled", "estimate", "record", "regional", "spike",
];
const QUALIFIER: &[&str] = &["exact", "about", "at_least", "at_most"];

/// Cleans a chunk of a file of disclosures.
pub(super) fn clean(table: Table, context: &Context) -> Result<Cleaned, IngestError> {
    let mut made = Made::default();
    let mut rejects = vec![];
    for row in 0..table.rows {
        let line = table.lines.of(row as u32);
        match statement(&table, row, context) {
            Ok(statement) => made.push(row, line, statement),
            Err((role, reason)) => rejects.push(reason.reject(line, &table.slots.name(role))),
        }
    }
    let (rows, places, columns) = made.finish(context)?;
    rows.finish(context, table, places, rejects, columns)
}

/// One statement, read.
struct Statement<'a> {
    platform: Cow<'a, str>,
    metric: &'static Metric,
    value: i64,
    as_of: NaiveDate,
    precision: &'static str,
    /// Unit, status, qualifier, definition, published, title and address of the source.
    texts: [Cow<'a, str>; 7],
}

fn statement<'a>(
    table: &'a Table,
    row: usize,
    context: &'a Context,
) -> Result<Statement<'a>, Fault> {
    let column = |role| {
        table
            .slots
            .column(role)
            .map(|column| &table.columns[column])
    };
    let text = |role| -> Result<Cow<'a, str>, Fault> {
        column(role)
            .map_or(Ok(Cow::Borrowed("")), |c: &'a Column| c.text(row))
            .map(trimmed)
            .map_err(|reason| (role, reason))
    };
    let options = &context.options;
    let given = match column(Role::Platform) {
        Some(_) => text(Role::Platform)?,
        None => Cow::Borrowed(options.source.platform.as_deref().unwrap_or("")),
    };
    let platform = platforms::canonical(&given, options)
        .map_err(|reason| (Role::Platform, reason))?
        .to_owned();
    let name = match &options.source.metric {
        Some(metric) => Cow::Borrowed(metric.as_str()),
        None => text(Role::Metric)?,
    };
    if name.is_empty() {
        return Err((Role::Metric, Reason::NoMetric));
    }
    let metric = metric::in_a_statement(&name).map_err(|_| (Role::Metric, Reason::NotAMetric))?;
    let value = column(Role::Value).map_or(Ok(None), |c| c.count(row));
    let value = value
        .and_then(|value| value.ok_or(Reason::NoValue))
        .map_err(|reason| (Role::Value, reason))?;
    let (as_of, precision) = period(
        &as_of(column(Role::AsOf), row, context)?,
        &text(Role::Precision)?,
    )?;
    let or = |given: Cow<'a, str>, default: &'static str| {
        if given.is_empty() {
            Cow::Borrowed(default)
        } else {
            given
        }
    };
    let one_of = |role, all: &[&'static str], reason| {
        let given = or(text(role)?, all[0]);
        if all.contains(&given.as_ref()) {
            Ok(given)
        } else {
            Err((role, reason))
        }
    };
    let status = match &options.source.status {
        Some(status) => Cow::Borrowed(status.as_str()),
        None => one_of(Role::Status, STATUS, Reason::Status)?,
    };
    let qualifier = one_of(Role::Qualifier, QUALIFIER, Reason::Qualifier)?;
    let published = text(Role::Published)?;
    if !published.is_empty() && calendar::start_of(&published).is_err() {
        return Err((Role::Published, Reason::Published));
    }
    let unit = or(text(Role::Unit)?, metric.unit);
    let texts = [
        unit,
        status,
        qualifier,
        text(Role::Definition)?,
        published,
        text(Role::SourceTitle)?,
        text(Role::SourceUrl)?,
    ];
    Ok(Statement {
        platform: Cow::Owned(platform),
        metric,
        value,
        as_of,
        precision,
        texts,
    })
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The text of `as_of`; a moment that the file holds as one counts if it is the midnight of a day.
fn as_of(column: Option<&Column>, row: usize, context: &Context) -> Result<String, Fault> {
    let wrong = |reason| (Role::AsOf, reason);
    let Some(column) = column else {
        return Err(wrong(Reason::NoDay));
    };
    if matches!(column, Column::Moments { .. }) {
        let when = column.when(row, context.options.zone).map_err(wrong)?;
        return if when.midnight {
            Ok(calendar::from_date32(when.day).to_string())
        } else {
            Err(wrong(Reason::NotAPeriod))
        };
    }
    let text = column.text(row).map_err(wrong)?;
    Ok(cell::trim(&text).to_owned())
}

/// The last day of a period and the name of its precision.
fn period(as_of: &str, precision: &str) -> Result<(NaiveDate, &'static str), Fault> {
    let wrong = |reason| (Role::AsOf, reason);
    if as_of.is_empty() {
        return Err(wrong(Reason::NoDay));
    }
    let (last, written) = match quarter(as_of) {
        Some(last) => (last, "quarter"),
        None => (
            calendar::end_of(as_of).map_err(|_| wrong(Reason::NotAPeriod))?,
            match as_of.len() {
                4 => "year",
                7 => "month",
                _ => "day",
            },
        ),
    };
    if !(1900..=2100).contains(&last.year()) {
        return Err(wrong(Reason::NotAPeriod));
    }
    let month = Month::of(last);
    let ends = match precision {
        "" => return Ok((last, written)),
        "day" => true,
        "month" => last == month.last(),
        "quarter" => last == month.last() && last.month() % 3 == 0,
        "year" => last.month() == 12 && last.day() == 31,
        _ => return Err((Role::Precision, Reason::Precision)),
    };
    let named = ["day", "month", "quarter", "year"]
        .into_iter()
        .find(|name| *name == precision)
        .unwrap_or("day");
    if written != "day" && written != named {
        return Err(wrong(Reason::NotThePeriod));
    }
    if ends {
        Ok((last, named))
    } else {
        Err(wrong(Reason::NotPeriodEnd))
    }
}

/// The last day of a quarter written `2016-Q1`.
fn quarter(text: &str) -> Option<NaiveDate> {
    let month = match text.get(4..)? {
        "-Q1" => "03",
        "-Q2" => "06",
        "-Q3" => "09",
        "-Q4" => "12",
        _ => return None,
    };
    calendar::end_of(&format!("{}-{month}", &text[..4])).ok()
}

/// The statements of a chunk, column by column.
#[derive(Default)]
struct Made {
    rows: Rows,
    places: Vec<Place>,
    numbers: HashMap<Arc<str>, u32>,
    precision: Vec<&'static str>,
    line: Vec<i64>,
    texts: [StringBuilder; 7],
}

impl Made {
    fn push(&mut self, row: usize, line: u64, statement: Statement<'_>) {
        let place = match self.numbers.get(statement.platform.as_ref()) {
            Some(place) => *place,
            None => {
                let (platform, blank): (Arc<str>, Arc<str>) =
                    (Arc::from(statement.platform.as_ref()), Arc::from(""));
                let place = self.places.len() as u32;
                self.numbers.insert(platform.clone(), place);
                self.places.push(Place {
                    platform,
                    server: blank.clone(),
                    dimension: blank.clone(),
                    dimension_value: blank,
                });
                place
            }
        };
        let metric = METRICS
            .iter()
            .position(|m| m.name == statement.metric.name)
            .unwrap_or_default();
        self.rows.row.push(row as u32);
        self.rows.place.push(place);
        self.rows.metric.push(metric as u8);
        self.rows.day.push(date32(statement.as_of));
        self.rows.at.push(NO_MOMENT);
        self.rows.value.push(statement.value);
        self.precision.push(statement.precision);
        self.line.push(i64::try_from(line).unwrap_or(i64::MAX));
        for (builder, text) in self.texts.iter_mut().zip(&statement.texts) {
            builder.append_value(text);
        }
    }

    /// The columns of `disclosures`, in its order.
    fn finish(
        mut self,
        context: &Context,
    ) -> Result<(Rows, Vec<Place>, Vec<ArrayRef>), IngestError> {
        let failed = |e| context.internal(e);
        let rows = &self.rows;
        let platform = clean::spread(rows.place.iter().copied(), |place| {
            &self.places[place as usize].platform
        })
        .map_err(failed)?;
        let metric = clean::spread(rows.metric.iter().map(|m| u32::from(*m)), |m| {
            METRICS[m as usize].name
        })
        .map_err(failed)?;
        let precision = clean::spread(0..self.precision.len() as u32, |row| {
            self.precision[row as usize]
        })
        .map_err(failed)?;
        let [unit, status, qualifier, definition, published, title, url] = self
            .texts
            .each_mut()
            .map(|builder| -> ArrayRef { Arc::new(builder.finish()) });
        let columns: Vec<ArrayRef> = vec![
            platform,
            metric,
            Arc::new(Int64Array::from(rows.value.clone())),
            unit,
            Arc::new(Date32Array::from(rows.day.clone())),
            precision,
            status,
            qualifier,
            definition,
            published,
            title,
            url,
            Arc::new(Int64Array::from(self.line)),
        ];
        Ok((self.rows, self.places, columns))
    }
}
