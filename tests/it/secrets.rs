//! Nothing that says who somebody is, or what was said, gets beyond the file that it stands in.
//!
//! Every format has a file `secrets*` in its folder of `tests/exports`, in which each field that is not kept holds a marked
//! value, as do ids of users, which are kept as keyed pseudonyms only. All are taken into one store, with files that
//! are rejected or refused; then the store, what was printed and logged and the report are searched for the marks,
//! and for plain hashes of the values that bear them. A file that ends in `.sql` makes a SQLite database.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine as _;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::archives::zipped;
use crate::project::{Project, repository};

/// What marks a value: the second where only digits can stand.
const MARKS: [&str; 2] = ["s3cr3t", "5318008"];

const PROJECT: &str = "[project]\nplatform = \"Pigeon\"\ndimensions = [\"country\"]\n[[source]]\npath = \"data/tables/*\"\nplatform = \"Pigeon\"\nignore = [\"email\", \"message\"]\n";

/// The files of a format that hold marked values.
fn files(format: &str) -> Vec<PathBuf> {
    let folder = repository()
        .join("tests/exports")
        .join(format.replace('-', "_"));
    let entries = std::fs::read_dir(&folder).map(|entries| entries.flatten().collect());
    let entries: Vec<std::fs::DirEntry> = entries.unwrap_or_default();
    let named = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("secrets")
    };
    let mut found: Vec<PathBuf> = entries.iter().map(|e| e.path()).filter(named).collect();
    found.sort();
    found
}

/// Puts the files of a format into a project; gives their bytes.
fn put(project: &Project, format: &str, path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    match name.strip_suffix(".sql") {
        Some(stem) => {
            std::fs::create_dir_all(project.path(&format!("data/{format}"))).unwrap();
            let path = project.path(&format!("data/{format}/{stem}.db"));
            let database = rusqlite::Connection::open(path).unwrap();
            let script = String::from_utf8(bytes.clone()).unwrap();
            database.execute_batch(&script).unwrap();
        }
        None => project.write(&format!("data/{format}/{name}"), &bytes),
    }
    bytes
}

/// The marked values in a text.
fn marked(text: &str) -> BTreeSet<String> {
    let inner = r"[A-Za-z0-9@._+/-]*";
    let pattern = format!("{inner}(?:{}){inner}", MARKS.join("|"));
    let found = regex::Regex::new(&pattern).unwrap();
    found
        .find_iter(text)
        .map(|m| m.as_str().to_owned())
        .collect()
}

/// Tables of people and of figures, each with marked values where nothing or only a pseudonym is kept.
fn tables() -> Vec<(&'static str, Vec<u8>)> {
    let csv = "user,day,messages,country,email,message,note\n\
        s3cr3t-ann,2016-02-01,3,NL,s3cr3t@example.org,s3cr3t-coo,s3cr3t-note\n\
        s3cr3t-ann,s3cr3t-day,3,NL,,,\n\
        s3cr3t-ann,2016-02-01,s3cr3t-count,NL,,,\n\
        s3cr3t-ann,2016-02-01,3,NL,too,many,fields,s3cr3t-more\n\
        \"s3cr3t-open,2016-02-01,3,NL,,,\n";
    let ndjson = "{\"user\": \"s3cr3t-bob\", \"day\": \"2016-02-02\", \"messages\": 1, \"email\": \"s3cr3t-2@example.org\", \"note\": {\"s3cr3t-key\": \"s3cr3t-deep\"}}\n{\"user\": \"s3cr3t-bob\", \"s3cr3t-cut\n{\"user\": {\"s3cr3t-id\": 1}, \"day\": \"2016-02-02\", \"messages\": 1}\n";
    let json = "[{\"user\": 5318008123, \"day\": \"2016-02-03\", \"messages\": 1, \"note\": \"s3cr3t-json\"}]";
    let figures = "date,platform,dau\n2016-02-01,Pigeon,10\n2016-02-02,Pigeon,s3cr3t-figure\ns3cr3t-date,Pigeon,1\n2016-02-03,pigeon,5318008\n";
    vec![
        ("data/tables/people.csv", csv.into()),
        ("data/tables/people.ndjson", ndjson.into()),
        ("data/tables/people.json", json.into()),
        ("data/tables/people.parquet", parquet()),
        ("data/tables/figures.csv", figures.into()),
        (
            "refused/people.csv",
            b"user,day,email\ns3cr3t-eve,2016-02-01,s3cr3t-3@example.org\n".to_vec(),
        ),
        (
            "refused/figures.csv",
            b"date,platform,dau,phone\n2016-02-04,Pigeon,1,5318008\n".to_vec(),
        ),
        (
            "refused/bad.json",
            b"[{\"user\": \"s3cr3t-cut\", \"day\"".to_vec(),
        ),
    ]
}

