//! Tables of counts of Zulip, from an export and from dumps.

use super::{Told, options, read, read_file, said, try_read};
use crate::ingest::{Input, parts};

/// What `tests/exports/zulip/analytics.json` and its realm's rows as a dump give: 2016-02-23 is over, of
/// 2016-02-24 there are two hours.
const FIGURES: [&str; 13] = [
    "chat.example.org 2016-02-22 dau 3",
    "chat.example.org 2016-02-23 active_users_15d 5",
    "chat.example.org 2016-02-23 active_users_15d kind=human 4",
    "chat.example.org 2016-02-23 dau 2",
    "chat.example.org 2016-02-23 messages_sent 16",
    "chat.example.org 2016-02-23 messages_sent kind=bot 4",
    "chat.example.org 2016-02-23 messages_sent kind=human 12",
    "chat.example.org 2016-02-23 messages_sent message_type=private_message 9",
    "chat.example.org 2016-02-23 messages_sent message_type=public_stream 7",
    "chat.example.org 2016-02-23 registered_users 9",
    "chat.example.org 2016-02-23 registered_users kind=bot 2",
    "chat.example.org 2016-02-23 registered_users kind=human 7",
    "chat.example.org 2016-02-23 wau_7d 4",
];

fn check(told: &Told) {
    let mut found = told.figures.clone();
    found.sort();
    assert_eq!(found, FIGURES);
}

#[test]
fn a_realms_export_gives_figures_of_the_realm_and_days_of_users() {
    let told = read_file("zulip/analytics.json", &said());
    check(&told);
    assert_eq!(told.activity, ["2016-02-22 1", "2016-02-23 2"]);
    assert!(told.rejects.is_empty(), "{:?}", told.rejects);
    assert!(told.seen.contains("analytics_realmcount"));
}

#[test]
fn a_dump_as_csv_or_as_json_gives_the_same() {
    let told = read_file("zulip/realmcount.csv", &said());
    check(&told);
    let fields: Vec<_> = told
        .rejects
        .iter()
        .map(|r| r.split(':').next().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "17 value",
            "18 end_time",
            "19 end_time",
            "20 subgroup",
            "21 id",
            "22 "
        ]
    );
    check(&read_file("zulip/realmcount.ndjson", &said()));
}

#[test]
fn rows_of_users_add_up_and_are_their_days() {
    let rows = "id,property,subgroup,end_time,value,realm_id,user_id\n\
        1,1day_actives::day,,2016-02-24 00:00:00+00,1,2,11\n\
        2,1day_actives::day,,2016-02-24 00:00:00+00,1,2,12\n\
        3,messages_sent:is_bot:hour,false,2016-02-24 00:00:00+00,5,2,11\n\
        4,1day_actives::day,,2016-02-24 00:00:00+00,1,2,\n";
    let told = read("usercount.csv", rows, &said());
    assert_eq!(told.activity, ["2016-02-23 2"]);
    assert!(
        told.figures
            .contains(&"chat.example.org 2016-02-23 messages_sent 5".to_owned())
    );
    assert_eq!(
        told.rejects,
        ["5 user_id: no user: each row needs the id of one"]
    );
}

#[test]
fn an_export_that_is_cut_short_says_where() {
    let whole = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/exports/zulip/analytics.json"
    ))
    .unwrap();
    let input = Input::bytes("analytics.json", whole[..whole.len() - 40].to_vec());
    let error = try_read(&input, &said()).unwrap_err();
    assert!(error.to_string().contains("at line"), "{error}");
}

#[test]
fn other_tables_are_none() {
    for text in [
        "property,subgroup,end_time,value,stream_id\nx,,2016-02-24,1,1\n",
        "date,platform,metric,value\n2016-02-23,A,dau,1\n",
    ] {
        let parts = parts(&Input::bytes("f", text), &options()).unwrap();
        assert!(parts[0].seen.is_empty());
    }
}

/// Rows begin on the lines of their brackets, behind a byte order mark, other tables and blank lines too.
#[test]
fn a_bad_row_of_an_export_is_named_by_its_line() {
    let text = "\u{feff}{\"analytics_streamcount\": [[1,\n2], {\"a\": {}}],\n\"x\": {\"analytics_usercount\": [1]},\n\n\"analytics_usercount\": [\n{\"property\":\n\"1day_actives::day\", \"end_time\": 1456272000.0,\n\"value\": 1, \"user\": 5}, {\"property\": \"1day_actives::day\", \"value\": 1},\n7,\n\n  {\"property\": \"1day_actives::day\", \"end_time\": 1456272000, \"value\": 1.5}]}";
    let told = read("analytics.json", text, &said());
    assert_eq!(told.activity, ["2016-02-23 1"]);
    let fields: Vec<_> = told
        .rejects
        .iter()
        .map(|r| r.split(':').next().unwrap())
        .collect();
    assert_eq!(fields, ["8 end_time", "9 ", "11 value"]);
}

#[test]
fn an_export_of_many_rows_is_read_to_its_end() {
    let row = |n: u32| {
        format!(
            r#"{{"id": {n}, "user": {n}, "property": "1day_actives::day", "end_time": 1456272000.0, "value": 1}}"#
        )
    };
    let rows: Vec<String> = (1..=10_000).map(row).collect();
    let text = format!("{{\"analytics_usercount\": [{}]}}", rows.join(",\n"));
    let told = read("analytics.json", text, &said());
    assert_eq!(told.activity, ["2016-02-23 10000"]);
}
