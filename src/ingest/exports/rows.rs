//! Rows of an export on their way to a chunk.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, StringViewArray, StringViewBuilder};

use super::{Export, Reader};
use crate::calendar::{Day, date32};
use crate::ingest::columns::Layout;
use crate::ingest::error::IngestError;
use crate::ingest::reject::{Lines, Reason, Reject};
use crate::ingest::stream::{Body, Chunk, Cutter};
use crate::ingest::table::Column;
use crate::schema::Grain;

/// Whether a day may be one of a messenger, and not a slip of a unit.
pub(super) fn within_reason(day: Day) -> bool {
    (1990..=2100).contains(&chrono::Datelike::year(&day))
}

/// How many rows a chunk has at most.
const FULL: usize = 1 << 16;

/// A dimension that exports of people tell: the program that somebody used.
pub(super) const CLIENT: &str = "client";

/// Rows of an export, column by column. Of its methods a reader calls those of the grain that is asked for.
#[derive(Default)]
pub(crate) struct Rows {
    lines: Lines,
    days: Vec<i32>,
    servers: StringViewBuilder,
    metrics: StringViewBuilder,
    dimensions: StringViewBuilder,
    values: StringViewBuilder,
    counts: Vec<i64>,
    users: StringViewBuilder,
    clients: StringViewBuilder,
    rejects: Vec<Reject>,
    /// The server of rows that name none: the one that the options say.
    own: String,
}

impl Rows {
    fn of(own: &str) -> Self {
        Rows {
            own: own.to_owned(),
            ..Rows::default()
        }
    }

    /// Whether there are as many as a chunk holds.
    pub(super) fn full(&self) -> bool {
        self.days.len() + self.rejects.len() >= FULL
    }

    /// A figure of a server and day. `line` is where it stands in the file (or which report it is), from 1; `server` is
    /// empty where the options say it.
    pub(super) fn figure(&mut self, line: u64, server: &str, day: Day, metric: &str, value: i64) {
        self.part(line, server, day, metric, ("", ""), value);
    }

    /// A figure by the value of a dimension: signups by `kind`.
    pub(super) fn part(
        &mut self,
        line: u64,
        server: &str,
        day: Day,
        metric: &str,
        (dimension, value_of): (&str, &str),
        value: i64,
    ) {
        self.lines.push(line);
        self.days.push(date32(day));
        self.servers
            .append_value(if server.is_empty() { &self.own } else { server });
        self.metrics.append_value(metric);
        self.dimensions.append_value(dimension);
        self.values.append_value(value_of);
        self.counts.push(value);
    }

    /// Somebody was active on a day and sent so many messages (which count only where the format counts them); `client`
    /// is empty where it is not known.
    pub(super) fn user_day(
        &mut self,
        line: u64,
        user: &str,
        day: Day,
        messages: i64,
        client: &str,
    ) {
        self.lines.push(line);
        self.days.push(date32(day));
        self.users.append_value(user);
        self.counts.push(messages);
        self.clients.append_value(client);
    }

    /// Somebody signed up on a day.
    pub(super) fn signup(&mut self, line: u64, user: &str, day: Day) {
        self.user_day(line, user, day, 0, "");
    }

    /// A row or figure that is not taken. The reason never repeats the value.
    pub(super) fn reject(&mut self, line: u64, column: &str, reason: impl Into<Cow<'static, str>>) {
        self.not_taken(line, column, reason.into(), false);
    }

    /// A row or figure that gives nothing by the rules of its format, however sound the file is.
    pub(super) fn left_out(&mut self, line: u64, column: &str, why: impl Into<Cow<'static, str>>) {
        self.not_taken(line, column, why.into(), true);
    }

    fn not_taken(&mut self, line: u64, column: &str, reason: Cow<'static, str>, by_rule: bool) {
        self.rejects.push(Reject {
            line,
            column: Arc::from(column),
            reason,
            by_rule,
        });
    }

    /// A value that is no day or count, as every file's.
    pub(super) fn reject_for(&mut self, line: u64, column: &str, reason: Reason) {
        self.reject(line, column, reason.text());
    }

    fn texts(builder: &mut StringViewBuilder) -> Column {
        let array: StringViewArray = builder.finish();
        Column::Text(array)
    }

    /// The columns of the rows so far, in the order of [`names`].
    fn take(&mut self, layout: &Layout, names: &[Arc<str>]) -> Result<Chunk, IngestError> {
        let mut columns = vec![];
        for name in names {
            columns.push(match name.as_ref() {
                "day" | "signup_day" => {
                    Column::Days(Date32Array::from(std::mem::take(&mut self.days)))
                }
                "server" => Self::texts(&mut self.servers),
                "metric" => Self::texts(&mut self.metrics),
                "dimension" => Self::texts(&mut self.dimensions),
                "dimension_value" => Self::texts(&mut self.values),
                "user" => Self::texts(&mut self.users),
                CLIENT => Self::texts(&mut self.clients),
                _ => Column::Whole(Int64Array::from(std::mem::take(&mut self.counts))),
            });
        }
        let chunk = Chunk {
            body: Body::Columns {
                columns,
                slots: layout.slots(names)?,
            },
            lines: std::mem::take(&mut self.lines),
            rejects: std::mem::take(&mut self.rejects),
        };
        // What no column took is not carried into the next chunk.
        *self = Rows::of(&self.own);
        Ok(chunk)
    }
}

/// The columns that an export gives, named as a table of rows would name them.
pub(crate) fn names(export: &Export, grain: Grain, dimensions: &[String]) -> Vec<Arc<str>> {
    let mut names = match grain {
        Grain::Usage | Grain::Disclosures => {
            vec![
                "day",
                "metric",
                "value",
                "dimension",
                "dimension_value",
                "server",
            ]
        }
        Grain::Signups => vec!["user", "signup_day"],
        Grain::Activity if export.messages => vec!["user", "day", "messages"],
        Grain::Activity => vec!["user", "day"],
    };
    if grain == Grain::Activity && dimensions.iter().any(|d| d == CLIENT) {
        names.push(CLIENT);
    }
    names.into_iter().map(Arc::from).collect()
}

/// Gives the rows of an export in chunks.
pub(crate) struct RowsCutter {
    pub reader: Box<dyn Reader>,
    pub layout: Arc<Layout>,
    pub names: Vec<Arc<str>>,
    /// The server that the options say.
    pub server: String,
    pub ended: bool,
}

impl Cutter for RowsCutter {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        let mut rows = Rows::of(&self.server);
        while !self.ended && !rows.full() {
            self.ended = !self.reader.read(&mut rows)?;
        }
        if rows.days.is_empty() && rows.rejects.is_empty() {
            return Ok(None);
        }
        rows.take(&self.layout, &self.names).map(Some)
    }
}
