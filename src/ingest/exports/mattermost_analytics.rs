//! The statistics of a Mattermost server: `GET /api/v4/analytics/old?name=...`, an array of `name` and `value`.
//!
//! `standard` has users active within 24 hours (`dau`) and 31 days (`mau_31d`, without bots), and accounts
//! (`registered_users`); it says neither server nor day. An answer for one team has -1 for `inactive_user_count`: its
//! accounts are the team's, and not taken. `post_count` is not taken: it counts rows of a table from which
//! retention deletes and to which each edit adds one, so its differences are not what was sent.
//!
//! The answers by day look all alike, a day and a number, so the file's name has to say which one it is (or `--as`):
//! `post_counts_day` (`messages_sent`, bots included), `bot_post_counts_day` (of these by `kind`: bot) and
//! `user_counts_with_posts_day` (`posters`). Days begin in the time zone of the database. A day without posts
//! is left out by the server. -1 is never a count: it was not computed. Source: mattermost/mattermost,
//! `server/channels/app/analytics.go`.

use serde_json::{Map, Value};

use super::counts::{self, count};
use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

const ANALYTICS: Export = Export {
    name: "mattermost-standard",
    title: "standard statistics of Mattermost",
    platform: "Mattermost",
    family: "mattermost",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: true,
    lacks_day: true,
    utc: false,
    messages: false,
    cumulative: &[],
    recognise: recognise_standard,
    part: None,
    chat: None,
    private_name: false,
    open: open_standard,
};

pub(super) static STANDARD: Export = ANALYTICS;

pub(super) static POSTS: Export = Export {
    name: "mattermost-posts",
    title: "posts a day of Mattermost (`post_counts_day`)",
    lacks_day: false,
    recognise: |head| {
        by_day(head, "post_counts_day").filter(|_| !is_of(head, "bot_post_counts_day"))
    },
    open: |opening| open(opening, "messages_sent", ("", "")),
    ..ANALYTICS
};

pub(super) static BOT_POSTS: Export = Export {
    name: "mattermost-bot-posts",
    title: "posts of bots a day of Mattermost (`bot_post_counts_day`)",
    lacks_day: false,
    recognise: |head| by_day(head, "bot_post_counts_day"),
    open: |opening| open(opening, "messages_sent", ("kind", "bot")),
    ..ANALYTICS
};

pub(super) static POSTERS: Export = Export {
    name: "mattermost-posters",
    title: "users who post a day of Mattermost (`user_counts_with_posts_day`)",
    lacks_day: false,
    recognise: |head| by_day(head, "user_counts_with_posts_day"),
    open: |opening| open(opening, "posters", ("", "")),
    ..ANALYTICS
};

const FIGURES: [(&str, &str); 3] = [
    ("daily_active_users", "dau"),
    ("monthly_active_users", "mau_31d"),
    ("unique_user_count", "registered_users"),
];

/// What else `standard` and `extra_counts` count: channels, connections, files, webhooks.
const OTHERS: [&str; 14] = [
    "channel_open_count",
    "channel_private_count",
    "post_count",
    "team_count",
    "total_websocket_connections",
    "total_master_db_connections",
    "total_read_db_connections",
    "inactive_user_count",
    "file_post_count",
    "hashtag_post_count",
    "incoming_webhook_count",
    "outgoing_webhook_count",
    "command_count",
    "session_count",
];

const NOT_COMPUTED: &str = "-1 says that it was not computed: no count";

/// The `name` of the first row, where the rows have a `name` and a `value` and nothing else.
fn first_name(head: &Head) -> Option<&str> {
    if !head.text().trim_start().starts_with('[') {
        return None;
    }
    let row = head.object()?;
    match (row.len(), row.get("value")) {
        (2, Some(_)) => row.get("name")?.as_str(),
        _ => None,
    }
}

/// Whether it is an answer by the day whose file's name does not say of what.
pub(super) fn is_unnamed(head: &Head) -> bool {
    first_name(head).is_some_and(|name| counts::day(name).is_ok())
}

