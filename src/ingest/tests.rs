//! The stage as a whole: bytes in, rows and rejects out.

use std::io::Write;

use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;

use super::*;
use crate::calendar::date32;

/// What came of one reading: each row as text, each reject as (line, column, reason).
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Vec<String>,
    rejects: Vec<(u64, String, String)>,
    summary: Summary,
}

fn run_on(input: &Input, options: &Options) -> Result<Outcome, IngestError> {
    let (mut batches, mut rejects) = (vec![], vec![]);
    let summary = read(input, options, &mut |given, found| {
        match given {
            Rows::Table(batch) => batches.push(batch),
            Rows::People(_) => panic!("a table was expected"),
        }
        rejects.extend(
            found
                .into_iter()
                .map(|r: Reject| (r.line, r.column.to_string(), r.reason.into_owned())),
        );
        Ok::<(), IngestError>(())
    })?;
    let batch = concat_batches(&schema(summary.grain), &batches).unwrap();
    assert_eq!(summary.rows_read, summary.rows_kept + summary.rows_rejected);
    assert_eq!(summary.rows_rejected, rejects.len() as u64);
    assert_eq!(summary.rows_given, batch.num_rows() as u64);
    Ok(Outcome {
        rows: (0..batch.num_rows()).map(|row| line(&batch, row)).collect(),
        rejects,
        summary,
    })
}

/// A row's cells, separated by `|`.
fn line(batch: &RecordBatch, row: usize) -> String {
    let cells = batch.columns().iter().map(|column| {
        if column.is_null(row) {
            return "-".to_owned();
        }
        if let Some(text) = column.as_string_opt::<i32>() {
            return text.value(row).to_owned();
        }
        if let Some(days) = column.as_primitive_opt::<Date32Type>() {
            return from_date32(days.value(row)).to_string();
        }
        if let Some(at) = column.as_primitive_opt::<TimestampMicrosecondType>() {
            return (at.value(row) / 1_000_000).to_string();
        }
        column.as_primitive::<Int64Type>().value(row).to_string()
    });
    cells.collect::<Vec<_>>().join("|")
}

fn run(text: impl AsRef<[u8]>, options: &Options) -> Outcome {
    run_on(&Input::bytes("f", text.as_ref().to_vec()), options).unwrap()
}

fn refused(text: &str, options: &Options) -> String {
    run_on(&Input::bytes("f", text.as_bytes().to_vec()), options)
        .unwrap_err()
        .to_string()
}

fn source(toml: &str) -> Options {
    Options {
        source: toml::from_str(&format!("path = \"f\"\n{toml}")).unwrap(),
        ..Options::default()
    }
}

/// Lines and reasons, the reasons by their first words.
fn short(outcome: &Outcome) -> Vec<(u64, &str, &str)> {
    let reason = |text: &'_ str| text.find([':', ';']).unwrap_or(text.len());
    outcome
        .rejects
        .iter()
        .map(|(line, column, text)| (*line, column.as_str(), &text[..reason(text)]))
        .collect()
}

const LONG_HEADER: &str = "date,platform,metric,value\n";

const LONG: &str = "date,platform,metric,value\n2016-02-23,Telegram,messages,5\n2016-02-24,Telegram,signups,7\n2016-02-24,Signal,messages,0\n";

const LONG_ROWS: [&str; 3] = [
    "Telegram||2016-02-23|-|messages_sent|flow|||5|reported",
    "Telegram||2016-02-24|-|signups|flow|||7|reported",
    "Signal||2016-02-24|-|messages_sent|flow|||0|reported",
];

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(vec![], 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn damage_of_compressed_bytes_is_told() {
    let long = LONG_HEADER.to_owned() + &"2016-02-23,Telegram,messages,5\n".repeat(9000);
    let zstd = zstd::encode_all(long.as_bytes(), 3).unwrap();
    let bytes = long.as_bytes();
    for (name, compressed) in [
        ("gzip", gzip(bytes)),
        ("zstd", zstd),
        ("bzip2", bzip2(bytes)),
        ("xz", xz(bytes)),
    ] {
        let mut flipped = compressed.clone();
        flipped[compressed.len() / 2] ^= 0x55;
        // Zstandard as it is mostly written has no checksum.
        let flips: &[u8] = if name == "zstd" { &[] } else { &flipped };
        let bad = [&compressed[..compressed.len() / 2], flips];
        for bad in bad.into_iter().filter(|b| !b.is_empty()) {
            let error = run_on(&Input::bytes("f", bad.to_vec()), &Options::default());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("damaged"), "{error}");
        }
    }
}

