//! Delimited text through the whole of ingest, and both readers of rows beside one another.

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Int64Type};
use proptest::prelude::*;

use super::record::{self, Dialect, Fields, Row};
use crate::ingest::{Input, Options, Rows, read, scan};

/// Rows as `day server metric value`, and rejects as `line column: reason`.
fn run(bytes: &[u8], toml: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let options = Options {
        source: toml::from_str(&format!("path = \"f\"\nplatform = \"P\"\n{toml}")).unwrap(),
        ..Options::default()
    };
    let (mut rows, mut rejects) = (vec![], vec![]);
    let input = Input::bytes("f", bytes.to_vec());
    let read = read(&input, &options, &mut |given, found| {
        let Rows::Table(batch) = given else {
            panic!("a table was expected");
        };
        let column = |name: &str| batch.column_by_name(name).unwrap();
        for row in 0..batch.num_rows() {
            let day = column("day").as_primitive::<Date32Type>().value(row);
            rows.push(format!(
                "{} {} {} {}",
                crate::calendar::from_date32(day),
                column("server").as_string::<i32>().value(row),
                column("metric").as_string::<i32>().value(row),
                column("value").as_primitive::<Int64Type>().value(row)
            ));
        }
        for reject in found {
            let reason = reject.reason.split([':', ';']).next().unwrap_or("");
            rejects.push(format!("{} {}: {reason}", reject.line, reject.column));
        }
        Ok::<(), crate::ingest::IngestError>(())
    });
    read.map(|_| (rows, rejects)).map_err(|e| e.to_string())
}

fn good(text: &str, toml: &str) -> Vec<String> {
    let (rows, rejects) = run(text.as_bytes(), toml).unwrap();
    assert!(rejects.is_empty(), "{rejects:?}");
    rows
}

#[test]
fn days_and_counts_in_other_spellings_become_rows() {
    let expected = [
        "2016-02-21 ü messages_sent 1204",
        "2016-02-22 b messages_sent 983",
        "2016-02-23 c messages_sent 1204377",
    ];
    let text = "day;server;messages\r\n21.02.2016;ü;1.204\r\n22.02.2016;b;983\r\n23.02.2016;c;1.204.377\r\n";
    assert_eq!(good(text, ""), expected);
    let latin: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
    assert_eq!(run(&latin, "encoding = \"latin1\"").unwrap().0, expected);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(run(&wide, "").unwrap().0, expected);
    let marked: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(run(&marked, "").unwrap().0, expected);
    let returns = text.replace("\r\n", "\r");
    assert_eq!(good(&returns, ""), expected);
    let titled = format!("Report;;\r\n;;\r\n{text}");
    assert_eq!(good(&titled, ""), expected);
    let tabs = "day\tserver\tmessages\nFebruary 21, 2016\tü\t1\u{202f}204\nFebruary 22, 2016\tb\t983\nFebruary 23, 2016\tc\t1\u{202f}204\u{202f}377\n";
    assert_eq!(good(tabs, ""), expected);
}

#[test]
fn what_the_evidence_does_not_decide_is_refused_with_what_to_declare() {
    let days = "day,server,messages\n03/04/2016,a,5\n05/04/2016,a,6\n";
    let told = run(days.as_bytes(), "").unwrap_err();
    assert!(
        told.contains("day or month stands first in `day`")
            && told.contains("date_format = \"day/month/year\""),
        "{told}"
    );
    assert_eq!(
        good(days, "date_format = \"month/day/year\""),
        [
            "2016-03-04 a messages_sent 5",
            "2016-05-04 a messages_sent 6"
        ]
    );
    let counts = "day,server,messages\n2016-04-03,a,\"1,234\"\n";
    let told = run(counts.as_bytes(), "").unwrap_err();
    assert!(
        told.contains("`,` stands before thousands or decimals in `messages`")
            && told.contains("thousands = \",\""),
        "{told}"
    );
    assert_eq!(
        good(counts, "thousands = \",\""),
        ["2016-04-03 a messages_sent 1234"]
    );
    let (rows, rejects) = run(counts.as_bytes(), "decimal = \",\"").unwrap();
    assert!(rows.is_empty());
    assert_eq!(rejects, ["2 messages: not a whole number"]);
    // One column's evidence is the file's.
    let both = "day,server,messages,signups\n2016-04-03,a,\"1,234\",\"1,234,567\"\n";
    assert_eq!(
        good(both, ""),
        [
            "2016-04-03 a messages_sent 1234",
            "2016-04-03 a signups 1234567"
        ]
    );
}

#[test]
fn later_rows_that_contradict_are_rejected_with_their_lines() {
    let mut text = "Report 2016\n\nday,server,messages\n".to_owned();
    for _ in 0..100_000 {
        text.push_str("23/02/2016,a,\"1,204,377\"\n");
    }
    text.push_str("02/23/2016,a,5\n2016-02-24,a,1.5\n25/02/2016,a,1.204\n26/02/2016,a,7\n");
    let (rows, rejects) = run(text.as_bytes(), "").unwrap();
    assert_eq!(rows.last().unwrap(), "2016-02-26 a messages_sent 7");
    assert_eq!(
        rejects[rejects.len() - 3..],
        [
            "100004 day: not a day as the rest of the column is written",
            "100005 messages: not a whole number",
            "100006 messages: not a number as the rest of the column is written"
        ]
    );
}

