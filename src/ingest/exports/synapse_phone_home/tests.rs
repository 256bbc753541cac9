use super::super::tests::given::{built, given, options, sample};
use super::*;
use crate::ingest::Input;

fn text(text: &str) -> Input {
    Input::bytes("x.json", text.to_owned())
}

#[test]
fn a_real_report_gives_its_day() {
    let Some(input) = sample("synapse/synapse-phonehome-1.jsonl") else {
        return;
    };
    let given = given(&input, &options()).unwrap();
    let day = "hs.local.test 2026-11-22";
    let expected = [
        "dau 12",
        "mau_30d 12",
        "messages_seen 300",
        "messages_sent 300",
        "r30v2 0",
        "r30v2 client=android 0",
        "r30v2 client=electron 0",
        "r30v2 client=ios 0",
        "r30v2 client=web 0",
        "registered_users 14",
        "registered_users kind=not bridged 14",
        "signups 14",
        "signups kind=bridged 0",
        "signups kind=guest 2",
        "signups kind=native 12",
    ];
    assert_eq!(given.rows, expected.map(|row| format!("{day} {row}")));
    assert!(given.rejects.is_empty());
}

#[test]
fn the_last_report_of_a_day_counts_and_what_is_broken_is_named() {
    let given = given(&built("synapse_phone_home/reports.jsonl"), &options()).unwrap();
    assert_eq!(
        given.rows,
        [
            "a.example 2016-02-23 dau 12",
            "a.example 2016-02-23 messages_seen 55",
            "a.example 2016-02-23 registered_users 102",
            "b.example 2016-02-24 dau 3",
            "b.example 2016-02-24 messages_seen 20",
            "b.example 2016-02-24 messages_sent 9",
            "b.example 2016-02-24 r30 2",
            "b.example 2016-02-24 r30 client=android 1",
            "b.example 2016-02-24 r30 client=electron 0",
            "b.example 2016-02-24 r30 client=ios 0",
            "b.example 2016-02-24 r30 client=web 2",
            "b.example 2016-02-24 registered_users 7",
            "b.example 2016-02-24 signups 7",
            "b.example 2016-02-24 signups kind=bridged 4",
            "b.example 2016-02-24 signups kind=guest 1",
            "b.example 2016-02-24 signups kind=native 2",
            "c.example 2016-02-24 mau_30d 8",
            "c.example 2016-02-24 signups kind=native 1",
        ]
    );
    let places: Vec<&str> = given
        .rejects
        .iter()
        .filter_map(|r| r.split(':').next())
        .collect();
    assert_eq!(
        places,
        [
            "5 timestamp",
            "6 daily_active_users",
            "6 total_users",
            "6 daily_user_type_bridged",
            "6 daily_messages",
            "7 ",
            "8 ",
            "9 homeserver",
            "10 timestamp",
            "11 timestamp",
        ]
    );
    assert!(given.rejects[1].contains("negative"));
}

#[test]
fn rows_of_panopticon_as_json_are_reports_by_its_own_clock() {
    let rows = r#"[
        {"id": 1, "homeserver": "a.example", "local_timestamp": 1456228800, "remote_timestamp": 12, "remote_addr": "198.51.100.7", "total_users": 5, "cache_factor": 0.5, "server_context": null},
        {"id": 2, "homeserver": "a.example", "local_timestamp": null, "remote_timestamp": 1456315200, "remote_addr": null, "total_users": 6.0}
    ]"#;
    let given = given(&text(rows), &options()).unwrap();
    assert_eq!(
        given.rows,
        [
            "a.example 2016-02-23 registered_users 5",
            "a.example 2016-02-24 registered_users 6"
        ]
    );
    assert!(given.rejects.is_empty());
}

#[test]
fn a_table_of_figures_is_no_report() {
    for table in [
        r#"{"day": "2016-02-23", "platform": "A", "messages": 5}"#,
        r#"{"homeserver": "a.example", "day": "2016-02-23", "value": 5}"#,
        r#"{"user": "@a:b", "total_users": 5}"#,
    ] {
        assert!(
            recognise(&Head::of("x", table.as_bytes())).is_none(),
            "{table}"
        );
    }
    let report = br#"{"daily_active_users": 1, "homeserver": "few.turtles"}"#;
    assert!(recognise(&Head::of("x", report)).is_some());
}

#[test]
fn every_figure_and_sum_is_of_a_key_that_is_read() {
    let keys = FIGURES.iter().map(|(key, ..)| *key);
    let sums = SUMS.iter().flat_map(|(_, keys)| keys.iter().copied());
    assert!(keys.chain(sums).all(|key| KEYS.contains(&key)));
}

#[test]
fn only_what_is_needed_of_a_report_is_looked_at_wherever_it_stands() {
    let reports = [
        r#"{"daily_active_users":3,"homeserver":"a.example","timestamp":1456228800,"total_users":9}"#,
        r#"{"total_users":8,"z":{"homeserver":["x"]},"timestamp":1456228800,"daily_active_users":2,"homeserver":" b.example "}"#,
        r#"{"homeserver":"x.example","timestamp":1,"daily\u005factive_users":1,"daily_active_users":4,"homeserver":"c.example","timestamp":1456228800}"#,
        r#"{"homeserver":"d.example","timestamp":1456228800,"daily_active_users":5,"daily_active_users":null}"#,
        r#"{"homeserver":"e.example","timestamp":1456228800,"daily_active_users":1e999}"#,
        r#"{"homeserver":5,"timestamp":1456228800,"daily_active_users":1}"#,
        r#""a.example""#,
        "7",
        "-7",
        "0.5",
        "true",
        "null",
    ];
    let mut bytes = reports.join("\n").into_bytes();
    bytes.extend(
        b"\n{\"homeserver\":\"f.example\",\"log_level\":\"\xff\",\"timestamp\":1456228800}\n",
    );
    let given = given(&Input::bytes("x.json", bytes), &options()).unwrap();
    assert_eq!(
        given.rows,
        [
            "a.example 2016-02-23 dau 3",
            "a.example 2016-02-23 registered_users 9",
            "b.example 2016-02-23 dau 2",
            "b.example 2016-02-23 registered_users 8",
            "c.example 2016-02-23 dau 4",
        ]
    );
    let said = |start: &str| given.rejects.iter().filter(|r| r.contains(start)).count();
    assert_eq!(said("not a JSON document"), 2, "{:?}", given.rejects);
    assert_eq!(said("a JSON object is expected"), 6, "{:?}", given.rejects);
    assert_eq!(said("no server"), 1, "{:?}", given.rejects);
    assert_eq!(given.rejects.len(), 9, "{:?}", given.rejects);
}

#[test]
fn the_keys_that_are_looked_at_are_told_apart() {
    assert!(line::LOOKED_AT.is_sorted_by(|(one, _), (other, _)| one < other));
    assert_eq!(line::LOOKED_AT.len(), KEYS.len() + MOMENTS.len() + 1);
}
