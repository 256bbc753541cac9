//! Ingest killed at random and finished leaves the same tables as one clean run.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::project::{KEY, Project};

/// How many times ingest is killed: 8 unless `ESSOR_KILLS` says otherwise.
fn kills() -> u64 {
    std::env::var("ESSOR_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(8)
}

fn project() -> Project {
    let project = Project::new("[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n");
    for month in 1..=4 {
        let mut text = String::from("date,messages,signups,dau\n");
        for day in 1..=28 {
            text.push_str(&format!(
                "2016-{month:02}-{day:02},{},{},{}\n",
                1000 * day + month,
                day,
                100 + day
            ));
        }
        text.push_str("2016-13-01,1,1,1\n");
        project.write(&format!("data/{month}.csv"), text);
    }
    project
}

/// Files of user-days and one of signups: users come and go, and most of each file's users are in others.
fn people() -> Project {
    let project = Project::new(
        "[project]\ndimensions = [\"country\"]\n[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n",
    );
    for day in 1..=12 {
        let mut text = String::from("user,day,messages,country\n");
        for user in (day * 7)..(day * 7 + 400) {
            let country = ["NL", "DE", ""][user % 3];
            text.push_str(&format!(
                "u{user},2016-02-{day:02},{},{country}\n",
                user % 11
            ));
        }
        text.push_str("u1,2016-02-30,1,NL\n");
        project.write(&format!("data/{day:02}.csv"), text);
    }
    let signups: String = (0..500)
        .map(|u| format!("u{u},2016-01-{:02}\n", u % 28 + 1))
        .collect();
    project.write("data/signups.csv", format!("user,signup_day\n{signups}"));
    project
}

/// Everything that the store counts of people, whatever the ids are.
fn counted(project: &Project) -> [String; 3] {
    [
        project.sql(
            "SELECT event, day, dimension, dimension_value, load, sum(bitmap_count(users)), sum(counts_sum(messages)), count(DISTINCT bucket)
             FROM activity GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        ),
        project.sql(
            "SELECT sum(days * users) FROM (SELECT unnest(f) AS users, unnest(generate_series(1, CAST(cardinality(f) AS BIGINT))) AS days
             FROM (SELECT bitmap_frequency(users) AS f FROM activity WHERE dimension = '' AND event = 'active'))",
        ),
        project.sql("SELECT load, identity, path, rows_read, rows_kept, rows_rejected FROM loads ORDER BY 1, 2, 3"),
    ]
}

/// Everything that the store counts, and every file that its logs name.
fn tables(project: &Project) -> [String; 3] {
    [
        project.sql("SELECT platform, server, day, metric, kind, value, load FROM usage ORDER BY 1, 2, 3, 4, 5, 6, 7"),
        project.sql("SELECT file, line, \"column\", reason, load FROM rejects ORDER BY 1, 2, 3, 4, 5"),
        project.sql("SELECT load, identity, path, rows_read, rows_kept, rows_rejected FROM loads ORDER BY 1, 2, 3"),
    ]
}

#[test]
fn killed_at_random_and_finished_it_is_as_if_nothing_had_been() {
    killed_and_finished(project, tables);
}

#[test]
fn killed_at_random_no_user_day_is_lost_or_counted_twice() {
    killed_and_finished(people, counted);
}

fn killed_and_finished(project: fn() -> Project, tables: fn(&Project) -> [String; 3]) {
    let clean = project();
    assert_eq!(clean.essor("ingest data").code, 3);
    let expected = tables(&clean);
    let binary = assert_cmd::cargo::cargo_bin("essor");
    let mut killed = 0;
    for round in 0..kills() {
        let project = project();
        // Killed up to three times, each at another moment of its run, and then let finish.
        for attempt in 0..3 {
            let mut child = Command::new(&binary)
                .args(["ingest", "data"])
                .current_dir(project.root())
                .env("ESSOR_KEY", KEY)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(
                15 + (round * 61 + attempt * 37) % 420,
            ));
            killed += u64::from(child.try_wait().unwrap().is_none());
            let _ = child.kill();
            child.wait().unwrap();
        }
        project.essor("ingest data");
        assert_eq!(tables(&project), expected, "round {round}");
        assert_eq!(
            project.essor("ingest data").code,
            0,
            "nothing is left to do"
        );
    }
    assert!(killed > 0, "no run was killed before its end");
    println!("killed {killed} runs of {}", kills() * 3);
}
