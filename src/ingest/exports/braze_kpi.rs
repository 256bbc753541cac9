//! Series of Braze's KPIs: `GET /kpi/dau/data_series`, `/kpi/mau/data_series` and `/kpi/new_users/data_series`.
//!
//! `{"message": "success", "data": [{"time": "2016-02-23", "dau": 41}, ...]}`: `dau`, `mau` (30 days, rolling: `mau_30d`) or
//! `new_users` (`signups`) of an app, which the answer does not name: say it with `--platform`. A later answer may
//! correct days of an earlier one. Source: braze.com/docs, Export APIs, KPI.

use serde_json::Value;

use super::counts::{self, taken};
use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "braze-kpi",
    title: "a series of a KPI of Braze",
    platform: "Braze",
    family: "braze",
    rank: 0,
    of_servers: false,
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: false,
    utc: false,
    messages: false,
    cumulative: &[],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

const FIGURES: [(&str, &str); 3] = [("dau", "dau"), ("mau", "mau_30d"), ("new_users", "signups")];

fn recognise(head: &Head) -> Option<String> {
    let answer = head.object()?;
    let first = answer.get("data")?.as_array()?.first()?.as_object()?;
    let (field, _) = FIGURES
        .iter()
        .find(|(field, _)| first.contains_key(*field))?;
    (answer.contains_key("message") && first.contains_key("time"))
        .then(|| format!("it has a `message` and `data` of `time` and `{field}`"))
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Answers {
        documents: Documents::open(opening)?,
    }))
}

struct Answers {
    documents: Documents,
}

impl Reader for Answers {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(answer) => give(line, &answer, rows),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn give(line: u64, answer: &Value, rows: &mut Rows) {
    let Some(days) = answer.get("data").and_then(Value::as_array) else {
        return rows.reject(line, "data", "no list of days");
    };
    for entry in days {
        let day = match entry.get("time").and_then(Value::as_str).map(counts::day) {
            Some(Ok(day)) => day,
            Some(Err(reason)) => {
                rows.reject_for(line, "time", reason);
                continue;
            }
            None => {
                rows.reject_for(line, "time", Reason::NoDay);
                continue;
            }
        };
        for (field, metric) in FIGURES {
            if let Some(count) = taken(rows, line, field, entry.get(field)) {
                rows.figure(line, "", day, metric, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{options, read};

    #[test]
    fn each_kpi_has_its_window() {
        for (field, metric) in [("dau", "dau"), ("mau", "mau_30d"), ("new_users", "signups")] {
            let text = format!(
                r#"{{"message": "success", "data": [{{"time": "2016-02-22", "{field}": 41}}, {{"time": "22/02", "{field}": 1}},
                {{"time": "2016-02-23", "{field}": -1}}, {{"{field}": 1}}]}}"#
            );
            let told = read("kpi.json", text, &options());
            assert_eq!(told.figures, [format!("- 2016-02-22 {metric} 41")]);
            assert_eq!(told.rejects.len(), 3);
        }
    }
}
