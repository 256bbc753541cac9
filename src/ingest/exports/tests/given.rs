//! What the tests of the formats share: a file in, its rows as lines out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Int64Type};

use crate::calendar::from_date32;
use crate::ingest::{IngestError, Input, Options, Rows, parts, read};
use crate::pseudonym::Key;

/// What a file gave.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Given {
    /// `server day metric dimension=value value` of a figure; `day active client=web users` and `day signup
    /// users` of people. In order.
    pub rows: Vec<String>,
    /// `line column: reason`.
    pub rejects: Vec<String>,
}

/// Options with a key for pseudonyms.
pub(crate) fn options() -> Options {
    Options {
        key: Ok(Key::parse(&"7".repeat(64)).unwrap()),
        ..Options::default()
    }
}

/// A file of `tests/exports`.
pub(crate) fn built(name: &str) -> Input {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exports")
        .join(name);
    Input::path(format!("tests/exports/{name}"), path)
}

/// A real sample, where the folder of samples is there.
pub(crate) fn sample(name: &str) -> Option<Input> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("ESSOR_SHARED_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    if !path.exists() {
        println!(
            "skipped: no {} (ESSOR_SHARED_DATA names the folder of samples)",
            path.display()
        );
        return None;
    }
    Some(Input::path(name, path))
}

/// Reads every part of a file.
pub(crate) fn given(input: &Input, options: &Options) -> Result<Given, IngestError> {
    let mut given = Given::default();
    for part in parts(input, options)? {
        let mut people: BTreeMap<String, u64> = BTreeMap::new();
        read::<IngestError>(input, &part.options, &mut |rows, rejects| {
            for reject in rejects {
                let said = format!("{} {}: {}", reject.line, reject.column, reject.reason);
                given.rejects.push(said);
            }
            match rows {
                Rows::Table(batch) => given.rows.extend(figures(&batch)),
                Rows::People(days) => {
                    for row in 0..days.rows() {
                        let day = from_date32(days.list[days.cells[row] as usize].day);
                        let event = match days.grain {
                            crate::schema::Grain::Signups => "signup",
                            _ => "active",
                        };
                        let mut line = format!("{day} {event}");
                        for split in &days.dimensions {
                            let value = &split.values[usize::from(split.codes[row])];
                            line.push_str(&format!(" client={value}"));
                        }
                        *people.entry(line).or_default() += 1;
                    }
                }
            }
            Ok(())
        })?;
        given.rows.extend(
            people
                .into_iter()
                .map(|(line, users)| format!("{line} {users}")),
        );
    }
    given.rows.sort();
    Ok(given)
}

fn figures(batch: &arrow::record_batch::RecordBatch) -> Vec<String> {
    let text = |name: &str| {
        let column = batch.column_by_name(name).unwrap();
        arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap()
    };
    let names = ["server", "metric", "dimension", "dimension_value"].map(text);
    let [server, metric, dimension, value_of] = names.each_ref().map(|n| n.as_string::<i32>());
    let days = batch
        .column_by_name("day")
        .unwrap()
        .as_primitive::<Date32Type>();
    let values = batch
        .column_by_name("value")
        .unwrap()
        .as_primitive::<Int64Type>();
    let line = |row: usize| {
        let part = match dimension.value(row) {
            "" => String::new(),
            dimension => format!(" {dimension}={}", value_of.value(row)),
        };
        let (server, day) = (server.value(row), from_date32(days.value(row)));
        format!(
            "{server} {day} {}{part} {}",
            metric.value(row),
            values.value(row)
        )
    };
    (0..batch.num_rows()).map(line).collect()
}
