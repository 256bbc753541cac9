//! Databases that are asked where they stand: SQLite files by their path, PostgreSQL by its URL.
//!
//! Only ever read. A connection lives on a thread of its own, which sends the rows of an answer in
//! stretches and waits where nobody takes them: an answer is never held whole.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use postgres::config::Host;
use rusqlite::types::ValueRef;

use super::Head;
use crate::ingest::error::IngestError;
use crate::ingest::sniff::Bytes;

/// What a SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Rows that are sent together.
const STRETCH: usize = 1 << 10;

/// How long a database that is being written to is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    /// Of a type that no figure or name has.
    Other,
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }
}

/// One row of an answer.
pub(super) type Row = Vec<Value>;

type Why = Box<dyn std::error::Error + Send + Sync>;
type Job = Box<dyn FnOnce(&mut dyn Connection) + Send>;

/// What both kinds of databases can do.
trait Connection {
    /// Runs a query and hands on each row, until it is told to stop.
    fn ask(&mut self, sql: &str, take: &mut dyn FnMut(Row) -> bool) -> Result<(), Why>;
}

/// A database that is open for reading.
#[derive(Clone)]
pub struct Database {
    name: Arc<str>,
    /// Whether it is PostgreSQL; else it is SQLite.
    pub(super) postgres: bool,
    unencrypted: Option<Arc<str>>,
    jobs: Sender<Job>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.name)
    }
}

impl Database {
    /// Whether the first bytes are those of a SQLite file.
    pub(super) fn is_sqlite(head: &Head) -> bool {
        head.bytes.starts_with(MAGIC)
    }

    /// Opens a SQLite file at a path.
    pub(super) fn sqlite(name: &str, path: &Path) -> Result<Self, IngestError> {
        let path = path.to_owned();
        Self::start(name, false, move || {
            open_sqlite(&path).map(|c| Box::new(c) as _)
        })
    }

    /// Opens the SQLite file that some bytes are: by its path where it has one, else from a temporary
    /// copy that is gone with the connection. The bytes are read to their end either way, since the load
    /// is known by their hash.
    pub(super) fn spooled(
        name: &str,
        path: Option<&Path>,
        mut bytes: Bytes,
    ) -> Result<Self, IngestError> {
        let failed = |source| IngestError::Read {
            name: name.to_owned(),
            source,
        };
        if let Some(path) = path {
            std::io::copy(&mut bytes, &mut std::io::sink()).map_err(failed)?;
            return Self::sqlite(name, path);
        }
        let mut copy = tempfile::NamedTempFile::new().map_err(failed)?;
        std::io::copy(&mut bytes, &mut copy).map_err(failed)?;
        Self::start(name, false, move || {
            let connection = open_sqlite(copy.path())?;
            Ok(Box::new(Copied {
                connection,
                _copy: copy.into_temp_path(),
            }) as _)
        })
    }

    /// Connects to PostgreSQL. The password may stand in the environment (`PGPASSWORD`), not only in the URL.
    pub(super) fn postgres(url: &str) -> Result<Self, IngestError> {
        let name = without_password(url);
        let failed = |why: Why| asked(&name, why);
        let mut config: postgres::Config = url.parse().map_err(|e| failed(Box::new(e)))?;
        config.application_name("essor").connect_timeout(PATIENCE);
        if let (None, Ok(password)) = (config.get_password(), std::env::var("PGPASSWORD")) {
            config.password(password);
        }
        let remote = config.get_hosts().iter().find_map(|host| match host {
            Host::Tcp(host) if !is_loopback(host) => Some(host.clone()),
            _ => None,
        });
        let mut database = Self::start(&name, true, move || {
            let mut client = config.connect(postgres::NoTls)?;
            client.batch_execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")?;
            Ok(Box::new(client) as _)
        })?;
        database.unencrypted = remote.map(|host| {
            Arc::from(format!(
                "the connection to `{host}` is not encrypted: what is read passes the network in the clear; an SSH tunnel (`ssh -L 5432:localhost:5432 {host}`) or running essor there avoids that"
            ))
        });
        Ok(database)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What there is to say of a connection to another machine.
    pub(super) fn unencrypted(&self) -> Option<String> {
        self.unencrypted.as_deref().map(str::to_owned)
    }

    /// Starts the thread of a connection, which ends when nobody can ask it any more.
    fn start(
        name: &str,
        postgres: bool,
        open: impl FnOnce() -> Result<Box<dyn Connection>, Why> + Send + 'static,
    ) -> Result<Self, IngestError> {
        let (jobs, queue) = channel::<Job>();
        let (opened, answer) = sync_channel(1);
        std::thread::spawn(move || match open() {
            Err(why) => _ = opened.send(Err(why)),
            Ok(mut connection) => {
                _ = opened.send(Ok(()));
                while let Ok(job) = queue.recv() {
                    job(connection.as_mut());
                }
            }
        });
        match answer.recv() {
            Ok(Ok(())) => Ok(Database {
                name: Arc::from(name),
                postgres,
                unencrypted: None,
                jobs,
            }),
            Ok(Err(why)) => Err(asked(name, why)),
            Err(_) => Err(asked(name, "its thread stopped".into())),
        }
    }

    /// Asks; rows come as they are taken.
    pub(super) fn ask(&self, sql: &str) -> Answer {
        let (send, stretches) = sync_channel(2);
        let sql = sql.to_owned();
        let job: Job = Box::new(move |connection| answer(connection, &sql, &send));
        // Where the thread is gone, the answer's closed channel says so.
        _ = self.jobs.send(job);
        Answer {
            name: self.name.clone(),
            stretches,
            rows: vec![].into_iter(),
            ended: false,
        }
    }

    /// All rows of a short answer.
    pub(super) fn all(&self, sql: &str) -> Result<Vec<Row>, IngestError> {
        let mut answer = self.ask(sql);
        let mut rows = vec![];
        while let Some(row) = answer.next()? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// The columns of a table; none where there is no such table.
    pub(super) fn columns(&self, table: &str) -> Result<Vec<String>, IngestError> {
        let sql = match self.postgres {
            true => format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = ANY (current_schemas(false))"
            ),
            false => format!("SELECT name FROM pragma_table_info('{table}')"),
        };
        let rows = self.all(&sql)?;
        let name = |row: Row| row.first()?.text().map(str::to_owned);
        Ok(rows.into_iter().filter_map(name).collect())
    }
}

/// Rows on their way from a database.
pub(super) struct Answer {
    name: Arc<str>,
    stretches: Receiver<Sent>,
    rows: std::vec::IntoIter<Row>,
    ended: bool,
}

enum Sent {
    Rows(Vec<Row>),
    Failed(Why),
    /// Said in so many words: a thread that stopped has not ended its answer.
    End,
}

impl Answer {
    pub(super) fn next(&mut self) -> Result<Option<Row>, IngestError> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            if self.ended {
                return Ok(None);
            }
            match self.stretches.recv() {
                Ok(Sent::Rows(rows)) => self.rows = rows.into_iter(),
                Ok(Sent::End) => self.ended = true,
                Ok(Sent::Failed(why)) => return Err(asked(&self.name, why)),
                Err(_) => return Err(asked(&self.name, "its thread stopped".into())),
            }
        }
    }
}

