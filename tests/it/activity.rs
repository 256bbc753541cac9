//! User-days through the binary: what counts, what is taken back, and what is never kept.

use std::collections::BTreeSet;

use datafusion::prelude::{CsvReadOptions, SessionContext};

use crate::project::Project;

const TOML: &str = "[project]\nplatform = \"Pigeon\"\ndimensions = [\"country\"]\n[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n";

/// Days, users and messages of all loads that count.
fn days(project: &Project) -> String {
    project.sql(
        "SELECT day, sum(users), sum(messages) FROM (
           SELECT day, bucket, bitmap_count(bitmap_union(users)) AS users, counts_sum(counts_add(messages)) AS messages
           FROM activity WHERE event = 'active' AND dimension = '' GROUP BY day, bucket)
         GROUP BY day ORDER BY day",
    )
}

#[test]
fn a_load_that_goes_takes_its_users_and_counts_with_it() {
    let project = Project::new(TOML);
    project.write(
        "data/a.csv",
        "user,day,messages,country\n1,2016-02-01,3,NL\n2,2016-02-01,4,NL\n1,2016-02-02,5,NL\n",
    );
    // A late file: one user-day that is known and one that is not.
    project.write(
        "data/late.csv",
        "user,day,messages,country\n1,2016-02-01,10,DE\n3,2016-02-01,1,DE\n",
    );
    project.ok("ingest data");
    assert_eq!(days(&project), "2016-02-01,3,18\n2016-02-02,1,5\n");
    // The same bytes again change nothing.
    project.write("data/copy.csv", project.read("data/late.csv"));
    project.ok("ingest data");
    assert_eq!(days(&project), "2016-02-01,3,18\n2016-02-02,1,5\n");
    std::fs::remove_file(project.path("data/copy.csv")).unwrap();
    // A file that is written anew and covers its days replaces what it said.
    project.write(
        "data/late.csv",
        "user,day,messages,country\n3,2016-02-01,2,DE\n",
    );
    project.ok("ingest data");
    assert_eq!(days(&project), "2016-02-01,3,9\n2016-02-02,1,5\n");
    let load = project.sql("SELECT load FROM loads WHERE path = 'data/late.csv'");
    project.ok(&format!("unload {}", load.trim()));
    assert_eq!(days(&project), "2016-02-01,2,7\n2016-02-02,1,5\n");
    let values = project.sql(
        "SELECT day, dimension_value, sum(bitmap_count(users)) FROM activity WHERE dimension = 'country' GROUP BY 1, 2 ORDER BY 1, 2",
    );
    assert_eq!(values, "2016-02-01,NL,2\n2016-02-02,NL,1\n");
}

#[test]
fn many_daily_loads_are_merged_and_can_still_be_taken_back() {
    let project = Project::new(TOML);
    let mut expected = String::new();
    for day in 1..=29 {
        let date = format!("2016-02-{day:02}");
        let mut text = String::from("user,day,messages,country\n");
        for user in 0..day {
            text.push_str(&format!("u{user},{date},{},NL\n", user + 1));
        }
        project.write(&format!("data/{date}.csv"), text);
        if day != 7 {
            expected.push_str(&format!("{date},{day},{}\n", day * (day + 1) / 2));
        }
        project.ok(&format!("ingest data/{date}.csv"));
    }
    let load = project.sql("SELECT load FROM loads WHERE path = 'data/2016-02-07.csv'");
    project.ok(&format!("unload {}", load.trim()));
    assert_eq!(days(&project), expected);
    let live = |table: &str| {
        let log = std::fs::read_dir(project.path(&format!(".essor/{table}/_delta_log"))).unwrap();
        log.count()
    };
    assert!(live("loads") > 30, "each load is a commit");
    // What a reader opens: the files that were added and not removed since.
    let mut files = BTreeSet::new();
    for version in 0.. {
        let log = project.path(&format!(".essor/activity/_delta_log/{version:020}.json"));
        let Ok(text) = std::fs::read_to_string(log) else {
            break;
        };
        for line in text.lines() {
            let action: serde_json::Value = serde_json::from_str(line).unwrap();
            let path = |kind: &str| action[kind]["path"].as_str().map(str::to_owned);
            files.extend(path("add"));
            path("remove")
                .iter()
                .for_each(|gone| _ = files.remove(gone));
        }
    }
    assert!((1..=8).contains(&files.len()), "29 loads in {files:?}");
    // The 29 users of the last day have 29 ids, whatever the number of loads.
    let ids = project.sql("SELECT max(bitmap_count(users)), count(*) FROM activity WHERE day = '2016-02-29' AND dimension = ''");
    assert_eq!(ids, "29,1\n");
}