fn parquet() -> Vec<u8> {
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let columns = [
        ("user", text("s3cr3t-parquet")),
        ("day", text("2016-02-04")),
        ("messages", Arc::new(Int64Array::from(vec![2])) as ArrayRef),
        ("email", text("s3cr3t-4@example.org")),
        ("note", text("s3cr3t-column")),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// What is searched: a name, and bytes.
type Haystack = (String, Vec<u8>);

/// All files below a folder: as they are, and Parquet files cell by cell as well, since they are compressed.
fn search_space(folder: &Path, all: &mut Vec<Haystack>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|e| e.unwrap().path()) {
        if path.is_dir() {
            search_space(&path, all);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if bytes.starts_with(b"PAR1") {
            all.push((format!("cells of {}", path.display()), cells(&bytes)));
        }
        all.push((path.display().to_string(), bytes));
    }
}

fn cells(file: &[u8]) -> Vec<u8> {
    let file = bytes::Bytes::copy_from_slice(file);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let mut all = Vec::new();
    for batch in reader {
        for column in batch.unwrap().columns() {
            let column: &dyn Array = column.as_ref();
            let Ok(cells) = ArrayFormatter::try_new(column, &FormatOptions::default()) else {
                continue;
            };
            for row in 0..column.len() {
                writeln!(all, "{}", cells.value(row)).unwrap();
            }
        }
    }
    all
}

/// Plain digests of texts, by Python's hashlib where there is one and by BLAKE3.
fn digests(values: &BTreeSet<String>) -> Vec<(String, Vec<u8>)> {
    let mut texts = values.clone();
    texts.extend(values.iter().map(|v| v.to_lowercase()));
    let mut all: Vec<_> = texts
        .iter()
        .map(|text| {
            (
                format!("blake3 of {text}"),
                blake3::hash(text.as_bytes()).as_bytes().to_vec(),
            )
        })
        .collect();
    let script = "import hashlib,sys\nfor line in sys.stdin:\n  t=line.rstrip('\\n')\n  for n in ('md5','sha1','sha256'): print(n,t,hashlib.new(n,t.encode()).hexdigest())";
    let python = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("no python3: of plain hashes only BLAKE3 is searched for");
        return all;
    };
    let lines: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(lines.join("\n").as_bytes()).unwrap();
    drop(stdin);
    let output = String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap();
    for line in output.lines() {
        let (what, hex) = line.rsplit_once(' ').unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        all.push((
            what.to_owned(),
            (0..hex.len()).step_by(2).map(byte).collect(),
        ));
    }
    assert!(output.lines().count() >= 3 * texts.len());
    all
}

/// What plain digests look like: what each is, by its first 8 bytes, and all of what is searched for.
struct Needles {
    list: HashMap<[u8; 8], (String, Vec<u8>)>,
    /// Whether any begins with two bytes.
    begins: Vec<bool>,
}

impl Needles {
    /// The beginnings of digests as bytes, in hexadecimal and in Base64.
    fn of(values: &BTreeSet<String>) -> Self {
        let mut needles = Needles {
            list: HashMap::new(),
            begins: vec![false; 1 << 16],
        };
        for (what, digest) in digests(values) {
            let head = &digest[..8];
            let hex: String = head.iter().map(|b| format!("{b:02x}")).collect();
            let base64 = base64::prelude::BASE64_STANDARD.encode(&digest[..9]);
            let url = base64::prelude::BASE64_URL_SAFE.encode(&digest[..9]);
            for needle in [head, hex.as_bytes(), base64.as_bytes(), url.as_bytes()] {
                let first: [u8; 8] = needle[..8].try_into().unwrap();
                needles.list.insert(first, (what.clone(), needle.to_vec()));
                needles.begins[usize::from(first[0]) << 8 | usize::from(first[1])] = true;
            }
        }
        needles
    }

    /// What is found in bytes.
    fn within<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a str> {
        let at = |at: usize| {
            let rest = &bytes[at..];
            if !self.begins[usize::from(rest[0]) << 8 | usize::from(rest[1])] {
                return None;
            }
            let (what, needle) = self.list.get(&rest[..8])?;
            rest.starts_with(needle).then_some(what.as_str())
        };
        (0..bytes.len().saturating_sub(7)).filter_map(at)
    }
}

/// Where any of the values stands: as it is, in either case, or hashed plainly (the first 8 bytes are enough).
fn found(haystacks: &[Haystack], values: &BTreeSet<String>) -> Vec<String> {
    let mut found = vec![];
    let needles = Needles::of(values);
    for (name, bytes) in haystacks {
        let lower = bytes.to_ascii_lowercase();
        for mark in MARKS {
            if memchr::memmem::find(&lower, mark.as_bytes()).is_some() {
                found.push(format!("`{mark}` in {name}"));
            }
        }
        // What pictures show stands in the report's tables too, and their fonts are large.
        if name.ends_with(".svg") || name.ends_with(".png") {
            continue;
        }
        let hashed = needles.within(bytes).chain(needles.within(&lower));
        found.extend(hashed.map(|what| format!("{what} in {name}")));
    }
    found
}

#[test]
fn no_secret_is_kept_printed_or_reported() {
    let project = Project::new(PROJECT);
    let mut values = BTreeSet::new();
    for format in essor::ingest::formats() {
        let files = files(format);
        assert!(
            !files.is_empty(),
            "{format} has no file `secrets*` in its folder of tests/exports: write one with `{}` in every field that is not kept",
            MARKS[0]
        );
        for path in files {
            let bytes = put(&project, format, &path);
            let here = marked(&String::from_utf8_lossy(&bytes));
            assert!(!here.is_empty(), "{}", path.display());
            values.extend(here);
        }
    }
    for (name, bytes) in tables() {
        values.extend(marked(&String::from_utf8_lossy(&bytes)));
        project.write(name, bytes);
    }
    let mut haystacks = vec![];
    for words in [
        "ingest data refused",
        "status",
        "report 2016-02",
        "ingest data --strict",
    ] {
        let mut command = project.command();
        // DataFusion tells of its plans and functions in hundreds of megabytes, which hold no rows.
        let log = "essor=trace,debug,datafusion=info,datafusion_optimizer=info,sqlparser=info";
        command.args(words.split(' ')).env("ESSOR_LOG", log);
        let output = command.output().unwrap();
        if words.starts_with("report") {
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() || output.status.code() == Some(3),
                "{told}"
            );
        }
        haystacks.push((format!("what `essor {words}` prints"), output.stdout));
        haystacks.push((format!("what `essor {words}` tells"), output.stderr));
    }
    for table in ["usage", "rejects", "loads"] {
        let rows = project.sql(&format!("SELECT * FROM {table}"));
        assert!(!rows.is_empty(), "{table}");
        haystacks.push((format!("the table {table}"), rows.into_bytes()));
    }
    let loaded = project.sql("SELECT DISTINCT format FROM loads");
    for format in essor::ingest::formats()
        .into_iter()
        .chain(["csv", "ndjson", "json", "parquet"])
    {
        assert!(
            loaded.lines().any(|l| l == format),
            "{format} is not among {loaded}"
        );
    }
    search_space(&project.path(".essor"), &mut haystacks);
    search_space(&project.path("reports"), &mut haystacks);
    assert!(
        haystacks.iter().any(|(name, _)| name.contains("reports")),
        "there is a report"
    );
    assert_eq!(found(&haystacks, &values), [""; 0]);
}

