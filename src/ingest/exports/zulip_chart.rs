//! Charts of Zulip's statistics page: `GET /json/analytics/chart_data...`.
//!
//! Two are read: `number_of_humans` (`dau`, accounts active within 15 days, accounts) and `messages_sent_over_time`
//! (`messages_sent`, by `kind`: human, bot), whose hours are added to days of UTC. Of the series only those of
//! `everyone` are read; `user` is whoever asked. A series has a number for every `end_time`, the end of an
//! interval: zeros before the first other number are from before it was counted and are not taken, nor are the
//! first and the last day where hours of them are missing. Messages by stream, by type and by client have labels that
//! depend on language or say no more than these. Source: zulip/zulip, `analytics/views/stats.py`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::counts::{self, count};
use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "zulip-chart",
    title: "a chart of Zulip's statistics page",
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
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

const HUMAN: (&str, &str) = ("kind", "human");
const BOT: (&str, &str) = ("kind", "bot");

/// A label, the length of its intervals, and what it is.
const LABELS: [(&str, &str, &str, (&str, &str)); 5] = [
    ("_1day", "day", "dau", ("", "")),
    ("_15day", "day", "active_users_15d", HUMAN),
    ("all_time", "day", "registered_users", HUMAN),
    ("human", "hour", "messages_sent", HUMAN),
    ("bot", "hour", "messages_sent", BOT),
];

fn recognise(head: &Head) -> Option<String> {
    let names = head.keys();
    let has = |name: &str| names.iter().any(|n| n == name);
    (has("end_times") && (has("everyone") || has("frequency") || !head.whole))
        .then(|| "it has `end_times` and series beside them".to_owned())
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Charts {
        documents: Documents::open(opening)?,
    }))
}

struct Charts {
    documents: Documents,
}

