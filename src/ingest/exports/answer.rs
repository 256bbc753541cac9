//! Answers of servers that hold no figures, and what lies beside exports.

use serde_json::Value;

use super::{Head, mattermost_analytics};

/// What an answer is that holds nothing to read, and what to do; none of what may be a table.
pub(super) fn of_nothing(head: &Head) -> Option<(&'static str, &'static str)> {
    let empty = match head.json()? {
        Value::Null => true,
        Value::Array(values) => values.is_empty() && head.whole,
        Value::Object(fields) if fields.is_empty() => head.whole,
        Value::Object(fields) => {
            let told = ["error", "errors", "error_description", "errcode"];
            let refused = fields.len() <= 4 && told.iter().any(|key| fields.contains_key(*key));
            return refused.then_some((
                "a server's word that it refused to answer, not an answer",
                "ask the server again, or leave the file out",
            ));
        }
        _ => return None,
    };
    if empty {
        return Some((
            "an answer that holds nothing",
            "ask the server again, or leave the file out",
        ));
    }
    mattermost_analytics::is_unnamed(head).then_some((
        "an answer of Mattermost that does not say what it counts",
        "name the file by what was asked for (`post_counts_day`), or say it with `--as mattermost-posts`, `mattermost-bot-posts` or `mattermost-posters`",
    ))
}

/// Whether it is of an export of which only other files are read: the rest of a Zulip realm, or what Slack tells of channels.
pub(super) fn lies_beside(head: &Head) -> bool {
    let keys = head.keys();
    let has = |key: &str| keys.iter().any(|found| found == key);
    keys.iter().any(|key| key.starts_with("zerver_"))
        || has("channel_id") && has("date") && has("messages_posted_count")
}
