//! The statistics of Rocket.Chat (`rocketchat_statistics`), as mongoexport writes them: a document a line or an array, with
//! plain or Extended JSON.
//!
//! `totalUsers` (`registered_users`) and `totalMessages` (posts since the beginning) are of the UTC day of `createdAt`.
//! `uniqueUsersOfYesterday`, `...LastWeek` and `...LastMonth` say the day on which they end: `dau`, `wau_7d` and `mau_1month`,
//! on the last day of a month also `mau_month`. Their `data` is empty where nobody was active. `activeUsers` are enabled
//! accounts, no activity, and are not taken. Where several documents speak of a day the last one stands for it.
//! Source: RocketChat/Rocket.Chat, `packages/core-typings/src/IStats.ts`, `packages/models/src/models/Sessions.ts`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use super::counts::{self, count, near};
use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static STATISTICS: Export = Export {
    name: "rocket-chat-statistics",
    title: "statistics of Rocket.Chat",
    platform: "Rocket.Chat",
    family: "rocket-chat",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: true,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &["messages_sent"],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

const TOTALS: [(&str, &str); 2] = [
    ("totalUsers", "registered_users"),
    ("totalMessages", "messages_sent"),
];

const UNIQUE: [(&str, &str); 3] = [
    ("uniqueUsersOfYesterday", "dau"),
    ("uniqueUsersOfLastWeek", "wau_7d"),
    ("uniqueUsersOfLastMonth", "mau_1month"),
];

fn recognise(head: &Head) -> Option<String> {
    let names = names(head);
    let has = |name: &str| names.iter().any(|n| n == name);
    let known = TOTALS.iter().chain(&UNIQUE).find(|(name, _)| has(name))?.0;
    (has("uniqueId")).then(|| format!("its first document has `uniqueId` and `{known}`"))
}

/// The names of the first document, also where it goes on behind the head.
pub(super) fn names(head: &Head) -> Vec<String> {
    if let Some(document) = head.object() {
        return document.keys().cloned().collect();
    }
    match head.text().trim_start().strip_prefix('[') {
        Some(document) => Head::of("", document.as_bytes()).keys(),
        None => head.keys(),
    }
}

/// A number without the wrapping of Extended JSON: `{"$numberLong": "5"}`.
pub(super) fn unwrapped(value: &Value) -> &Value {
    let wrapped = ["$numberInt", "$numberLong", "$numberDouble"];
    let inner = wrapped
        .iter()
        .find_map(|kind| value.as_object()?.get(*kind));
    inner.unwrap_or(value)
}

/// A moment: `{"$date": ...}` with a text or milliseconds, or the text itself.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let value = value.get("$date").unwrap_or(value);
    match unwrapped(value) {
        Value::String(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => Some(moment.to_utc()),
            Err(_) => match NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
                Ok(moment) => Some(moment.and_utc()),
                Err(_) => DateTime::from_timestamp_millis(text.parse().ok()?),
            },
        },
        Value::Number(millis) => DateTime::from_timestamp_millis(millis.as_i64()?),
        _ => None,
    }
}

/// The day of `year`, `month` and `day`.
pub(super) fn day(document: &Map<String, Value>) -> Result<Day, Reason> {
    let part = |name: &str| -> Result<i64, Reason> {
        let value = document.get(name).ok_or(Reason::NoDay)?;
        count(unwrapped(value))
            .map_err(|_| Reason::NotADay)?
            .ok_or(Reason::NoDay)
    };
    let (year, month, day) = (part("year")?, part("month")?, part("day")?);
    let small = |number: i64| u32::try_from(number).map_err(|_| Reason::NotADay);
    let year = i32::try_from(year).map_err(|_| Reason::NotADay)?;
    near(Day::from_ymd_opt(year, small(month)?, small(day)?).ok_or(Reason::NotADay)?)
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Statistics {
        documents: Documents::open(opening)?,
        last: BTreeMap::new(),
    }))
}

/// A figure that stands for its day as long as no later document is read.
struct Figure {
    created: DateTime<Utc>,
    line: u64,
    value: i64,
}

struct Statistics {
    documents: Documents,
    last: BTreeMap<(Day, &'static str), Figure>,
}

impl Reader for Statistics {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(document)) => self.document(line, &document, rows),
                Ok(_) => rows.reject(line, "", "not a document: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        for ((day, metric), figure) in &self.last {
            rows.figure(figure.line, "", *day, metric, figure.value);
        }
        Ok(false)
    }
}

