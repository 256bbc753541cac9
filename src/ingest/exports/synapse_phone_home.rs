//! Phone-home reports of Matrix Synapse, as a collector receives them: a JSON object a report.
//!
//! Its counts roll over the 24 hours (30 days, 60 days) before the report, which a server sends every
//! three hours: sums of reports would count the same day again and again. The last report of a UTC day
//! stands for the day, and the others for nothing. Every field but `homeserver` may be missing, as older
//! versions knew fewer (R30 was given until 1.84, R30v2 and encrypted messages since 1.39). Source:
//! element-hq/synapse, `synapse/app/phone_stats_home.py`.
//!
//! Rows of panopticon's table `stats`, written as JSON, are such reports too, under the same names.

use std::collections::{BTreeMap, HashMap, btree_map};

use chrono::DateTime;

use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

mod line;

use line::{Fields, Given, read};

pub(super) static EXPORT: Export = Export {
    name: "synapse-phone-home",
    title: "phone-home reports of Matrix Synapse",
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
    part: None,
    chat: None,
    private_name: false,
    open,
};

/// A figure of a report: its key, what it is, and of which part.
type Figure = (&'static str, &'static str, (&'static str, &'static str));

const ALL: (&str, &str) = ("", "");

/// What a report says and what it is, as it stands.
const FIGURES: [Figure; 17] = [
    ("daily_active_users", "dau", ALL),
    ("monthly_active_users", "mau_30d", ALL),
    ("total_users", "registered_users", ALL),
    (
        "total_nonbridged_users",
        "registered_users",
        ("kind", "not bridged"),
    ),
    ("r30v2_users_all", "r30v2", ALL),
    ("r30v2_users_android", "r30v2", ("client", "android")),
    ("r30v2_users_ios", "r30v2", ("client", "ios")),
    ("r30v2_users_electron", "r30v2", ("client", "electron")),
    ("r30v2_users_web", "r30v2", ("client", "web")),
    ("r30_users_all", "r30", ALL),
    ("r30_users_android", "r30", ("client", "android")),
    ("r30_users_ios", "r30", ("client", "ios")),
    ("r30_users_electron", "r30", ("client", "electron")),
    ("r30_users_web", "r30", ("client", "web")),
    ("daily_user_type_native", "signups", ("kind", "native")),
    ("daily_user_type_guest", "signups", ("kind", "guest")),
    ("daily_user_type_bridged", "signups", ("kind", "bridged")),
];

/// What is the sum of several keys. The first of them must be there: versions before 1.39 did not tell of
/// encrypted messages. Plain and encrypted messages are of different types, so that no message is in both;
/// what local users sent adds up over servers, what a server saw does not.
const SUMS: [(&str, &[&str]); 3] = [
    (
        "signups",
        &[
            "daily_user_type_native",
            "daily_user_type_guest",
            "daily_user_type_bridged",
        ],
    ),
    (
        "messages_sent",
        &["daily_sent_messages", "daily_sent_e2ee_messages"],
    ),
    ("messages_seen", &["daily_messages", "daily_e2ee_messages"]),
];

/// Every key whose figure is read: also the columns of panopticon's tables.
pub(super) const KEYS: [&str; 21] = [
    "daily_active_users",
    "monthly_active_users",
    "total_users",
    "total_nonbridged_users",
    "r30v2_users_all",
    "r30v2_users_android",
    "r30v2_users_ios",
    "r30v2_users_electron",
    "r30v2_users_web",
    "r30_users_all",
    "r30_users_android",
    "r30_users_ios",
    "r30_users_electron",
    "r30_users_web",
    "daily_user_type_native",
    "daily_user_type_guest",
    "daily_user_type_bridged",
    "daily_messages",
    "daily_e2ee_messages",
    "daily_sent_messages",
    "daily_sent_e2ee_messages",
];

/// What a report says under one key: nothing, a count, or what is none.
pub(super) type Said = Option<Result<i64, Reason>>;

/// The figures of one report.
pub(super) struct Report {
    line: u64,
    said: [Said; KEYS.len()],
}

impl Report {
    pub(super) fn new(line: u64, said: impl Fn(&str) -> Said) -> Self {
        Report {
            line,
            said: KEYS.map(said),
        }
    }

    fn said(&self, key: &str) -> Said {
        let place = KEYS.iter().position(|k| *k == key)?;
        *self.said.get(place)?
    }

