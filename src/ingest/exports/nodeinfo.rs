//! NodeInfo 1.0 to 2.2: what a server of the Fediverse says of itself, whatever its program.
//!
//! `usage.users` has accounts (`total`) and who signed in at least once in the 30 (`activeMonth`) and 7
//! (`activeWeek`) days before the answer; Mastodon fills `activeMonth` with 28 whole days that end on the day
//! before, so there it is `mau_28d` of that day. `localPosts` counts posts since the beginning. The half-year
//! of `activeHalfyear` has no metric, and comments (`localComments`) are not posts: neither is taken. The document
//! says neither its host nor its day. Source:
//! jhass/nodeinfo, `schemas/`; mastodon/mastodon, `app/serializers/nodeinfo/serializer.rb`.

use serde_json::{Map, Value};

use super::answers::Answers;
use super::counts::taken;
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "nodeinfo",
    title: "NodeInfo of a server",
    platform: "Fediverse",
    family: "fediverse",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: true,
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

const VERSIONS: [&str; 5] = ["1.0", "1.1", "2.0", "2.1", "2.2"];

fn recognise(head: &Head) -> Option<String> {
    let node = head.object()?;
    let version = node.get("version").and_then(Value::as_str)?;
    let whole = ["software", "protocols"]
        .iter()
        .all(|key| node.contains_key(*key));
    (whole && VERSIONS.contains(&version))
        .then(|| format!("it has `software`, `protocols` and the version {version}"))
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Answers::open(opening, "not NodeInfo: a JSON object is expected", give)
}

fn give(line: u64, node: Map<String, Value>, at: Day, rows: &mut Rows) {
    let node = Value::Object(node);
    if node.get("usage").is_none() {
        return rows.left_out(line, "usage", "no `usage`: the server tells no figures");
    }
    let users = |field: &str, rows: &mut Rows| {
        taken(
            rows,
            line,
            field,
            node.pointer(&format!("/usage/users/{field}")),
        )
    };
    let total = users("total", rows);
    let program = node.pointer("/software/name").and_then(Value::as_str);
    let mastodon = program.is_some_and(|name| name.eq_ignore_ascii_case("mastodon"));
    let month = match mastodon {
        true => ("activeMonth", "mau_28d", at.pred_opt()),
        false => ("activeMonth", "mau_30d", Some(at)),
    };
    // More active users than accounts are kept: the store leaves them out of totals until they are confirmed.
    for (field, metric, day) in [month, ("activeWeek", "wau_7d", Some(at))] {
        if let (Some(active), Some(day)) = (users(field, rows), day) {
            rows.figure(line, "", day, metric, active);
        }
    }
    if let Some(total) = total {
        rows.figure(line, "", at, "registered_users", total);
    }
    if let Some(posts) = taken(rows, line, "localPosts", node.pointer("/usage/localPosts")) {
        rows.figure(line, "", at, "messages_sent", posts);
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{Told, options, read, said};

    fn node(software: &str, usage: &str) -> Told {
        let text = format!(
            r#"{{"version": "2.0", "software": {{"name": "{software}", "version": "1"}}, "protocols": ["activitypub"],
            "services": {{"inbound": [], "outbound": []}}, "openRegistrations": true, "usage": {usage}, "metadata": {{}}}}"#
        );
        read("n.json", text, &said())
    }

    #[test]
    fn every_figure_has_its_window() {
        let usage = r#"{"users": {"total": 100, "activeHalfyear": 60, "activeMonth": 30, "activeWeek": 10},
            "localPosts": 5000, "localComments": 7}"#;
        assert_eq!(
            node("pleroma", usage).figures,
            [
                "chat.example.org 2016-02-23 mau_30d 30",
                "chat.example.org 2016-02-23 wau_7d 10",
                "chat.example.org 2016-02-23 registered_users 100",
                "chat.example.org 2016-02-23 messages_sent+ 5000",
            ]
        );
        let mastodon = node(
            "mastodon",
            r#"{"users": {"total": 100, "activeMonth": 30}}"#,
        );
        assert_eq!(
            mastodon.figures[0],
            "chat.example.org 2016-02-22 mau_28d 30"
        );
    }

    #[test]
    fn what_is_missing_or_negative_gives_no_figure() {
        assert_eq!(
            node("x", r#"{"users": {}}"#),
            Told {
                seen: "NodeInfo of a server: it has `software`, `protocols` and the version 2.0"
                    .to_owned(),
                ..Told::default()
            }
        );
        let told = node(
            "x",
            r#"{"users": {"total": -15000007, "activeMonth": 3}, "localPosts": "many"}"#,
        );
        assert_eq!(told.figures, ["chat.example.org 2016-02-23 mau_30d 3"]);
        assert_eq!(told.rejects.len(), 2);
        assert!(!told.rejects.join("").contains("15000007"));
    }

    #[test]
    fn its_name_says_host_and_day() {
        let text = r#"{"version": "1.0", "software": {"name": "diaspora", "version": "0.7"}, "protocols": {"inbound": ["diaspora"],
            "outbound": ["diaspora"]}, "usage": {"users": {"total": 5}}}"#;
        let told = read("nodeinfo-pod.example.org-2023-02-12.json", text, &options());
        assert_eq!(
            told.figures,
            ["pod.example.org 2023-02-12 registered_users 5"]
        );
    }
}