impl Statistics {
    fn document(&mut self, line: u64, document: &Map<String, Value>, rows: &mut Rows) {
        let Some(created) = document.get("createdAt").and_then(moment) else {
            return rows.reject_for(line, "createdAt", Reason::NotADay);
        };
        let today = match near(created.date_naive()) {
            Ok(day) => day,
            Err(reason) => return rows.reject_for(line, "createdAt", reason),
        };
        for (field, metric) in TOTALS {
            let value = document.get(field).map(unwrapped);
            if let Some(value) = counts::taken(rows, line, field, value) {
                self.keep(
                    today,
                    metric,
                    Figure {
                        created,
                        line,
                        value,
                    },
                );
            }
        }
        for (field, metric) in UNIQUE {
            match document.get(field).and_then(Value::as_object).map(unique) {
                Some(Ok((day, value))) => {
                    self.keep(
                        day,
                        metric,
                        Figure {
                            created,
                            line,
                            value,
                        },
                    );
                    let month_ends = day
                        .succ_opt()
                        .is_some_and(|next| chrono::Datelike::day(&next) == 1);
                    if metric == "mau_1month" && month_ends {
                        self.keep(
                            day,
                            "mau_month",
                            Figure {
                                created,
                                line,
                                value,
                            },
                        );
                    }
                }
                Some(Err(reason)) => rows.reject_for(line, field, reason),
                // Versions before 3 don't count them.
                None => {}
            }
        }
    }

    fn keep(&mut self, day: Day, metric: &'static str, figure: Figure) {
        let key = (day, metric);
        if self
            .last
            .get(&key)
            .is_none_or(|held| held.created <= figure.created)
        {
            self.last.insert(key, figure);
        }
    }
}

/// The day on which a window ends, and its users: all roles together stand first in `data`.
fn unique(window: &Map<String, Value>) -> Result<(Day, i64), Reason> {
    let day = day(window)?;
    let data = window
        .get("data")
        .and_then(Value::as_array)
        .ok_or(Reason::NoValue)?;
    let Some(all) = data.first() else {
        return Ok((day, 0));
    };
    let users = all.get("count").map(unwrapped).ok_or(Reason::NoValue)?;
    Ok((day, count(users)?.ok_or(Reason::NoValue)?))
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{read, said};

    const CREATED: &str =
        r#""_id": "x", "uniqueId": "q", "createdAt": {"$date": "2016-03-01T00:05:00.000Z"}"#;

    #[test]
    fn windows_say_their_own_day() {
        let text = format!(
            r#"{{{CREATED}, "totalUsers": 120, "activeUsers": 90, "totalMessages": {{"$numberLong": "90000"}},
            "uniqueUsersOfYesterday": {{"year": 2016, "month": 2, "day": 29, "data": [{{"count": 41, "sessions": 60, "time": 5.5, "roles": [{{"role": "user", "count": 40}}]}}]}},
            "uniqueUsersOfLastWeek": {{"year": {{"$numberInt": "2016"}}, "month": 2, "day": 29, "data": []}},
            "uniqueUsersOfLastMonth": {{"year": 2016, "month": 2, "day": 29, "data": [{{"count": 77}}]}}}}"#
        );
        let told = read("s.json", text, &said());
        assert_eq!(
            told.figures,
            [
                "chat.example.org 2016-02-29 dau 41",
                "chat.example.org 2016-02-29 mau_1month 77",
                "chat.example.org 2016-02-29 mau_month 77",
                "chat.example.org 2016-02-29 wau_7d 0",
                "chat.example.org 2016-03-01 messages_sent+ 90000",
                "chat.example.org 2016-03-01 registered_users 120",
            ]
        );
        assert!(told.rejects.is_empty(), "{:?}", told.rejects);
    }

    #[test]
    fn the_last_document_of_a_day_stands_for_it() {
        let document = |minute: u32, users: &str| {
            format!(
                r#"{{"uniqueId": "q", "createdAt": {{"$date": {{"$numberLong": "{}"}}}}, "totalUsers": {users}}}"#,
                1_456_185_600_000_i64 + i64::from(minute) * 60_000
            )
        };
        let text = format!(
            "[{},\n{},\n{}]",
            document(9, "7"),
            document(5, "6"),
            document(8, "-1")
        );
        let told = read("s.json", text, &said());
        assert_eq!(
            told.figures,
            ["chat.example.org 2016-02-23 registered_users 7"]
        );
        assert_eq!(
            told.rejects,
            ["3 totalUsers: negative count: a count is 0 or more"]
        );
    }

    #[test]
    fn a_long_document_is_known_by_its_first_names() {
        let long = format!(
            r#"[{{"uniqueId": "q", "totalUsers": 3, "createdAt": "2016-02-23 01:00:00", "apps": "{}"}}]"#,
            "x".repeat(100_000)
        );
        assert_eq!(read("s.json", long, &said()).figures.len(), 1);
    }

    #[test]
    fn windows_that_cannot_be_read_are_rejected() {
        let text = format!(
            r#"{{{CREATED}, "uniqueUsersOfYesterday": {{"year": 2016, "month": 2, "day": 30, "data": []}},
            "uniqueUsersOfLastWeek": {{"year": 2016, "month": 2, "day": 29}},
            "uniqueUsersOfLastMonth": {{"year": 2016, "month": 2, "day": 28, "data": [{{"count": 1.5}}]}}}}"#
        );
        let told = read("s.json", text, &said());
        assert!(told.figures.is_empty());
        assert_eq!(told.rejects.len(), 3);
    }
}
