//! The command line: what it teaches, how it fails, and that it keeps quiet where it should.

use std::io::Read;
use std::process::Stdio;

use crate::project::Project;

fn pigeon() -> Project {
    let project = Project::new("[project]\nplatform = \"Pigeon\"\n");
    project.write(
        "data/statements.csv",
        "platform,metric,value,as_of,source_url\nPigeon,mau,60000000,2015-05-13,https://pigeon.example/a\nPigeon,mau,100000000,2016-02-23,https://pigeon.example/b\nOwl,mau,400000000,2016-02-01,https://owl.example\n",
    );
    project.ok("ingest data");
    project
}

#[test]
fn help_teaches_with_examples() {
    let project = Project::new("");
    for words in [
        "--help",
        "ingest --help",
        "query --help",
        "chart --help",
        "report --help",
        "status --help",
        "explain --help",
        "init --help",
        "unload --help",
        "query market_share --help",
    ] {
        let help = project.ok(words);
        assert!(help.contains("essor "), "{words}\n{help}");
    }
    assert!(
        project
            .ok("query market_share --help")
            .contains("--month <MONTH>")
    );
    assert!(project.ok("completions bash").contains("_essor"));
    assert!(project.ok("man").contains(".TH essor"));
}

#[test]
fn wrong_use_exits_with_two_names_the_value_and_says_what_to_do() {
    let project = pigeon();
    for (words, told) in [
        (
            "query market_shares --month 2016-02",
            "`market_shares` is not a query (did you mean `market_share`?)",
        ),
        ("query market_share", "needs `--month` (DATE)"),
        (
            "query market_share --month 2016-2",
            "`2016-2` is not a month",
        ),
        ("query", "name a query"),
        ("explain maux", "`maux` is not a metric"),
        ("ingest nowhere.csv", "`nowhere.csv` does not exist"),
        ("chart mau_compared", "-o chart.svg"),
        (
            "chart mau_compared -o chart.gif",
            "`chart.gif` is neither .svg nor .png",
        ),
        (
            "chart sources --month 2016-02 -o x.svg",
            "has no `--! chart:` line",
        ),
        ("report 2016-13", "`2016-13` is not a month"),
    ] {
        let ran = project.essor(words);
        assert_eq!(ran.code, 2, "{words}\n{}{}", ran.out, ran.err);
        assert!(ran.err.contains(told), "{words}\n{}", ran.err);
        assert_eq!(ran.out, "", "{words}: errors go to standard error");
    }
}

