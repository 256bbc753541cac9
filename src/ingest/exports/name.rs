//! Whose an answer is and of which day, where it does not say so itself.

use std::sync::LazyLock;

use regex::Regex;

use super::Export;
use crate::calendar::{self, Day};
use crate::ingest::Options;
use crate::ingest::error::IngestError;

static DAY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^0-9])((?:19|20)\d\d-?\d\d-?\d\d)(?:[^0-9]|$)").ok());

/// What may be a host: labels with a dot between, in any script, and a port.
static HOST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let label = r"[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?";
    Regex::new(&format!(
        r"(?:^|[^\p{{L}}\p{{N}}.-])((?:{label}\.)+{label}(?::\d{{1,5}})?)(?:[^\p{{L}}\p{{N}}.:-]|$)"
    ))
    .ok()
});

/// Endings of files, which look like the last label of a host.
const ENDINGS: [&str; 14] = [
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".prom", ".gz", ".zst", ".bz2", ".xz",
    ".zip", ".tar", ".db",
];

/// How an export is read: with the platform, server and day that its bytes do not say, from the options or else from
/// the file's name (`nodeinfo-mastodon.social-2023-02-12.json`, `mastodon.social/2023-02-12.json`).
pub(super) fn complete(
    file: &str,
    export: &Export,
    options: &Options,
) -> Result<Options, IngestError> {
    let mut options = options.clone();
    let source = &mut options.source;
    // What essor.toml says of columns is of tables.
    source.columns.clear();
    source.ignore.clear();
    source.cumulative = export.cumulative.iter().map(|m| (*m).to_owned()).collect();
    (source.day, source.rows) = (None, None);
    (source.metric, source.dimension, source.status) = (None, None, None);
    let network = options.network.clone().filter(|_| export.of_servers);
    source
        .platform
        .get_or_insert_with(|| network.unwrap_or_else(|| export.platform.to_owned()));
    if export.utc {
        options.zone = chrono_tz::Tz::UTC;
    }
    let unsaid = |what, flag, example| {
        Err(IngestError::Unsaid {
            name: file.to_owned(),
            export: export.title,
            what,
            flag,
            example,
        })
    };
    if export.lacks_server && options.source.server.is_none() {
        let Some(host) = host(file) else {
            return unsaid("server", "--server", "chat.example.org");
        };
        options.source.server = Some(host);
    }
    if export.lacks_day && options.at.is_none() {
        let Some(day) = day(file) else {
            return unsaid("day", "--at", "2016-02-23");
        };
        options.at = Some(day);
    }
    Ok(options)
}

/// The last day that a path names.
fn day(file: &str) -> Option<Day> {
    let found = DAY.as_ref()?.captures_iter(file);
    let days = found.filter_map(|c| {
        let digits: String = c[1].chars().filter(char::is_ascii_digit).collect();
        calendar::day(&format!(
            "{}-{}-{}",
            &digits[..4],
            &digits[4..6],
            &digits[6..]
        ))
        .ok()
    });
    days.last()
}

/// The last host that a path names.
fn host(file: &str) -> Option<String> {
    let regex = HOST.as_ref()?;
    let part = |part: &str| {
        let mut part = part.to_lowercase();
        while let Some(ending) = ENDINGS.iter().find(|e| part.ends_with(**e)) {
            part.truncate(part.len() - ending.len());
        }
        // A day beside the host, joined by a dash, is none of it.
        let part = DAY
            .as_ref()
            .map_or(part.clone(), |day| day.replace_all(&part, " ").into_owned());
        let words = part.split(['_', ' ', '@']).map(|w| w.trim_matches('-'));
        let mut hosts = words.filter_map(|word| alone(&regex.captures(word)?[1]));
        hosts.next_back()
    };
    file.rsplit('/').find_map(part)
}

/// A host without the kind of answer that stands before or behind it (`nodeinfo-chat.example.org`,
/// `chat.example.org-standard`, `chat.example.org.nodeinfo`); none of what is no host then.
fn alone(found: &str) -> Option<String> {
    let is_kind = |word: &str| KINDS.contains(&word);
    let mut host = match found.split_once('-') {
        Some((kind, host)) if is_kind(kind) => host,
        _ => found,
    };
    while let Some((before, _)) = host.rsplit_once('.').filter(|(_, kind)| is_kind(kind)) {
        host = before;
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    // The last label of a host has no dash; what follows one there is not of it.
    let (before, last) = name.rsplit_once('.')?;
    let last = match last.split_once('-') {
        Some((last, _)) if !last.starts_with("xn") => last,
        _ => last,
    };
    let name = format!("{before}.{last}");
    let known = psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
    (known || PRIVATE.contains(&last)).then(|| format!("{name}{port}"))
}

/// Last labels of hosts that are not registered: RFC 2606, RFC 6762, RFC 7686, and what networks of their own use.
const PRIVATE: [&str; 14] = [
    "corp",
    "example",
    "home",
    "i2p",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

/// Kinds of answers that files are named by, beside the host.
const KINDS: [&str; 19] = [
    "activity",
    "analytics",
    "backup",
    "copy",
    "daily",
    "instance",
    "mastodon",
    "matrix",
    "mattermost",
    "metrics",
    "nodeinfo",
    "posts",
    "standard",
    "statistics",
    "stats",
    "synapse",
    "users",
    "weekly",
    "zulip",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_host_and_day() {
        for (path, server, of) in [
            (
                "data/nodeinfo-mastodon.social-2023-02-12.json",
                Some("mastodon.social"),
                Some("2023-02-12"),
            ),
            (
                "data/chat.example.org/20230212.json.gz",
                Some("chat.example.org"),
                Some("2023-02-12"),
            ),
            (
                "2023-02-12/my-chat.example.org_standard.json",
                Some("my-chat.example.org"),
                Some("2023-02-12"),
            ),
            (
                "chat.corp.example-standard-2024-03-07.json",
                Some("chat.corp.example"),
                Some("2024-03-07"),
            ),
            (
                "chat.example.org.nodeinfo-20240307.json",
                Some("chat.example.org"),
                Some("2024-03-07"),
            ),
            (
                "münchen.social_2024-03-07.json",
                Some("münchen.social"),
                Some("2024-03-07"),
            ),
            (
                "chat.example.org:8448.json",
                Some("chat.example.org:8448"),
                None,
            ),
            ("chat.intern.lan.json", Some("chat.intern.lan"), None),
            ("report.draft.json", None, None),
            ("chat.example-post.json", Some("chat.example"), None),
            (
                "zulip.example-number_of_humans.json",
                Some("zulip.example"),
                None,
            ),
            ("analytics.json", None, None),
            ("data.v2/answers.json", None, None),
            ("report-20231345.json", None, None),
        ] {
            assert_eq!(host(path).as_deref(), server, "{path}");
            assert_eq!(day(path).map(|d| d.to_string()).as_deref(), of, "{path}");
        }
    }
}
