//! Many processes at one store at once, and what `essor doctor` finds and repairs.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::project::{Project, Ran};

fn number(variable: &str, otherwise: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

fn empty() -> Project {
    Project::new("[[source]]\npath = \"data/*/*\"\nplatform = \"Pigeon\"\n")
}

/// The users of a load: most are in others' loads too, and each load brings some that are new.
fn users(process: usize, load: usize) -> BTreeSet<usize> {
    let shared = 0..30 + 3 * load;
    let own = 10_000 + 1_000 * process + 2 * load;
    shared.chain(own..own + 4).collect()
}

fn write(project: &Project, process: usize, load: usize) {
    let day = format!(
        "{:04}-{:02}-{:02}",
        2000 + process,
        load / 28 % 12 + 1,
        load % 28 + 1
    );
    let text = if load.is_multiple_of(2) {
        format!(
            "date,messages,signups,dau\n{day},{},{load},{process}\n",
            10 + load
        )
    } else {
        let users = users(process, load).into_iter();
        let rows: String = users.map(|u| format!("u{u},{day},1\n")).collect();
        format!("user,day,messages\n{rows}")
    };
    project.write(&format!("data/{process}/{load:04}.csv"), text);
}

/// Loads that hold another number of figures or of users than their rows in `loads` say.
const HALF: &str = "
SELECT loads.load, grain, rows_kept, rows.held FROM loads LEFT JOIN (
    SELECT load, count(*) / 3 AS held FROM usage GROUP BY load
    UNION ALL
    SELECT load, sum(bitmap_count(users)) FROM activity GROUP BY load
) AS rows ON rows.load = loads.load WHERE rows.held IS NULL OR rows.held <> rows_kept";

/// Each process makes its loads one by one while others read; gives how often was read.
fn crowd(project: &Project, processes: usize, loads: usize) -> u64 {
    let (over, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(project.sql(HALF), "", "half a load was seen");
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let writers: Vec<_> = (0..processes)
            .map(|process| {
                scope.spawn(move || {
                    for load in 0..loads {
                        project.ok(&format!("ingest data/{process}/{load:04}.csv"));
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(|w| w.join()).collect();
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        ended.into_iter().for_each(|end| end.unwrap());
    });
    reads.into_inner()
}

#[test]
fn a_crowd_loses_nothing_and_doubles_nothing() {
    let processes = number("ESSOR_CROWD", 3);
    let loads = number("ESSOR_CROWD_LOADS", 4);
    let project = empty();
    for process in 0..processes {
        (0..loads).for_each(|load| write(&project, process, load));
    }
    let reads = crowd(&project, processes, loads);
    let all = processes * loads;
    let counted =
        project.sql("SELECT count(*), count(DISTINCT identity), count(DISTINCT path) FROM loads");
    assert_eq!(counted, format!("{all},{all},{all}\n"));
    assert_eq!(project.sql(HALF), "");
    let pairs = (0..processes).flat_map(|p| (1..loads).step_by(2).map(move |l| (p, l)));
    let people: BTreeSet<usize> = pairs.flat_map(|(p, l)| users(p, l)).collect();
    let counted = project.sql("SELECT sum(bitmap_count(u)) FROM (SELECT bucket, bitmap_union(users) AS u FROM activity GROUP BY bucket)");
    assert_eq!(counted, format!("{}\n", people.len()));
    let sound = project.ok("doctor").replace(',', "");
    assert!(sound.contains(&format!("{all} rows of loads")), "{sound}");
    assert!(
        sound.contains(&format!(" {} accounts", people.len())),
        "{sound}"
    );
    println!(
        "{processes} processes, {all} loads, {reads} reads meanwhile: 0 lost, 0 doubled; {} accounts",
        people.len()
    );
}

#[test]
fn two_that_ingest_one_folder_at_once_make_each_load_once() {
    let project = empty();
    (0..6).for_each(|load| write(&project, 1, load));
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| project.essor("ingest data")));
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        [ran[0].code, ran[1].code],
        [0, 0],
        "{}{}",
        ran[0].err,
        ran[1].err
    );
    let mut told: Vec<&str> = ran
        .iter()
        .filter_map(|r| r.out.trim().rsplit("; ").next())
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "0 files loaded, 6 already known",
            "6 files loaded, 0 already known"
        ]
    );
    let counted = project.sql("SELECT count(*), count(DISTINCT identity) FROM loads");
    assert_eq!(counted, "6,6\n");
}

/// A store of two loads of figures and two of people.
fn store() -> Project {
    let project = empty();
    (0..4).for_each(|load| write(&project, 1, load));
    project.ok("ingest data");
    project
}