fn recognise_standard(head: &Head) -> Option<String> {
    let name = first_name(head)?;
    let known = FIGURES.iter().map(|(name, _)| name).chain(&OTHERS);
    let mut known = known.filter(|known| **known == name);
    known
        .next()
        .map(|name| format!("its first row is named `{name}`"))
}

fn is_of(head: &Head, analytic: &str) -> bool {
    head.name.replace('-', "_").contains(analytic)
}

fn by_day(head: &Head, analytic: &str) -> Option<String> {
    let name = first_name(head)?;
    let day = name.is_empty() || counts::day(name).is_ok();
    (day && is_of(head, analytic))
        .then(|| format!("its rows are named by days, and its name has `{analytic}`"))
}

fn open_standard(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Standard {
        at: opening.options.at,
        documents: Documents::open(opening)?,
        accounts: None,
        of_a_team: false,
    }))
}

/// A row: its name, and its value or what is wrong with it.
fn row(row: &Map<String, Value>) -> (&str, Result<Option<i64>, &'static str>) {
    let name = row.get("name").and_then(Value::as_str).unwrap_or("");
    let value = row.get("value").unwrap_or(&Value::Null);
    let count = match (count(value), value.as_f64()) {
        (Ok(count), _) => Ok(count),
        (Err(_), Some(-1.0)) => Err(NOT_COMPUTED),
        (Err(Reason::Negative), _) => Err("negative count: a count is 0 or more"),
        (Err(_), _) => Err("not a whole number"),
    };
    (name, count)
}

struct Standard {
    documents: Documents,
    at: Option<Day>,
    accounts: Option<(u64, i64)>,
    of_a_team: bool,
}

impl Reader for Standard {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match (document, self.at) {
                (Ok(Value::Object(object)), Some(at)) => self.row(line, &object, at, rows),
                // What the server answers to a name that it does not know.
                (Ok(Value::Null), _) => {
                    rows.reject(line, "", "null: the server knows no such statistics")
                }
                (Ok(_), _) => rows.reject(line, "", "not a row: `name` and `value` are expected"),
                (Err(NotJson), _) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        match (self.accounts, self.at) {
            (Some((line, _)), _) if self.of_a_team => rows.left_out(
                line,
                "unique_user_count",
                "accounts of one team: ask without a team for those of the server",
            ),
            (Some((line, accounts)), Some(at)) => {
                rows.figure(line, "", at, "registered_users", accounts)
            }
            _ => {}
        }
        Ok(false)
    }
}

impl Standard {
    fn row(&mut self, line: u64, object: &Map<String, Value>, at: Day, rows: &mut Rows) {
        let (name, value) = row(object);
        if OTHERS.contains(&name) {
            self.of_a_team |= name == "inactive_user_count" && value == Err(NOT_COMPUTED);
            return;
        }
        let Some((field, metric)) = FIGURES.iter().find(|(field, _)| *field == name) else {
            return rows.reject(
                line,
                "name",
                "not a name of Mattermost's standard statistics",
            );
        };
        match value {
            Ok(Some(value)) if *metric == "registered_users" => self.accounts = Some((line, value)),
            Ok(Some(value)) => rows.figure(line, "", at, metric, value),
            Ok(None) => rows.reject(line, field, "no value"),
            Err(NOT_COMPUTED) => rows.left_out(line, field, NOT_COMPUTED),
            Err(reason) => rows.reject(line, field, reason),
        }
    }
}

fn open(
    opening: Opening,
    metric: &'static str,
    part: (&'static str, &'static str),
) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(ByDay {
        documents: Documents::open(opening)?,
        metric,
        part,
    }))
}

/// Rows named by days.
struct ByDay {
    documents: Documents,
    metric: &'static str,
    part: (&'static str, &'static str),
}

