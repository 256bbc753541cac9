//! The Arrow schema of every table: the contract at which the stages meet.
//!
//! A stage hands the next one `RecordBatch`es in these schemas and nothing else. Every table is a
//! Delta table partitioned by `load`, so that a load can be left out, undone or finished after a
//! crash by naming its partition.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The version of the schemas below, stored with every load and part of its identity.
pub const VERSION: i32 = 2;

/// The largest count that a table takes: 2^53, beyond which spreadsheets, JavaScript and JSON
/// readers no longer hold every whole number.
pub const LARGEST: i64 = 1 << 53;

/// What one file gives rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// Public statements: one row a statement.
    Disclosures,
    /// Dense aggregates: one row a platform, server, day, metric and dimension value.
    Usage,
    /// Who was active: one row a user and day, or a row a message.
    Activity,
    /// Who signed up when: one row a user.
    Signups,
}

impl Grain {
    /// The table that the grain is kept in.
    pub fn table(self) -> &'static str {
        match self {
            Grain::Disclosures => "disclosures",
            Grain::Usage => "usage",
            Grain::Activity | Grain::Signups => "activity",
        }
    }

    /// Its name in `loads` and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Grain::Signups => "signups",
            other => other.table(),
        }
    }

    /// Whether its rows are of single people, under their pseudonyms.
    pub fn of_people(self) -> bool {
        matches!(self, Grain::Activity | Grain::Signups)
    }

    /// The schema of that table.
    pub fn schema(self) -> SchemaRef {
        match self {
            Grain::Disclosures => DISCLOSURES.clone(),
            Grain::Usage => USAGE.clone(),
            Grain::Activity | Grain::Signups => ACTIVITY.clone(),
        }
    }
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

fn count(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

fn day(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Date32, nullable)
}

fn moment(name: &str, nullable: bool) -> Field {
    let zone = Some("UTC".into());
    Field::new(
        name,
        DataType::Timestamp(TimeUnit::Microsecond, zone),
        nullable,
    )
}

/// One public statement a row.
///
/// `as_of` is the day, or the last day of the period named in `precision`. `published` is kept as
/// written (`2016-02-24`, `2016-02`, `2016` or empty). Text that a source leaves out is empty, not
/// null. `line` is the line of the file that the statement stands on.
pub static DISCLOSURES: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        text("platform"),
        text("metric"),
        count("value"),
        text("unit"),
        day("as_of", false),
        text("precision"),
        text("status"),
        text("qualifier"),
        text("definition"),
        text("published"),
        text("source_title"),
        text("source_url"),
        count("line"),
        text("load"),
    ]))
});

/// One dense figure a row.
///
/// `kind` is `flow` (a count of the day: adds up over days), `distinct` (users counted once within
/// a window: does not add up), `window` (a total of several days: adds up over servers only), `level` (how many there are at the moment) or `counter` (a
/// cumulative reading, whose differences are the flow). `at` is the moment of a reading where the
/// source gives one within the day; a source in whole days leaves it null. `server` and the two
/// dimension columns are empty where there is none.
pub static USAGE: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        text("platform"),
        text("server"),
        day("day", false),
        moment("at", true),
        text("metric"),
        text("kind"),
        text("dimension"),
        text("dimension_value"),
        count("value"),
        text("status"),
        text("load"),
    ]))
});

/// One load, or the undoing of one, a row; `seq` is the order in which they were committed.
///
/// `identity` is the hash of the decompressed bytes with the declared platform, server and mapping;
/// `load` is its short form, with the generation behind a dot from the second one on. `supersedes`
/// lists (comma-separated) the loads that this row replaces or undoes; `action` is `load` or
/// `unload`. `synthetic` says what made the figures up where they are made up, and is empty else.
pub static LOADS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        count("seq"),
        text("load"),
        text("identity"),
        text("action"),
        text("grain"),
        text("path"),
        text("format"),
        count("bytes"),
        count("rows_read"),
        count("rows_kept"),
        count("rows_rejected"),
        day("first_day", true),
        day("last_day", true),
        text("supersedes"),
        text("zone"),
        moment("loaded_at", false),
        Field::new("schema_version", DataType::Int32, false),
        text("synthetic"),
    ]))
});

/// One row that was not taken. The reason never repeats the value: a rejected row may hold what
/// must not be kept.
pub static REJECTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        text("file"),
        count("line"),
        text("column"),
        text("reason"),
        text("load"),
    ]))
});

/// How many ids a bucket holds: one Roaring container, so that a bitmap of a bucket is as dense as
/// its users are active, and the number of buckets grows with the accounts.
pub const BUCKET: u32 = 1 << 16;

/// Who was active, or signed up, on a day: a bitmap of the ids of one bucket a row.
///
/// `event` is `active` or `signup`. The row of all users has an empty `dimension`; for each declared
/// dimension there is a row a value besides (`dimension_value` is empty where it is not known).
/// `users` is a Roaring bitmap in its portable format, of ids below [`BUCKET`]. `messages` are the
/// counts of the same users as bit-sliced bitmaps: element i holds those whose count has bit i; null
/// where messages were not counted. `month` (the first day of the day's month) and `part` are what
/// the files are laid out by: `part` is the load or the group of loads that a file was written with,
/// or `merged`.
pub static ACTIVITY: LazyLock<SchemaRef> = LazyLock::new(|| {
    let bitmap = Field::new_list_field(DataType::Binary, true);
    Arc::new(Schema::new(vec![
        text("platform"),
        text("server"),
        day("day", false),
        Field::new("bucket", DataType::Int32, false),
        text("event"),
        text("dimension"),
        text("dimension_value"),
        Field::new("users", DataType::Binary, false),
        Field::new("messages", DataType::List(Arc::new(bitmap)), true),
        text("load"),
        day("month", false),
        text("part"),
    ]))
});

/// The dense id of each pseudonym, given once and for good: `bucket` times [`BUCKET`] plus `id`.
pub static ACCOUNTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("pseudonym", DataType::Binary, false),
        Field::new("bucket", DataType::Int32, false),
        Field::new("id", DataType::Int32, false),
    ]))
});
