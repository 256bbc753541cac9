//! Delimited files as they are met, in `tests/dirty`: each is read right, or what is not read is said.

use std::path::{Path, PathBuf};

use crate::project::{Project, repository};

fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join("tests/dirty")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

fn text(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8(bytes).unwrap())
}

/// The lines that were said to be rejected.
fn rejected(told: &str) -> Vec<&str> {
    let lines = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("line "));
    lines
        .map(|line| line.split([':', ',']).next().unwrap())
        .collect()
}

#[test]
fn dirty_files_are_read_right_or_it_is_said_what_is_not() {
    let project = Project::new("");
    let folders = folders();
    assert!(folders.len() >= 40);
    let mut wrong = vec![];
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut files = std::fs::read_dir(&folder)
            .unwrap()
            .map(|e| e.unwrap().path());
        let dirty = files
            .find(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("dirty.")
            })
            .unwrap();
        // Where rows are rejected, `kept.csv` has the rest and `rejected` the lines of the first five.
        let kept = text(&folder.join("kept.csv"));
        let expected = kept.or(text(&folder.join("clean.csv"))).unwrap();
        let lines = text(&folder.join("rejected")).unwrap_or_default();
        let output = project
            .command()
            .arg("preview")
            .arg(&dirty)
            .args(["--format", "csv"])
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        let code = if lines.is_empty() { 0 } else { 3 };
        let lines: Vec<&str> = lines.split_whitespace().collect();
        if output.status.code() != Some(code) || out != expected || rejected(&err) != lines {
            wrong.push(format!("{name}\n{out}{err}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_preview_says_what_a_file_is_and_what_to_declare() {
    let project = Project::new("[project]\nplatform = \"Pigeon\"\n");
    let text = "Bericht\n\nTag;messages;Ort\n21.02.2016;1.204;M\u{fc}nchen\n22.02.2016;983;K\u{f6}ln\n23.02.2016;1.377;Bonn\nSumme;3.564;\n";
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    project.write("data/bericht.csv", &bytes);
    let ran = project.essor("preview data/bericht.csv");
    assert_eq!(ran.code, 1, "{}", ran.err);
    for told in [
        "encoding         windows-1252",
        "delimiter        ;",
        "preamble         2 lines",
        "Ort is not known",
        "platform = \"Pigeon\"",
        "ignore = [",
        "Köln",
    ] {
        assert!(ran.out.contains(told), "{told}\n{}", ran.out);
    }
    project.write(
        "essor.toml",
        "[[source]]\npath = \"data/bericht.csv\"\nplatform = \"Pigeon\"\nday = \"Tag\"\nignore = [\"Ort\"]\n",
    );
    let ran = project.essor("preview data/bericht.csv --rows 2");
    assert_eq!(ran.code, 3, "{}", ran.err);
    for told in [
        "`Tag`: day/month/year",
        "`messages`: thousands parted by `.`",
        "Tag gives day",
        "2016-02-21",
        "1204",
        "4 rows read, 3 would be kept",
        "line 7, `Tag`: not a day as the rest of the column is written",
    ] {
        assert!(ran.out.contains(told), "{told}\n{}", ran.out);
    }
    assert!(!ran.out.contains("1377"), "two rows are shown\n{}", ran.out);
}

#[test]
fn what_a_preview_proposes_for_entities_by_year_can_be_pasted() {
    let project = Project::new("");
    project.write(
        "data/owid.csv",
        "Entity,Code,Year,Monthly active users,Note\nFacebook,,2008,100000000,a\nWhatsApp,,2016,1000000000,b\n",
    );
    let shown = project.essor("preview data/owid.csv").out;
    let block = shown.split_once("For essor.toml:").unwrap().1;
    let block: Vec<&str> = block
        .trim_start()
        .lines()
        .take_while(|l| !l.is_empty())
        .collect();
    project.write("essor.toml", block.join("\n"));
    project.ok("ingest data");
    let told =
        project.sql("SELECT platform, metric, as_of, value, status FROM disclosures ORDER BY 1");
    assert_eq!(
        told,
        "Facebook,mau_stated,2008-12-31,100000000,estimate\nWhatsApp,mau_stated,2016-12-31,1000000000,estimate\n"
    );
}

#[test]
fn a_preview_of_people_shows_no_ids() {
    let project = Project::new("[project]\nplatform = \"Pigeon\"\n");
    project.write(
        "data/people.csv",
        "user,day,messages\nann@pigeon.example,2016-02-21,5\nbob@pigeon.example,2016-02-21,6\nann@pigeon.example,2016-02-22,1\n",
    );
    let out = project.ok("preview data/people.csv");
    assert!(out.contains("2016-02-21  2 rows of users"), "{out}");
    assert!(!out.contains("pigeon.example"), "{out}");
}
