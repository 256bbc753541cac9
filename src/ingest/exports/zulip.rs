//! Zulip's tables of counts: `analytics.json` of a realm's export, and dumps of `analytics_installationcount`,
//! `analytics_realmcount` and `analytics_usercount` as CSV with a header or as JSON.
//!
//! A row counts one property in the interval that ends at `end_time`, so that what ends at midnight is of the day
//! before. A table's rows add up: a Zulip account is of one realm, and Zulip itself adds users to realms and realms to the
//! installation. So one table gives all figures, and only one of the three may be read: of an export the realm's.
//! A row of a user whose property is `1day_actives::day` is also a user's day. Which properties become which
//! metrics stands in [`zulip_counts`](super::zulip_counts). Ids of accounts are those of one installation. Source:
//! zulip/zulip, `analytics/models.py`, `analytics/lib/counts.py`, `zerver/lib/export.py`.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime};
use roaring::RoaringTreemap;
use serde_json::Value;

use super::counts;
use super::documents::{Documents, NotJson};
use super::nested::Nested;
use super::table::{Table, header};
use super::zulip_counts::{Count, Property, Tally};
use super::{Export, Head, Opening, Reader, Rows};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::{cell, sniff};
use crate::schema::Grain;

const TABLE: Export = Export {
    name: "zulip-counts",
    title: "counts of a Zulip server (`analytics_installationcount`, `analytics_realmcount`)",
    platform: "Zulip",
    family: "zulip",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: true,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise: |head| columns(head, false),
    part: None,
    chat: None,
    private_name: false,
    open: open_table,
};

pub(super) static COUNTS: Export = TABLE;

pub(super) static USER_COUNTS: Export = Export {
    name: "zulip-user-counts",
    title: "counts of the users of a Zulip server (`analytics_usercount`)",
    gives: &[Grain::Usage, Grain::Activity],
    recognise: |head| columns(head, true),
    ..TABLE
};

pub(super) static REALM: Export = Export {
    name: "zulip-realm",
    title: "the `analytics.json` of a Zulip realm's export",
    gives: &[Grain::Usage, Grain::Activity],
    recognise: |head| {
        let names = head.keys();
        let table = names.iter().find(|name| TABLES.contains(&name.as_str()))?;
        Some(format!("it has the table `{table}`"))
    },
    open: open_realm,
    ..TABLE
};

const TABLES: [&str; 3] = [REALMS, USERS, "analytics_streamcount"];
const REALMS: &str = "analytics_realmcount";
const USERS: &str = "analytics_usercount";

/// Whether the first row has the columns of such a table, of users or of no users.
fn columns(head: &Head, of_users: bool) -> Option<String> {
    let names: Vec<&str> = match head.object() {
        Some(row) => row.keys().map(String::as_str).collect(),
        None => header(head.line()),
    };
    let has = |name: &str| names.contains(&name);
    let table = ["property", "subgroup", "end_time", "value"]
        .iter()
        .all(|name| has(name));
    let users = has("user_id") || has("user");
    let streams = has("stream_id") || has("stream");
    (table && users == of_users && !streams)
        .then(|| "its columns are `property`, `subgroup`, `end_time` and `value`".to_owned())
}

fn open_table(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    let failed = |source| IngestError::Read {
        name: opening.name.to_owned(),
        source,
    };
    let (head, bytes) = sniff::peek(opening.bytes, 64).map_err(failed)?;
    let opening = Opening { bytes, ..opening };
    let taker = Taker::new(&opening);
    let text = head.strip_prefix(sniff::MARK).unwrap_or(&head);
    let first = text.iter().find(|b| !b.is_ascii_whitespace());
    let source = match first {
        Some(b'{' | b'[') => Source::Documents(Documents::open(opening)?),
        _ => Source::Table(Table::open(opening)?),
    };
    Ok(Box::new(Counts { source, taker }))
}

fn open_realm(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    let taker = Taker::new(&opening);
    let table = if opening.grain == Grain::Usage {
        REALMS
    } else {
        USERS
    };
    let source = Source::Nested(Nested::open(opening, table)?);
    Ok(Box::new(Counts { source, taker }))
}

enum Source {
    Table(Table),
    Documents(Documents),
    Nested(Nested),
}

struct Counts {
    source: Source,
    taker: Taker,
}

impl Reader for Counts {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        const NOT_A_ROW: &str = "not a row: a JSON object is expected";
        while !rows.full() {
            match &mut self.source {
                Source::Table(table) => match table.next()? {
                    Some((line, Ok(()))) => self
                        .taker
                        .take(line, rows, |name| Ok(table.field(name)?.map(Cow::Borrowed))),
                    Some((line, Err(reason))) => rows.reject_for(line, "", reason),
                    None => return Ok(self.taker.finish(rows)),
                },
                Source::Documents(documents) => match documents.next()? {
                    Some((line, Ok(Value::Object(row)))) => {
                        self.taker.take(line, rows, |name| text(row.get(name)))
                    }
                    Some((line, Ok(_))) => rows.reject(line, "", NOT_A_ROW),
                    Some((line, Err(NotJson))) => rows.reject(line, "", NotJson::REASON),
                    None => return Ok(self.taker.finish(rows)),
                },
                Source::Nested(nested) => match nested.next()? {
                    Some((line, Some(row))) => {
                        self.taker.take(line, rows, |name| text(row.get(name)))
                    }
                    Some((line, None)) => rows.reject(line, "", NOT_A_ROW),
                    None => return Ok(self.taker.finish(rows)),
                },
            }
        }
        Ok(true)
    }
}

