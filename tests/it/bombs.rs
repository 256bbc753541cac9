//! Small files that stand for much: refused in little time and memory, with what to do.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::archives::zipped;
use crate::project::{Project, Ran};

const OURS: &str =
    "[project]\nplatform = \"Pigeon\"\n[[source]]\npath = \"**/*\"\nplatform = \"Pigeon\"\n";

/// What unpacking is not looked at below, and some more.
const MUCH: usize = 272 << 20;

/// A gate against minutes, not a measure: the machine may be busy.
const SOON: Duration = Duration::from_secs(60);

/// Ingests a file, which must be refused soon and leave the store usable.
fn refused(project: &Project, words: &str) -> Ran {
    let began = Instant::now();
    let ran = project.essor(&format!("ingest {words}"));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert_eq!(project.sql("SELECT count(*) FROM loads"), "0\n");
    ran
}

fn says(ran: &Ran, words: &str) {
    assert!(ran.err.contains(words), "{words}\n{}", ran.err);
}

/// A table of one row whose last cell goes on and on.
fn endless(mut out: impl Write) {
    out.write_all(b"date,dau\n2016-02-01,").unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..MUCH >> 20 {
        out.write_all(&zeros).unwrap();
    }
}

fn zstd() -> Vec<u8> {
    let mut packed = zstd::stream::Encoder::new(vec![], 1).unwrap();
    endless(&mut packed);
    packed.finish().unwrap()
}

fn gzip() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    endless(&mut packed);
    packed.finish().unwrap()
}

#[test]
fn compressed_files_of_nothing_are_refused_by_their_ratio() {
    for (name, bytes) in [("a.csv.zst", zstd()), ("a.csv.gz", gzip())] {
        assert!(bytes.len() < 1 << 20, "{name}: {}", bytes.len());
        let project = Project::new(OURS);
        project.write(name, bytes);
        let ran = refused(&project, name);
        says(
            &ran,
            &format!("`{name}` unpacks to more than 250 times its size"),
        );
        says(&ran, "raise the cap with `--unpack-ratio` if that is meant");
        let ran = refused(&project, &format!("{name} --archive-size '1 MiB'"));
        says(&ran, "raise the cap with `--archive-size`");
    }
}

#[test]
fn with_the_cap_raised_a_row_is_as_long_as_a_row_may_be() {
    let project = Project::new(OURS);
    project.write("a.csv.zst", zstd());
    let ran = refused(&project, "a.csv.zst --unpack-ratio 1000000");
    says(&ran, "a row of more than 16 MiB at line 2");
}

#[test]
fn a_zip_of_zips_is_refused_by_what_all_of_it_unpacks_to() {
    let mut data = vec![];
    endless(&mut data);
    let inner = zipped(&[("a.csv", &data), ("b.csv", b"date,dau\n2016-02-01,1\n")]);
    drop(data);
    let outer = zipped(&[("1.zip", &zipped(&[("2.zip", &inner)]))]);
    assert!(outer.len() < 1 << 20, "{}", outer.len());
    let project = Project::new(OURS);
    project.write("x.zip", outer);
    let ran = refused(&project, "x.zip");
    says(
        &ran,
        "`x.zip/1.zip/2.zip/a.csv` unpacks to more than 250 times its size",
    );
    let ran = refused(&project, "x.zip --archive-depth 2");
    says(&ran, "lies in 2 archives, one in another");
    // What lies beside it is taken where the cap is raised.
    let ran = project.essor("ingest x.zip --unpack-ratio 1000000");
    assert_eq!(ran.code, 1, "{}", ran.err);
    says(&ran, "a row of more than 16 MiB at line 2");
    assert_eq!(project.sql("SELECT value FROM usage"), "1\n");
}