/// A chat's file is named by who writes in it.
#[test]
fn the_name_of_a_chat_stays_with_its_file() {
    let project = Project::new("[project]\nplatform = \"WhatsApp chats\"\n");
    let chat = "23/02/16, 10:14 - Ann: a\n23/02/16, 10:15 - Bob: b\n24/02/16, 10:16 - Bob: b\n45/45/16, 10:16 - Bob: b\n";
    project.write("data/WhatsApp Chat with s3cr3t-Bob.txt", chat);
    project.write("data/WhatsApp Chat - s3cr3t-Cy.zip", {
        let chat = chat.replace("Ann", "Cy");
        // What was sent in a chat lies beside it.
        let sheet = b"day,text\n2016-02-23,x\n";
        zipped(&[("_chat.txt", chat.as_bytes()), ("sheet.csv", sheet)])
    });
    project.essor("ingest data");
    project.ok("report 2016-02");
    let mut haystacks = vec![(
        "what `essor status` prints".to_owned(),
        project.ok("status").into_bytes(),
    )];
    for table in ["rejects", "loads"] {
        let rows = project.sql(&format!("SELECT * FROM {table}"));
        assert_eq!(rows.matches("whatsapp-export://chat-").count(), 2, "{rows}");
        haystacks.push((format!("the table {table}"), rows.into_bytes()));
    }
    search_space(&project.path(".essor"), &mut haystacks);
    search_space(&project.path("reports"), &mut haystacks);
    assert_eq!(
        found(
            &haystacks,
            &["s3cr3t-Bob".to_owned(), "s3cr3t-Cy".to_owned()].into()
        ),
        [""; 0]
    );
}

#[test]
fn what_is_there_is_found() {
    let values: BTreeSet<String> = ["s3cr3t-Ann".to_owned()].into();
    let digest = blake3::hash(b"s3cr3t-ann");
    for bytes in [
        b"...S3CR3T...".to_vec(),
        digest.to_hex().to_uppercase().into_bytes(),
        base64::prelude::BASE64_STANDARD
            .encode(digest.as_bytes())
            .into_bytes(),
        digest.as_bytes().to_vec(),
    ] {
        assert!(!found(&[("here".to_owned(), bytes)], &values).is_empty());
    }
    assert!(cells(&parquet()).windows(6).any(|w| w == b"s3cr3t"));
}
