//! panopticon, the collector of phone-home reports: its SQLite database.
//!
//! Tables `stats` (Synapse) and `dendrite_stats` hold a report a row. Of a server and a UTC day the last
//! report of both counts, by the moment that panopticon received it. `aggregate_stats`, days of the whole
//! network, is read where it stands alone: such figures are of no server. Addresses and user agents are
//! never selected. Source: matrix-org/panopticon, `main.go`, `scripts/aggregate.py`.

use super::database::{Answer, Database, Row, Value};
use super::synapse_phone_home::{KEYS, NO_MOMENT, Report, Said, day_of};
use super::{Export, Head, Opening, Reader, Rows, name, taking};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::ingest::{Input, Options, Origin, cell};
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "panopticon",
    title: "panopticon's database of phone-home reports",
    platform: "Matrix",
    family: "matrix",
    rank: 1,
    of_servers: true,
    gives: &[Grain::Usage],
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

const REPORTS: [&str; 2] = ["stats", "dendrite_stats"];
const NETWORK: &str = "aggregate_stats";

fn recognise(head: &Head) -> Option<String> {
    let database = head.database.as_ref()?;
    let has = |table: &str| is_one(table, &database.columns(table).unwrap_or_default());
    let table = REPORTS
        .into_iter()
        .chain([NETWORK])
        .find(|table| has(table))?;
    Some(format!(
        "it is a SQLite database with panopticon's table `{table}`"
    ))
}

fn part(
    export: &'static Export,
    input: &Input,
    options: &Options,
) -> Result<Vec<Options>, IngestError> {
    if let Origin::Path(path) = &input.origin {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        // The load is known by the bytes of the file, in which the changes of such a log are not yet.
        if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            return Err(IngestError::NothingKnown {
                name: input.name.clone(),
                found: "a database in use, whose last changes lie beside it in its `-wal` file",
                advice: "ingest a copy: `sqlite3 FILE \".backup COPY\"` makes one that is whole",
            });
        }
    }
    let options = name::complete(&input.name, export, options)?;
    let part = |grain: &Grain| taking(export, *grain, None, &options);
    Ok(export.gives.iter().map(part).collect())
}

/// Whether a table of such columns is the one of that name in panopticon.
fn is_one(table: &str, columns: &[String]) -> bool {
    let key: &[&str] = match table {
        NETWORK => &["day", "total_users"],
        _ => &["homeserver", "local_timestamp"],
    };
    key.iter()
        .all(|name| columns.iter().any(|column| column == name))
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    let database = Database::spooled(opening.name, opening.path, opening.bytes)?;
    let mut queries = vec![];
    for table in REPORTS {
        let columns = database.columns(table)?;
        if is_one(table, &columns) {
            queries.push(reports(table, &columns));
        }
    }
    let sql = format!("{} ORDER BY 1, 2, 3", queries.join(" UNION ALL "));
    if !queries.is_empty() && !database.all(&format!("{sql} LIMIT 1"))?.is_empty() {
        return Ok(Box::new(Reports {
            answer: database.ask(&sql),
            held: None,
        }));
    }
    let columns = database.columns(NETWORK)?;
    if is_one(NETWORK, &columns) {
        return Ok(Box::new(Network {
            answer: database.ask(&network(&columns)),
        }));
    }
    // Its tables are there and nobody has reported yet.
    match queries.is_empty() {
        false => Ok(Box::new(Reports {
            answer: database.ask(&sql),
            held: None,
        })),
        true => Err(IngestError::NothingKnown {
            name: opening.name.to_owned(),
            found: "a SQLite database without panopticon's tables",
            advice: "`stats`, `dendrite_stats` or `aggregate_stats` is expected there",
        }),
    }
}

/// The keys of a report as columns: those that an older panopticon did not know are null.
fn figures(columns: &[String]) -> String {
    let column = |key: &str| match columns.iter().any(|column| column == key) {
        true => format!(", {key}"),
        false => ", NULL".to_owned(),
    };
    KEYS.iter().map(|key| column(key)).collect()
}

/// Server, moment and number of each report, then its figures.
fn reports(table: &str, columns: &[String]) -> String {
    let has = |name: &str| columns.iter().any(|column| column == name);
    let moment = match has("remote_timestamp") {
        true => "COALESCE(local_timestamp, remote_timestamp)",
        false => "local_timestamp",
    };
    format!(
        "SELECT homeserver, {moment}, rowid{} FROM {table}",
        figures(columns)
    )
}