#[test]
fn a_line_of_ten_gigabytes_is_refused_at_its_sixteenth_megabyte() {
    let project = Project::new(OURS);
    for (name, head) in [
        ("a.csv", "date,dau\n2016-02-01,"),
        (
            "a.ndjson",
            "{\"date\": \"2016-02-01\", \"dau\": 1}\n{\"note\": \"",
        ),
        (
            "a.json",
            "[{\"date\": \"2016-02-01\", \"dau\": 1},\n{\"note\": \"",
        ),
    ] {
        project.write(name, head);
        // Of a file with a hole nothing is on the disk.
        let file = std::fs::File::options()
            .write(true)
            .open(project.path(name));
        file.unwrap().set_len(10 << 30).unwrap();
        let ran = refused(&project, name);
        says(
            &ran,
            &format!("`{name}` has a row of more than 16 MiB at line 2"),
        );
    }
}

fn deep() -> String {
    format!("{}{}", "[".repeat(2000), "]".repeat(2000))
}

#[test]
fn json_that_is_nested_thousands_deep_is_rejected_or_refused() {
    let project = Project::new(OURS);
    let row = |inner: &str| format!("{{\"date\": \"2016-02-01\", \"dau\": {inner}}}");
    let deep = deep();
    project.write("a.ndjson", format!("{}\n{}\n", row("1"), row(&deep)));
    project.write("b.json", format!("[{},{}]", row("1"), row(&deep)));
    for name in ["a.ndjson", "b.json"] {
        let ran = project.essor(&format!("ingest {name}"));
        assert!(
            ran.out.contains("kept 1, rejected 1"),
            "{name}{}{}",
            ran.out,
            ran.err
        );
        assert_eq!(ran.code, 3, "{name}: {}", ran.err);
        project.ok(&format!(
            "unload {}",
            project.sql("SELECT load FROM loads").trim()
        ));
    }
    let project = Project::new(OURS);
    let message = |text: &str| {
        format!(
            "{{\"name\": \"x\", \"type\": \"private_group\", \"id\": 5, \"messages\": [{{\"id\": 1, \"type\": \"message\", \"date\": \"2016-02-01T10:00:00\", \"date_unixtime\": \"1454320800\", \"from\": \"A\", \"from_id\": \"user1\", \"text\": {text}}}]}}"
        )
    };
    project.write("result.json", message(&deep));
    let ran = project.essor("ingest result.json");
    assert!(matches!(ran.code, 0 | 1 | 3), "{} {}", ran.code, ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    project.write(
        "nodeinfo-x.example-2023-02-12.json",
        format!(
            "{{\"version\": \"2.0\", \"software\": {{\"name\": \"mastodon\"}}, \"usage\": {deep}}}"
        ),
    );
    let ran = project.essor("ingest nodeinfo-x.example-2023-02-12.json");
    assert!(matches!(ran.code, 1 | 3), "{} {}", ran.code, ran.err);
}

#[test]
fn a_million_columns_are_refused() {
    let project = Project::new(OURS);
    let wide = |first: &str, cell: &str| format!("{first}{}\n", format!(",{cell}").repeat(1 << 20));
    project.write("header.csv", wide("date,dau", "c") + "2016-02-01,1\n");
    let ran = refused(&project, "header.csv");
    says(&ran, "the header of `header.csv` can't be used");
    let numbered: String = (0..300_000).map(|n| format!(",c{n}")).collect();
    project.write(
        "numbered.csv",
        format!("date,dau{numbered}\n2016-02-01,1\n"),
    );
    says(
        &refused(&project, "numbered.csv"),
        "more than 10000 columns",
    );
    project.write(
        "row.csv",
        format!("date,dau\n2016-02-01,1\n{}", wide("2016-02-02,1", "7")),
    );
    let began = Instant::now();
    let ran = project.essor("ingest row.csv");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.out.contains("kept 1, rejected 1"), "{}", ran.out);
    let keys: Vec<String> = (0..300_000).map(|n| format!("\"c{n}\": 1")).collect();
    project.write(
        "keys.ndjson",
        format!("{{\"date\": \"2016-02-01\", {}}}\n", keys.join(",")),
    );
    let ran = project.essor("ingest keys.ndjson");
    assert_eq!(ran.code, 1, "{}", ran.err);
    says(&ran, "more than 10000 columns");
}