#[test]
fn no_id_is_found_anywhere_after_ingest() {
    let project = Project::new(TOML);
    project.write(
        "data/a.csv",
        "user,day,messages,country\nanna.karenina@example.org,2016-02-01,3,NL\nanna.karenina@example.org,2016-02-99,3,NL\n",
    );
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 3);
    for said in [&ran.out, &ran.err, &project.sql("SELECT * FROM rejects")] {
        assert!(!said.contains("karenina"), "{said}");
    }
    let mut folders = vec![project.path(".essor")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            files += 1;
            let found = bytes.windows(8).any(|w| w == b"karenina");
            assert!(!found, "{}", path.display());
        }
    }
    assert!(files > 5);
}

#[test]
fn keys_and_zones_that_would_make_others_of_the_same_people_are_refused() {
    let project = Project::new(TOML);
    project.write("data/a.csv", "user,timestamp\n1,2016-02-01T12:00:00Z\n");
    project.ok("ingest data");
    project.write("data/b.csv", "user,timestamp\n1,2016-02-02T12:00:00Z\n");
    let output = project
        .command()
        .args(["ingest", "data"])
        .env("ESSOR_KEY", "ab".repeat(32))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the key is not the one"), "{said}");
    let output = project
        .command()
        .args(["ingest", "data"])
        .env_remove("ESSOR_KEY")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("ESSOR_KEY") && said.contains("essor.key"),
        "{said}"
    );
    project.write(
        "essor.toml",
        TOML.replace("[project]\n", "[project]\nzone = \"Europe/Paris\"\n"),
    );
    let ran = project.essor("ingest data");
    assert!(ran.err.contains("fixed at the first load"), "{}", ran.err);
    project.write("essor.toml", TOML);
    project.ok("ingest data");
    assert_eq!(days(&project), "2016-02-01,1,1\n2016-02-02,1,1\n");
}

#[test]
fn all_kinds_of_ids_are_users() {
    let project = Project::new(TOML);
    let uuid = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6";
    project.write(
        "data/a.csv",
        format!(
            "user,day\n7,2016-02-01\n{uuid},2016-02-01\n{},2016-02-01\n{},2016-02-01\n18446744073709551615,2016-02-01\n",
            uuid.to_lowercase(),
            "é".repeat(128)
        ),
    );
    project.write(
        "data/b.ndjson",
        "{\"user\": 7, \"day\": \"2016-02-01\"}\n{\"user\": \"18446744073709551615\", \"day\": \"2016-02-01\"}\n",
    );
    project.ok("ingest data");
    // 7, the UUID in both cases, the long text, the largest number: no messages are counted.
    assert_eq!(days(&project), "2016-02-01,4,\n");
}

/// The file of private messages among students as CSV; none where it is not at hand.
fn college_messages() -> Option<String> {
    let path = std::env::var("ESSOR_COLLEGE_MESSAGES")
        .unwrap_or_else(|_| "../shared/data/CollegeMsg.txt".into());
    let text = std::fs::read_to_string(crate::project::repository().join(path)).ok()?;
    let mut csv = String::from("user,timestamp\n");
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        csv.push_str(&format!("{},{}\n", fields[0], fields[2]));
    }
    Some(csv)
}

