use super::super::tests::given::{built, given, options, sample};
use super::*;

fn text(name: &str, text: &str) -> Input {
    Input::bytes(name.to_owned(), text.to_owned())
}

#[test]
fn a_real_page_gives_what_its_server_counted() {
    let Some(input) = sample("synapse/synapse-metrics.prom") else {
        return;
    };
    let error = given(&input, &options()).unwrap_err().to_string();
    assert!(error.contains("does not say its day"), "{error}");
    let at = Options {
        at: crate::calendar::day("2026-11-22").ok(),
        ..options()
    };
    let given = given(&input, &at).unwrap();
    assert_eq!(
        given.rows,
        [
            "hs.local.test 2026-11-22 dau 12",
            "hs.local.test 2026-11-22 mau_30d 12",
            "hs.local.test 2026-11-22 registered_users 14",
        ]
    );
    assert!(given.rejects.is_empty());
}

#[test]
fn an_old_server_is_named_by_its_file() {
    let given = given(
        &built("prometheus/chat.example.org-2023-02-12.prom"),
        &options(),
    )
    .unwrap();
    assert_eq!(
        given.rows,
        [
            "chat.example.org 2023-02-12 dau 4",
            "chat.example.org 2023-02-12 mau_30d 7",
            "chat.example.org 2023-02-12 registered_users 31",
        ]
    );
    assert_eq!(
        given.rejects,
        ["7 synapse_admin_mau_current: the same figure as on an earlier line"]
    );
}

#[test]
fn samples_with_moments_say_their_days_and_the_last_of_a_day_counts() {
    let given = given(&built("prometheus/history.txt"), &options()).unwrap();
    assert_eq!(
        given.rows,
        [
            "a.example 2016-02-23 dau 5",
            "a.example 2016-02-23 registered_users 8",
            "a.example 2016-02-24 dau 7",
            "b.example 2016-02-23 dau 1",
            "b.example 2016-02-23 mau_30d 3",
            "b.example 2016-02-23 wau_7d 2",
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
            "12 synapse_admin_daily_active_users",
            "13 synapse_admin_daily_active_users",
            "14 synapse_admin_daily_active_users",
            "15 timestamp",
            "16 synapse_admin_daily_active_users",
            "17 synapse_admin_daily_active_users",
        ]
    );
}

#[test]
fn what_a_file_says_itself_is_no_part_of_its_identity() {
    let page = "# TYPE synapse_admin_daily_active_users gauge\nsynapse_admin_daily_active_users{server_name=\"a.example\"} 3 1456228800000\n";
    let identity = |name: &str| {
        let parts = super::super::parts(&text(name, page), &options()).unwrap();
        let content = crate::ingest::content(&text(name, page)).unwrap();
        crate::ingest::identity(&content, &parts[0].options)
    };
    assert_eq!(identity("x.prom"), identity("b.example/2023-02-12.prom"));
}

#[test]
fn labels_are_read_with_their_escapes() {
    let labels = r#"a="x\"y,z=\\", server_name = "hs" ,b="#;
    assert_eq!(
        label(r#"a="x\"y,\\",server_name="hs","#, "server_name").as_deref(),
        Some("hs")
    );
    assert_eq!(label(r#"a="x\"y,\\""#, "a").as_deref(), Some(r#"x"y,\"#));
    assert_eq!(label(r#"a="x""#, "b").as_deref(), Some(""));
    assert_eq!(label(labels, "a"), None);
    assert_eq!(label(r#"a="x" b="y""#, "a"), None);
}

#[test]
fn a_table_of_figures_is_no_page_of_metrics() {
    for page in [
        "date,platform,messages\n2016-02-23,A,5\n",
        "# HELP wanted: figures below\ndate,platform,messages\n",
        "# a comment\nx 1\n",
        "x 1\n",
    ] {
        assert_eq!(recognise(&Head::of("x", page.as_bytes())), None, "{page}");
    }
    let page = b"# TYPE x gauge\n# HELP x X\nx{a=\"b\"} 2.5e3 1\ncut_sho";
    assert!(recognise(&Head::of("x", page)).is_some());
    let input = text("x.prom", std::str::from_utf8(page).unwrap());
    let error = given(&input, &options()).unwrap_err().to_string();
    assert!(
        error.contains("none of the metrics that are read"),
        "{error}"
    );
}
