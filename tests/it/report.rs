//! The report: its figures, that they follow the data, and that the same loads give the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::project::{Project, repository};

/// The rows of one query in a report.
fn rows<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    let figures = report["sections"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["figures"].as_array().unwrap());
    figures
        .into_iter()
        .find(|f| f["name"] == name)
        .unwrap_or_else(|| panic!("no `{name}`"))["rows"]
        .as_array()
        .unwrap()
}

fn row<'a>(report: &'a Value, name: &str, key: &str, value: &str) -> &'a Value {
    rows(report, name)
        .iter()
        .find(|r| r[key] == value)
        .unwrap_or_else(|| panic!("no {key} {value} in `{name}`"))
}

fn report(project: &Project, words: &str) -> Value {
    project.ok(&format!("report {words}"));
    let month = words.split(' ').next().unwrap();
    serde_json::from_str(&project.read(&format!("reports/{month}/report.json"))).unwrap()
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(
                self::files(&path)
                    .into_iter()
                    .map(|(n, b)| (format!("{name}/{n}"), b)),
            );
        } else {
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    files
}

fn differing(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    a.keys()
        .chain(b.keys())
        .filter(|k| a.get(*k) != b.get(*k))
        .cloned()
        .collect()
}

#[test]
fn february_2016_says_what_was_announced_and_what_follows() {
    let project = Project::of_repository();
    let report = report(&project, "2016-02");
    let headline = |metric: &str| row(&report, "headline", "metric", metric).clone();
    assert_eq!(headline("mau_stated")["value"], 100_000_000);
    assert_eq!(headline("mau_stated")["previous_value"], 62_000_000);
    assert_eq!(headline("mau_stated")["previous_as_of"], "2015-05-13");
    assert_eq!(headline("messages_per_day")["value"], 15_000_000_000_i64);
    assert_eq!(headline("signups_per_day")["value"], 350_000);
    assert_eq!(headline("headcount")["value"], 15);
    assert_eq!(headline("monthly_cost")["value"], 1_000_000);
    let recalled = &rows(&report, "recalled")[0];
    assert_eq!(
        (&recalled["value"], &recalled["as_of"]),
        (&60_000_000.into(), &"2015-05-31".into())
    );
    assert_eq!(recalled["computing_value"], 62_000_000);
    assert_eq!(
        row(&report, "market_share", "platform", "WhatsApp")["value"],
        1_000_000_000
    );
    assert_eq!(
        row(&report, "market_share", "platform", "Facebook Messenger")["value"],
        800_000_000
    );
    // 286 days from 13 May 2015 to 23 February 2016; (220k + 350k) / 2 x 286 = 81.51 M signups; 38 M stayed.
    let churn = &rows(&report, "implied_churn")[0];
    assert_eq!(
        (&churn["days"], &churn["net_adds"], &churn["signups"]),
        (&286.into(), &38_000_000.into(), &81_510_000.into())
    );
    let lost = 1.0 - 38.0 / 81.51;
    assert!((churn["churn"].as_f64().unwrap() - lost).abs() < 1e-5);
    let left_out = |unit: &str| {
        rows(&report, "left_out")
            .iter()
            .find(|r| r["unit"].as_str().unwrap().contains(unit))
            .unwrap()["value"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(left_out("messages"), 150.0);
    // (100/62)^(30.436875/286) - 1 a month; ln 2 / ln(1 + that) months to twice as many.
    let cmgr = (100.0_f64 / 62.0).powf(146_097.0 / 4_800.0 / 286.0);
    assert!((left_out("months") - 2.0_f64.ln() / cmgr.ln()).abs() < 0.06);
    let page = project.read("reports/2016-02/index.html");
    for said in [
        "60\u{202f}M",
        "62\u{202f}M",
        "100\u{202f}M",
        "15\u{202f}bn",
        "350\u{202f}k",
        "800\u{202f}M",
        "1\u{202f}bn",
        "13 May 2015",
        "150",
    ] {
        assert!(page.contains(said), "the page does not say {said}");
    }
}

/// What the announcement said, as a part of its line in disclosures.csv, and another value for it.
const SAID: [(&str, &str, &str); 8] = [
    (
        "Telegram,mau,60000000,users,2015-05-31,",
        "60000000",
        "57000000",
    ),
    (
        "Telegram,mau,100000000,users,2016-02-23,",
        "100000000",
        "107000000",
    ),
    (
        "Telegram,messages_per_day,15000000000,",
        "15000000000",
        "17000000000",
    ),
    ("Telegram,signups_per_day,350000,", "350000", "370000"),
    ("Telegram,headcount,15,people,2016-02-23,", "15", "17"),
    ("Telegram,monthly_cost,1000000,EUR", "1000000", "1700000"),
    (
        "Facebook Messenger,mau,800000000,users,2015-12-31,",
        "800000000",
        "870000000",
    ),
    (
        "WhatsApp,mau,1000000000,users,2016-02-01,",
        "1000000000",
        "1070000000",
    ),
];

#[test]
fn a_query_with_a_dimension_is_asked_for_all_and_by_each() {
    let project = Project::new(
        "[project]\nplatform = \"A\"\ndimensions = [\"country\", \"client_app\"]\n\n[[source]]\npath = \"data/disclosures.csv\"\ngrain = \"disclosures\"\n",
    );
    project.write(
        "data/disclosures.csv",
        "platform,metric,value,as_of,source_title,source_url\nA,mau,50,2016-02-01,T,https://a.example\n",
    );
    project.write(
        "queries/parts.sql",
        "--- How many.\n--! params:  dimension TEXT = ''\n--! columns: dimension_value TEXT, days BIGINT, users BIGINT\n--! grain:   dimension_value, days\n--! chart:   histogram x=days y=users series=dimension_value\n--! finding: {{ rows|length }} rows\n--! report:  section=activity order=1\n--! assert:  users > 0\nSELECT v AS dimension_value, d AS days, CAST(d + 1 AS BIGINT) AS users FROM (VALUES ('', 0), ('BR', 1), ('BR', 2), ('DE', 1)) AS t(v, d) WHERE CASE $dimension WHEN '' THEN v = '' WHEN 'country' THEN v <> '' ELSE false END ORDER BY v, d",
    );
    let report = report(&project, "2016-02");
    let sections: Vec<&str> = report["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    let at = |id: &str| sections.iter().position(|s| *s == id);
    assert!(
        at("headline") < at("activity") && at("activity") < at("rivals"),
        "{sections:?}"
    );
    assert_eq!(
        (
            rows(&report, "parts").len(),
            rows(&report, "parts-by-country").len()
        ),
        (1, 3)
    );
    let page = project.read("reports/2016-02/index.html");
    assert!(page.contains("By country: 3 rows") && page.contains("id=\"parts-by-country\""));
    // A dimension of which nothing is known leaves no empty figure.
    assert!(!page.contains("client_app"));
    assert!(
        project
            .path("reports/2016-02/charts/parts-by-country.svg")
            .exists()
    );
    assert!(
        project
            .path("reports/2016-02/tables/parts-by-country.csv")
            .exists()
    );

    let query = project
        .read("queries/parts.sql")
        .replace("users > 0", "users < 3");
    project.write("queries/parts.sql", query);
    let refused = project.essor("report 2016-02");
    for said in ["`parts`", "`users < 3`", "dimension_value = BR, days = 2"] {
        assert!(refused.err.contains(said), "{}", refused.err);
    }
}

#[test]
fn page_charts_and_json_follow_the_data() {
    let project = Project::of_repository();
    project.ok("report 2016-02");
    let folder = project.path("reports/2016-02");
    let original = project.read("data/disclosures.csv");
    let before = files(&folder);
    for (line, value, other) in SAID {
        assert!(original.contains(line), "{line}");
        let altered = line.replacen(&format!(",{value},"), &format!(",{other},"), 1);
        project.write("data/disclosures.csv", original.replace(line, &altered));
        project.ok("report 2016-02");
        let after = files(&folder);
        let changed = differing(&before, &after);
        for file in ["index.html", "report.json", "report.md"] {
            assert!(
                changed.iter().any(|c| c == file),
                "{line}: {file} did not follow"
            );
        }
        assert!(
            after["report.json"]
                .windows(other.len())
                .any(|w| w == other.as_bytes()),
            "{line}: report.json does not say {other}"
        );
        for ending in [".svg", ".png"] {
            let chart = |c: &String| c.starts_with("charts/") && c.ends_with(ending);
            assert!(
                changed.iter().any(chart),
                "{line}: no chart did follow: {changed:?}"
            );
        }
    }
    project.write("data/disclosures.csv", &original);
    project.ok("report 2016-02");
    assert_eq!(
        differing(&before, &files(&folder)),
        Vec::<String>::new(),
        "going back gives the same bytes"
    );
}

#[test]
fn the_same_loads_give_the_same_bytes_on_one_thread_and_on_two() {
    let (one, two) = (Project::of_repository(), Project::of_repository());
    one.ok("--threads 1 report 2016-02");
    two.ok("--threads 2 report 2016-02");
    let first = files(&one.path("reports/2016-02"));
    assert_eq!(
        differing(&first, &files(&two.path("reports/2016-02"))),
        Vec::<String>::new()
    );
    assert!(
        one.essor("report 2016-02").err.is_empty(),
        "a second run ingests nothing"
    );
    assert_eq!(
        differing(&first, &files(&one.path("reports/2016-02"))),
        Vec::<String>::new()
    );
}

#[test]
fn the_committed_example_is_what_the_code_writes() {
    let project = Project::of_repository();
    project.ok("report 2016-02");
    let committed = files(&repository().join("reports/2016-02"));
    let written = files(&project.path("reports/2016-02"));
    assert_eq!(
        differing(&committed, &written),
        Vec::<String>::new(),
        "run `cargo run -- report 2016-02` and commit reports/2016-02"
    );
}

#[test]
fn november_2022_of_mastodon_comes_from_dense_data() {
    let project = Project::of_repository();
    let report = report(&project, "2022-11 --platform Mastodon");
    // 28,041 + 27,752 + 21,166 + 32,139 + 68,430 + 96,370 on the six full days.
    let adds = row(&report, "headline", "metric", "net_adds");
    assert_eq!(
        (&adds["value"], &adds["days"], &adds["finished"]),
        (&273_898.into(), &6.into(), &false.into())
    );
    // 218,243 + 274,303 + 222,003 + 394,909 + 423,867 + 617,733.
    assert_eq!(
        row(&report, "headline", "metric", "messages_sent")["value"],
        2_151_058
    );
    let flagged = |topic: &str, metric: &str| {
        rows(&report, "data_quality")
            .iter()
            .filter(|r| r["topic"] == topic && r["metric"] == metric)
            .map(|r| r["day"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        flagged("jump", "net_adds"),
        ["2019-07-04"],
        "the artefact, and not the surge"
    );
    assert_eq!(flagged("fell", "net_adds").len(), 13);
    assert!(flagged("fell", "messages_sent").contains(&"2021-09-23".to_owned()));
    assert!(
        rows(&report, "daily_net_adds")
            .iter()
            .any(|r| r["day"] == "2022-11-07" && r["mark"] == "unfinished")
    );
    let page = project.read("reports/2022-11/index.html");
    assert!(page.contains("month not finished: 6 full days"));
    assert_eq!(
        project.sql("SELECT MIN(value) > 0 FROM daily WHERE metric = 'net_adds'"),
        "true\n",
        "a fall is no negative growth"
    );
    assert_eq!(
        project.sql("SELECT COUNT(*) FROM rejects"),
        "0\n",
        "nor a reject"
    );
}

#[test]
fn a_planted_jump_is_caught_and_the_surge_left_alone() {
    let original = std::fs::read_to_string(repository().join("data/mastostats.csv")).unwrap();
    for planted in ["2020-05-17", "2022-11-03", "2021-01-07"] {
        let from = chrono::NaiveDate::parse_from_str(planted, "%Y-%m-%d")
            .unwrap()
            .and_hms_opt(13, 0, 0)
            .unwrap()
            .and_utc()
            .timestamp();
        let mut text = String::from("timestamp,usercount,instancecount,tootscount\n");
        for line in original.lines().skip(1) {
            let fields: Vec<i64> = line.split(',').map(|f| f.parse().unwrap()).collect();
            let more = if fields[0] >= from { 989_838 } else { 0 };
            text.push_str(&format!(
                "{},{},{},{}\n",
                fields[0],
                fields[1] + more,
                fields[2],
                fields[3]
            ));
        }
        let project = Project::of_repository();
        project.write("data/mastostats.csv", text);
        project.ok("ingest data/mastostats.csv");
        let flagged = project
            .sql("SELECT day FROM flags WHERE flag = 'jump' AND metric = 'net_adds' ORDER BY day");
        let mut expected = ["2019-07-04", planted];
        expected.sort_unstable();
        assert_eq!(flagged.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn markup_in_names_stays_text() {
    let project = Project::new("[project]\nplatform = \"<script>alert(1)</script>\"\n");
    project.write(
        "data/statements.csv",
        "platform,metric,value,as_of,definition,source_title,source_url\n<script>alert(1)</script>,mau,50000000,2015-02-01,<b>x</b>,\"<img src=x onerror=alert(2)>\",javascript:alert(3)\n<script>alert(1)</script>,mau,60000000,2016-02-01,,T,https://a.example/?a=1&b=<i>\n\"O'Brien & \"\"Sons\"\"\",mau,70000000,2016-02-01,,T,https://b.example\n",
    );
    project.ok("report 2016-02");
    let page = project.read("reports/2016-02/index.html");
    for markup in ["<script", "<img", "<b>", "<i>", "href=\"javascript:"] {
        assert!(!page.contains(markup), "{markup} is markup");
    }
    assert!(page.contains("&lt;script&gt;") || page.contains("&lt;script&#x2f;"));
    assert!(
        !project
            .read("reports/2016-02/report.md")
            .contains("<script")
    );
    for (name, bytes) in files(&project.path("reports/2016-02/charts")) {
        if name.ends_with(".svg") {
            assert!(
                !String::from_utf8(bytes).unwrap().contains("<script"),
                "{name}"
            );
        }
    }
}