/// What SQL over the raw rows gives, as lines of CSV in the order of its keys.
async fn plain(context: &SessionContext, sql: &str) -> Vec<String> {
    let frame = context.sql(sql).await;
    let batches = frame.unwrap_or_else(|e| panic!("{sql}: {e}")).collect();
    let batches = batches.await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let mut writer = arrow::csv::WriterBuilder::new()
        .with_header(false)
        .build(Vec::new());
    batches.iter().for_each(|b| writer.write(b).unwrap());
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Some columns of a query's answer as lines of CSV, without the rows that pool others: those begin with nothing.
fn told(project: &Project, query: &str, columns: &[&str]) -> Vec<String> {
    let text = project.ok(&format!("query {query} --format csv"));
    let mut rows = text.lines().map(|l| l.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let places: Vec<usize> = columns
        .iter()
        .map(|c| header.iter().position(|h| h == c).unwrap())
        .collect();
    let some = |row: Vec<&str>| places.iter().map(|p| row[*p]).collect::<Vec<_>>().join(",");
    rows.map(some).filter(|row| !row.starts_with(',')).collect()
}

const SENT: &str = "CREATE VIEW sent AS
  SELECT \"user\" AS sender, CAST(to_timestamp_seconds(timestamp) AS DATE) AS day FROM messages";

const ACTIVE_USERS: &str = "
  WITH days AS (SELECT unnest(generate_series(min(day), max(day), INTERVAL '1 day')) AS last FROM sent)
  SELECT CAST(last AS DATE) AS label, count(DISTINCT sender) AS users
  FROM days LEFT JOIN sent ON day > last - INTERVAL 'WINDOW days' AND day <= last
  GROUP BY label ORDER BY label";

const L28: &str = "
  WITH often AS (
    SELECT sender, count(DISTINCT day) AS days FROM sent
    WHERE day > (SELECT max(day) FROM sent) - INTERVAL '28 days' GROUP BY sender)
  SELECT n.value AS days, count(o.sender) AS users
  FROM generate_series(1, 28) AS n LEFT JOIN often o ON o.days = n.value
  GROUP BY n.value ORDER BY n.value";

// Who is first seen in the first week may have come before.
const WEEKLY_RETENTION: &str = "
  WITH active AS (SELECT DISTINCT sender, CAST(date_trunc('week', day) AS DATE) AS week FROM sent),
  came AS (SELECT sender, min(week) AS cohort FROM active GROUP BY sender),
  weeks AS (SELECT DISTINCT week FROM active)
  SELECT c.cohort, (w.week - c.cohort) / 7 AS age, count(DISTINCT c.sender) AS eligible, count(a.sender) AS retained
  FROM came c JOIN weeks w ON w.week >= c.cohort
  LEFT JOIN active a ON a.sender = c.sender AND a.week = w.week
  WHERE c.cohort > (SELECT min(cohort) FROM came)
  GROUP BY 1, 2 ORDER BY 1, 2";

const DAILY_RETENTION: &str = "
  WITH active AS (SELECT DISTINCT sender, day FROM sent),
  came AS (SELECT sender, min(day) AS first FROM active GROUP BY sender)
  SELECT n.value AS age, count(DISTINCT c.sender) AS eligible, count(a.sender) AS retained
  FROM came c JOIN generate_series(0, 30) AS n ON n.value <= (SELECT max(day) FROM sent) - c.first
  LEFT JOIN active a ON a.sender = c.sender AND a.day - c.first = n.value
  WHERE c.first > (SELECT min(first) FROM came)
  GROUP BY n.value ORDER BY n.value";

const MONTHLY_MESSAGES: &str = "
  SELECT CAST(date_trunc('month', day) AS DATE) AS month, count(DISTINCT sender) AS users, count(*) AS messages
  FROM sent GROUP BY 1 ORDER BY 1";

#[test]
fn real_messages_give_what_plain_sql_gives() {
    let Some(csv) = college_messages() else {
        println!(
            "skipped: CollegeMsg.txt (SNAP) is not at hand; name it in ESSOR_COLLEGE_MESSAGES"
        );
        return;
    };
    let project = Project::new(TOML);
    project.write("data/messages.csv", csv);
    project.ok("ingest data");
    let raw = SessionContext::new();
    let file = project.path("data/messages.csv");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = raw.register_csv("messages", file.to_str().unwrap(), CsvReadOptions::new());
    runtime.block_on(read).unwrap();
    let ask = |sql: &str| runtime.block_on(plain(&raw, sql));
    ask(SENT);
    for window in [1, 7, 28, 30, 31] {
        let query = format!("active_users --window {window}");
        let expected = ask(&ACTIVE_USERS.replace("WINDOW", &window.to_string()));
        assert_eq!(expected.len(), 195, "every calendar day, silent ones too");
        assert_eq!(told(&project, &query, &["day", "users"]), expected);
    }
    for (query, columns, sql) in [
        ("power_users --window 28", "days users", L28),
        (
            "retention --cohort week",
            "cohort age eligible retained",
            WEEKLY_RETENTION,
        ),
        ("retention_curve", "age eligible retained", DAILY_RETENTION),
        (
            "messages_per_active_user --by month",
            "period users messages",
            MONTHLY_MESSAGES,
        ),
    ] {
        let columns: Vec<&str> = columns.split(' ').collect();
        assert_eq!(told(&project, query, &columns), ask(sql), "{query}");
    }
}