fn in_columns() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    use polars::prelude::*;
    let texts = |name: &str, values: &[&str]| Column::new(name.into(), values);
    let days = Column::new("date".into(), [16_854i32, 16_855, 16_855])
        .cast(&DataType::Date)
        .unwrap();
    let columns = vec![
        days,
        texts("platform", &["Telegram", "Telegram", "Signal"]),
        texts("metric", &["messages", "signups", "messages"]),
        Column::new("value".into(), [5i64, 7, 0]),
    ];
    let mut frame = DataFrame::new(3, columns).unwrap();
    let (mut parquet, mut file, mut stream) = (vec![], vec![], vec![]);
    ParquetWriter::new(&mut parquet)
        .with_row_group_size(Some(2))
        .finish(&mut frame)
        .unwrap();
    IpcWriter::new(&mut file).finish(&mut frame).unwrap();
    IpcStreamWriter::new(&mut stream)
        .finish(&mut frame)
        .unwrap();
    (parquet, file, stream)
}

#[test]
fn every_format_gives_the_same_rows() {
    let crlf = format!("\u{feff}{}", LONG.replace('\n', "\r\n"));
    let semicolons = LONG.replace(',', ";");
    let tabs = LONG.replace(',', "\t");
    let unended = LONG.trim_end();
    let objects: Vec<String> = LONG
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<&str> = line.split(',').collect();
            format!(
                "{{\"date\": \"{}\", \"platform\": \"{}\", \"metric\": \"{}\", \"value\": {}}}",
                f[0], f[1], f[2], f[3]
            )
        })
        .collect();
    let ndjson = objects.join("\n");
    let json = format!(" [\n{}\n]\n", objects.join(",\n"));
    let (parquet, file, stream) = in_columns();
    let members = [gzip(&LONG.as_bytes()[..40]), gzip(&LONG.as_bytes()[40..])].concat();
    let zstd = zstd::encode_all(ndjson.as_bytes(), 3).unwrap();
    let zipped = gzip(&parquet);
    let (first, second) = ndjson.as_bytes().split_at(50);
    let bzip2s = [bzip2(first), bzip2(second)].concat();
    let xzs = [xz(first), xz(second)].concat();
    let bzip2ed = bzip2(&parquet);
    let all: [&[u8]; 16] = [
        LONG.as_bytes(),
        crlf.as_bytes(),
        semicolons.as_bytes(),
        tabs.as_bytes(),
        unended.as_bytes(),
        ndjson.as_bytes(),
        json.as_bytes(),
        &parquet,
        &file,
        &stream,
        &members,
        &zstd,
        &zipped,
        &bzip2s,
        &xzs,
        &bzip2ed,
    ];
    for (number, bytes) in all.iter().enumerate() {
        let outcome = run(bytes, &Options::default());
        assert_eq!(outcome.rows, LONG_ROWS, "{number}");
        assert_eq!(
            (outcome.summary.rows_read, outcome.rejects.len()),
            (3, 0),
            "{number}"
        );
        assert_eq!(
            outcome.summary.last_day.unwrap().to_string(),
            "2016-02-24",
            "{number}"
        );
    }
    let plain = run(LONG, &Options::default()).summary;
    assert_eq!(
        run(&members, &Options::default()).summary.identity,
        plain.identity
    );
    assert_eq!(
        plain.content,
        content(&Input::bytes("g", LONG.as_bytes().to_vec())).unwrap()
    );
    assert_ne!(
        plain.identity,
        identity(&plain.content, &source("server = \"a\""))
    );
}

#[test]
fn a_wide_row_gives_a_row_a_figure() {
    let text = "Day,MAU_30d,messages,Server\n2016-02-01,100,5,a\n2016-02-02,,6,a\n2016-02-03,,,b\n2016-02-04,x,7,a\n";
    let outcome = run(text, &source("platform = \"Zulip\""));
    assert_eq!(
        outcome.rows,
        [
            "Zulip|a|2016-02-01|-|mau_30d|distinct|||100|reported",
            "Zulip|a|2016-02-01|-|messages_sent|flow|||5|reported",
            "Zulip|a|2016-02-02|-|messages_sent|flow|||6|reported",
        ]
    );
    assert_eq!(short(&outcome), [(5, "MAU_30d", "not a whole number")]);
    assert_eq!(outcome.summary.rows_kept, 3);
    let days = outcome.summary.coverage.servers[&("Zulip".to_owned(), "a".to_owned())]
        .iter()
        .collect::<Vec<_>>();
    assert_eq!(days, [16_832, 16_833]);
}

