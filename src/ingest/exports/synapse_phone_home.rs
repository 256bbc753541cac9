//! Phone-home reports of Matrix Synapse, as a collector receives them: a JSON object a report.
//!
//! Its counts roll over the 24 hours (30 days, 60 days) before the report, which a server sends every
//! three hours: sums of reports would count the same day again and again. The last report of a UTC day
//! stands for the day, and the others for nothing. Every field but `homeserver` may be missing, as older
//! versions knew fewer. Source: element-hq/synapse, `synapse/app/phone_stats_home.py`.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Map, Value};

use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "synapse-phone-home",
    title: "phone-home reports of Matrix Synapse",
    platform: "Matrix",
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise,
    open,
};

/// What a report says, and what it is: `None` for the total, else the value of `kind`.
const FIGURES: [(&str, &str, Option<&str>); 8] = [
    ("daily_active_users", "dau", None),
    ("monthly_active_users", "mau_30d", None),
    ("total_users", "registered_users", None),
    ("r30v2_users_all", "r30v2", None),
    ("daily_user_type_native", "signups", Some("native")),
    ("daily_user_type_guest", "signups", Some("guest")),
    ("daily_user_type_bridged", "signups", Some("bridged")),
    (
        "total_nonbridged_users",
        "registered_users",
        Some("not bridged"),
    ),
];

fn recognise(head: &Head) -> Option<String> {
    let report = head.object()?;
    let others = [
        "total_users",
        "daily_active_users",
        "uptime_seconds",
        "daily_messages",
    ];
    let other = others.iter().find(|key| report.contains_key(**key))?;
    report
        .contains_key("homeserver")
        .then(|| format!("its first report has `homeserver` and `{other}`"))
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Reports {
        documents: Documents::open(opening)?,
        last: BTreeMap::new(),
    }))
}

/// A report that stands for its day as long as no later one is read.
struct Report {
    line: u64,
    timestamp: i64,
    fields: Map<String, Value>,
}

struct Reports {
    documents: Documents,
    last: BTreeMap<(String, Day), Report>,
}

impl Reader for Reports {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(fields)) => self.keep(line, fields, rows),
                Ok(_) => rows.reject(line, "", "not a report: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        for ((server, day), report) in &self.last {
            give(server, *day, report, rows);
        }
        Ok(false)
    }
}

impl Reports {
    fn keep(&mut self, line: u64, fields: Map<String, Value>, rows: &mut Rows) {
        let Some(server) = fields.get("homeserver").and_then(Value::as_str) else {
            return rows.reject(
                line,
                "homeserver",
                "no server: a report names its `homeserver`",
            );
        };
        // Reports that panopticon has stored give the moment of its clock as well.
        let timestamp = ["timestamp", "remote_timestamp", "local_timestamp"]
            .iter()
            .find_map(|key| fields.get(*key)?.as_i64());
        let Some(timestamp) = timestamp else {
            return rows.reject_for(line, "timestamp", Reason::NoDay);
        };
        let day = DateTime::from_timestamp(timestamp, 0).map(|at| at.date_naive());
        let Some(day) = day.filter(|d| super::rows::within_reason(*d)) else {
            return rows.reject_for(line, "timestamp", Reason::NotADay);
        };
        let key = (server.to_owned(), day);
        // Of two reports of one second the one further down was received later.
        if self
            .last
            .get(&key)
            .is_none_or(|held| held.timestamp <= timestamp)
        {
            let report = Report {
                line,
                timestamp,
                fields,
            };
            self.last.insert(key, report);
        }
    }
}

/// The figures of the report that stands for a day.
fn give(server: &str, day: Day, report: &Report, rows: &mut Rows) {
    let mut count = |key: &str| match report.fields.get(key) {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_i64().filter(|n| *n >= 0) {
            Some(count) => Some(count),
            None => {
                rows.reject_for(report.line, key, Reason::NotWhole);
                None
            }
        },
    };
    let figures = FIGURES.map(|(key, metric, kind)| (metric, kind, count(key)));
    let messages = (count("daily_messages"), count("daily_e2ee_messages"));
    let mut signups = None;
    for (metric, kind, value) in figures {
        let Some(value) = value else { continue };
        let part = kind.map_or(("", ""), |kind| ("kind", kind));
        rows.part(report.line, server, day, metric, part, value);
        if metric == "signups" {
            *signups.get_or_insert(0) += value;
        }
    }
    if let Some(signups) = signups {
        rows.figure(report.line, server, day, "signups", signups);
    }
    // Plain and encrypted messages are of different types: their counts share none.
    if let (Some(plain), encrypted) = messages {
        let sum = plain.saturating_add(encrypted.unwrap_or(0));
        rows.figure(report.line, server, day, "messages_sent", sum);
    }
}