fn answer(connection: &mut dyn Connection, sql: &str, send: &SyncSender<Sent>) {
    let mut rows = Vec::with_capacity(STRETCH);
    let done = connection.ask(sql, &mut |row| {
        rows.push(row);
        rows.len() < STRETCH || send.send(Sent::Rows(std::mem::take(&mut rows))).is_ok()
    });
    _ = send.send(Sent::Rows(rows));
    _ = send.send(match done {
        Ok(()) => Sent::End,
        Err(why) => Sent::Failed(why),
    });
}

fn asked(name: &str, source: Why) -> IngestError {
    IngestError::Database {
        name: name.to_owned(),
        source,
    }
}

fn open_sqlite(path: &Path) -> Result<rusqlite::Connection, Why> {
    use rusqlite::OpenFlags;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

impl Connection for rusqlite::Connection {
    fn ask(&mut self, sql: &str, take: &mut dyn FnMut(Row) -> bool) -> Result<(), Why> {
        let mut statement = self.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let value = |column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Whole(number),
                    ValueRef::Real(number) => Value::Real(number),
                    ValueRef::Text(text) => std::str::from_utf8(text)
                        .map_or(Value::Other, |t| Value::Text(t.to_owned())),
                    ValueRef::Blob(_) => Value::Other,
                })
            };
            let row: Result<Row, rusqlite::Error> = (0..columns).map(value).collect();
            if !take(row?) {
                break;
            }
        }
        Ok(())
    }
}

/// A temporary copy of a SQLite file, and the connection to it.
struct Copied {
    connection: rusqlite::Connection,
    _copy: tempfile::TempPath,
}

impl Connection for Copied {
    fn ask(&mut self, sql: &str, take: &mut dyn FnMut(Row) -> bool) -> Result<(), Why> {
        self.connection.ask(sql, take)
    }
}

impl Connection for postgres::Client {
    fn ask(&mut self, sql: &str, take: &mut dyn FnMut(Row) -> bool) -> Result<(), Why> {
        use postgres::fallible_iterator::FallibleIterator;
        let none: [&str; 0] = [];
        let mut rows = self.query_raw(sql, none)?;
        while let Some(row) = rows.next()? {
            let row: Result<Row, postgres::Error> = (0..row.len())
                .map(|column| postgres_value(&row, column))
                .collect();
            if !take(row?) {
                break;
            }
        }
        Ok(())
    }
}

fn postgres_value(row: &postgres::Row, column: usize) -> Result<Value, postgres::Error> {
    use postgres::types::Type;
    let of = row.columns().get(column).map(|c| c.type_().clone());
    let whole = |number: Option<i64>| number.map_or(Value::Null, Value::Whole);
    Ok(match of {
        Some(Type::INT8) => whole(row.try_get(column)?),
        Some(Type::INT4) => whole(row.try_get::<_, Option<i32>>(column)?.map(i64::from)),
        Some(Type::INT2) => whole(row.try_get::<_, Option<i16>>(column)?.map(i64::from)),
        Some(Type::TEXT | Type::VARCHAR) => row
            .try_get::<_, Option<String>>(column)?
            .map_or(Value::Null, Value::Text),
        _ => Value::Other,
    })
}

/// A URL as it may be shown: without a password, which may also stand behind the `?`.
fn without_password(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = shown.split_once("://") else {
        return "the PostgreSQL database".to_owned();
    };
    // The last `@` ends what is said of the user: a password may hold others.
    match rest.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => shown.to_owned(),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