impl Reader for ByDay {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(object)) => match row(&object) {
                    // Above a limit of users a server answers with one row without a day.
                    (_, Err(NOT_COMPUTED)) => rows.left_out(line, "value", NOT_COMPUTED),
                    (_, Err(reason)) => rows.reject(line, "value", reason),
                    (_, Ok(None)) => rows.reject(line, "value", "no value"),
                    (name, Ok(Some(value))) => match counts::day(name) {
                        Ok(day) => rows.part(line, "", day, self.metric, self.part, value),
                        Err(reason) => rows.reject_for(line, "name", reason),
                    },
                },
                Ok(Value::Null) => {
                    rows.reject(line, "", "null: the server knows no such statistics")
                }
                Ok(_) => rows.reject(line, "", "not a row: `name` and `value` are expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::exports::tests::{read, said};
    use crate::ingest::{Input, exports::tests::options};

    const STANDARD: &str = r#"[{"name":"channel_open_count","value":12},{"name":"channel_private_count","value":3},
        {"name":"post_count","value":48211},{"name":"unique_user_count","value":250.0},{"name":"team_count","value":2},
        {"name":"total_websocket_connections","value":31},{"name":"total_master_db_connections","value":10},
        {"name":"total_read_db_connections","value":0},{"name":"daily_active_users","value":91},
        {"name":"monthly_active_users","value":180},{"name":"inactive_user_count","value":4}]"#;

    #[test]
    fn the_standard_answer_has_active_users_and_accounts() {
        let told = read("standard.json", STANDARD, &said());
        assert_eq!(
            told.figures,
            [
                "chat.example.org 2016-02-23 dau 91",
                "chat.example.org 2016-02-23 mau_31d 180",
                "chat.example.org 2016-02-23 registered_users 250",
            ]
        );
        assert!(told.rejects.is_empty());
    }

    #[test]
    fn a_team_is_not_the_server_and_minus_one_no_count() {
        let team = STANDARD.replace(
            r#""inactive_user_count","value":4"#,
            r#""inactive_user_count","value":-1"#,
        );
        let team = team.replace(
            r#""daily_active_users","value":91"#,
            r#""daily_active_users","value":-1"#,
        );
        let told = read("standard.json", team, &said());
        assert_eq!(told.figures, ["chat.example.org 2016-02-23 mau_31d 180"]);
        assert_eq!(told.rejects.len(), 2);
        assert!(told.rejects[0].contains("one team") && told.rejects[1].contains("not computed"));
    }

    #[test]
    fn days_are_what_the_name_of_the_file_says() {
        let days = r#"[{"name":"2016-02-22","value":410},{"name":"2016-02-20","value":7},{"name":"2016-02-30","value":7}]"#;
        for (name, figures) in [
            (
                "post_counts_day.json",
                ["messages_sent 410", "messages_sent 7"],
            ),
            (
                "bot_post_counts_day.json",
                ["messages_sent kind=bot 410", "messages_sent kind=bot 7"],
            ),
            (
                "x-user-counts-with-posts-day.json",
                ["posters 410", "posters 7"],
            ),
        ] {
            let told = read(name, days, &said());
            let days = ["2016-02-22", "2016-02-20"];
            let lines = days
                .iter()
                .zip(figures)
                .map(|(day, f)| format!("chat.example.org {day} {f}"));
            assert_eq!(told.figures, lines.collect::<Vec<_>>());
            assert_eq!(told.rejects.len(), 1);
        }
        let unnamed = crate::ingest::parts(&Input::bytes("days.json", days), &options());
        let refused = unnamed.unwrap_err().to_string();
        assert!(refused.contains("`--as mattermost-posts`"), "{refused}");
        let mut named = said();
        named.source.format = Some("mattermost-posts".to_owned());
        assert_eq!(read("days.json", days, &named).figures.len(), 2);
    }

    #[test]
    fn too_many_users_to_count_are_no_figure() {
        let told = read(
            "user_counts_with_posts_day.json",
            r#"[{"name":"","value":-1}]"#,
            &said(),
        );
        assert!(told.figures.is_empty());
        assert_eq!(
            told.rejects,
            ["1 value: -1 says that it was not computed: no count"]
        );
        let mut named = said();
        named.source.format = Some("mattermost-standard".to_owned());
        assert_eq!(read("x.json", "null", &named).rejects.len(), 1);
        let extra = r#"[{"name":"file_post_count","value":-1},{"name":"session_count","value":7}]"#;
        assert!(read("extra_counts.json", extra, &said()).figures.is_empty());
    }
}