fn last_entry(project: &Project, table: &str) -> PathBuf {
    let log = project.path(&format!(".essor/{table}/_delta_log"));
    let entries = fs::read_dir(log).unwrap().map(|e| e.unwrap().path());
    entries
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .max()
        .unwrap()
}

#[test]
fn an_entry_that_is_not_whole_is_named_by_whoever_opens_the_store() {
    for table in ["disclosures", "usage", "activity", "rejects", "loads"] {
        let project = store();
        let last = last_entry(&project, table);
        let bytes = fs::read(&last).unwrap();
        let name = last.file_name().unwrap().to_string_lossy().into_owned();
        for (damage, told) in [
            (Vec::new(), "is empty"),
            (bytes[..bytes.len() / 2].to_vec(), "is cut short or garbled"),
            (vec![0; bytes.len()], "is cut short or garbled"),
        ] {
            fs::write(&last, damage).unwrap();
            for words in [
                "ingest data",
                "query --sql 'SELECT count(*) FROM loads'",
                "status",
            ] {
                let ran = project.essor(words);
                assert_eq!(ran.code, 1, "{table} {words}");
                let named = ran.err.contains(table) && ran.err.contains(&name);
                assert!(
                    named && ran.err.contains(told),
                    "{table} {words}: {}",
                    ran.err
                );
            }
            let doctor = project.essor("doctor");
            assert_eq!(doctor.code, 1);
            assert!(doctor.err.contains(&name), "{}", doctor.err);
        }
    }
    let project = store();
    fs::remove_file(project.path(".essor/loads/_delta_log/00000000000000000001.json")).unwrap();
    let ran = project.essor("status");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("00000000000000000001.json` is missing"),
        "{}",
        ran.err
    );
}

#[test]
fn the_doctor_repairs_what_no_load_rests_on_and_nothing_else() {
    let project = store();
    let loads = project.sql("SELECT load FROM loads ORDER BY 1");
    // Entries and files of a load that never came to count.
    let next = |n: u64| format!(".essor/usage/_delta_log/{n:020}.json");
    let version = last_entry(&project, "usage")
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .parse::<u64>()
        .unwrap();
    project.write(&next(version + 1), "{\"commitInfo\":{\"essorLines\":2");
    project.write(".essor/usage/load=feed/part-00000.parquet", "half");
    project.write(".essor/usage/load=feed/.part-00001.parquet.1-1.tmp", "");
    assert_eq!(project.essor("doctor").code, 1);
    let repaired = project.ok("doctor --repair");
    for told in [
        "is cut short or garbled, is taken out",
        "part-00000.parquet",
        "part-00001.parquet.1-1.tmp",
    ] {
        assert!(repaired.contains(told), "{repaired}");
    }
    assert_eq!(project.sql("SELECT load FROM loads ORDER BY 1"), loads);
    assert_eq!(project.sql(HALF), "");
    project.ok("doctor");
    // The entry of a load that counts.
    let last = last_entry(&project, "usage");
    fs::write(&last, "").unwrap();
    let ran = project.essor("doctor --repair");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("has no rows in `usage`"), "{}", ran.err);
    assert!(last.exists(), "nothing is taken out that a load rests on");
}

#[test]
fn the_doctor_misses_no_file_and_no_byte() {
    let project = store();
    let parts = glob::glob(
        &project
            .path(".essor/usage/load=*/part-00000-*.parquet")
            .to_string_lossy(),
    );
    let part = parts.unwrap().next().unwrap().unwrap();
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() - 1]).unwrap();
    let ran = project.essor("doctor");
    assert_eq!(ran.code, 1);
    let told = format!("has {} bytes, not {}", bytes.len() - 1, bytes.len());
    assert!(ran.err.contains(&told), "{}", ran.err);
    fs::remove_file(&part).unwrap();
    let ran = project.essor("doctor --repair");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(".parquet` can't be read"), "{}", ran.err);
}

#[test]
fn no_log_expires() {
    let project = store();
    for table in [
        "disclosures",
        "usage",
        "accounts",
        "activity",
        "rejects",
        "loads",
    ] {
        let made = project.read(&format!(
            ".essor/{table}/_delta_log/00000000000000000000.json"
        ));
        for set in [
            "\"delta.enableExpiredLogCleanup\":\"false\"",
            "\"delta.logRetentionDuration\":\"interval 3650 days\"",
        ] {
            assert!(made.contains(set), "{table}: {made}");
        }
    }
}
