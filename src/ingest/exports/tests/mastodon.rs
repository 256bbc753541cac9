//! Weeks of Mastodon servers, in both windows.

use super::{Told, options, read, said, sample, try_read};
use crate::ingest::Input;

/// An array of weeks, the newest first, of `(begins, statuses, logins, registrations)`.
fn answer(weeks: &[(i64, &str, &str, &str)]) -> String {
    let week = |(begins, statuses, logins, registrations): &(i64, &str, &str, &str)| {
        format!(
            r#"{{"week": "{begins}", "statuses": "{statuses}", "logins": "{logins}", "registrations": "{registrations}"}}"#
        )
    };
    format!(
        "[{}]",
        weeks.iter().map(week).collect::<Vec<_>>().join(",\n")
    )
}

#[test]
fn an_iso_week_is_of_its_sunday_whatever_the_zone() {
    // 2022-11-21 was a Monday: its midnight in UTC, in UTC+1 and in UTC-5.
    for monday in [1_668_988_800, 1_668_985_200, 1_669_006_800] {
        let text = answer(&[
            (monday, "1", "1", "1"),
            (monday - 604_800, "37125", "14239", "542"),
            (monday - 2 * 604_800, "0", "0", "0"),
        ]);
        let told = read("activity.json", text, &said());
        assert_eq!(
            told.figures,
            [
                "chat.example.org 2022-11-20 messages_week 37125",
                "chat.example.org 2022-11-20 wau_week 14239",
                "chat.example.org 2022-11-20 signups_week 542",
            ]
        );
        assert!(told.rejects.is_empty());
    }
}

#[test]
fn six_days_counted_back_from_the_question_are_no_week() {
    // 2023-02-11 17:04:38: the week before begins on 2023-02-04 and ends, five days on, on 2023-02-09.
    let text = answer(&[
        (1_676_135_078, "0", "0", "0"),
        (1_675_530_277, "0", "3", "0"),
    ]);
    assert_eq!(
        read("activity.json", text, &said()).figures,
        [
            "chat.example.org 2023-02-09 messages_6d 0",
            "chat.example.org 2023-02-09 active_users_6d 3",
            "chat.example.org 2023-02-09 signups_6d 0",
        ]
    );
}

#[test]
fn weeks_that_cannot_be_read_are_rejected_and_the_rest_kept() {
    let text = answer(&[
        (1_676_135_078, "0", "0", "0"),
        (1_675_530_278, "-1", "3", "many"),
    ]);
    let text = text.replace(']', ",\n{\"week\": \"soon\"},\n{\"statuses\": \"1\"},\n7]");
    let told = read("activity.json", text, &said());
    assert_eq!(
        told.figures,
        ["chat.example.org 2023-02-09 active_users_6d 3"]
    );
    let fields: Vec<_> = told
        .rejects
        .iter()
        .map(|r| r.split(':').next().unwrap())
        .collect();
    assert_eq!(
        fields,
        ["2 statuses", "2 registrations", "3 week", "4 week", "5 "]
    );
}

#[test]
fn weeks_in_order_of_age_are_the_same_weeks() {
    let weeks = [
        (1_676_135_078, "5", "1", "0"),
        (1_675_530_278, "6", "3", "0"),
        (1_674_925_478, "7", "4", "0"),
    ];
    let mut turned = weeks;
    turned.reverse();
    let figures = |weeks: &[_]| read("a.json", answer(weeks), &said()).figures;
    assert_eq!(figures(&weeks), figures(&turned));
    assert_eq!(figures(&weeks).len(), 6);
}

fn crawl(file: &str) -> Option<Told> {
    let path = sample(&format!("mastodon-activity/{file}"))?;
    Some(try_read(&Input::path(file, path), &options()).unwrap())
}

#[test]
fn a_real_crawl_is_read_server_by_server() {
    let Some(told) = crawl("servers-2023-02-12.jsonl") else {
        return;
    };
    assert!(told.rejects.is_empty(), "{:?}", told.rejects);
    let of = |server: &str| -> Vec<&str> {
        let lines = told
            .figures
            .iter()
            .filter_map(|l| l.strip_prefix(server)?.strip_prefix(' '));
        lines.collect()
    };
    let small = of("grandma.space");
    assert_eq!(
        small[..2],
        [
            "2023-02-12 registered_users 21",
            "2023-02-12 messages_sent+ 478"
        ]
    );
    assert_eq!(small.last(), Some(&"2023-02-09 signups_6d 0"));
    assert!(small.contains(&"2023-02-09 active_users_6d 3"));
    // Counted in UTC-5.
    let weeks = of("leftist.network");
    assert_eq!(
        weeks[weeks.len() - 3..],
        [
            "2023-02-05 messages_week 663",
            "2023-02-05 wau_week 31",
            "2023-02-05 signups_week 4"
        ]
    );
    // An answer of December, still cached, of weeks that were not counted.
    assert_eq!(of("maddypa.ws").len(), 2);
}

#[test]
fn real_crawls_give_every_finished_week() {
    // Counted apart from this program: servers, weeks of six days, ISO weeks.
    for (file, servers, six, iso) in [
        ("servers-2023-02-12.jsonl", 266, 2457, 306),
        ("servers-2023-02-26.jsonl", 225, 2094, 257),
        ("servers-2023-03-12.jsonl", 186, 1737, 207),
    ] {
        let Some(told) = crawl(file) else { return };
        let of = |metric: &str| {
            told.figures
                .iter()
                .filter(|l| l.split(' ').nth(2) == Some(metric))
                .count()
        };
        let found = [
            of("registered_users"),
            of("messages_sent+"),
            of("messages_6d"),
            of("wau_week"),
        ];
        assert_eq!(found, [servers, servers, six, iso], "{file}");
    }
}

#[test]
fn a_table_of_rows_is_no_activity() {
    for text in [
        r#"{"date": "2016-02-23", "platform": "A", "statuses": 3, "registrations": 1}"#,
        r#"{"week": "1675530278", "statuses": "0", "logins": "3", "registrations": "0"}"#,
    ] {
        let parts =
            crate::ingest::parts(&Input::bytes("f", text.as_bytes().to_vec()), &options()).unwrap();
        assert!(parts[0].seen.is_empty());
    }
}
