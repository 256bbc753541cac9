//! A Synapse in use: read again and again, each of its days counts once.

use std::path::Path;

use crate::project::{Project, repository};

/// Two days of a server, and what essor's own tests know of them.
fn homeserver(project: &Project, name: &str) -> rusqlite::Connection {
    let sql = repository().join("tests/exports/synapse_database/homeserver.sql");
    let made = rusqlite::Connection::open(project.path(name)).unwrap();
    made.execute_batch(&std::fs::read_to_string(sql).unwrap())
        .unwrap();
    made
}

const SERVER: &str = "hs.example:8448";
const TABLES: [&str; 6] = [
    "usage",
    "activity",
    "accounts",
    "rejects",
    "disclosures",
    "loads",
];

fn people(project: &Project) -> String {
    project.sql("SELECT day, event, dimension_value, CAST(sum(bitmap_count(users)) AS BIGINT) FROM activity GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
}

fn messages(project: &Project) -> String {
    project.sql("SELECT server, day, metric, value FROM usage ORDER BY day, metric")
}

const PEOPLE: &str =
    "2016-02-23,active,,2\n2016-02-23,signup,,2\n2016-02-24,active,,1\n2016-02-25,signup,,2\n";

#[test]
fn ingested_again_or_from_a_copy_nothing_changes() {
    let project = Project::new("");
    drop(homeserver(&project, "homeserver.db"));
    let said = project.essor("ingest homeserver.db");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("1 file loaded, 0 already known"),
        "{}",
        said.out
    );
    assert_eq!(people(&project), PEOPLE);
    let figures = "hs.example:8448,2016-02-23,messages_seen,3\nhs.example:8448,2016-02-23,messages_sent,2\nhs.example:8448,2016-02-24,messages_seen,1\nhs.example:8448,2016-02-24,messages_sent,1\n";
    assert_eq!(messages(&project), figures);
    let loads = project.sql("SELECT count(*) FROM loads");
    std::fs::copy(project.path("homeserver.db"), project.path("copy.sqlite")).unwrap();
    for word in ["homeserver.db", "copy.sqlite"] {
        let out = project.ok(&format!("ingest {word}"));
        assert!(
            out.contains("read 0 rows") && out.contains("0 files loaded, 1 already known"),
            "{out}"
        );
    }
    assert_eq!(project.sql("SELECT count(*) FROM loads"), loads);
    assert_eq!(people(&project), PEOPLE);
    assert!(!project.ok("status").contains("the file is gone"));
}

