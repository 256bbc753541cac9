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

/// A project as an earlier build left it: `tests/stores/`.
fn written_by(build: &str) -> Project {
    let project = Project::new("");
    let archive = crate::project::repository().join(format!("tests/stores/{build}.tar.gz"));
    let unpacked = flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap());
    tar::Archive::new(unpacked).unpack(project.root()).unwrap();
    project
}

#[test]
fn a_store_of_an_earlier_build_opens_and_goes_on() {
    let project = written_by("version-2-first");
    let told = project.ok("status --verify");
    assert!(told.contains("2 accounts"), "{told}");
    // The counter of the 3rd; the days before it are computed from who was active.
    assert_eq!(
        project
            .sql("SELECT day, value FROM platform_days WHERE metric = 'messages_sent' ORDER BY 1"),
        "2016-02-01,3\n2016-02-02,5\n2016-02-03,30\n"
    );
    let again = project.ok("ingest data");
    assert!(again.contains("0 files loaded, 4 already known"), "{again}");
    project.write(
        "data/more.csv",
        "user,day,messages,country\nana,2016-02-03,1,NL\n",
    );
    project.ok("ingest data");
    assert_eq!(
        project.sql(
            "SELECT value FROM platform_days WHERE metric = 'dau' AND day = DATE '2016-02-03'"
        ),
        "1\n"
    );
    assert!(
        project.ok("status --verify").contains("2 accounts"),
        "ana is who she was"
    );
}

#[test]
fn a_store_of_a_later_build_is_refused_with_words() {
    let project = filled();
    let of = |name: &str| files(&project.path(".essor/loads"), name);
    // A load of a later build, written over the last one.
    let last = of(".parquet").pop().unwrap();
    let file = std::fs::File::open(&last).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let place = batch.schema().index_of("schema_version").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[place] =
        std::sync::Arc::new(arrow::array::Int32Array::from(vec![99; batch.num_rows()]));
    let batch = arrow::array::RecordBatch::try_new(batch.schema(), columns).unwrap();
    let mut bytes = vec![];
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    std::fs::write(&last, &bytes).unwrap();
    // The log says how long the file is.
    let size = regex::Regex::new(r#""size":\d+"#).unwrap();
    for entry in of(".json") {
        let text = std::fs::read_to_string(&entry).unwrap();
        let name = last.file_name().unwrap().to_string_lossy().into_owned();
        let line = |line: &str| match line.contains(&name) {
            true => size
                .replace(line, format!("\"size\":{}", bytes.len()))
                .into_owned(),
            false => line.to_owned(),
        };
        let text: Vec<String> = text.lines().map(line).collect();
        std::fs::write(&entry, text.join("\n") + "\n").unwrap();
    }
    let ran = project.essor("status");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("written by a later essor") && ran.err.contains("update essor"),
        "{}",
        ran.err
    );
}

#[test]
fn copies_made_while_others_write_are_whole() {
    let project = filled();
    let root = project.root().to_owned();
    for day in 1..=12 {
        let people: String = (0..30)
            .map(|u| format!("v{},2016-03-{day:02},1,DE\n", u * day))
            .collect();
        project.write(
            &format!("later/{day}.csv"),
            format!("user,day,messages,country\n{people}"),
        );
    }
    let toml = std::fs::read(project.path("essor.toml")).unwrap();
    let toml = String::from_utf8(toml).unwrap().replace("data/*", "*/*");
    project.write("essor.toml", &toml);
    let writer = std::thread::spawn({
        let mut commands: Vec<_> = (1..=12).map(|_| project.command()).collect();
        move || {
            for (day, command) in (1..).zip(&mut commands) {
                let file = format!("later/{day}.csv");
                assert!(
                    command
                        .args(["ingest", &file])
                        .output()
                        .unwrap()
                        .status
                        .success()
                );
            }
        }
    });
    let mut copies = 0;
    while !writer.is_finished() || copies < 3 {
        let copy = format!("copies/{copies}");
        project.ok(&format!("backup {copy}"));
        std::fs::write(root.join(&copy).join("essor.toml"), &toml).unwrap();
        project.ok(&format!("-C {copy} status --verify"));
        copies += 1;
    }
    writer.join().unwrap();
    let days = "SELECT count(DISTINCT day) FROM activity WHERE event = 'active'";
    assert_eq!(project.sql(days), "15\n");
    assert!(project.ok("status --verify").contains("bitmaps"));
}

#[test]
fn a_load_a_day_gives_what_one_load_of_all_gives() {
    let toml =
        "[project]\nplatform = \"Pigeon\"\n[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n";
    let (daily, whole) = (Project::new(toml), Project::new(toml));
    let line = |day: u32| format!("2016-02-{day:02},{},{}\n", day * 10, day % 4);
    let header = "date,messages,signups\n";
    for day in 1..=20 {
        daily.write(
            &format!("data/{day:02}.csv"),
            format!("{header}{}", line(day)),
        );
    }
    daily.ok("ingest data");
    // One is replaced, so that a file of the table does not count.
    daily.write("data/03.csv", format!("{header}2016-02-03,999,3\n"));
    daily.ok("ingest data");
    let all: String = (1..=20).map(line).collect();
    whole.write(
        "data/all.csv",
        format!("{header}{}", all.replace("2016-02-03,30", "2016-02-03,999")),
    );
    whole.ok("ingest data");
    let rows =
        "SELECT platform, server, day, metric, kind, value, status FROM usage ORDER BY day, metric";
    let told = daily.sql(rows);
    assert_eq!(told.lines().count(), 40);
    assert_eq!(told, whole.sql(rows));
    let query = "query daily_usage --platform Pigeon --format csv";
    assert_eq!(daily.ok(query), whole.ok(query));
}
