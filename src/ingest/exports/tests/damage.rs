//! What no format may do: take a table of rows for its own, or fail without saying why.

use std::path::{Path, PathBuf};

use super::{said, try_read};
use crate::ingest::exports::EXPORTS;
use crate::ingest::{self, IngestError, Input};

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn tables_of_rows_are_no_exports() {
    let tables = files("tests/queries").into_iter().chain(files("data"));
    let of_rows = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str());
        matches!(ending, Some("csv" | "ndjson" | "json"))
            && path.file_stem() != Some("expected".as_ref())
    };
    let mut seen = 0;
    for path in tables.filter(of_rows) {
        let parts =
            ingest::parts(&Input::path(path.display().to_string(), &path), &said()).unwrap();
        assert!(
            parts[0].seen.is_empty(),
            "{}: {}",
            path.display(),
            parts[0].seen
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen} tables");
}

/// Every format reads every file, whole and cut short and with a byte changed: rows, rejects or an error that names
/// the file, and never a panic.
#[test]
fn no_bytes_make_a_format_panic() {
    let folders = ["braze", "rocket-chat", "slack", "teams", "zulip"];
    let texts = folders.iter().filter(|f| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/exports")
            .join(f)
            .exists()
    });
    let texts = texts.flat_map(|folder| files(&format!("tests/exports/{folder}")));
    let mut texts: Vec<Vec<u8>> = texts.map(|path| std::fs::read(path).unwrap()).collect();
    let small = [
        r#"[{"week": "1675530278", "statuses": "0", "logins": "3", "registrations": "0"}]"#,
        r#"{"instance": {"uri": "a.example", "stats": {"userCount": 1}}, "activity": [{"week": "9223372036854775807"}, 1]}"#,
        r#"{"uri": "a.example", "version": "4", "stats": {"user_count": 1e300}}"#,
        r#"{"version": "2.0", "software": {}, "protocols": [], "usage": {"users": {"total": [1]}}}"#,
        r#"[{"name": "standard", "value": null}, {"name": "2016-02-23"}, null, 7]"#,
        r#"{"end_times": [9223372036854775807, -9223372036854775808], "frequency": "hour", "everyone": {"human": [1, 2]}}"#,
        r#"{"uniqueId": 1, "createdAt": {"$date": {"$numberLong": "9223372036854775807"}}, "uniqueUsersOfYesterday": {"year": 99999999, "month": -1, "day": 0}}"#,
        "{\"analytics_usercount\": {\"a\": [1]}, \"analytics_realmcount\": 7}",
        "\u{feff}",
        "[",
        "null",
        "\"\u{0}\n\r",
    ];
    texts.extend(small.map(|text| text.as_bytes().to_vec()));
    for export in EXPORTS {
        let mut options = said();
        options.source.format = Some(export.name.to_owned());
        for text in &texts {
            for cut in [text.len(), text.len() * 2 / 3, text.len() / 2, 1] {
                let mut bytes = text[..cut.min(text.len())].to_vec();
                check(export.name, &bytes, &options);
                if let Some(byte) = bytes.get_mut(cut / 3) {
                    *byte ^= 0xa5;
                    check(export.name, &bytes, &options);
                }
            }
        }
    }
}

fn check(format: &str, bytes: &[u8], options: &ingest::Options) {
    let read = try_read(&Input::bytes("f", bytes.to_vec()), options);
    if let Err(IngestError::Internal { detail, .. }) = read {
        panic!("{format}: {detail} of {:?}", String::from_utf8_lossy(bytes));
    }
}