#[test]
fn new_days_are_added_and_the_running_day_grows() {
    let project = Project::new("");
    let database = homeserver(&project, "homeserver.db");
    project.ok("ingest homeserver.db");
    let today = chrono_today();
    let visit = |user: &str| {
        let ms = today.1 * 86_400_000;
        database
            .execute_batch(&format!("INSERT INTO user_daily_visits (user_id, device_id, timestamp) VALUES ('@{user}:{SERVER}', 'Z', {ms});
                INSERT INTO events (stream_ordering, topological_ordering, event_id, type, room_id, processed, outlier, received_ts, sender)
                SELECT max(stream_ordering) + 1, 1, '$new' || max(stream_ordering), 'm.room.message', '!r', 1, 0, {ms} + 5, '@{user}:{SERVER}' FROM events"))
            .unwrap();
    };
    let of_today = |project: &Project| {
        let day = &today.0;
        let users = project.sql(&format!(
            "SELECT sum(bitmap_count(users)) FROM activity WHERE day = '{day}'"
        ));
        let sent = project.sql(&format!(
            "SELECT value FROM usage WHERE day = '{day}' AND metric = 'messages_sent'"
        ));
        format!("{}/{}", users.trim(), sent.trim())
    };
    visit("alice");
    let said = project.essor("ingest homeserver.db");
    assert!(
        said.err
            .contains("1 rows of activity (1 days, 0 of them again)"),
        "{}",
        said.err
    );
    assert_eq!(of_today(&project), "1/1");
    visit("bob");
    let said = project.essor("ingest homeserver.db");
    assert!(
        said.err
            .contains("2 rows of activity (1 days, 1 of them again)"),
        "{}",
        said.err
    );
    assert_eq!(of_today(&project), "2/2");
    assert!(people(&project).starts_with(PEOPLE));
    assert_eq!(messages(&project).lines().count(), 6);
}

/// Today in UTC, as a text and in days since 1970.
fn chrono_today() -> (String, i64) {
    let today = chrono::Utc::now().date_naive();
    let since = today.signed_duration_since(chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap());
    (today.to_string(), since.num_days())
}

#[test]
fn a_purged_day_stays_until_it_is_restated() {
    let project = Project::new("");
    let database = homeserver(&project, "homeserver.db");
    project.ok("ingest homeserver.db");
    database
        .execute_batch("DELETE FROM events WHERE stream_ordering IN (1, 4); DELETE FROM user_daily_visits WHERE user_id LIKE '@bob:%' OR user_id LIKE '@carol:%'")
        .unwrap();
    let before = (people(&project), messages(&project));
    let said = project.essor("ingest homeserver.db");
    assert_eq!(said.code, 0);
    assert!(
        said.err.contains("now holds less of 2 days of activity"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("now holds less of 2 days of usage"),
        "{}",
        said.err
    );
    assert!(said.err.contains("--restate"), "{}", said.err);
    assert_eq!((people(&project), messages(&project)), before);
    let said = project.essor("ingest --restate homeserver.db");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        people(&project),
        "2016-02-23,active,,1\n2016-02-23,signup,,2\n2016-02-25,signup,,2\n"
    );
    assert_eq!(
        messages(&project),
        "hs.example:8448,2016-02-23,messages_seen,2\nhs.example:8448,2016-02-23,messages_sent,1\n"
    );
    let again = project.essor("ingest homeserver.db");
    assert!(!again.err.contains("now holds less"), "{}", again.err);
    assert!(
        again.out.contains("0 files loaded, 1 already known"),
        "{}",
        again.out
    );
}

#[test]
fn clients_are_told_where_the_dimension_is_declared() {
    let project = Project::new("");
    drop(homeserver(&project, "homeserver.db"));
    project.ok("ingest homeserver.db");
    project.write("essor.toml", "[project]\ndimensions = [\"client\"]\n");
    project.ok("ingest homeserver.db");
    let split = project.sql("SELECT dimension_value, sum(bitmap_count(users)) FROM activity WHERE dimension = 'client' AND day = '2016-02-23' GROUP BY 1 ORDER BY 1");
    assert_eq!(split, ",1\nandroid,1\nweb,1\n");
    let all = project.sql("SELECT sum(bitmap_count(users)) FROM activity WHERE dimension = '' AND event = 'active' AND day = '2016-02-23'");
    assert_eq!(all, "2\n");
}

#[test]
fn nothing_secret_of_a_database_enters_the_store() {
    let project = Project::new("");
    drop(homeserver(&project, "homeserver.db"));
    project.ok("ingest homeserver.db");
    for table in TABLES {
        for_each_file(&project.path(&format!(".essor/{table}")), &|path| {
            let bytes = std::fs::read(path).unwrap();
            for secret in ["secret", "alice", "Gecko"] {
                let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "{secret} in {}", path.display());
            }
        });
    }
}

fn for_each_file(folder: &Path, look: &dyn Fn(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => for_each_file(&path, look),
            false => look(&path),
        }
    }
}

/// Many days are committed together: about as fast as the rows themselves.
#[test]
fn hundreds_of_days_are_committed_in_groups() {
    let project = Project::new("");
    let database = homeserver(&project, "homeserver.db");
    database
        .execute_batch(&format!("WITH RECURSIVE day(d) AS (SELECT 17000 UNION ALL SELECT d + 1 FROM day WHERE d < 17599)
            INSERT INTO user_daily_visits (user_id, device_id, timestamp) SELECT '@u' || (d % 7) || ':{SERVER}', 'A', d * 86400000 FROM day"))
        .unwrap();
    project.ok("ingest homeserver.db");
    let days = project.sql(
        "SELECT count(DISTINCT day), sum(bitmap_count(users)) FROM activity WHERE event = 'active'",
    );
    assert_eq!(days, "602,603\n");
    let log = std::fs::read_dir(project.path(".essor/loads/_delta_log")).unwrap();
    assert!(log.count() < 12, "loads are committed in groups");
}