/// A field of JSON as the same field of CSV.
fn text(value: Option<&Value>) -> Result<Option<Cow<'_, str>>, Reason> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Cow::Borrowed(text))),
        Some(Value::Number(number)) => Ok(Some(Cow::Owned(number.to_string()))),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(Reason::NotAScalar),
    }
}

/// Takes rows of a table: into sums, or as days of users.
struct Taker {
    grain: Grain,
    server: String,
    tally: Tally,
    ids: RoaringTreemap,
}

type Fault = (&'static str, Cow<'static, str>);

impl Taker {
    fn new(opening: &Opening) -> Self {
        let server = opening.options.source.server.clone();
        Taker {
            grain: opening.grain,
            server: server.unwrap_or_default(),
            tally: Tally::default(),
            ids: RoaringTreemap::new(),
        }
    }

    fn take<'a>(
        &mut self,
        line: u64,
        rows: &mut Rows,
        field: impl Fn(&'static str) -> Result<Option<Cow<'a, str>>, Reason>,
    ) {
        if let Err((column, reason)) = self.row(line, rows, field) {
            rows.reject(line, column, reason);
        }
    }

    fn row<'a>(
        &mut self,
        line: u64,
        rows: &mut Rows,
        field: impl Fn(&'static str) -> Result<Option<Cow<'a, str>>, Reason>,
    ) -> Result<(), Fault> {
        let get = |name| field(name).map_err(|reason| (name, reason.text()));
        let wrong = |name, reason: Reason| (name, reason.text());
        let property = get("property")?.ok_or(("property", Cow::Borrowed("no property")))?;
        let Some(property) = Property::named(&property) else {
            // What is read, pushed or uploaded is not told here.
            return Ok(());
        };
        let id = get("id")?.and_then(|id| id.parse().ok());
        if id.is_some_and(|id| !self.ids.insert(id)) {
            return Err(("id", Cow::Borrowed("the same row as on an earlier line")));
        }
        let end = get("end_time")?.ok_or(wrong("end_time", Reason::NoDay))?;
        let end = moment(&end).ok_or(wrong("end_time", Reason::NotADay))?;
        let day = counts::day_of(end - 1).map_err(|reason| wrong("end_time", reason))?;
        let value = cell::count(&get("value")?.unwrap_or_default());
        let value = value.and_then(|value| value.ok_or(Reason::NoValue));
        let value = value.map_err(|reason| wrong("value", reason))?;
        let subgroup = get("subgroup")?;
        if self.grain == Grain::Usage {
            let count = Count {
                line,
                property,
                subgroup: subgroup.as_deref().unwrap_or(""),
                end,
                day,
                value,
            };
            return self
                .tally
                .add(&count)
                .map_err(|(name, reason)| (name, Cow::Borrowed(reason)));
        }
        if property == Property::Actives("dau") && value > 0 {
            let user = match get("user_id")? {
                Some(user) => Some(user),
                None => get("user")?,
            };
            let user = user
                .filter(|user| !user.is_empty())
                .ok_or(wrong("user_id", Reason::NoUser))?;
            // Every installation counts its accounts from 1.
            rows.user_day(line, &format!("{}/{user}", self.server), day, 0, "");
        }
        Ok(())
    }

    /// Gives the sums; nothing is left then.
    fn finish(&mut self, rows: &mut Rows) -> bool {
        std::mem::take(&mut self.tally).give(rows);
        false
    }
}

/// Seconds since 1970 of a moment as Zulip exports (`1456272000.0`) or as PostgreSQL and programs write it.
fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let seconds = text.split_once('.').map_or(text, |(whole, part)| {
        if part.bytes().all(|b| b == b'0') {
            whole
        } else {
            text
        }
    });
    if !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit()) {
        return seconds.parse().ok();
    }
    let mut text = text.replacen(' ', "T", 1);
    // PostgreSQL writes whole hours of a zone alone: +00.
    let tail = text
        .len()
        .checked_sub(3)
        .and_then(|at| text.get(at..))
        .unwrap_or("");
    if tail.starts_with(['+', '-'])
        && tail.bytes().skip(1).all(|b| b.is_ascii_digit())
        && text.contains(':')
    {
        text.push_str(":00");
    }
    let zoned = DateTime::parse_from_rfc3339(&text).map(|moment| moment.timestamp());
    let plain = || {
        NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")
            .map(|m| m.and_utc().timestamp())
    };
    zoned.or_else(|_| plain()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_of_an_interval_is_a_moment_however_it_is_written() {
        for text in [
            "1456272000",
            "1456272000.0",
            "2016-02-24 00:00:00+00",
            "2016-02-24T00:00:00Z",
            "2016-02-24T00:00:00+00:00",
            "2016-02-24 01:00:00+01",
            "2016-02-24 00:00:00",
        ] {
            assert_eq!(moment(text), Some(1_456_272_000), "{text}");
        }
        for text in ["", "soon", "1456272000.5", "-1", "é+00", "2016-02-24"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