#[test]
fn a_failure_exits_with_one() {
    let project = pigeon();
    for (words, told) in [
        ("query --sql 'SELECT nothing FROM usage'", "nothing"),
        ("query --sql 'DROP TABLE usage'", "DDL"),
        ("unload abc", "`abc` is no live load"),
        (
            "report 2010-01",
            "nothing is known of `Pigeon` at the end of 2010-01; its first figure is of 2015-05",
        ),
        (
            "report 2016-02 --platform Penguin",
            "the platforms known are Owl, Pigeon",
        ),
    ] {
        let ran = project.essor(words);
        assert_eq!(ran.code, 1, "{words}\n{}{}", ran.out, ran.err);
        assert!(ran.err.contains(told), "{words}\n{}", ran.err);
    }
    let outside = tempfile::tempdir().unwrap();
    let output = project
        .command()
        .current_dir(outside.path())
        .args(["status"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("`essor init NAME` makes a project"));
}

#[test]
fn user_sql_cannot_write() {
    let project = pigeon();
    for sql in [
        "INSERT INTO usage SELECT * FROM usage",
        "CREATE TABLE t AS SELECT 1",
        "COPY (SELECT 1) TO 'out.csv'",
        "SET datafusion.execution.batch_size = 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
    ] {
        let output = project
            .command()
            .args(["query", "--sql", sql])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{sql}");
    }
    assert!(!project.path("out.csv").exists());
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let project = pigeon();
    let binary = assert_cmd::cargo::cargo_bin("essor");
    let sql = "SELECT a.value, b.value FROM generate_series(1, 300) AS a(value) CROSS JOIN generate_series(1, 300) AS b(value)";
    let mut child = std::process::Command::new(binary)
        .args(["query", "--format", "csv", "--sql", sql])
        .current_dir(project.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 8];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn no_colour_and_no_progress_where_nobody_looks() {
    let project = Project::new("");
    project.write(
        "data/a.csv",
        "date,platform,messages\n2016-02-30,Pigeon,1\n",
    );
    let ran = project.essor("ingest data");
    assert!(
        !ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'),
        "{}",
        ran.err
    );
}

#[test]
fn every_text_format_says_the_same() {
    let project = pigeon();
    let ask = |format: &str| {
        project.ok(&format!(
            "query market_share --month 2016-02 --format {format}"
        ))
    };
    assert!(
        ask("csv").contains("1,Owl,400000000,0.8,"),
        "{}",
        ask("csv")
    );
    assert!(
        ask("json")
            .starts_with("[{\"rank\":1,\"platform\":\"Owl\",\"value\":400000000,\"share\":0.8,")
    );
    assert_eq!(ask("ndjson").lines().count(), 2);
    assert!(ask("markdown").lines().nth(2).unwrap().contains("| Owl"));
    assert!(ask("table").contains("Pigeon"));
}

#[test]
fn a_query_of_ones_own_is_listed_runs_is_drawn_and_stands_in_the_report() {
    let project = pigeon();
    project.write(
        "queries/flock.sql",
        "--- How large the flock is.\n--! params:  month DATE\n--! columns: platform TEXT, birds BIGINT\n--! grain:   platform\n--! chart:   bars x=platform y=birds\n--! finding: {{ rows[0].platform }} has the largest flock: {{ rows[0].birds|short }}\n--! privacy: birds\nSELECT platform, value AS birds FROM statements WHERE computes AND as_of >= $month ORDER BY value DESC\n",
    );
    assert!(
        project
            .ok("query --list")
            .contains("flock (this project's)  How large the flock is.")
    );
    assert_eq!(
        project.ok("query flock --month 2016-02 --format csv"),
        "platform,birds\nOwl,400000000\nPigeon,100000000\n"
    );
    project.ok("chart flock --month 2016-02 -o flock.png");
    assert!(
        std::fs::read(project.path("flock.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    project.ok("report 2016-02");
    let page = project.read("reports/2016-02/index.html");
    assert!(page.contains("Owl has the largest flock: 400\u{202f}M"));
    assert!(project.path("reports/2016-02/charts/flock.svg").exists());
    project.write(
        "queries/flock.sql",
        "--- Broken.\n--! columns: platfrom TEXT\nSELECT platform FROM statements ORDER BY 1\n",
    );
    assert!(
        project
            .essor("query flock")
            .err
            .contains("its header declares platfrom TEXT")
    );
}

#[test]
fn init_makes_a_project_that_reports_at_once() {
    let project = Project::new("");
    std::fs::remove_file(project.path("essor.toml")).unwrap();
    project.ok("init my-messenger");
    let again = project.essor("init my-messenger");
    assert!(again.code == 1 && again.err.contains("is a project already"));
    project.write(
        "my-messenger/data/daily.csv",
        "date,messages,signups,dau,mau\n2016-02-01,1000,10,100,500\n2016-02-02,1100,11,110,510\n",
    );
    project.ok("-C my-messenger report 2016-02");
    let page = project.read("my-messenger/reports/2016-02/index.html");
    assert!(page.contains("my-messenger") && page.contains("February 2016"));
}

#[test]
fn status_and_explain_say_what_there_is() {
    let project = pigeon();
    let status = project.ok("status");
    assert!(
        status.contains("Pigeon")
            && status.contains("data/statements.csv")
            && status.contains("2015-05-13"),
        "{status}"
    );
    let explained = project.ok("explain mau");
    assert!(
        explained.contains("mau_stated: monthly active users") && explained.contains("Pigeon"),
        "{explained}"
    );
    assert!(
        project
            .ok("explain mau_30d")
            .contains("none in this project's store")
    );
}

#[test]
fn a_report_takes_nobody_elses_files_away_and_a_failed_answer_costs_none() {
    let project = pigeon();
    project.write("site/charts/logo.svg", "mine");
    project.ok("report 2016-02 -o site");
    project.ok("report 2016-02 -o site");
    assert_eq!(project.read("site/charts/logo.svg"), "mine");
    project.write("keep.csv", "keep");
    assert_eq!(
        project
            .essor("query --sql 'SELECT [1, 2] AS a' -o keep.csv")
            .code,
        1
    );
    assert_eq!(project.read("keep.csv"), "keep");
}

#[test]
fn a_query_that_cant_be_read_stops_no_other() {
    let project = pigeon();
    project.write("queries/raw.sql", "SELECT 1");
    project.write(
        "queries/twice.sql",
        "--- T.\n--! params: size TEXT = x\n--! columns: a TEXT\nSELECT 1",
    );
    project.ok("status");
    project.ok("query market_share --month 2016-02");
    assert!(
        project
            .essor("query raw")
            .err
            .contains("query `raw.sql` has no `--- description`")
    );
    assert!(
        project
            .essor("query twice")
            .err
            .contains("parameter `size`")
    );
    let ran = project.essor("report 2016-02");
    assert!(
        ran.code == 1 && ran.err.contains("no report was written"),
        "{}",
        ran.err
    );
}

#[test]
fn names_that_the_store_does_not_know_are_told() {
    let project = pigeon();
    let ran = project.essor("query mau_compared --platforms pigeon,Owl --format csv");
    assert!(
        ran.code == 0
            && ran
                .err
                .contains("`pigeon` is no platform that the store knows; did you mean `Pigeon`?"),
        "{}",
        ran.err
    );
    assert_eq!(project.essor("query growth --metric users_monthly").code, 2);
    assert_eq!(project.essor("--threads 0 status").code, 2);
}
