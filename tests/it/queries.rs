//! Every shipped query against cases worked out by hand: `tests/queries/NAME/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::project::{Project, repository};

/// The folders that hold a case: the query's own, or those below it.
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for folder in folders(&repository().join("tests/queries")) {
        let query = folder.file_name().unwrap().to_string_lossy().into_owned();
        if folder.join("args").exists() {
            cases.push((query.clone(), folder.clone()));
        }
        cases.extend(
            folders(&folder)
                .into_iter()
                .filter(|f| f.join("args").exists())
                .map(|f| (query.clone(), f)),
        );
    }
    cases
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(of)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Cases of people are of platform A; their further columns are dimensions.
fn toml_of(case: &Path) -> String {
    let disclosures = "[[source]]\npath = \"data/disclosures.csv\"\ngrain = \"disclosures\"\n";
    let Ok(text) = std::fs::read_to_string(case.join("activity.csv")) else {
        return disclosures.to_owned();
    };
    let header = text.lines().next().unwrap_or_default();
    let known = ["user", "day", "messages"];
    let dimensions: Vec<String> = header
        .split(',')
        .filter(|c| !known.contains(c))
        .map(|c| format!("\"{c}\""))
        .collect();
    let dimensions = dimensions.join(", ");
    format!(
        "[project]\nplatform = \"A\"\ndimensions = [{dimensions}]\n{disclosures}[[source]]\npath = \"data/activity*.csv\"\nplatform = \"A\"\n[[source]]\npath = \"data/signups.csv\"\nplatform = \"A\"\n"
    )
}

fn project_of(case: &Path) -> Project {
    let given = case.join("essor.toml");
    let toml = std::fs::read_to_string(given).unwrap_or_else(|_| toml_of(case));
    let project = Project::new(&toml);
    for entry in std::fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|e| e == "csv") && name != "expected.csv" {
            project.write(&format!("data/{name}"), std::fs::read(&path).unwrap());
        }
    }
    project
}

#[test]
fn every_query_gives_what_was_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for (query, case) in cases() {
        let project = project_of(&case);
        if project.path("data").is_dir() {
            project.ok("ingest data");
        }
        let args = std::fs::read_to_string(case.join("args")).unwrap();
        let ran = project.essor(&format!("query {query} {} --format csv", args.trim()));
        let expected = std::fs::read_to_string(case.join("expected.csv")).unwrap();
        if ran.out.trim_end() != expected.replace("\r\n", "\n").trim_end() {
            wrong.push(format!(
                "{}\nexpected:\n{expected}\ngiven:\n{}{}",
                case.display(),
                ran.out,
                ran.err
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_shipped_query_has_a_case_and_says_how_it_was_worked_out() {
    let with_case: BTreeSet<String> = cases().into_iter().map(|(q, _)| q).collect();
    for entry in std::fs::read_dir(repository().join("queries")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "sql") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(
                with_case.contains(&name),
                "`{name}` has no case in tests/queries/{name}"
            );
        }
    }
    for (_, case) in cases() {
        assert!(
            case.join("why.md").exists(),
            "{} does not say how it was worked out",
            case.display()
        );
    }
}
