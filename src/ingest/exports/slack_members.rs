//! Slack's analytics of members (`admin.analytics.getFile`, `type=member`): NDJSON, a line a member and UTC day.
//!
//! A member whose `is_active` is true was active on `date` and posted `messages_posted_count` messages; one whose
//! `is_active` is not is none of that day. `date_claimed` is when the account was claimed: its signup. Of the
//! programs used, which may be several, each counts in the dimension `client`; messages are not told apart by
//! them, so that those of a member with several stand beside no program. `email_address` is never read. Source:
//! docs.slack.dev, `admin.analytics.getFile`.

use serde_json::{Map, Value};

use super::counts::{self, count, taken};
use super::documents::{Documents, NotJson};
use super::rows::CLIENT;
use super::{ChatId, Export, Head, Opening, Reader, Rows};
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "slack-members",
    title: "analytics of the members of a Slack workspace",
    platform: "Slack",
    family: "slack",
    rank: 0,
    of_servers: false,
    gives: &[Grain::Activity, Grain::Signups],
    lacks_server: false,
    lacks_day: false,
    utc: true,
    messages: true,
    cumulative: &[],
    recognise,
    part: None,
    chat: Some(workspace),
    private_name: false,
    open,
};

const CLIENTS: [(&str, &str); 3] = [
    ("is_active_android", "android"),
    ("is_active_desktop", "desktop"),
    ("is_active_ios", "ios"),
];

fn recognise(head: &Head) -> Option<String> {
    let member = head.object()?;
    let has = |key: &str| member.contains_key(key);
    let known = has("user_id") && has("date") && has("is_active") && has("messages_posted_count");
    (known && (has("team_id") || has("enterprise_id"))).then(|| {
        "its first line has `user_id`, `date`, `is_active`, `messages_posted_count` and a team or enterprise".to_owned()
    })
}

/// A file is of one day of one enterprise, or of one team that is in none.
fn workspace(head: &Head) -> Option<ChatId> {
    let member = head.object()?;
    let text = |key: &str| {
        member
            .get(key)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    Some(ChatId {
        told: text("enterprise_id").or(text("team_id"))?.to_owned(),
        day: text("date").and_then(|date| counts::day(date).ok()),
    })
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Members {
        grain: opening.grain,
        by_client: opening.options.dimensions.iter().any(|d| d == CLIENT),
        documents: Documents::open(opening)?,
    }))
}

struct Members {
    documents: Documents,
    grain: Grain,
    by_client: bool,
}

impl Reader for Members {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(member)) => self.member(line, &member, rows),
                Ok(_) => rows.reject(line, "", "not a member: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Members {
    fn member(&self, line: u64, member: &Map<String, Value>, rows: &mut Rows) {
        let Some(user) = member
            .get("user_id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
        else {
            return rows.reject_for(line, "user_id", Reason::NoUser);
        };
        match self.grain {
            Grain::Signups => signup(line, user, member, rows),
            _ => self.activity(line, user, member, rows),
        }
    }

    fn activity(&self, line: u64, user: &str, member: &Map<String, Value>, rows: &mut Rows) {
        let day = match member.get("date").and_then(Value::as_str).map(counts::day) {
            Some(Ok(day)) => day,
            Some(Err(reason)) => return rows.reject_for(line, "date", reason),
            None => return rows.reject_for(line, "date", Reason::NoDay),
        };
        match member.get("is_active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return,
            _ => return rows.reject(line, "is_active", "not true or false"),
        }
        let messages = match member.get("messages_posted_count").map(count) {
            Some(Ok(messages)) => messages.unwrap_or(0),
            Some(Err(reason)) => return rows.reject_for(line, "messages_posted_count", reason),
            None => 0,
        };
        let used = |key: &str| member.get(key).and_then(Value::as_bool) == Some(true);
        let clients = CLIENTS
            .iter()
            .filter(|(key, _)| self.by_client && used(key));
        let clients: Vec<&str> = clients.map(|(_, client)| *client).collect();
        if let [client] = clients[..] {
            return rows.user_day(line, user, day, messages, client);
        }
        for client in &clients {
            rows.user_day(line, user, day, 0, client);
        }
        if clients.is_empty() || messages > 0 {
            rows.user_day(line, user, day, messages, "");
        }
    }
}

/// The day on which an account was claimed; one not claimed yet has none.
fn signup(line: u64, user: &str, member: &Map<String, Value>, rows: &mut Rows) {
    let Some(claimed) = taken(rows, line, "date_claimed", member.get("date_claimed")) else {
        return;
    };
    if claimed == 0 {
        return;
    }
    match counts::day_of(claimed) {
        Ok(day) => rows.signup(line, user, day),
        Err(reason) => rows.reject_for(line, "date_claimed", reason),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::ingest::exports::tests::{options, read, read_file};

    #[test]
    fn members_are_active_and_have_claimed_their_account() {
        let told = read_file("slack/members.ndjson", &options());
        assert!(
            told.seen
                .starts_with("analytics of the members of a Slack workspace: ")
        );
        assert_eq!(told.activity, ["2016-02-23 2 45"]);
        // 1453000000 is 2016-01-17, 1456250000 is 2016-02-23.
        assert_eq!(told.signups, ["2016-01-17 2", "2016-02-23 1"]);
        let fields: Vec<_> = told
            .rejects
            .iter()
            .map(|r| r.split(':').next().unwrap())
            .collect();
        assert_eq!(
            fields,
            [
                "5 user_id",
                "6 date",
                "7 messages_posted_count",
                "8 is_active",
                "9 ",
                "5 user_id",
                "7 date_claimed",
                "9 "
            ]
        );
        let all = format!("{told:?}");
        assert!(!all.contains('@') && !all.contains("W1F"), "{all}");
    }

    #[test]
    fn compressed_as_slack_sends_it() {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/exports/slack/members.ndjson"
        );
        gzip.write_all(&std::fs::read(path).unwrap()).unwrap();
        let told = read("members.json.gz", gzip.finish().unwrap(), &options());
        assert_eq!(told.activity, ["2016-02-23 2 45"]);
    }

    #[test]
    fn a_member_of_several_programs_counts_in_each_and_its_messages_once() {
        let mut options = options();
        options.dimensions = vec!["client".to_owned()];
        let told = read_file("slack/members.ndjson", &options);
        assert_eq!(told.activity, ["2016-02-23 2 45"]);
    }
}
