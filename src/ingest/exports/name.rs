//! Whose an answer is and of which day, where it does not say so itself.

use std::sync::LazyLock;

use regex::Regex;

use super::Export;
use crate::calendar::{self, Day};
use crate::ingest::Options;
use crate::ingest::error::IngestError;

static DAY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^0-9])((?:19|20)\d\d-?\d\d-?\d\d)(?:[^0-9]|$)").ok());

/// A name of a host: labels with a dot between, the last of letters. Endings of files are none.
static HOST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^a-z0-9.-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z])(?:[^a-z0-9.-]|$)").ok()
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
        let mut hosts = words.filter_map(|w| Some(regex.captures(w)?[1].to_owned()));
        // `nodeinfo-chat.example.org`: the kind of answer before the host.
        hosts.next_back().map(|host| {
            KINDS
                .iter()
                .find_map(|kind| host.strip_prefix(kind)?.strip_prefix('-'))
                .unwrap_or(&host)
                .to_owned()
        })
    };
    file.rsplit('/').find_map(part)
}

/// Kinds of answers that files are named by, in front of the host.
const KINDS: [&str; 8] = [
    "nodeinfo",
    "instance",
    "activity",
    "analytics",
    "standard",
    "mastodon",
    "mattermost",
    "statistics",
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
            ("analytics.json", None, None),
            ("data.v2/answers.json", None, None),
            ("report-20231345.json", None, None),
        ] {
            assert_eq!(host(path).as_deref(), server, "{path}");
            assert_eq!(day(path).map(|d| d.to_string()).as_deref(), of, "{path}");
        }
    }
}
