use super::super::tests::given::{given, options};
use super::*;
use crate::ingest::parts;

/// The tables as Synapse makes them, and three days in them. 2016-02-23 is day 16854.
pub(crate) const DATABASE: &str =
    include_str!("../../../../tests/exports/synapse_database/homeserver.sql");

fn made(folder: &Path, sql: &str) -> Input {
    let path = folder.join("homeserver.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    Input::path("homeserver.db", path)
}

#[test]
fn people_and_messages_are_counted_as_synapse_counts_them() {
    let folder = tempfile::tempdir().unwrap();
    let old = "INSERT INTO users (name, creation_ts) VALUES ('@old:hs.example:8448', NULL)";
    let input = made(folder.path(), &format!("{DATABASE}{old}"));
    let mut options = options();
    let rows = [
        "2016-02-23 active 3",
        "2016-02-23 signup 2",
        "2016-02-24 active 1",
        "2016-02-25 signup 2",
        "hs.example:8448 2016-02-23 messages_seen 3",
        "hs.example:8448 2016-02-23 messages_sent 2",
        "hs.example:8448 2016-02-24 messages_seen 1",
        "hs.example:8448 2016-02-24 messages_sent 1",
    ];
    let plain = given(&input, &options).unwrap();
    assert_eq!(plain.rows, rows);
    // An account of Synapse's first versions, which kept no moment.
    assert_eq!(
        plain.rejects,
        [
            "0 creation_ts: 1 rows that are of no day: a moment within the years 1990 to 2100 is expected"
        ]
    );
    options.dimensions = vec!["client".to_owned()];
    let split = given(&input, &options).unwrap();
    let active: Vec<&String> = split.rows.iter().filter(|r| r.contains("active")).collect();
    assert_eq!(
        active,
        [
            "2016-02-23 active client= 1",
            "2016-02-23 active client=android 1",
            "2016-02-23 active client=web 1",
            "2016-02-24 active client=web 1"
        ]
    );
}

#[test]
fn a_load_is_known_by_server_table_and_day_wherever_the_database_lies() {
    let identities = |input: &Input| -> Vec<String> {
        let content = crate::ingest::Content {
            hash: String::new(),
            bytes: 0,
        };
        let parts = parts(input, &options()).unwrap();
        parts
            .iter()
            .map(|p| crate::ingest::identity(&content, &p.options))
            .collect()
    };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let input = made(here.path(), DATABASE);
    std::fs::copy(
        here.path().join("homeserver.db"),
        there.path().join("copy.sqlite"),
    )
    .unwrap();
    let copy = Input::path("copy.sqlite", there.path().join("copy.sqlite"));
    let first = identities(&input);
    assert_eq!(first.len(), 5);
    assert_eq!(first, identities(&copy));
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 5);
}

#[test]
fn other_databases_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let input = made(
        folder.path(),
        "CREATE TABLE users (name TEXT, creation_ts BIGINT)",
    );
    let error = parts(&input, &options()).map(|parts| parts.len());
    assert_eq!(error.unwrap(), 1, "a plain file, which is not read");
    let mut options = options();
    options.source.format = Some(EXPORT.name.to_owned());
    let error = parts(&input, &options).unwrap_err().to_string();
    assert!(error.contains("no database of Matrix Synapse"), "{error}");
    let two = format!(
        "{DATABASE} INSERT INTO users (name, creation_ts) VALUES ('@x:other.example', 1456185600)"
    );
    let error = parts(&made(tempfile::tempdir().unwrap().path(), &two), &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("not of one server"), "{error}");
}

#[test]
fn a_client_is_told_as_r30v2_tells_it() {
    for (agent, kind) in [
        (
            "Element/1.6.0 (Pixel; Android 13; MatrixAndroidSdk2 1.6.0)",
            "android",
        ),
        ("Riot/1.0 (iPhone; iOS 12.0; Scale/2.00)", "ios"),
        (
            "Mozilla/5.0 (X11; Linux) Element/1.11 Chrome/120 Electron/28",
            "electron",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "web",
        ),
        ("Element X/1.0", ""),
        ("curl/8.0", ""),
        ("", ""),
    ] {
        assert_eq!(client(agent), kind, "{agent}");
    }
}
