//! Names in data lead nowhere: not out of an archive, a folder or a table, and not by SQL.

use std::os::unix::fs::symlink;

use crate::archives::zipped;
use crate::project::Project;

const OURS: &str =
    "[project]\nplatform = \"Pigeon\"\n[[source]]\npath = \"**/*\"\nplatform = \"Pigeon\"\n";

const FIGURES: &str = "date,dau\n2016-02-01,10\n";

#[test]
fn members_with_names_that_lead_out_are_read_below_their_archive() {
    let project = Project::new(OURS);
    let out = "../../escaped.csv";
    project.write("data/x.zip", zipped(&[(out, FIGURES.as_bytes())]));
    let mut tar = tar::Builder::new(vec![]);
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "link.csv", "/etc/passwd")
        .unwrap();
    let mut header = tar::Header::new_ustar();
    let day = b"date,dau\n2016-02-02,11\n";
    header.set_size(day.len() as u64);
    // As no writer writes it.
    let name = b"/absolute.csv";
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_cksum();
    tar.append(&header, day.as_slice()).unwrap();
    project.write("data/y.tar", tar.into_inner().unwrap());
    project.ok("ingest data");
    assert_eq!(
        project.sql("SELECT path FROM loads ORDER BY path"),
        "data/x.zip/escaped.csv\ndata/y.tar/absolute.csv\n"
    );
    assert_eq!(project.sql("SELECT sum(value) FROM usage"), "21\n");
    assert!(!project.root().join("../escaped.csv").exists());
}

#[test]
fn links_out_of_the_project_are_passed_over_unless_they_are_named() {
    let project = Project::new(OURS);
    let elsewhere = Project::new("");
    elsewhere.write("a.csv", FIGURES);
    elsewhere.write("folder/b.csv", FIGURES);
    project.write("data/own.csv", "date,dau\n2016-03-01,12\n");
    symlink(elsewhere.path("a.csv"), project.path("data/link.csv")).unwrap();
    symlink(elsewhere.path("folder"), project.path("data/folder")).unwrap();
    symlink(project.path("data/own.csv"), project.path("data/again.csv")).unwrap();
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("link.csv`, a link to a file elsewhere"),
        "{}",
        ran.err
    );
    assert_eq!(
        project.sql("SELECT day, value FROM usage"),
        "2016-03-01,12\n"
    );
    project.ok("ingest data/link.csv");
    assert_eq!(project.sql("SELECT sum(value) FROM usage"), "22\n");
}

#[test]
fn a_log_that_names_files_elsewhere_is_refused() {
    for outside in [
        "../../secret.parquet",
        "/tmp/secret.parquet",
        "file:///tmp/secret.parquet",
        "%2e%2e/secret.parquet",
    ] {
        let project = Project::new(OURS);
        project.write("data/a.csv", FIGURES);
        project.ok("ingest data");
        let log = ".essor/usage/_delta_log/00000000000000000001.json";
        let text = project.read(log);
        let begins = text.find("\"add\":{\"path\":\"").unwrap() + 15;
        let ends = begins + text[begins..].find('"').unwrap();
        let file = project.path(&format!(".essor/usage/{}", &text[begins..ends]));
        std::fs::copy(file, project.path("secret.parquet")).unwrap();
        project.write(
            log,
            format!("{}{outside}{}", &text[..begins], &text[ends..]),
        );
        for words in ["query --sql 'SELECT * FROM usage'", "ingest data", "status"] {
            let ran = project.essor(words);
            assert_eq!(ran.code, 1, "{outside} {words}: {}{}", ran.out, ran.err);
            assert!(
                ran.err.contains("names a file that does not lie in it"),
                "{outside} {words}: {}",
                ran.err
            );
        }
        assert!(project.path("secret.parquet").exists());
    }
}

#[test]
fn sql_of_a_user_reads_tables_and_nothing_else() {
    let project = Project::new(OURS);
    project.write("data/a.csv", FIGURES);
    project.ok("ingest data");
    let path = project.path("data/a.csv").display().to_string();
    for sql in [
        "COPY (SELECT 1) TO 'out.csv'",
        "COPY usage TO 'out.parquet' STORED AS PARQUET",
        "EXPLAIN COPY (SELECT 1) TO 'out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'",
        "EXPLAIN ANALYZE INSERT INTO usage SELECT * FROM usage",
        "INSERT INTO usage SELECT * FROM usage",
        "UPDATE usage SET value = 1",
        "DELETE FROM usage",
        "TRUNCATE usage",
        "DROP TABLE usage",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "EXPLAIN CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "PREPARE p AS SELECT 1",
        "RESET datafusion.execution.batch_size",
        "SELECT 1; COPY (SELECT 1) TO 'out.csv'",
        "SELECT * FROM 'data/a.csv'",
        &format!("SELECT * FROM '{path}'"),
        &format!("SELECT * FROM \"file://{path}\""),
        "SELECT * FROM read_csv('data/a.csv')",
        "SELECT * FROM read_parquet('data/a.parquet')",
        "SELECT * FROM parquet_metadata('data/a.parquet')",
    ] {
        let mut command = project.command();
        let output = command.args(["query", "--sql", sql]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{sql}");
    }
    for left in ["out.csv", "out.parquet"] {
        assert!(!project.path(left).exists(), "{left}");
    }
    assert_eq!(project.sql("SELECT value FROM usage"), "10\n");
}

#[test]
fn parameters_are_values_and_no_sql() {
    let project = Project::new(OURS);
    project.write("data/a.csv", FIGURES.replace("dau", "messages"));
    project.ok("ingest data");
    let name = "Pigeon' OR '1'='1";
    let mut command = project.command();
    let words = [
        "query",
        "daily_usage",
        "--platform",
        name,
        "--format",
        "csv",
    ];
    let output = command.args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let ours = project.ok("query daily_usage --platform Pigeon --format csv");
    assert_eq!(ours.lines().count(), 2, "{ours}");
}