fn network(columns: &[String]) -> String {
    let servers = match columns.iter().any(|c| c == "daily_active_homeservers") {
        true => "daily_active_homeservers",
        false => "NULL",
    };
    format!(
        "SELECT {servers}, day, rowid{} FROM {NETWORK} ORDER BY day",
        figures(columns)
    )
}

/// What stands in front of the figures of a row.
const BEFORE: usize = 3;

fn report(line: u64, row: &Row) -> Report {
    let said = |key: &str| {
        let place = KEYS.iter().position(|k| *k == key)?;
        count(row.get(BEFORE + place)?)
    };
    Report::new(line, said)
}

/// What a value says as a count. Databases that were moved from another kind may hold numbers as text.
fn count(value: &Value) -> Said {
    match value {
        Value::Null => None,
        Value::Whole(number) => cell::whole((*number).max(-i64::MAX)).transpose(),
        Value::Real(number) => cell::whole(cell::from_float(*number)).transpose(),
        Value::Text(text) => cell::count(text).transpose(),
        Value::Other => Some(Err(Reason::NotWhole)),
    }
}

/// The number of a row in its table; where it stands in the database.
fn line(row: &Row) -> u64 {
    let id = row.get(2).and_then(Value::whole);
    id.and_then(|id| u64::try_from(id).ok()).unwrap_or_default()
}

/// Reports in the order of server and moment: the last of a day is known when the next day begins.
struct Reports {
    answer: Answer,
    held: Option<(String, Day, Report)>,
}

impl Reader for Reports {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        let Some(row) = self.answer.next()? else {
            self.give(rows);
            return Ok(false);
        };
        let line = line(&row);
        let server = row.first().and_then(Value::text).map(str::trim);
        let Some(server) = server.filter(|server| !server.is_empty()) else {
            rows.reject(
                line,
                "homeserver",
                "no server: a report names its `homeserver`",
            );
            return Ok(true);
        };
        let Some(day) = row.get(1).and_then(Value::whole).and_then(day_of) else {
            rows.reject(line, "local_timestamp", NO_MOMENT);
            return Ok(true);
        };
        let same = |(held, of, _): &(String, Day, Report)| held == server && *of == day;
        if !self.held.as_ref().is_some_and(same) {
            self.give(rows);
        }
        self.held = Some((server.to_owned(), day, report(line, &row)));
        Ok(true)
    }
}

impl Reports {
    fn give(&mut self, rows: &mut Rows) {
        if let Some((server, day, report)) = self.held.take() {
            report.give(&server, day, rows);
        }
    }
}

/// Days of the whole network.
struct Network {
    answer: Answer,
}

impl Reader for Network {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        let Some(row) = self.answer.next()? else {
            return Ok(false);
        };
        let line = line(&row);
        let Some(day) = row.get(1).and_then(Value::whole).and_then(day_of) else {
            rows.reject(line, "day", NO_MOMENT);
            return Ok(true);
        };
        match row.first().and_then(count) {
            Some(Ok(servers)) => rows.figure(line, "", day, "servers", servers),
            Some(Err(reason)) => rows.reject_for(line, "daily_active_homeservers", reason),
            None => {}
        }
        report(line, &row).give("", day, rows);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::given::{Given, given, options};
    use crate::ingest::{Input, Options};

    const STATS: &str = "CREATE TABLE stats (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, homeserver VARCHAR(256), local_timestamp BIGINT, remote_timestamp BIGINT, remote_addr TEXT, forwarded_for TEXT, uptime_seconds BIGINT, total_users BIGINT, total_nonbridged_users BIGINT, daily_active_users BIGINT, monthly_active_users BIGINT, daily_messages BIGINT, daily_sent_messages BIGINT, r30v2_users_all BIGINT, r30v2_users_android BIGINT, user_agent TEXT);";
    const DENDRITE: &str = "CREATE TABLE dendrite_stats (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, homeserver VARCHAR(256), local_timestamp BIGINT, remote_timestamp BIGINT, remote_addr TEXT, forwarded_for TEXT, total_users BIGINT, daily_active_users BIGINT, goos TEXT);";
    const NETWORK: &str = "CREATE TABLE aggregate_stats (day BIGINT NOT NULL, total_users BIGINT, daily_active_users BIGINT, daily_messages BIGINT, daily_active_homeservers BIGINT, server_context TEXT, PRIMARY KEY (day));";

