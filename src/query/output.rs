//! An answer in the formats in which people and programs take it.

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for the terminal.
    Table,
    /// RFC 4180 with a header line.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Apache Parquet (for `-o`).
    Parquet,
    /// An Arrow IPC file (for `-o`).
    Arrow,
    /// A Markdown table.
    Markdown,
}

impl Format {
    /// The format that a file's name asks for.
    pub fn of_file(name: &str) -> Option<Self> {
        Some(
            match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
                "csv" => Format::Csv,
                "json" => Format::Json,
                "ndjson" | "jsonl" => Format::Ndjson,
                "parquet" => Format::Parquet,
                "arrow" | "ipc" | "feather" => Format::Arrow,
                "md" | "markdown" => Format::Markdown,
                "txt" => Format::Table,
                _ => return None,
            },
        )
    }

    /// Whether a terminal can show it.
    pub fn is_text(self) -> bool {
        !matches!(self, Format::Parquet | Format::Arrow)
    }
}

/// A table with a line under its header and no other.
const LINED: &str = "     ──            ";

/// Writes a batch in a format. A failed write (a closed pipe, say) comes back as it is.
pub fn write(
    batch: &RecordBatch,
    format: Format,
    mut to: impl Write + Send,
) -> std::io::Result<()> {
    let other = std::io::Error::other;
    match format {
        Format::Table => writeln!(to, "{}", table(batch, LINED)?),
        Format::Markdown => writeln!(to, "{}", table(batch, presets::ASCII_MARKDOWN)?),
        Format::Csv => write_csv(batch, to),
        Format::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut to);
            writer
                .write(batch)
                .and_then(|()| writer.finish())
                .map_err(arrow_io)?;
            writeln!(to)
        }
        Format::Ndjson => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(&mut to);
            writer
                .write(batch)
                .and_then(|()| writer.finish())
                .map_err(arrow_io)
        }
        Format::Parquet => {
            let mut writer =
                parquet::arrow::ArrowWriter::try_new(to, batch.schema(), None).map_err(other)?;
            writer
                .write(batch)
                .and_then(|()| writer.close())
                .map(drop)
                .map_err(other)
        }
        Format::Arrow => {
            let mut writer =
                arrow::ipc::writer::FileWriter::try_new(to, &batch.schema()).map_err(arrow_io)?;
            writer
                .write(batch)
                .and_then(|()| writer.finish())
                .map_err(arrow_io)
        }
    }
}

fn write_csv(batch: &RecordBatch, to: impl Write) -> std::io::Result<()> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(to);
    writer.write(batch).map_err(arrow_io)
}

/// Gives back the I/O error within an Arrow error, so that a closed pipe stays a closed pipe.
fn arrow_io(error: arrow::error::ArrowError) -> std::io::Error {
    match error {
        arrow::error::ArrowError::IoError(_, source) => source,
        other => std::io::Error::other(other),
    }
}

fn table(batch: &RecordBatch, preset: &str) -> std::io::Result<Table> {
    let mut table = Table::new();
    table
        .load_preset(preset)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(batch.schema().fields().iter().map(|f| f.name().clone()));
    let options = FormatOptions::new();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|c| ArrayFormatter::try_new(c, &options))
        .collect::<Result<_, _>>()
        .map_err(arrow_io)?;
    for row in 0..batch.num_rows() {
        table.add_row(
            columns
                .iter()
                .map(|c| one_line(&c.value(row).to_string(), preset)),
        );
    }
    for (i, column) in batch.columns().iter().enumerate() {
        if column.data_type().is_numeric()
            && let Some(column) = table.column_mut(i)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table)
}

/// A cell's text on one line: control characters are shown, not sent to the terminal.
fn one_line(text: &str, preset: &str) -> String {
    let shown: String = text
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    if preset == presets::ASCII_MARKDOWN {
        shown
            .replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('<', "&lt;")
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch() -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ]);
        let names = StringArray::from(vec![Some("a|b, \u{1b}[31m"), None]);
        RecordBatch::try_new(
            Arc::new(schema),
            vec![
                Arc::new(names),
                Arc::new(Int64Array::from(vec![Some(1), None])),
            ],
        )
        .unwrap()
    }

    fn written(format: Format) -> String {
        let mut bytes = Vec::new();
        write(&batch(), format, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_formats_hold_every_value_and_no_escape_sequence_reaches_a_terminal() {
        assert_eq!(written(Format::Csv), "name,n\n\"a|b, \u{1b}[31m\",1\n,\n");
        assert_eq!(
            written(Format::Ndjson).lines().last(),
            Some("{\"name\":null,\"n\":null}")
        );
        assert!(written(Format::Markdown).contains("a\\|b"));
        assert!(!written(Format::Table).contains('\u{1b}'));
    }
}
