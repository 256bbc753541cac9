//! Synapse's own database, SQLite or PostgreSQL, asked while it is in use.
//!
//! From `users` who signed up when, from `user_daily_visits` who was active on which day, and from `events`
//! how many messages a day had; never a token, an address, a hash of a password or what was said. Guests and
//! users of application services are left out, as Synapse leaves them out of its visits, and accounts for
//! support and bots besides; an account that was deactivated has signed up all the same.
//!
//! A database in use has no hash that stays: each day of people is a load of its own, known by server, table
//! and day, and the messages are one load of all days. Source: element-hq/synapse,
//! `synapse/storage/schema/main`, `synapse/storage/databases/main/metrics.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::database::{Answer, Database, Row, Value};
use super::{Export, Head, Live, Opening, Reader, Rows, Series, Stretch, name};
use crate::calendar::{Day, date32, from_date32};
use crate::ingest::error::IngestError;
use crate::ingest::{Input, Options, sniff};
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "synapse-database",
    title: "a database of Matrix Synapse",
    platform: "Matrix",
    family: "matrix",
    rank: 2,
    of_servers: true,
    gives: &[Grain::Signups, Grain::Activity, Grain::Usage],
    lacks_server: false,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise,
    part: Some(part),
    chat: None,
    private_name: false,
    open,
};

/// The tables that are read, each with the columns that are asked for.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "users",
        &[
            "name",
            "creation_ts",
            "is_guest",
            "appservice_id",
            "user_type",
        ],
    ),
    ("user_daily_visits", &["user_id", "timestamp"]),
    (
        "events",
        &[
            "type",
            "sender",
            "received_ts",
            "stream_ordering",
            "outlier",
            "state_key",
            "rejection_reason",
        ],
    ),
];

fn recognise(head: &Head) -> Option<String> {
    let database = head.database.as_ref()?;
    let has = |table: &str, column: &str| {
        database
            .columns(table)
            .is_ok_and(|columns| columns.iter().any(|c| c == column))
    };
    let all = has("user_daily_visits", "user_id")
        && has("users", "creation_ts")
        && has("events", "sender");
    all.then(|| {
        "it is a SQLite database with the tables `users`, `user_daily_visits` and `events`"
            .to_owned()
    })
}

fn part(
    export: &'static Export,
    input: &Input,
    options: &Options,
) -> Result<Vec<Options>, IngestError> {
    let head = Head::read(input)?;
    let path: Option<&Path> = head.path.as_deref();
    let bytes: sniff::Bytes = match path {
        Some(_) => Box::new(std::io::empty()),
        None => sniff::open(input)?.1,
    };
    parts_of(
        export,
        Database::spooled(&input.name, path, bytes)?,
        options,
    )
}