    fn read(sql: &str, compressed: bool) -> Given {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.db");
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let input = match compressed {
            false => Input::path("stats.db", path),
            true => {
                let bytes = std::fs::read(&path).unwrap();
                Input::bytes(
                    "stats.db.zst",
                    zstd::encode_all(bytes.as_slice(), 1).unwrap(),
                )
            }
        };
        given(&input, &options()).unwrap()
    }

    /// 2016-02-23 is 1456185600.
    const REPORTS: &str = "INSERT INTO stats (homeserver, local_timestamp, remote_timestamp, remote_addr, total_users, daily_active_users, daily_messages, daily_sent_messages, r30v2_users_all, r30v2_users_android) VALUES
        ('b.example', 1456185600, 5, '198.51.100.7', 10, 3, 9, 4, 2, 1),
        ('a.example', 1456200000, 1456200000, '198.51.100.7', 20, 6, NULL, NULL, NULL, NULL),
        ('a.example', 1456190000, 1456190000, '198.51.100.7', 19, 5, NULL, NULL, NULL, NULL),
        ('a.example', NULL, 1456272000, '198.51.100.7', 21, -1, 1, NULL, NULL, NULL),
        (NULL, 1456272000, NULL, '198.51.100.7', 21, 1, 1, NULL, NULL, NULL),
        ('c.example', NULL, NULL, '198.51.100.7', 'many', 1, 1, NULL, NULL, NULL);
        INSERT INTO dendrite_stats (homeserver, local_timestamp, total_users, daily_active_users, goos) VALUES ('a.example', 1456210000, 22, 7, 'linux'), ('d.example', 1456210000, 1, 1, 'linux');";

    #[test]
    fn the_last_report_of_a_server_and_day_counts_over_both_tables() {
        let sql = format!(
            "{STATS}{DENDRITE}{NETWORK}{REPORTS} INSERT INTO aggregate_stats VALUES (1456185600, 99, 9, 9, 2, NULL);"
        );
        for compressed in [false, true] {
            let given = read(&sql, compressed);
            assert_eq!(
                given.rows,
                [
                    "a.example 2016-02-23 dau 7",
                    "a.example 2016-02-23 registered_users 22",
                    "a.example 2016-02-24 messages_seen 1",
                    "a.example 2016-02-24 registered_users 21",
                    "b.example 2016-02-23 dau 3",
                    "b.example 2016-02-23 messages_seen 9",
                    "b.example 2016-02-23 messages_sent 4",
                    "b.example 2016-02-23 r30v2 2",
                    "b.example 2016-02-23 r30v2 client=android 1",
                    "b.example 2016-02-23 registered_users 10",
                    "d.example 2016-02-23 dau 1",
                    "d.example 2016-02-23 registered_users 1",
                ]
            );
            assert_eq!(given.rejects.len(), 3, "{:?}", given.rejects);
            assert!(
                given
                    .rejects
                    .iter()
                    .any(|r| r.starts_with("4 daily_active_users: negative"))
            );
            assert!(!format!("{given:?}").contains("198.51"));
        }
    }

    #[test]
    fn days_of_the_network_are_read_where_they_stand_alone() {
        let sql = format!(
            "{STATS}{NETWORK} INSERT INTO aggregate_stats VALUES (1456185600, 99, 9, 8, 2, NULL), (7, 1, 1, 1, 1, NULL);"
        );
        let given = read(&sql, false);
        assert_eq!(
            given.rows,
            [
                " 2016-02-23 dau 9",
                " 2016-02-23 messages_seen 8",
                " 2016-02-23 registered_users 99",
                " 2016-02-23 servers 2",
            ]
        );
        assert_eq!(given.rejects.len(), 1);
    }

    #[test]
    fn another_database_is_none_of_panopticons() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let made = rusqlite::Connection::open(&path).unwrap();
        made.execute_batch("CREATE TABLE stats (day, messages); INSERT INTO stats VALUES (1, 2)")
            .unwrap();
        let error = given(&Input::path("x.db", &path), &Options::default()).unwrap_err();
        assert!(error.to_string().contains("is not read"), "{error}");
    }
}
