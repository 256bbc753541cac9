//! Archives: each member is a file of its own, taken once.

use std::io::Write;

use crate::project::Project;

const OURS: &str =
    "[project]\nplatform = \"Pigeon\"\n[[source]]\npath = \"**/*\"\nplatform = \"Pigeon\"\n";

pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn figures(project: &Project) -> String {
    project.sql("SELECT day, metric, value FROM usage ORDER BY day, metric")
}

const FEBRUARY: &[u8] = b"date,dau\n2016-02-01,10\n";
const MARCH: &[u8] = b"date,dau\n2016-03-01,11\n";
const CHAT: &[u8] = b"23/02/16, 10:00 - Ann: coo\n23/02/16, 10:01 - Bob: coo\n";

#[test]
fn members_are_files_and_a_bad_one_leaves_the_others() {
    let project = Project::new(OURS);
    let inner = zipped(&[("march.csv", MARCH)]);
    let all: [(&str, &[u8]); 6] = [
        ("2016/february.csv", FEBRUARY),
        ("bad.csv", b"date,platfrom\n"),
        ("inner.zip", &inner),
        ("notes.txt", b"coo\n"),
        ("photo.jpg", b"x"),
        ("README.md", b"x"),
    ];
    project.write("data/export.zip", zipped(&all));
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("`data/export.zip/bad.csv`"), "{}", ran.err);
    assert!(ran.err.contains("passed over"), "{}", ran.err);
    let both = "2016-02-01,dau,10\n2016-03-01,dau,11\n";
    assert_eq!(figures(&project), both);
    let paths = project.sql("SELECT path FROM loads ORDER BY path");
    assert_eq!(
        paths,
        "data/export.zip/2016/february.csv\ndata/export.zip/inner.zip/march.csv\n"
    );
    // What is known by its content is not taken again, wherever it lies.
    project.write("more/again.zip", zipped(&[("a/b.csv", FEBRUARY)]));
    assert!(
        project
            .ok("ingest more")
            .contains("0 files loaded, 1 already known")
    );
    assert_eq!(figures(&project), both);
}

#[test]
fn a_chat_is_read_in_an_archive_or_a_folder_and_other_text_is_passed_over() {
    let project = Project::new(OURS.split("[[source]]").next().unwrap());
    project.write(
        "data/chat.zip",
        zipped(&[("_chat.txt", CHAT), ("a.opus", b"x")]),
    );
    project.write("data/notes.txt", "date,dau\n2016-02-01,10\n");
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("a chat that WhatsApp exported"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("and 1 more: in folders and archives"),
        "{}",
        ran.err
    );
    let loads = project.sql("SELECT format, rows_kept FROM loads");
    assert_eq!(loads, "whatsapp-export,2\n");
    // What is named itself is read.
    assert!(
        project
            .essor("ingest data/notes.txt --platform Pigeon")
            .out
            .contains("1 file loaded")
    );
}

#[test]
fn caps_name_the_option_that_raises_them() {
    let project = Project::new(OURS);
    project.write("x.zip", zipped(&[("a.csv", FEBRUARY), ("b.csv", MARCH)]));
    for (words, flag) in [
        ("--archive-members 1", "--archive-members"),
        ("--archive-depth 0", "--archive-depth"),
        ("--archive-size '0 KiB'", "--archive-size"),
    ] {
        let ran = project.essor(&format!("ingest x.zip {words}"));
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(
            ran.err.contains(&format!("raise the cap with `{flag}`")),
            "{}",
            ran.err
        );
    }
    project.ok("ingest x.zip");
}

#[test]
fn an_archive_comes_by_standard_input() {
    let project = Project::new("[project]\nplatform = \"Pigeon\"\n");
    let zip = zipped(&[("a.csv", FEBRUARY), ("b.csv", MARCH)]);
    let mut command = project.command();
    command
        .args(["ingest", "-", "--platform", "Pigeon"])
        .write_stdin(zip);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(figures(&project), "2016-02-01,dau,10\n2016-03-01,dau,11\n");
}