#[test]
fn each_reason_names_its_line_and_column() {
    let rows = [
        "2016-02-30,Telegram,messages,5",
        "2016-02-01,Telegram,messages,1.5",
        "2016-02-01,Telegram,messages,-5",
        "2016-02-01,Telegram,messages,9007199254740993",
        "2016-02-01,Telegram,mesages,5",
        "2016-02-01,,messages,5",
        "2016-02-01,Telegram,messages,",
        "2016-02-01 13:00,Telegram,dau,5",
        "2016-02-01,Telegram,messages",
        "2016-02-01,Tele\"gram,messages,5",
        "2016-02-01,Telegram,\"messages\"x,5",
        "2016-02-01,Telegram,\"messages,5",
        "2016-02-01,Tele\u{1}gram,messages,5",
        "1016-02-01,Telegram,messages,5",
        "2016-02-01 00:00,Telegram,dau,5",
    ];
    let outcome = run(
        format!("date,platform,metric,value\n{}\n", rows.join("\n")),
        &Options::default(),
    );
    assert_eq!(
        short(&outcome),
        [
            (2, "date", "not a day that exists"),
            (3, "value", "not a whole number"),
            (4, "value", "negative count"),
            (5, "value", "overflow"),
            (6, "metric", "not a metric"),
            (7, "platform", "no platform"),
            (8, "value", "no value"),
            (
                9,
                "date",
                "users counted once within a window can't be given by the hour"
            ),
            (10, "", "3 fields where the header has 4"),
            (11, "", "a quote inside an unquoted field"),
            (12, "", "text after a closing quote"),
            (13, "", "a quote that is never closed"),
            (14, "platform", "a name with control characters in it"),
            (15, "date", "a day outside the years 1990 to 2100"),
        ]
    );
    assert_eq!(
        outcome.rows,
        ["Telegram||2016-02-01|-|dau|distinct|||5|reported"]
    );
    for (_, _, reason) in &outcome.rejects {
        assert!(
            !reason.contains("Telegram") && !reason.contains("13:00") && !reason.contains("740993"),
            "{reason}"
        );
    }
    let bytes =
        b"date,platform,metric,value\n2016-02-01,\xff,messages,5\n2016-02-01,A,messages,5\n";
    assert_eq!(
        short(&run(bytes, &source("encoding = \"utf-8\""))),
        [(2, "platform", "not UTF-8")]
    );
}

#[test]
fn a_quoted_line_feed_does_not_move_the_lines() {
    let text = "date,platform,metric,value,note\n2016-02-01,A,messages,5,\"one\ntwo\"\n\n2016-02-02,A,messages,x,\n\"2016-02-03\",\"A \"\"B\"\"\",messages,6,\n";
    let outcome = run(text, &source("ignore = [\"note\"]"));
    assert_eq!(short(&outcome), [(5, "value", "not a whole number")]);
    assert_eq!(
        outcome.rows[1],
        "A \"B\"||2016-02-03|-|messages_sent|flow|||6|reported"
    );
}

#[test]
fn a_platform_is_spelled_one_way() {
    let text = "date,platform,metric,value\n2016-02-01,Whats App,messages,1\n2016-02-01,WhatsApp,messages,1\n2016-02-01,TG,messages,1\n2016-02-02,telegram,messages,1\n2016-02-03,Whats App,messages,2\n";
    let mut options = Options {
        known: vec!["Telegram".into()],
        ..Options::default()
    };
    options.aliases = [("TG".to_owned(), "Telegram".to_owned())].into();
    let outcome = run(text, &options);
    let reason = "spelled differently from a platform already known";
    assert_eq!(
        short(&outcome),
        [(3, "platform", reason), (5, "platform", reason)]
    );
    assert!(outcome.rows[1].starts_with("Telegram|"));
    assert!(
        refused(
            "date,dau\n",
            &Options {
                known: vec!["Line".into()],
                ..source("platform = \"LINE\"")
            }
        )
        .contains("`platform = \"LINE\"`")
    );
}

