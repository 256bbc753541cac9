//! The store read back, copied and put back.

use std::path::{Path, PathBuf};

use crate::project::Project;

/// A project with figures, statements, people and rejected rows, in several loads.
fn filled() -> Project {
    let project = Project::new(
        "[project]\nplatform = \"Pigeon\"\ndimensions = [\"country\"]\n[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n",
    );
    project.write(
        "data/daily.csv",
        "date,messages\n2016-02-01,10\n2016-02-02,x\n2016-02-03,30\n",
    );
    for day in 1..=3 {
        let people: String = (0..40)
            .map(|u| format!("u{},2016-02-0{day},{},NL\n", u * day, u % 5))
            .collect();
        project.write(
            &format!("data/people{day}.csv"),
            format!("user,day,messages,country\n{people}"),
        );
    }
    project.essor("ingest data");
    project
}

/// Every file of a table below its folder that ends so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, ending)),
            false if path.to_string_lossy().ends_with(ending) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

#[test]
fn a_sound_store_is_read_back_whole() {
    let project = filled();
    let told = project.ok("status --verify");
    // u0 to u39; of those beyond, 20 even ones below 80 and 26 that 3 divides, 7 of which are both.
    assert!(told.contains("79 accounts"), "{told}");
    assert!(told.contains("bitmaps"), "{told}");
}

#[test]
fn a_turned_bit_a_lost_file_and_a_cut_one_are_named() {
    let project = filled();
    let parts = files(&project.path(".essor/activity"), ".parquet");
    let mut bytes = std::fs::read(&parts[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&parts[0], &bytes).unwrap();
    let usage = files(&project.path(".essor/usage"), ".parquet");
    std::fs::remove_file(&usage[0]).unwrap();
    let rejects = files(&project.path(".essor/rejects"), ".parquet");
    let cut = std::fs::read(&rejects[0]).unwrap();
    std::fs::write(&rejects[0], &cut[..cut.len() - 9]).unwrap();
    let ran = project.essor("status --verify");
    assert_eq!(ran.code, 1, "{}", ran.out);
    for told in [
        "their hash differs",
        "usage/load=",
        "can't be read",
        "where the log says",
        "can't be decoded",
    ] {
        assert!(ran.out.contains(told), "{told}\n{}", ran.out);
    }
    assert!(ran.err.contains("faults"), "{}", ran.err);
}

#[test]
fn a_backup_holds_what_was_there_and_comes_back() {
    let project = filled();
    let figures = "SELECT day, metric, value FROM platform_days ORDER BY 1, 2";
    let before = project.sql(figures);
    project.ok("backup copy");
    project.write("data/later.csv", "date,signups\n2016-02-01,7\n");
    project.ok("ingest data/later.csv");
    assert_ne!(project.sql(figures), before);
    let refused = project.essor("restore copy");
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("move it away first"),
        "{}",
        refused.err
    );
    std::fs::rename(project.path(".essor"), project.path("aside")).unwrap();
    project.ok("restore copy");
    assert_eq!(project.sql(figures), before);
    project.ok("status --verify");
    // The same files are known again, and what came later is not.
    let again = project.essor("ingest data");
    assert!(
        again.out.contains("1 file loaded, 4 already known"),
        "{}",
        again.out
    );
    assert_eq!(
        project.essor("backup copy").code,
        1,
        "there is a copy already"
    );
    assert_eq!(project.essor("restore nowhere").code, 1);
}
