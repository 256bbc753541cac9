//! The store under faults: killed at each step, out of power, out of room, with bugs planted.
//!
//! `ESSOR_FAULTS` says how many steps are tried; where a run ends the next one goes on, and counts add
//! up in a file of the target folder. Only a build with debug assertions has faults.
#![cfg(debug_assertions)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use crate::project::{Project, Ran};

/// How many steps are tried, unless `ESSOR_FAULTS` says otherwise.
const TRIED: u64 = 4;

/// A prime: the steps that are tried are spread over the whole run.
const STRIDE: u64 = 17;

fn tried() -> u64 {
    let asked = std::env::var("ESSOR_FAULTS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(TRIED)
}

/// How far former runs of a harness came: the next case, and what was counted.
struct Counted {
    path: PathBuf,
    next: u64,
    counts: [u64; 2],
}

impl Counted {
    fn of(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{name}.txt"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut numbers = text.split_whitespace().map_while(|n| n.parse().ok());
        let mut number = || numbers.next().unwrap_or(0);
        Counted {
            next: number(),
            counts: [number(), number()],
            path,
        }
    }

    fn keep(&self) {
        let [first, second] = self.counts;
        fs::write(&self.path, format!("{} {first} {second}\n", self.next)).unwrap();
    }
}

/// A day of figures; one row can't be read.
fn figures(project: &Project, day: usize) {
    let text = format!(
        "date,messages,signups,dau\n2016-01-{day:02},{},{day},{}\n2016-13-01,1,1,1\n",
        1000 * day,
        100 + day
    );
    project.write(&format!("data/f{day:02}.csv"), text);
}

/// A day of users, most of whom other days have too.
fn people(project: &Project, day: usize) {
    let rows: String = (day * 3..day * 4 + 40)
        .map(|u| format!("u{u},2016-02-{day:02},{}\n", u % 5))
        .collect();
    project.write(
        &format!("data/p{day:02}.csv"),
        format!("user,day,messages\n{rows}"),
    );
}

fn empty() -> Project {
    Project::new("[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n")
}

/// A project whose store is yet to be made.
fn new_store() -> Project {
    let project = empty();
    (1..=2).for_each(|day| figures(&project, day));
    (1..=2).for_each(|day| people(&project, day));
    project
}

/// A project whose next run merges, and makes a checkpoint of `loads`.
fn old_store() -> Project {
    let project = empty();
    for day in 1..=9 {
        people(&project, day);
        project.essor("ingest data");
    }
    (1..=9).for_each(|day| figures(&project, day));
    project.essor("ingest data");
    (10..=11).for_each(|day| figures(&project, day));
    (10..=11).for_each(|day| people(&project, day));
    project
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn copy(project: &Project) -> Project {
    let copy = empty();
    copied(project.root(), copy.root());
    copy
}

/// A line a live load: its file, how much it holds, and a sum that moves with any figure or user.
const HELD: &str = "
SELECT path, rows_kept, rows_rejected, rows.held, rows.total FROM loads LEFT JOIN (
    SELECT load, count(*) AS held, sum(value * (1 + length(metric))) AS total FROM usage GROUP BY load
    UNION ALL
    SELECT load, sum(bitmap_count(users)), sum(counts_sum(messages) + 7 * date_part('day', day) * bitmap_count(users))
    FROM activity GROUP BY load
) AS rows ON rows.load = loads.load ORDER BY path";

/// What a store holds, a line a file.
fn held(project: &Project) -> Vec<String> {
    project.sql(HELD).lines().map(str::to_owned).collect()
}

/// Ingests with a fault. `None` for the exit code: killed.
fn with_fault(project: &Project, fault: &str) -> Ran {
    let mut command = project.command();
    let output = command
        .args(["ingest", "data"])
        .env("ESSOR_FAULT", fault)
        .output()
        .unwrap();
    let code = output.status.code().or(output.status.signal().map(|s| -s));
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: code.unwrap_or(-1),
    }
}

const KILLED: i32 = -9;

/// The files that a run said it has taken.
fn acknowledged(ran: &Ran) -> Vec<String> {
    let lines = ran.err.lines().filter(|line| line.contains(" rows of "));
    lines
        .filter_map(|line| Some(line.split_once(": ")?.0.to_owned()))
        .collect()
}

/// What is wrong after a fault, if anything: what was there or acknowledged is lost, what is there is
/// not as it should be, the store is not sound, or the next run does not complete it.
fn harm(project: &Project, before: &[String], expected: &[String], ran: &Ran) -> Option<String> {
    let doctor = project.essor("doctor");
    if doctor.code != 0 {
        return Some(format!("not sound: {}", doctor.err));
    }
    let now = held(project);
    if let Some(line) = now.iter().find(|line| !expected.contains(line)) {
        return Some(format!("half a load or another: {line}"));
    }
    if let Some(line) = before.iter().find(|line| !now.contains(line)) {
        return Some(format!("lost: {line}"));
    }
    let taken = acknowledged(ran);
    let missing = |file: &&String| !now.iter().any(|line| line.starts_with(&format!("{file},")));
    if let Some(file) = taken.iter().find(missing) {
        return Some(format!("acknowledged and lost: {file}"));
    }
    project.essor("ingest data");
    let after = held(project);
    if after != expected {
        return Some(format!("not completed: {after:?}"));
    }
    let doctor = project.essor("doctor --repair");
    (doctor.code != 0).then(|| format!("not sound when completed: {}", doctor.err))
}

/// The state before a run and after it.
struct Case {
    project: Project,
    before: Vec<String>,
    expected: Vec<String>,
}

impl Case {
    fn of(project: Project) -> Self {
        let clean = copy(&project);
        let before = match project.path(".essor").exists() {
            true => held(&project),
            false => Vec::new(),
        };
        assert_eq!(clean.essor("ingest data").code, 3, "rows are rejected");
        let expected = held(&clean);
        assert!(expected.len() > before.len());
        Case {
            project,
            before,
            expected,
        }
    }

    /// Runs with a fault; says whether the process was killed and what harm came of it.
    fn run(&self, fault: &str) -> (bool, Option<String>) {
        let project = copy(&self.project);
        let ran = with_fault(&project, fault);
        let harm = harm(&project, &self.before, &self.expected, &ran);
        (ran.code == KILLED, harm)
    }
}

/// Goes over the steps of both cases with one kind of fault, on from where the last run ended.
fn over_the_steps(kind: &str) {
    let mut counted = Counted::of(kind);
    let mut cases: [Option<Case>; 2] = [None, None];
    for _ in 0..tried() {
        let step = 1 + (counted.next / 2) * STRIDE % 151;
        let which = (counted.next % 2) as usize;
        let case = cases[which].get_or_insert_with(|| match which {
            0 => Case::of(new_store()),
            _ => Case::of(old_store()),
        });
        let (killed, harm) = case.run(&format!("{kind}:{step}"));
        assert_eq!(harm, None, "{kind}:{step}, case {which}");
        counted.next += 1;
        counted.counts[usize::from(!killed)] += 1;
        counted.keep();
    }
    let [killed, beyond] = counted.counts;
    println!("{kind}: {killed} killed without harm; {beyond} steps lay beyond the end of the run");
}

#[test]
fn killed_at_any_step_it_is_as_before_or_as_after() {
    over_the_steps("kill");
}

#[test]
fn a_power_cut_at_any_step_takes_back_nothing_acknowledged() {
    over_the_steps("powerloss");
}

#[test]
fn a_full_disk_is_told_of_and_harms_nothing() {
    let case = Case::of(new_store());
    let mut refused = 0;
    for step in (1..=9).map(|n| n * STRIDE) {
        let project = copy(&case.project);
        let ran = with_fault(&project, &format!("nospace:{step}"));
        if ran.code != 3 {
            assert_eq!(ran.code, 1, "{}", ran.err);
            assert!(ran.err.contains("the disk is full"), "{}", ran.err);
            assert!(ran.err.contains("make room"), "{}", ran.err);
            refused += 1;
        }
        assert_eq!(
            harm(&project, &case.before, &case.expected, &ran),
            None,
            "{step}"
        );
    }
    assert!(refused > 3, "{refused}");
}

#[test]
fn a_disk_that_can_only_be_read_is_told_of_and_still_read() {
    let case = Case::of(old_store());
    let project = copy(&case.project);
    let ran = with_fault(&project, "readonly");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("can only be read"), "{}", ran.err);
    assert_eq!(held(&project), case.before);
}

/// The first harm that a planted bug comes to under some fault.
fn found(case: &Case, bug: &str, kind: Option<&str>) -> Option<String> {
    let faults: Vec<String> = match kind {
        None => vec![bug.to_owned()],
        Some(kind) => (1..=40)
            .map(|n| format!("{kind}:{},{bug}", n * 3 + n % 3))
            .collect(),
    };
    faults.iter().find_map(|fault| case.run(fault).1)
}

#[test]
fn planted_bugs_are_found() {
    let case = Case::of(new_store());
    for (bug, kind, told) in [
        ("skip-fsync", Some("powerloss"), "not sound"),
        ("skip-folder-sync", Some("powerloss"), "lost"),
        ("drop-transaction", None, "without its identity"),
        ("swap-bitmaps", None, "half a load or another"),
    ] {
        let harm = found(&case, bug, kind);
        println!("{bug}: {harm:?}");
        assert!(
            harm.as_ref().is_some_and(|h| h.contains(told)),
            "{bug}: {harm:?}"
        );
    }
}