/// The loads that a database makes: one a day of signups and of visits, and one of all days of messages.
pub(super) fn parts_of(
    export: &'static Export,
    database: Database,
    options: &Options,
) -> Result<Vec<Options>, IngestError> {
    let sql = Sql::new(&database);
    for (table, wanted) in TABLES {
        let columns = database.columns(table)?;
        if !wanted.iter().all(|name| columns.iter().any(|c| c == name)) {
            return Err(IngestError::NothingKnown {
                name: database.name().to_owned(),
                found: "no database of Matrix Synapse 1.68 or later",
                advice: "its tables `users`, `user_daily_visits` and `events` are expected there",
            });
        }
    }
    let Some(server) = server(&database, &sql, options)? else {
        return Ok(vec![]);
    };
    let named: Arc<str> = Arc::from(format!("synapse://{server}"));
    let mut options = name::complete(&named, export, options)?;
    options.source.server = Some(server);
    // A day has few rows, and there are many days: more threads would mostly wait for each other.
    options.threads = 1;
    let live = |stretch, unread: &[(&'static str, u64)]| Live {
        name: named.clone(),
        stretch,
        unread: Arc::from(unread),
        database: database.clone(),
    };
    let (mut parts, mut unread) = (vec![], vec![]);
    for (grain, table) in [
        (Grain::Signups, sql.signups()),
        (Grain::Activity, sql.visits()),
    ] {
        let (days, of_none) = days(&database, &table)?;
        unread.push((table.moment.0, of_none));
        for (day, rows) in days {
            let live = live(Stretch::Day(day, rows), &[]);
            parts.push(super::taking(export, grain, Some(live), &options));
        }
    }
    let (series, of_none) = messages(&database, &sql)?;
    unread.push(("received_ts", of_none));
    unread.retain(|(_, rows)| *rows > 0);
    let series = live(Stretch::Series(Arc::new(series)), &unread);
    parts.push(super::taking(export, Grain::Usage, Some(series), &options));
    Ok(parts)
}

/// The server that local users share: what stands behind the first `:` of their names.
fn server(
    database: &Database,
    sql: &Sql,
    options: &Options,
) -> Result<Option<String>, IngestError> {
    let names = database.all(&format!(
        "SELECT DISTINCT {} FROM users LIMIT 2",
        sql.server("name")
    ))?;
    let mut names = names.iter().filter_map(|row| row.first()?.text());
    match (names.next(), names.next(), &options.source.server) {
        (Some(server), None, _) if !server.is_empty() => Ok(Some(server.to_owned())),
        (_, _, Some(server)) => Ok(Some(server.clone())),
        (None, None, None) => Ok(None),
        _ => Err(IngestError::NothingKnown {
            name: database.name().to_owned(),
            found: "a database of Synapse whose users are not of one server",
            advice: "say which it is with `--server`",
        }),
    }
}

/// Days and how many rows each has, and how many rows are of no day.
fn days(database: &Database, table: &Table) -> Result<(BTreeMap<Day, u64>, u64), IngestError> {
    let (mut days, mut unread) = (BTreeMap::new(), 0);
    let sql = format!(
        "SELECT {}, COUNT(*) {} GROUP BY 1 ORDER BY 1",
        table.day, table.from
    );
    for row in database.all(&sql)? {
        let rows = count(&row, 1).unwrap_or_default();
        match row.first().and_then(day) {
            Some(day) => _ = days.insert(day, rows),
            None => unread += rows,
        }
    }
    Ok((days, unread))
}

/// Messages by day, and how many are of no day.
fn messages(database: &Database, sql: &Sql) -> Result<(Series, u64), IngestError> {
    let (mut series, mut unread) = (Series::new(), 0);
    let mut answer = database.ask(&sql.messages());
    while let Some(row) = answer.next()? {
        let Some(day) = row.first().and_then(day) else {
            unread += count(&row, 1).unwrap_or_default();
            continue;
        };
        for (place, metric) in [(1, "messages_seen"), (2, "messages_sent")] {
            if let Some(count) = row.get(place).and_then(Value::whole) {
                series.insert((day, metric), count);
            }
        }
    }
    Ok((series, unread))
}

/// A day that SQL has counted since 1970.
fn day(value: &Value) -> Option<Day> {
    let days = i32::try_from(value.whole()?)
        .ok()
        .filter(|days| days.unsigned_abs() < 400_000)?;
    Some(from_date32(days)).filter(|day| super::rows::within_reason(*day))
}

fn count(row: &Row, place: usize) -> Option<u64> {
    u64::try_from(row.get(place)?.whole()?).ok()
}

/// What is asked, in the words of either kind of database.
struct Sql {
    /// The function that finds a text in another.
    find: &'static str,
}

/// One table of people: the day of a row, counted since 1970, and which rows there are.
struct Table {
    day: &'static str,
    from: String,
    /// The column of the moment, and how many of its units a day has.
    moment: (&'static str, i64),
}

impl Sql {
    fn new(database: &Database) -> Self {
        Sql {
            find: if database.postgres { "strpos" } else { "instr" },
        }
    }

    /// The part of a user's name behind its first `:`.
    fn server(&self, name: &str) -> String {
        format!("substr({name}, {}({name}, ':') + 1)", self.find)
    }

    fn signups(&self) -> Table {
        Table {
            day: "creation_ts / 86400",
            from: "FROM users WHERE is_guest = 0 AND appservice_id IS NULL AND (user_type IS NULL OR user_type NOT IN ('support', 'bot'))".to_owned(),
            moment: ("creation_ts", 86_400),
        }
    }

    fn visits(&self) -> Table {
        Table {
            day: "\"timestamp\" / 86400000",
            from: "FROM user_daily_visits WHERE user_id NOT IN (SELECT name FROM users WHERE name IS NOT NULL AND user_type IN ('support', 'bot'))".to_owned(),
            moment: ("\"timestamp\"", 86_400_000),
        }
    }

    /// Messages by the day on which this server received them, and those among them of its own users. What was
    /// fetched of the time before the server joined a room has a negative order, and no day of its own.
    fn messages(&self) -> String {
        let own = format!(
            "{} = (SELECT {} FROM users LIMIT 1)",
            self.server("sender"),
            self.server("name")
        );
        format!(
            "SELECT received_ts / 86400000, COUNT(*), COUNT(CASE WHEN {own} THEN 1 END) FROM events WHERE type IN ('m.room.message', 'm.room.encrypted') AND state_key IS NULL AND NOT outlier AND rejection_reason IS NULL AND stream_ordering > 0 GROUP BY 1 ORDER BY 1"
        )
    }

    /// The rows of one day of a table.
    fn of_day(table: &Table, columns: &str, day: Day) -> String {
        let (moment, units) = table.moment;
        let start = i64::from(date32(day)) * units;
        let end = start + units;
        format!(
            "SELECT {columns} {} AND {moment} >= {start} AND {moment} < {end}",
            table.from
        )
    }
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    let internal = || IngestError::Internal {
        name: opening.name.to_owned(),
        detail: "no stretch of a database".to_owned(),
    };
    let exported = opening.options.exported.as_ref();
    let live = exported
        .and_then(|e| e.live.as_ref())
        .ok_or_else(internal)?;
    let sql = Sql::new(&live.database);
    match (&live.stretch, opening.grain) {
        (Stretch::Series(series), _) => Ok(Box::new(Figures {
            series: series.clone(),
            unread: live.unread.clone(),
        })),
        (Stretch::Day(day, _), Grain::Signups) => Ok(Box::new(People {
            answer: live
                .database
                .ask(&Sql::of_day(&sql.signups(), "name", *day)),
            day: *day,
            signups: true,
            line: 0,
        })),
        (Stretch::Day(day, _), _) => {
            // Clients are asked for only where essor.toml declares the dimension.
            let client = opening
                .options
                .dimensions
                .iter()
                .any(|d| d == super::rows::CLIENT);
            let has = live
                .database
                .columns("user_daily_visits")?
                .iter()
                .any(|c| c == "user_agent");
            let columns = if client && has {
                "user_id, user_agent"
            } else {
                "user_id"
            };
            Ok(Box::new(People {
                answer: live
                    .database
                    .ask(&Sql::of_day(&sql.visits(), columns, *day)),
                day: *day,
                signups: false,
                line: 0,
            }))
        }
    }
}

/// The figures of all days.
struct Figures {
    series: Arc<Series>,
    unread: Arc<[(&'static str, u64)]>,
}

impl Reader for Figures {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        for (column, count) in self.unread.iter() {
            let reason = format!(
                "{count} rows that are of no day: a moment within the years 1990 to 2100 is expected"
            );
            rows.left_out(0, column, reason);
        }
        for (line, ((day, metric), value)) in (1..).zip(self.series.iter()) {
            rows.figure(line, "", *day, metric, *value);
        }
        Ok(false)
    }
}

/// The users of one day. A user with several devices is there several times, and counts once.
struct People {
    answer: Answer,
    day: Day,
    signups: bool,
    line: u64,
}

impl Reader for People {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        let Some(row) = self.answer.next()? else {
            return Ok(false);
        };
        self.line += 1;
        let user = row.first().and_then(Value::text).unwrap_or("");
        let agent = row.get(1).and_then(Value::text).unwrap_or("");
        match self.signups {
            true => rows.signup(self.line, user, self.day),
            false => rows.user_day(self.line, user, self.day, 0, client(agent)),
        }
        Ok(true)
    }
}

/// The kind of client that a user agent is of, by the rule of R30v2; empty where it does not say.
fn client(agent: &str) -> &'static str {
    let agent = agent.to_lowercase();
    let has = |word: &str| agent.contains(word);
    if has("riot") || has("element") {
        return ["electron", "android", "ios"]
            .into_iter()
            .find(|kind| has(kind))
            .unwrap_or("");
    }
    if has("mozilla") || has("gecko") {
        "web"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests;