#[test]
fn a_second_table_and_a_repeated_header_are_not_read_as_rows() {
    let text = "day,server,messages\n2016-02-21,a,5\n\nday,server,messages\n2016-02-22,a,6\n\nmonth,shop,signups\n2016-02-23,b,7\n";
    let (rows, rejects) = run(text.as_bytes(), "").unwrap();
    assert_eq!(
        rows,
        [
            "2016-02-21 a messages_sent 5",
            "2016-02-22 a messages_sent 6"
        ]
    );
    assert_eq!(
        rejects,
        [
            "4 : the header again",
            "7 : a row of another table",
            "8 : a row of another table"
        ]
    );
}

#[test]
fn bytes_that_are_no_text_cost_their_row() {
    let mut text = b"day;server;messages\n21.02.2016;M\xfcnchen;5\n22.02.2016;K\x81ln;6\n23.02.2016;D\xfcren;7\n".to_vec();
    let (rows, rejects) = run(&text, "encoding = \"windows-1252\"").unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rejects,
        ["3 server: bytes that are no text in the file's encoding"]
    );
    // In ISO 8601 it goes the short way, to the same end.
    text = b"day;server;messages\n2016-02-21;M\xfcnchen;5\n2016-02-22;K\x81ln;6\n".to_vec();
    let (rows, rejects) = run(&text, "encoding = \"windows-1252\"").unwrap();
    assert_eq!(rows, ["2016-02-21 München messages_sent 5"]);
    assert_eq!(
        rejects,
        ["3 server: bytes that are no text in the file's encoding"]
    );
}

#[test]
fn one_row_of_another_width_does_not_make_the_header_a_title() {
    let (rows, rejects) = run(b"date,messages\n,2016-02-01,5\n", "").unwrap();
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(rejects.len(), 1, "{rejects:?}");
}

#[test]
fn a_file_without_a_header_is_refused_in_words() {
    let told = run(b"2016-02-21,a,5\n2016-02-22,a,6\n", "").unwrap_err();
    assert!(told.contains("holds figures and no names"), "{told}");
}

proptest! {
    /// On text in the common dialect both readers of rows agree: where rows begin, what they are rejected for.
    #[test]
    fn both_readers_of_rows_agree(parts in prop::collection::vec(
        prop::sample::select(vec!["a", "b", ",", ",", "\n", "\r\n", "\"", "\"\"", "\r", " ", "é"]), 0..40,
    )) {
        let text = format!("{}\n", parts.concat());
        let form = scan::Dialect { separator: b',', width: 2 };
        let scanned = scan::scan(text.as_bytes(), 0, true, &mut 1, form);
        let lines: Vec<u64> = (0..scanned.lines.rows()).map(|row| scanned.lines.of(row)).collect();
        let rejects: Vec<(u64, String)> = scanned.rejects.iter().map(|r| (r.line, r.reason.to_string())).collect();
        let (mut at, mut line, mut fields) = (0, 1, Fields::default());
        let (mut kept, mut refused) = (vec![], vec![]);
        while at < text.len() {
            match record::read(text.as_bytes(), at, true, &Dialect::COMMON, &mut fields) {
                Row::Open => panic!("all of it is there"),
                Row::Bad { end, reason } => {
                    refused.push((line, reason.text().into_owned()));
                    (at, line) = (end, line + 1);
                }
                Row::Sound { end, lines } => {
                    if fields.len() == 2 {
                        kept.push(line);
                    } else if end - at > 2 || !matches!(&text.as_bytes()[at..end], b"\n" | b"\r\n") {
                        let reason = crate::ingest::reject::Reason::Fields(fields.len(), 2);
                        refused.push((line, reason.text().into_owned()));
                    }
                    (at, line) = (end, line + lines);
                }
            }
        }
        prop_assert_eq!(lines, kept);
        prop_assert_eq!(rejects, refused);
    }
}

/// csv-nose is asked, and not the judge: over the dirty files it names the separator that the strict reading finds in most.
#[test]
fn csv_nose_agrees_on_most_separators() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dirty");
    let (mut files, mut agreed, mut differ) = (0, 0, vec![]);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let dirty = ["csv", "tsv"].map(|ending| path.join(format!("dirty.{ending}")));
        let Some(bytes) = dirty.iter().find_map(|path| std::fs::read(path).ok()) else {
            continue;
        };
        let encoding = super::encoding::find("f", &bytes, true, None).unwrap();
        let (text, _) = encoding.decode_with_bom_removal(&bytes);
        let source = crate::project::Source::default();
        let found = super::find::find("f", text.as_bytes(), true, &source).unwrap();
        let ours = match found {
            Some(found) => found.dialect.separator,
            None => crate::ingest::csv::separator(text.lines().next().unwrap_or("").as_bytes()),
        };
        let theirs = csv_nose::Sniffer::new().sniff_bytes(text.as_bytes());
        files += 1;
        match theirs {
            Ok(theirs) if theirs.dialect.delimiter == ours => agreed += 1,
            _ => differ.push(path.file_name().unwrap().to_string_lossy().into_owned()),
        }
    }
    differ.sort();
    println!("csv-nose names the same separator in {agreed} of {files}; not in {differ:?}");
    assert!(agreed * 10 >= files * 8, "{agreed} of {files}: {differ:?}");
}
