//! The sessions of Rocket.Chat (`rocketchat_sessions`), as mongoexport writes them.
//!
//! Of its three kinds of documents `user_daily` is one a user and day: who was active. The others (`session`,
//! `computed-session`) are what it is made from, after a day is over and without sessions of no time; by them more
//! users would be active than by the server's own count, so they are passed by. `ip`, `loginToken`, `host` and
//! `searchTerm` are never read. Days are those of the server's clock.

use serde_json::{Map, Value};

use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows, rocket_chat};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "rocket-chat-sessions",
    title: "sessions of Rocket.Chat",
    platform: "Rocket.Chat",
    family: "rocket-chat",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Activity],
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

fn recognise(head: &Head) -> Option<String> {
    let document = head.object()?;
    let kind = document.get("type").and_then(Value::as_str)?;
    let dated = ["userId", "year", "month", "day"]
        .iter()
        .all(|key| document.contains_key(*key));
    let known = ["user_daily", "session", "computed-session"].contains(&kind);
    (dated && known).then(|| {
        format!("its first document is a `{kind}` with `userId`, `year`, `month` and `day`")
    })
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Sessions {
        documents: Documents::open(opening)?,
        first_other: None,
        daily: false,
    }))
}

struct Sessions {
    documents: Documents,
    /// The line of the first document that is no `user_daily`.
    first_other: Option<u64>,
    daily: bool,
}

impl Reader for Sessions {
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
        if let (Some(line), false) = (self.first_other, self.daily) {
            rows.reject(
                line,
                "type",
                "sessions without a `user_daily` among them: export those documents too",
            );
        }
        Ok(false)
    }
}

impl Sessions {
    fn document(&mut self, line: u64, document: &Map<String, Value>, rows: &mut Rows) {
        match document.get("type").and_then(Value::as_str) {
            Some("user_daily") => self.daily = true,
            Some("session" | "computed-session") => {
                self.first_other.get_or_insert(line);
                return;
            }
            _ => {
                return rows.reject(
                    line,
                    "type",
                    "not a kind of session: user_daily, session or computed-session",
                );
            }
        }
        let user = document.get("userId").and_then(Value::as_str);
        let Some(user) = user.filter(|user| !user.is_empty()) else {
            return rows.reject_for(line, "userId", Reason::NoUser);
        };
        match rocket_chat::day(document) {
            Ok(day) => rows.user_day(line, user, day, 0, ""),
            Err(reason) => rows.reject_for(line, "day", reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{options, read, read_file};

    #[test]
    fn only_the_days_of_users_are_activity() {
        let told = read_file("rocket-chat/sessions.ndjson", &options());
        assert_eq!(told.activity, ["2016-02-22 2", "2016-02-23 1"]);
        let fields: Vec<_> = told
            .rejects
            .iter()
            .map(|r| r.split(':').next().unwrap())
            .collect();
        assert_eq!(fields, ["6 day", "7 userId", "8 type"]);
        let all = format!("{told:?}");
        assert!(!all.contains("203.0.113") && !all.contains("secret"));
    }

    #[test]
    fn sessions_alone_say_what_is_missing() {
        let text = r#"{"type": "session", "userId": "u", "year": 2016, "month": 2, "day": 23, "loginToken": "secret"}"#;
        let told = read("s.ndjson", text, &options());
        assert!(told.activity.is_empty());
        assert_eq!(told.rejects.len(), 1);
        assert!(told.rejects[0].contains("user_daily"));
    }
}