#[test]
fn a_key_stands_once() {
    let text = "date,platform,dau,messages\n2016-02-01,A,1,\n2016-02-01,A,,2\n2016-02-01,A,3,4\n2016-02-02,A,5,6\n2016-02-01,B,1,2\n";
    let outcome = run(text, &Options::default());
    assert_eq!(
        short(&outcome),
        [(4, "date", "the same figure as on an earlier line")]
    );
    assert_eq!(outcome.rows.len(), 6);
    let kept = run(
        text,
        &Options {
            on_conflict: OnConflict::Sum,
            ..Options::default()
        },
    );
    assert_eq!((kept.rows.len(), kept.rejects.len()), (8, 0));
    let moments = "time,platform,metric,value\n2016-02-01T10:00:00Z,A,users,1\n2016-02-01T11:00:00+01:00,A,users,1\n2016-02-01,A,users,1\n2016-02-01T10:00:00.5Z,A,users,1\n2016-02-01T10:00:00.500Z,A,users,1\n";
    assert_eq!(
        run(moments, &Options::default())
            .rejects
            .iter()
            .map(|r| r.0)
            .collect::<Vec<_>>(),
        [3, 4, 6]
    );
}

#[test]
fn columns_are_mapped_ignored_and_named() {
    let text = "when,who,tootscount,note\n2016-02-01,A,5,hello\n";
    let error = refused(
        text,
        &source("day = \"when\"\ncolumns = { who = \"platform\" }\nignore = [\"note\"]"),
    );
    assert!(
        error.contains("`tootscount`")
            && error.contains("did you mean `toots`")
            && error.contains("ignore = [\"tootscount\"]"),
        "{error}"
    );
    let options = source(
        "day = \"when\"\ncolumns = { who = \"platform\", tootscount = \"messages_sent\" }\nignore = [\"Note\"]\ncumulative = [\"tootscount\"]",
    );
    assert_eq!(
        run(text, &options).rows,
        ["A||2016-02-01|-|messages_sent|counter|||5|reported"]
    );
    let long = source("cumulative = [\"messages\"]");
    assert!(run(LONG, &long).rows[0].contains("|counter|"));
    for (text, toml, part) in [
        ("date,dau\n", "", "platform = \"NAME\""),
        ("platform,dau\n", "", "day = \"COLUMN\""),
        ("date,platform\n", "", "no `metric` column"),
        ("date,platform,posts,toots\n", "", "`posts` and `toots`"),
        (
            "date,platform,dau\n",
            "cumulative = [\"dau\"]",
            "can't be cumulative",
        ),
        (
            "date,platform,dau\n",
            "cumulative = [\"posts\"]",
            "no such column",
        ),
        (
            "date,platform,dau\n",
            "columns = { x = \"dua\" }",
            "did you mean `dau`",
        ),
        ("date,platform,dau,dau\n", "", "two columns are named `dau`"),
        ("date,,dau\n", "", "column 2 has no name"),
        ("", "", "is empty"),
        ("PK\u{3}\u{4}", "", "a ZIP archive"),
        (
            "[{\"date\": \"2016-02-01\", \"platform\": \"A\", \"dau\": 1}",
            "",
            "never closed",
        ),
    ] {
        let error = refused(text, &source(toml));
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn json_is_read_exactly() {
    let rows = [
        r#"{"date":"2016-02-01","platform":"A","dau":1,"messages":9007199254740993}"#,
        r#"{"date":"2016-02-01","platform":"A","dau":2.0,"messages":null}"#,
        r#"{"date":"2016-02-02","platform":"A","dau":2.5}"#,
        r#"{"date":"2016-02-02","platform":"A","dau":1,"dau":2}"#,
        r#"{"date":"2016-02-02","platform":"A","dau":true}"#,
        r#"{"date":"2016-02-02","platform":"A","#,
        r#"[1]"#,
        "",
        r#"{"platform":"A","dau":"7","date":"2016-02-03"}"#,
        r#"{"platform":"A","dau":7}"#,
    ];
    let outcome = run(rows.join("\n"), &Options::default());
    assert_eq!(
        short(&outcome),
        [
            (1, "messages", "overflow"),
            (3, "dau", "not a whole number"),
            (4, "dau", "the same name twice in one object"),
            (5, "dau", "not a text or a number"),
            (6, "", "not a JSON object with a name for each value"),
            (7, "", "not a JSON object with a name for each value"),
            (10, "date", "no day"),
        ]
    );
    assert_eq!(
        outcome.rows,
        [
            "A||2016-02-01|-|dau|distinct|||2|reported",
            "A||2016-02-03|-|dau|distinct|||7|reported"
        ]
    );
}

#[test]
fn names_of_json_may_stand_in_any_order_and_be_left_out() {
    let rows = [
        r#"{"date":"2016-02-01","platform":"A","dau":1,"mau":10}"#,
        r#"{"date":"2016-02-02","platform":"A","mau":20,"dau":2}"#,
        r#"{"mau":30,"dau":3,"platform":"A","date":"2016-02-03"}"#,
        r#"{"date":"2016-02-04","mau":40,"platform":"A"}"#,
        r#"{"platform":"A","signups":-5,"date":"2016-02-05"}"#,
        r#"{"date":"2016-02-06","platform":"A","dau":6,"platform":"A"}"#,
        r#"{"signups":7.0,"date":"2016-02-07","platform":"A"}"#,
    ];
    let outcome = run(rows.join("\n"), &Options::default());
    let mut figures: Vec<String> = outcome
        .rows
        .iter()
        .map(|row| row.replace("A||2016-02-0", "").replace("|reported", ""))
        .collect();
    figures.sort();
    assert_eq!(
        figures,
        [
            "1|-|dau|distinct|||1",
            "1|-|mau_stated|distinct|||10",
            "2|-|dau|distinct|||2",
            "2|-|mau_stated|distinct|||20",
            "3|-|dau|distinct|||3",
            "3|-|mau_stated|distinct|||30",
            "4|-|mau_stated|distinct|||40",
            "7|-|signups|flow|||7",
        ]
    );
    assert_eq!(
        short(&outcome),
        [
            (5, "signups", "negative count"),
            (6, "platform", "the same name twice in one object"),
        ]
    );
}

#[test]
fn statements_have_a_period() {
    let text = "platform,metric,value,as_of,precision,status,published\n\
        Telegram,mau,100000000,2016-02,,,\n\
        Telegram,messages,15000000000,2016-02-23,,derived,2016-02\n\
        Telegram,mau,1,2016-03-30,quarter,,\n\
        Telegram,mau,1,2016-03-31,quarter,,\n\
        Telegram,mau,1,2016-Q3,quarter,,\n\
        Telegram,mau,1,2016,month,,\n\
        Telegram,mau,1,2016,year,,soon\n\
        Telegram,mau,1,2016,year,rumour,\n\
        Telegram,mau,1,2016,years,,\n\
        Telegram,mau,1.5 billion,2016,year,,\n";
    let outcome = run(text, &Options::default());
    assert_eq!(
        outcome.rows,
        [
            "Telegram|mau_stated|100000000|users|2016-02-29|month|stated|exact|||||2",
            "Telegram|messages_per_day|15000000000|messages/day|2016-02-23|day|derived|exact||2016-02|||3",
            "Telegram|mau_stated|1|users|2016-03-31|quarter|stated|exact|||||5",
            "Telegram|mau_stated|1|users|2016-09-30|quarter|stated|exact|||||6",
        ]
    );
    let found: Vec<_> = short(&outcome)
        .into_iter()
        .map(|(line, column, _)| (line, column))
        .collect();
    assert_eq!(
        found,
        [
            (4, "as_of"),
            (7, "as_of"),
            (8, "published"),
            (9, "status"),
            (10, "precision"),
            (11, "value")
        ]
    );
}

fn data(name: &str) -> Input {
    Input::path(
        name,
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("data")
            .join(name),
    )
}

#[test]
fn the_sample_of_disclosures_is_read_whole() {
    let outcome = run_on(&data("disclosures.csv"), &Options::default()).unwrap();
    assert_eq!(
        (outcome.summary.rows_read, outcome.summary.rows_kept),
        (320, 320),
        "{:?}",
        outcome.rejects
    );
    assert_eq!(outcome.summary.grain, Grain::Disclosures);
}

#[test]
fn the_sample_of_hourly_counters_is_read_whole() {
    let options = source(
        "platform = \"Mastodon\"\nday = \"timestamp\"\ncumulative = [\"tootscount\"]\ncolumns = { usercount = \"registered_users\", instancecount = \"servers\", tootscount = \"messages_sent\" }",
    );
    let outcome = run_on(&data("mastostats.csv"), &options).unwrap();
    assert_eq!(
        (
            outcome.summary.rows_read,
            outcome.summary.rows_kept,
            outcome.summary.rows_given
        ),
        (37_144, 37_144, 111_432)
    );
    assert_eq!(
        outcome.rows[0],
        "Mastodon||2018-08-11|1534024800|registered_users|level|||1400560|reported"
    );
    assert_eq!(
        outcome.rows[2],
        "Mastodon||2018-08-11|1534024800|messages_sent|counter|||158851077|reported"
    );
    let epoch = |day: &str| date32(crate::calendar::day(day).unwrap()) as u32;
    assert!(
        outcome
            .summary
            .coverage
            .series
            .values()
            .all(|days| days.min() == Some(epoch("2018-08-11")))
    );
}

#[test]
fn an_error_of_the_sink_ends_the_reading() {
    let text = format!("{LONG}{}", "2016-02-23,A,messages,x\n".repeat(5000));
    let options = Options {
        chunk: 100,
        threads: 2,
        ..Options::default()
    };
    let stop = || IngestError::Internal {
        name: "f".into(),
        detail: "full".into(),
    };
    let error = read(&Input::bytes("f", text), &options, &mut |_, _| {
        Err::<(), _>(stop())
    })
    .unwrap_err();
    assert!(error.to_string().contains("full"));
}

/// A row of a long file, sound or damaged in one of many ways.
fn row() -> impl Strategy<Value = String> {
    let sound =
        (1u32..29, 0usize..4, 0usize..3, 0u64..1000).prop_map(|(day, platform, metric, value)| {
            let platform = ["A", "B", "\"C, D\"", "a"][platform];
            format!(
                "2016-02-{day:02},{platform},{},{value}",
                ["messages", "dau", "signups"][metric]
            )
        });
    (
        sound,
        "[\",\n\rx\u{e9}0-9-]{0,4}",
        any::<prop::sample::Index>(),
        0u8..6,
    )
        .prop_map(|(row, damage, place, kind)| {
            let place = place.index(row.len());
            match kind {
                0 => format!("{}{damage}{}", &row[..place], &row[place..]),
                1 => row[..place].to_owned(),
                _ => row,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_are_too_bad(head in prop::sample::select(vec!["", "date,platform,dau\n", "{\"date\":", "[{", "PAR1", "ARROW1\0\0", "\u{1f}\u{8b}"]), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut all = head.as_bytes().to_vec();
        all.extend(bytes);
        let _ = run_on(&Input::bytes("f", all), &Options { threads: 1, ..Options::default() });
    }

    #[test]
    fn damage_costs_rows_and_nothing_else(rows in prop::collection::vec(row(), 0..60), chunk in 16usize..200) {
        let text = format!("date,platform,metric,value\n{}", rows.join("\n"));
        let one = run(&text, &Options { threads: 1, ..Options::default() });
        let two = run(&text, &Options { threads: 2, chunk, ..Options::default() });
        prop_assert_eq!(one, two);
    }

    #[test]
    fn columns_cut_short_are_an_error(at in any::<prop::sample::Index>(), which in 0usize..3) {
        // A flipped byte in a page may make Polars ask for more memory than there is, which ends the
        // process and can't be caught here: see ARCHITECTURE.md.
        let (parquet, file, stream) = in_columns();
        let mut bytes = vec![parquet, file, stream].swap_remove(which);
        bytes.truncate(at.index(bytes.len()));
        let _ = run_on(&Input::bytes("f", bytes), &Options { threads: 1, ..Options::default() });
    }
}

/// Rows as text, and rejects by line.
type Given = (Vec<String>, Vec<(u64, String)>);

/// What came of reading people: user, day, messages and the values of dimensions, and the rejects.
fn people(text: &str, source: Source, zone: chrono_tz::Tz) -> Result<Given, IngestError> {
    let key = Key::parse(&"5a".repeat(32)).unwrap();
    let options = Options {
        source: Source {
            platform: Some("A".into()),
            ..source
        },
        zone,
        dimensions: vec!["country".into()],
        key: Ok(key.clone()),
        ..Options::default()
    };
    let (mut rows, mut rejects) = (vec![], vec![]);
    let names: std::collections::HashMap<_, _> = ["1", "2", "42", "ann", "Bob", "-7"]
        .iter()
        .map(|id| (key.pseudonym(key.scope("A"), id.as_bytes()), *id))
        .collect();
    let input = Input::bytes("f.csv", text.to_owned());
    let summary = read(&input, &options, &mut |given, found| {
        let Rows::People(days) = given else {
            panic!("people were expected")
        };
        for row in 0..days.rows() {
            let cell = &days.list[days.cells[row] as usize];
            let messages = days.messages.as_ref().map(|m| m[row]);
            let country = days
                .dimensions
                .first()
                .map(|d| d.values[usize::from(d.codes[row])].to_string());
            let user = names.get(&days.users[row]).copied().unwrap_or("?");
            let day = crate::calendar::from_date32(cell.day);
            rows.push(format!("{user} {day} {messages:?} {country:?}"));
        }
        rejects.extend(found.into_iter().map(|r| (r.line, r.reason.into_owned())));
        Ok::<(), IngestError>(())
    })?;
    assert_eq!(summary.rows_read, summary.rows_kept + summary.rows_rejected);
    rows.sort();
    Ok((rows, rejects))
}

#[test]
fn user_days_need_no_mapping_and_bad_rows_are_told() {
    let long = "x".repeat(257);
    let text = format!(
        "user_id,date,messages,country,note\n42,2016-02-01,3,NL,private\nann,2016-02-01,0,,\n,2016-02-01,1,NL,\n{long},2016-02-01,1,NL,\n42,2016-02-30,1,NL,\n42,2016-02-01,-1,NL,\n42,2016-02-02,,NL,\n42,2016-02-02,4294967296,NL,\n"
    );
    let (rows, rejects) = people(&text, Source::default(), chrono_tz::Tz::UTC).unwrap();
    let expected = [
        "42 2016-02-01 Some(3) Some(\"NL\")",
        "ann 2016-02-01 Some(0) Some(\"\")",
    ];
    assert_eq!(rows, expected);
    let lines: Vec<u64> = rejects.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8, 9]);
    assert!(
        rejects
            .iter()
            .all(|(_, reason)| !reason.contains("42") || reason.contains("4294967295"))
    );
    let active = Source {
        active: crate::project::Active::Messages,
        ..Source::default()
    };
    let (rows, _) = people(&text, active, chrono_tz::Tz::UTC).unwrap();
    assert_eq!(rows, expected[..1]);
}

#[test]
fn a_row_a_message_falls_on_the_day_of_the_zone_across_the_change_of_clocks() {
    // In Paris clocks went from 2:00 to 3:00 on 2016-03-27: midnight before is 23:00 UTC, after 22:00.
    let text = "user,timestamp\n1,2016-03-26T22:59:59Z\n1,2016-03-26T23:00:00Z\n1,2016-03-27T21:59:59Z\n1,2016-03-27T22:00:00Z\n2,1459036800\n";
    let paris = chrono_tz::Tz::Europe__Paris;
    let (rows, rejects) = people(text, Source::default(), paris).unwrap();
    assert_eq!(
        rows,
        [
            "1 2016-03-26 Some(1) Some(\"\")",
            "1 2016-03-27 Some(1) Some(\"\")",
            "1 2016-03-27 Some(1) Some(\"\")",
            "1 2016-03-28 Some(1) Some(\"\")",
            "2 2016-03-27 Some(1) Some(\"\")",
        ]
    );
    assert!(rejects.is_empty());
}

#[test]
fn signups_are_known_by_their_column_or_declared() {
    let text = "user,signup_day\n1,2016-01-05\nBob,2015-12-31\n";
    let (rows, _) = people(text, Source::default(), chrono_tz::Tz::UTC).unwrap();
    assert_eq!(rows, ["1 2016-01-05 None None", "Bob 2015-12-31 None None"]);
    let declared = Source {
        grain: Some(Grain::Signups),
        ..Source::default()
    };
    let text = "user,day\n-7,2016-01-05\n";
    let (rows, _) = people(text, declared, chrono_tz::Tz::UTC).unwrap();
    assert_eq!(rows, ["-7 2016-01-05 None None"]);
}

#[test]
fn without_a_key_no_id_is_read() {
    let input = Input::bytes("f.csv", "user,day\n1,2016-01-05\n".to_owned());
    let options = Options {
        source: Source {
            platform: Some("A".into()),
            ..Source::default()
        },
        ..Options::default()
    };
    let error = read(&input, &options, &mut |_, _| Ok::<(), IngestError>(())).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("ESSOR_KEY") && text.contains("f.csv"),
        "{text}"
    );
}

#[test]
fn columns_of_content_are_refused_until_essor_toml_says_what_they_are() {
    let day = "2016-02-01";
    for column in ["email", "message", "displayName", "IP address"] {
        let text = format!("user,day,{column}\n1,{day},x\n");
        let error = people(&text, Source::default(), chrono_tz::Tz::UTC).unwrap_err();
        let error = error.to_string();
        let ways = [
            format!("ignore = [\"{column}\"]"),
            format!("{{ \"{column}\" = \"user\" }}"),
        ];
        assert!(ways.iter().all(|way| error.contains(way)), "{error}");
        let ignore = Source {
            ignore: vec![column.to_owned()],
            ..Source::default()
        };
        people(&text, ignore, chrono_tz::Tz::UTC).unwrap();
        let text = format!("{column},day\n1,{day}\n");
        let columns = [(column.to_owned(), "user".to_owned())].into();
        let user = Source {
            columns,
            ..Source::default()
        };
        let (rows, _) = people(&text, user, chrono_tz::Tz::UTC).unwrap();
        assert_eq!(rows.len(), 1, "{column}");
        // Also where a later row of NDJSON brings it.
        let later = format!(
            "{{\"user\": 1, \"day\": \"{day}\"}}\n{{\"user\": 2, \"day\": \"{day}\", \"{column}\": \"x\"}}\n"
        );
        assert!(
            people(&later, Source::default(), chrono_tz::Tz::UTC).is_err(),
            "{column}"
        );
    }
    assert!(
        refused(
            &format!("date,platform,dau,email\n{day},A,1,x\n"),
            &Options::default()
        )
        .contains("identity")
    );
    assert!(
        refused(
            &format!("date,platform,dau,message\n{day},A,1,x\n"),
            &Options::default()
        )
        .contains("did you mean")
    );
}

#[test]
fn a_table_of_one_indicator_states_it_for_years() {
    let text = "Entity,Code,Year,\"Monthly active users, of apps\"\nTelegram,,2013,100000\nSignal,,2014,0.5\nTelegram,,2014-06,7\n";
    let owid = "columns = { Entity = \"platform\", Year = \"as_of\", \"Monthly active users, of apps\" = \"value\" }\nmetric = \"mau\"\nstatus = \"compiled\"\nignore = [\"Code\"]";
    let outcome = run(text, &source(owid));
    assert_eq!(
        outcome.rows,
        [
            "Telegram|mau_stated|100000|users|2013-12-31|year|compiled|exact|||||2",
            "Telegram|mau_stated|7|users|2014-06-30|month|compiled|exact|||||4",
        ]
    );
    assert_eq!(short(&outcome)[0].0, 3);
    let plain = run(text, &source(&owid.replace("compiled", "estimate")));
    assert_ne!(plain.summary.identity, outcome.summary.identity);
}

#[test]
fn a_table_of_one_metric_may_split_it() {
    let text = "date,app,country,users\n2016-02-01,Telegram,NL,5\n2016-02-01,Telegram,DE,6\n";
    let toml = "columns = { app = \"platform\", country = \"dimension_value\", users = \"value\" }\nmetric = \"dau\"\ndimension = \"country\"";
    let outcome = run(text, &source(toml));
    assert_eq!(
        outcome.rows,
        [
            "Telegram||2016-02-01|-|dau|distinct|country|NL|5|reported",
            "Telegram||2016-02-01|-|dau|distinct|country|DE|6|reported",
        ]
    );
}

#[test]
fn what_essor_toml_says_of_all_rows_is_checked() {
    for (text, toml, part) in [
        (
            "date,platform,value\n",
            "metric = \"dua\"",
            "did you mean `dau`",
        ),
        (
            "date,platform,n\n",
            "metric = \"dau\"",
            "needs the column that holds the figures",
        ),
        (
            "date,platform,metric,value\n",
            "metric = \"dau\"",
            "says it row by row",
        ),
        (
            "date,platform,value\n",
            "metric = \"dau\"\nstatus = \"estimate\"",
            "usage has none",
        ),
        (
            "as_of,platform,value\n",
            "metric = \"mau\"\nstatus = \"rumour\"",
            "not a status",
        ),
        (
            "as_of,platform,value\n",
            "metric = \"mau\"\ndimension = \"x\"",
            "statements have none",
        ),
        (
            "user,day\n",
            "platform = \"A\"\nmetric = \"dau\"",
            "a file of people has none",
        ),
    ] {
        let error = refused(text, &source(toml));
        assert!(error.contains(part), "{error}");
    }
}
