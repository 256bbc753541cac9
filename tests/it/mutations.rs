//! Broken input, made from sound input: every parser gives rows, rejects or an error, and never panics.
//!
//! `ESSOR_MUTATIONS` says how many times each parser is tried and `ESSOR_SEED` where the draws begin; the same
//! two give the same bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use essor::bitmap::{Dense, View, encode_counts};
use essor::ingest::{self, IngestError, Input, Limits, Options, Walk};
use essor::project::Project as Settings;
use essor::pseudonym::Key;
use essor::query::header::Header;

use crate::archives::zipped;
use crate::project::{KEY, repository};

/// Splitmix64: no more is needed of chance here.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

const WORDS: [&[u8]; 22] = [
    b"",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b"\"",
    b"\\",
    b"[",
    b"]",
    b"{",
    b"}",
    b"null",
    b"-1",
    b"0",
    b"1e308",
    b"9223372036854775808",
    b"2016-02-30",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\0",
    b"\xf0\x9f\x98\x80",
    b"'''",
];

/// Bytes with a few of them changed, left out, doubled or replaced, or with a piece of other bytes.
fn mutated(draws: &mut Draws, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + draws.below(4) {
        let at = draws.below(bytes.len());
        let end = (at + 1 + draws.below(16)).min(bytes.len());
        match draws.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
            1 if at < bytes.len() => bytes[at] = draws.next() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end.max(at))),
            4 => {
                let piece = bytes[at..end.max(at)].to_vec();
                let to = draws.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => {
                let from = draws.below(other.len());
                let piece = &other[from..(from + draws.below(64)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            _ => {
                let word = *draws.of(&WORDS);
                bytes.splice(at..end.max(at), word.iter().copied());
            }
        }
    }
    bytes
}

fn files(folder: &str, endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut folders: Vec<PathBuf> = vec![repository().join(folder)];
    let mut found = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if path.is_dir() {
                folders.push(path);
            } else if endings.is_empty() || endings.contains(&ending) {
                let name = path.strip_prefix(repository()).unwrap_or(&path);
                found.push((name.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    // Large ones are cut: what they break breaks in small ones.
    found.retain(|(_, bytes)| !bytes.is_empty() && bytes.len() < 256 << 10);
    found.sort();
    found
}

fn number(variable: &str, default: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Parses a file of a name and some bytes, under options that a draw picks; gives what went wrong.
type Parse<'a> = &'a dyn Fn(&str, Vec<u8>, u64) -> Option<String>;

/// Runs a parser on changed seeds; gives what went wrong.
fn hunt(parser: &str, seeds: &[(String, Vec<u8>)], parse: Parse) {
    let mut draws = Draws(number("ESSOR_SEED", 1));
    let times = number("ESSOR_MUTATIONS", 60);
    let mut finds: Vec<String> = vec![];
    for _ in 0..times {
        let (name, seed) = draws.of(seeds);
        let other = &draws.of(seeds).1;
        let bytes = mutated(&mut draws, seed, other);
        let dice = draws.next();
        let run = || parse(name, bytes.clone(), dice);
        let wrong = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(wrong) => wrong,
            Err(_) => Some("it panicked".to_owned()),
        };
        if let Some(wrong) = wrong {
            let file = std::env::temp_dir().join(format!("essor-{parser}-{}", finds.len()));
            _ = std::fs::write(&file, &bytes);
            finds.push(format!("{name}: {wrong} ({})", file.display()));
        }
        if finds.len() > 10 {
            break;
        }
    }
    println!("{parser}: {times} executions, {} finds", finds.len());
    assert!(finds.is_empty(), "{parser}\n{}", finds.join("\n"));
}

fn options(dice: u64) -> Options {
    let mut options = Options::default();
    options.source.platform = Some("Us".to_owned());
    options.source.server = dice
        .is_multiple_of(2)
        .then(|| "chat.example.org".to_owned());
    options.key = Ok(Key::parse(KEY).unwrap());
    options.at = essor::calendar::day("2016-02-29").ok();
    options.threads = 1;
    // Chunks of a few rows cross more of their edges.
    options.chunk = [0, 64, 1000][(dice / 2 % 3) as usize];
    options
}

/// All that is read of some bytes; what no bytes may bring about.
fn read(name: &str, bytes: Vec<u8>, options: &Options) -> Option<String> {
    let input = Input::bytes(name, bytes);
    let fault = |error: IngestError| match error {
        IngestError::Internal { detail, .. } => Some(detail),
        _ => None,
    };
    let parts = match ingest::parts(&input, options) {
        Ok(parts) => parts,
        Err(error) => return fault(error),
    };
    for part in parts {
        let (mut rows, mut rejects) = (0, 0);
        let read = ingest::read::<IngestError>(&input, &part.options, &mut |given, refused| {
            rows += u64::from(matches!(given, ingest::Rows::Table(_)));
            rejects += refused.len() as u64;
            Ok(())
        });
        match read {
            Ok(summary) if summary.rows_rejected != rejects => {
                return Some(format!("{} rejects are {rejects}", summary.rows_rejected));
            }
            Ok(summary) if summary.rows_read != summary.rows_kept + summary.rows_rejected => {
                return Some("rows got lost".to_owned());
            }
            Ok(_) => {}
            Err(error) => match fault(error) {
                None => {}
                wrong => return wrong,
            },
        }
        _ = ingest::look(&input, &part.options);
    }
    None
}

#[test]
fn tables_of_delimited_text() {
    let mut seeds = files("tests/dirty", &["csv", "tsv", "txt", "gz"]);
    seeds.extend(files("tests/queries", &["csv"]));
    hunt("delimited", &seeds, &|name, bytes, dice| {
        let mut options = options(dice);
        options.source.format = dice.is_multiple_of(5).then(|| "csv".to_owned());
        read(name, bytes, &options)
    });
}

#[test]
fn json_and_its_rows() {
    let mut seeds = files("tests/dirty", &["json"]);
    let row = "{\"date\": \"2016-02-01\", \"platform\": \"Us\", \"dau\": 1, \"note\": [\"a\\\"\", {\"b\": null}]}";
    seeds.push((
        "a.ndjson".to_owned(),
        format!("{row}\n{row}\n\n{row}").into_bytes(),
    ));
    seeds.push((
        "a.json".to_owned(),
        format!("[{row},\n{row} , {row}]").into_bytes(),
    ));
    let mut options = options(0);
    options.source.ignore = vec!["note".to_owned()];
    hunt("json", &seeds, &|name, bytes, dice| {
        let mut options = options.clone();
        options.chunk = [0, 64, 1000][(dice % 3) as usize];
        read(name, bytes, &options)
    });
}

#[test]
fn what_programs_export() {
    let seeds = files(
        "tests/exports",
        &[
            "json", "csv", "txt", "ndjson", "jsonl", "prom", "tsv", "log",
        ],
    );
    let formats: Vec<String> = ingest::formats().into_iter().map(str::to_owned).collect();
    hunt("exports", &seeds, &|name, bytes, dice| {
        let mut options = options(dice);
        if dice % 3 == 0 {
            options.source.format = Some(formats[(dice / 64) as usize % formats.len()].clone());
        }
        read(name, bytes, &options)
    });
}

#[test]
fn bitmaps_and_counts() {
    let sets: [&[u32]; 5] = [
        &[],
        &[0, 1, 5, 65_535],
        &[7, 70_000, 4_000_000_000, u32::MAX],
        &(0..9000).collect::<Vec<_>>(),
        &(0..60_000).map(|id| id * 7).collect::<Vec<_>>(),
    ];
    let bytes = |ids: &&[u32]| {
        let mut set = Dense::new();
        ids.iter().for_each(|id| set.insert(*id));
        ("bitmap".to_owned(), set.to_bytes())
    };
    let mut seeds: Vec<(String, Vec<u8>)> = sets.iter().map(bytes).collect();
    let counts: Vec<u32> = (0..5000).map(|id| id % 300).collect();
    let slices = encode_counts(&counts).into_iter();
    seeds.extend(slices.map(|slice| ("slice".to_owned(), slice)));
    hunt("bitmaps", &seeds, &|_, bytes, _| {
        let Ok(view) = View::new(&bytes) else {
            return None;
        };
        let mut set = Dense::new();
        view.union_into(&mut set);
        let listed = view.iter().count() as u64;
        _ = essor::bitmap::counts::decode([bytes.as_slice()].into_iter());
        let same = listed == view.count() && set.count() == listed;
        (!same).then(|| format!("{} ids are {listed}", view.count()))
    });
}

#[test]
fn archives_and_what_lies_in_them() {
    let csv = b"date,dau\n2016-02-01,10\n2016-02-02,11\n".as_slice();
    let inner = zipped(&[
        ("a/b.csv", csv),
        ("c.json", b"[{\"date\": \"2016-02-01\", \"mau\": 1}]"),
    ]);
    let mut tar = tar::Builder::new(vec![]);
    for (name, bytes) in [("x.csv", csv), ("inner.zip", inner.as_slice())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    let seeds = vec![
        (
            "x.zip".to_owned(),
            zipped(&[("inner.zip", &inner), ("x.csv", csv)]),
        ),
        ("x.tar".to_owned(), tar.into_inner().unwrap()),
    ];
    let limits = Limits {
        depth: 3,
        members: 50,
        bytes: 16 << 20,
        ..Limits::default()
    };
    hunt("archives", &seeds, &|name, bytes, dice| {
        let input = Input::bytes(name, bytes);
        let Ok(Some(mut walk)) = Walk::open(&input, limits, |_| true) else {
            return None;
        };
        while let Some(member) = walk.next() {
            if let Ok(member) = member {
                let path = member.input.name.clone();
                assert!(!path.split('/').any(|part| part == ".."), "{path}");
                let ingest::Origin::Path(file) = &member.input.origin else {
                    continue;
                };
                let bytes = std::fs::read(file).unwrap_or_default();
                if let Some(wrong) = read(&path, bytes, &options(dice)) {
                    return Some(wrong);
                }
            }
        }
        None
    });
}

#[test]
fn essor_toml() {
    let mut seeds = files("src/commands/init", &["toml"]);
    let own = repository().join("essor.toml");
    seeds.push(("essor.toml".to_owned(), std::fs::read(own).unwrap()));
    hunt("settings", &seeds, &|_, bytes, _| {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(settings) = Settings::parse(Path::new("/nowhere"), &text) {
            _ = settings.memory_bound();
            _ = Options::of(&settings, "data/a.csv", vec![]);
        }
        None
    });
}

#[test]
fn headers_of_queries() {
    let mut seeds = files("queries", &["sql"]);
    seeds.extend(files("tests/queries", &["sql"]));
    hunt("headers", &seeds, &|_, bytes, _| {
        _ = Header::parse(&String::from_utf8_lossy(&bytes));
        None
    });
}