    /// Gives the rows of the day that the report stands for.
    pub(super) fn give(&self, server: &str, day: Day, rows: &mut Rows) {
        for (key, said) in KEYS.iter().zip(&self.said) {
            if let Some(Err(reason)) = said {
                rows.reject_for(self.line, key, *reason);
            }
        }
        for (key, metric, part) in FIGURES {
            if let Some(Ok(count)) = self.said(key) {
                rows.part(self.line, server, day, metric, part, count);
            }
        }
        for (metric, keys) in SUMS {
            if let Some(sum) = self.sum(keys) {
                rows.figure(self.line, server, day, metric, sum);
            }
        }
    }

    /// The sum of what is said; none where the first is not, or any is no count.
    fn sum(&self, keys: &[&str]) -> Option<i64> {
        self.said(keys.first()?)?.ok()?;
        keys.iter()
            .filter_map(|key| self.said(key))
            .try_fold(0i64, |sum, said| Some(sum.saturating_add(said.ok()?)))
    }
}

fn recognise(head: &Head) -> Option<String> {
    let report = head.object()?;
    report.get("homeserver")?.as_str()?;
    // Nothing but its server need stand in a report.
    if report.len() == 1 {
        return Some("its first report has `homeserver` and nothing else".to_owned());
    }
    let mut others = KEYS.iter().chain(&["uptime_seconds"]).chain(&MOMENTS);
    let other = others.find(|key| report.contains_key(**key))?;
    Some(format!("its first report has `homeserver` and `{other}`"))
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Reports {
        at: opening.options.at,
        documents: Documents::open_as(opening, read)?,
        last: HashMap::new(),
        ended: None,
    }))
}

/// Where the moment of a report stands: a collector's clock goes before that of the server, which may be
/// wrong by years. essor's own collector says `received`, panopticon `local_timestamp`.
const MOMENTS: [&str; 4] = [
    "received",
    "local_timestamp",
    "timestamp",
    "remote_timestamp",
];

/// The reports that stand for their days, each with its moment.
type Days = BTreeMap<Day, (i64, Report)>;

struct Reports {
    documents: Documents<Given>,
    /// The day of reports without a moment, where it is said.
    at: Option<Day>,
    /// By server, as long as no later ones are read.
    last: HashMap<Box<str>, Days>,
    /// Those that are left to give when all were read, by name.
    ended: Option<btree_map::IntoIter<Box<str>, Days>>,
}

impl Reader for Reports {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        if let Some(left) = &mut self.ended {
            let Some((server, days)) = left.next() else {
                return Ok(false);
            };
            for (day, (_, report)) in days {
                report.give(&server, day, rows);
            }
            return Ok(true);
        }
        match self.documents.next()? {
            Some((line, Ok(Given::Report(fields)))) => self.keep(line, *fields, rows),
            Some((line, Ok(Given::Other))) => {
                rows.reject(line, "", "not a report: a JSON object is expected");
            }
            Some((line, Err(NotJson))) => rows.reject(line, "", NotJson::REASON),
            None => {
                let sorted: BTreeMap<_, _> = self.last.drain().collect();
                self.ended = Some(sorted.into_iter());
            }
        }
        Ok(true)
    }
}

impl Reports {
    fn keep(&mut self, line: u64, fields: Fields, rows: &mut Rows) {
        let server = fields.server.as_deref().map(str::trim);
        let Some(server) = server.filter(|name| !name.is_empty()) else {
            return rows.reject(
                line,
                "homeserver",
                "no server: a report names its `homeserver`",
            );
        };
        let moment = match (
            fields.moments.iter().find(|value| !value.is_null()),
            self.at,
        ) {
            (Some(at), _) => at.as_i64().and_then(|at| Some((at, day_of(at)?))),
            (None, Some(day)) => Some((0, day)),
            (None, None) => return rows.reject(line, "timestamp", NO_TIMESTAMP),
        };
        let Some((at, day)) = moment else {
            return rows.reject(line, "timestamp", NO_MOMENT);
        };
        let said = fields.said;
        let Some(days) = self.last.get_mut(server) else {
            let days = Days::from([(day, (at, Report { line, said }))]);
            self.last.insert(Box::from(server), days);
            return;
        };
        // Of two reports of one second the one further down was received later.
        if days.get(&day).is_none_or(|(held, _)| *held <= at) {
            days.insert(day, (at, Report { line, said }));
        }
    }
}

const NO_TIMESTAMP: &str = "a report without its moment: say of which day with `--at`";

/// What a reject says of a moment that is none.
pub(super) const NO_MOMENT: &str =
    "no moment of a messenger: whole seconds since 1970, within the years 1990 to 2100";

/// The day of UTC that a moment falls on, in seconds since 1970.
pub(super) fn day_of(seconds: i64) -> Option<Day> {
    let at = DateTime::from_timestamp(seconds, 0)?;
    Some(at.date_naive()).filter(|day| super::rows::within_reason(*day))
}

#[cfg(test)]
mod tests;
