//! What a Mastodon server says of itself: `GET /api/v1/instance` or `/api/v2/instance`.
//!
//! Version 1 has accounts (`stats.user_count`) and posts since the beginning (`stats.status_count`); version 2 has
//! `usage.users.active_month`: users of the 28 days before the day of the answer, counted by HyperLogLog (about
//! one percent off), so `mau_28d` of the day before. Neither says its day. `domain_count` is of servers that it
//! has heard of, not of servers that answered, and is not taken. Source: mastodon/mastodon,
//! `app/presenters/instance_presenter.rb`.

use serde_json::{Map, Value};

use super::answers::Answers;
use super::counts::{host, taken};
use super::mastodon_crawl::{OTHER_PROGRAM, other_program};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "mastodon-instance",
    title: "what a Mastodon server says of itself (`/api/v1/instance`, `/api/v2/instance`)",
    platform: "Mastodon",
    family: "fediverse",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: true,
    utc: true,
    messages: false,
    cumulative: &["messages_sent"],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

/// What is read: where it stands, what it is, and how many days before the answer it ends.
const FIGURES: [(&str, &str, u64); 3] = [
    ("/stats/user_count", "registered_users", 0),
    ("/stats/status_count", "messages_sent", 0),
    ("/usage/users/active_month", "mau_28d", 1),
];

fn recognise(head: &Head) -> Option<String> {
    let instance = head.object()?;
    let has = |outer: &str, inner: &str| {
        let inside = instance.get(outer).and_then(Value::as_object);
        inside.is_some_and(|inside| inside.contains_key(inner))
    };
    if !instance.contains_key("version") {
        return None;
    }
    if instance.contains_key("uri") && has("stats", "user_count") {
        return Some("it has `uri` and `stats` with `user_count`".to_owned());
    }
    (instance.contains_key("domain") && has("usage", "users"))
        .then(|| "it has `domain` and `usage` with `users`".to_owned())
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Answers::open(opening, "not an instance: a JSON object is expected", give)
}

fn give(line: u64, instance: Map<String, Value>, at: Day, rows: &mut Rows) {
    let named = instance.get("uri").or_else(|| instance.get("domain"));
    let Some(server) = named.and_then(Value::as_str).and_then(host) else {
        return rows.reject(line, "uri", "no server: `uri` or `domain` names its host");
    };
    if other_program(&instance) {
        return rows.left_out(line, "version", OTHER_PROGRAM);
    }
    let instance = Value::Object(instance);
    for (pointer, metric, before) in FIGURES {
        let field = pointer.rsplit('/').next().unwrap_or(pointer);
        let count = taken(rows, line, field, instance.pointer(pointer));
        let day = at.checked_sub_days(chrono::Days::new(before));
        if let (Some(count), Some(day)) = (count, day) {
            rows.figure(line, &server, day, metric, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{options, read, said};
    use crate::ingest::{Input, exports::tests::try_read};

    #[test]
    fn version_1_has_accounts_and_posts_since_the_beginning() {
        let text = r#"{"uri": "a.example", "title": "A", "version": "4.2.0", "email": "x@a.example",
            "stats": {"user_count": 21, "status_count": "478", "domain_count": 6276}, "contact_account": {"id": "1"}}"#;
        let told = read("instance-2023-02-12.json", text, &options());
        assert_eq!(
            told.figures,
            [
                "a.example 2023-02-12 registered_users 21",
                "a.example 2023-02-12 messages_sent+ 478"
            ]
        );
        assert!(told.rejects.is_empty(), "{:?}", told.rejects);
        let missing = try_read(
            &Input::bytes("instance.json", text.as_bytes().to_vec()),
            &options(),
        );
        assert!(missing.unwrap_err().to_string().contains("`--at`"));
    }

    #[test]
    fn version_2_has_users_of_the_28_days_before() {
        let text = r#"{"domain": "a.example", "version": "4.2.0", "usage": {"users": {"active_month": 7}}}"#;
        let told = read("i.json", text, &said());
        assert_eq!(told.figures, ["a.example 2016-02-22 mau_28d 7"]);
    }

    #[test]
    fn another_program_is_not_mastodon() {
        let text = r#"{"uri": "https://p.example", "version": "2.7.2 (compatible; Pleroma 2.5.0)",
            "stats": {"user_count": 21, "status_count": 478}}"#;
        let told = read("instance-2023-02-12.json", text, &options());
        assert!(told.figures.is_empty());
        assert_eq!(told.rejects.len(), 1);
    }
}
