//! Puts the files of a report in their folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Subject;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How many files are new or other than they were.
    pub changed: usize,
}

/// The folder of a report: `reports/2016-02`, or `reports/2016-02-mastodon` where the first holds
/// the report of another platform.
pub fn folder(root: &Path, subject: &Subject) -> PathBuf {
    let reports = root.join("reports");
    let plain = reports.join(subject.month.to_string());
    match platform_of(&plain) {
        Some(other) if other != subject.platform => {
            reports.join(format!("{}-{}", subject.month, slug(&subject.platform)))
        }
        _ => plain,
    }
}

fn platform_of(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("report.json")).ok()?;
    let report: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(report.get("platform")?.as_str()?.to_owned())
}

/// A name as a part of a path: letters and digits, and a hash where something else was left out.
pub(super) fn slug(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || c == ' ' || c == '-');
    let short: String = kept.trim_matches('-').chars().take(60).collect();
    if plain && !short.is_empty() && kept.chars().count() <= 60 {
        short
    } else {
        format!(
            "{short}{}",
            blake3::hash(name.as_bytes())
                .to_hex()
                .chars()
                .take(8)
                .collect::<String>()
        )
    }
}

/// The pictures and tables of the report that stands in a folder: nobody else's files.
fn files_of(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("report.json")).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let sections = report["sections"].as_array().into_iter().flatten();
    let figures = sections.flat_map(|s| s["figures"].as_array().into_iter().flatten());
    let names = figures.filter_map(|f| f["name"].as_str());
    names
        .filter(|name| !name.contains(['/', '\\']))
        .flat_map(|name| {
            [
                format!("charts/{name}.svg"),
                format!("charts/{name}.png"),
                format!("tables/{name}.csv"),
            ]
        })
        .collect()
}

/// Writes the files, each whole or not at all, and takes away what an earlier report left in
/// `charts/` and `tables/`. A file that is as it should be is not touched.
pub fn write(folder: &Path, files: BTreeMap<String, Vec<u8>>) -> io::Result<Written> {
    let mut written = Written { changed: 0 };
    let earlier = files_of(folder);
    for (name, bytes) in &files {
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|old| old == *bytes) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)?;
        let mut temporary = tempfile::NamedTempFile::new_in(parent)?;
        io::Write::write_all(&mut temporary, bytes)?;
        make_readable(temporary.path())?;
        temporary.persist(&path)?;
        written.changed += 1;
    }
    for name in earlier.iter().filter(|name| !files.contains_key(*name)) {
        match std::fs::remove_file(folder.join(name)) {
            Ok(()) => written.changed += 1,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(written)
}

/// A temporary file is its owner's alone; a report is to be read by others.
#[cfg(unix)]
fn make_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_platform_of_a_month_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let subject = |platform: &str| Subject {
            month: "2022-11".parse().unwrap(),
            platform: platform.into(),
        };
        assert!(folder(root.path(), &subject("Mastodon")).ends_with("2022-11"));
        let files = BTreeMap::from([(
            "report.json".to_owned(),
            b"{\"platform\":\"Telegram\"}".to_vec(),
        )]);
        write(&folder(root.path(), &subject("Telegram")), files).unwrap();
        assert!(folder(root.path(), &subject("Telegram")).ends_with("2022-11"));
        assert!(folder(root.path(), &subject("Mastodon")).ends_with("2022-11-mastodon"));
        let odd = folder(root.path(), &subject("../<x>"));
        assert_eq!(odd.parent(), Some(root.path().join("reports").as_path()));
    }

    #[test]
    fn what_is_as_it_should_be_is_left_and_what_is_no_more_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let report = |name: &str| {
            let json = format!("{{\"sections\":[{{\"figures\":[{{\"name\":\"{name}\"}}]}}]}}");
            let files = [
                ("report.json".to_owned(), json),
                (format!("charts/{name}.svg"), "x".to_owned()),
            ];
            files
                .map(|(n, text)| (n, text.into_bytes()))
                .into_iter()
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(write(folder.path(), report("a")).unwrap().changed, 2);
        assert_eq!(write(folder.path(), report("b")).unwrap().changed, 3);
        assert_eq!(write(folder.path(), report("b")).unwrap().changed, 0);
        assert!(!folder.path().join("charts/a.svg").exists());
    }
}
