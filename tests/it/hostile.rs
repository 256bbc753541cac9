//! Files that end the process that reads them. Each was made by changing a few bytes of a sound file until a
//! decoder gave up in a way that can't be caught: a page or a buffer that says to hold terabytes.

use crate::project::{Project, repository};

const TOML: &str = "[project]\nplatform = \"Us\"\nmemory = \"64 MiB\"\n[[source]]\npath = \"data/*\"\nplatform = \"Us\"\n";

fn with(names: &[&str]) -> Project {
    let project = Project::new(TOML);
    for name in names {
        let bytes = std::fs::read(repository().join("tests/hostile").join(name)).unwrap();
        project.write(&format!("data/{name}"), bytes);
    }
    project
}

const FIGURES: &str = "date,messages\n2016-02-01,10\n2016-02-02,11\n";

#[test]
fn a_file_that_kills_its_reader_is_an_error_of_that_file_alone() {
    let names = [
        "buffer.arrow",
        "page_of_figures.parquet",
        "page_of_people.parquet",
    ];
    let project = with(&names);
    project.write("data/a.csv", FIGURES);
    project.write("data/z.csv", FIGURES.replace("messages", "signups"));
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1, "{}", ran.err);
    for name in names {
        let told = format!("the reader of `data/{name}` died (signal 6: memory allocation of ");
        assert!(ran.err.contains(&told), "{name}\n{}", ran.err);
    }
    assert!(
        ran.err
            .contains("3 files were not taken; the other 2 stand"),
        "{}",
        ran.err
    );
    let figures = "SELECT metric, sum(value) FROM usage GROUP BY metric ORDER BY metric";
    assert_eq!(project.sql(figures), "messages_sent,21\nsignups,21\n");
    // The store is sound: what stands in it is known, and nothing of the others is.
    let again = project.essor("ingest data/a.csv data/z.csv");
    assert!(
        again.out.contains("2 already known"),
        "{}{}",
        again.out,
        again.err
    );
    assert_eq!(project.sql("SELECT count(*) FROM activity"), "0\n");
}

#[test]
fn a_schema_that_makes_a_decoder_panic_is_an_error_too() {
    let ran = with(&["schema.parquet"]).essor("ingest data");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err
            .contains("`data/schema.parquet` is not sound Parquet"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn a_look_at_such_a_file_tells_of_it() {
    let ran = with(&["page_of_figures.parquet"]).essor("preview data/page_of_figures.parquet");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err
            .contains("the reader of `data/page_of_figures.parquet` died (signal 6"),
        "{}",
        ran.err
    );
}

#[test]
fn nothing_of_a_reader_that_died_is_left_behind() {
    let project = with(&["page_of_people.parquet"]);
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let core = |name: &str| name.starts_with("core");
    let left = std::fs::read_dir(project.root()).unwrap();
    let left: Vec<String> = left
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| core(name)), "{left:?}");
}