impl Reader for Charts {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(chart)) => chart_of(line, &chart, rows),
                Ok(_) => rows.reject(line, "", "not a chart: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The intervals of a chart: their ends, in seconds since 1970, and their length.
struct Axis {
    ends: Vec<i64>,
    step: i64,
}

fn chart_of(line: u64, chart: &Map<String, Value>, rows: &mut Rows) {
    let frequency = chart.get("frequency").and_then(Value::as_str).unwrap_or("");
    let step = match frequency {
        "hour" => 3600,
        "day" => 86_400,
        _ => return rows.reject(line, "frequency", "not hour or day"),
    };
    let ends = chart.get("end_times").and_then(Value::as_array);
    let ends = ends.and_then(|ends| ends.iter().map(Value::as_i64).collect());
    let Some(ends) = ends else {
        return rows.reject(line, "end_times", "not a list of seconds since 1970");
    };
    let axis = Axis { ends, step };
    let sound = axis
        .ends
        .iter()
        .all(|end| end % step == 0 && counts::day_of(*end - 1).is_ok());
    if !sound {
        return rows.reject_for(line, "end_times", Reason::NotADay);
    }
    let Some(series) = chart.get("everyone").and_then(Value::as_object) else {
        return rows.reject(line, "everyone", "no series of everyone");
    };
    let mut messages: BTreeMap<Day, i64> = BTreeMap::new();
    let mut known = false;
    for (label, wanted, metric, part) in LABELS {
        let Some(values) = series.get(label) else {
            continue;
        };
        if wanted != frequency {
            return rows.reject(
                line,
                "frequency",
                "messages of one channel, not of the server",
            );
        }
        known = true;
        match axis.days(values) {
            Ok(days) => {
                for (day, sum) in days {
                    rows.part(line, "", day, metric, part, sum);
                    if metric == "messages_sent" {
                        let total = messages.entry(day).or_insert(0);
                        *total = total.saturating_add(sum);
                    }
                }
            }
            Err(reason) => rows.reject(line, label, reason),
        }
    }
    // One kind alone is not all messages.
    if series.contains_key("human") && series.contains_key("bot") {
        for (day, sum) in messages {
            rows.figure(line, "", day, "messages_sent", sum);
        }
    }
    if !known {
        rows.reject(
            line,
            "everyone",
            "not a chart that is read: number_of_humans and messages_sent_over_time are",
        );
    }
}

impl Axis {
    /// The sums of a series by day: of whole days, from its first number on.
    fn days(&self, values: &Value) -> Result<BTreeMap<Day, i64>, &'static str> {
        let values = values.as_array().ok_or("not a list of counts")?;
        if values.len() != self.ends.len() {
            return Err("not as many counts as there are end_times");
        }
        let mut days: BTreeMap<Day, (i64, i64)> = BTreeMap::new();
        for (end, value) in self.ends.iter().zip(values) {
            let value = match count(value) {
                Ok(Some(value)) => value,
                Ok(None) | Err(_) => return Err("not a list of counts: whole numbers, 0 or more"),
            };
            let day = counts::day_of(*end - 1).map_err(|_| "a day far off")?;
            let sum = days.entry(day).or_insert((0, 0));
            *sum = (sum.0 + self.step, sum.1.saturating_add(value));
        }
        let whole = days
            .into_iter()
            .filter(|(_, (seconds, _))| *seconds == 86_400);
        let counted = whole
            .map(|(day, (_, sum))| (day, sum))
            .skip_while(|(_, sum)| *sum == 0);
        Ok(counted.collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{read, said};

    #[test]
    fn humans_are_counted_by_the_day() {
        // 1456185600 is 2016-02-23 00:00: the end of 2016-02-22.
        let text = r#"{"result": "success", "msg": "", "end_times": [1456099200, 1456185600, 1456272000], "frequency": "day",
            "everyone": {"_1day": [0, 3, 2], "_15day": [0, 4, 5], "all_time": [0, 7, 7]}, "display_order": null}"#;
        let told = read("humans.json", text, &said());
        assert_eq!(
            told.figures,
            [
                "chat.example.org 2016-02-22 dau 3",
                "chat.example.org 2016-02-23 dau 2",
                "chat.example.org 2016-02-22 active_users_15d kind=human 4",
                "chat.example.org 2016-02-23 active_users_15d kind=human 5",
                "chat.example.org 2016-02-22 registered_users kind=human 7",
                "chat.example.org 2016-02-23 registered_users kind=human 7",
            ]
        );
        assert!(told.rejects.is_empty());
    }

    /// A chart of so many hours that end with 2016-02-23 and two more, with a message of a human in each.
    fn hours(hours: i64, frequency: &str) -> String {
        let ends: Vec<i64> = (0..hours)
            .map(|hour| 1_456_272_000 + (hour - hours + 3) * 3600)
            .collect();
        let ones = vec![1; ends.len()];
        let none = vec![0; ends.len()];
        format!(
            r#"{{"end_times": {ends:?}, "frequency": "{frequency}", "everyone": {{"human": {ones:?}, "bot": {none:?}}}, "user": {{"human": {ones:?}}}}}"#
        )
    }

    #[test]
    fn only_whole_days_of_hours_are_taken() {
        // 2 hours of the 24th, 24 of the 23rd, 4 of the 22nd.
        let told = read("messages.json", hours(30, "hour"), &said());
        assert_eq!(
            told.figures,
            [
                "chat.example.org 2016-02-23 messages_sent kind=human 24",
                "chat.example.org 2016-02-23 messages_sent 24"
            ]
        );
        assert!(told.rejects.is_empty());
    }

    #[test]
    fn other_charts_are_rejected() {
        let told = read("stream.json", hours(30, "day"), &said());
        assert!(told.figures.is_empty() && told.rejects.len() == 1);
        for everyone in [
            r#"{"Public channels": [1]}"#,
            r#"{"_1day": [1, 2]}"#,
            r#"{"_1day": [-1]}"#,
            "[]",
        ] {
            let text = format!(
                r#"{{"end_times": [1456272000], "frequency": "day", "everyone": {everyone}}}"#
            );
            let told = read("c.json", text, &said());
            assert!(
                told.figures.is_empty() && told.rejects.len() == 1,
                "{told:?}"
            );
        }
    }
}
