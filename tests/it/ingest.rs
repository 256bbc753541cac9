//! Exactly once: what counts, what replaces, what is refused and what is rejected.

use crate::project::Project;

const DAILY: &str =
    "[project]\nplatform = \"Pigeon\"\n[[source]]\npath = \"**/*\"\nplatform = \"Pigeon\"\n";

fn daily() -> Project {
    Project::new(DAILY)
}

/// What the store counts: a row a figure.
fn figures(project: &Project) -> String {
    project.sql("SELECT day, metric, value FROM usage ORDER BY day, metric")
}

#[test]
fn the_same_file_counts_once_again_renamed_and_copied() {
    let project = daily();
    project.write(
        "data/feb.csv",
        "date,messages,dau\n2016-02-01,100,10\n2016-02-02,120,12\n",
    );
    assert!(
        project
            .ok("ingest data")
            .contains("read 2 rows, kept 2, rejected 0; 1 file loaded, 0 already known")
    );
    project.write("data/copy/again.csv", project.read("data/feb.csv"));
    std::fs::rename(
        project.path("data/feb.csv"),
        project.path("data/february.csv"),
    )
    .unwrap();
    assert!(
        project
            .ok("ingest data")
            .contains("read 0 rows, kept 0, rejected 0; 0 files loaded, 2 already known")
    );
    assert_eq!(
        figures(&project),
        "2016-02-01,dau,10\n2016-02-01,messages_sent,100\n2016-02-02,dau,12\n2016-02-02,messages_sent,120\n"
    );
}

#[test]
fn new_content_replaces_the_old_only_if_it_covers_all_its_days() {
    let project = daily();
    project.write("data/latest.csv", "date,messages\n2016-02-01,100\n");
    project.ok("ingest data");
    project.write("data/latest.csv", "date,messages\n2016-02-02,120\n");
    project.ok("ingest data");
    assert_eq!(
        figures(&project),
        "2016-02-01,messages_sent,100\n2016-02-02,messages_sent,120\n",
        "a file overwritten daily loses nothing"
    );
    project.write(
        "data/latest.csv",
        "date,messages\n2016-02-01,101\n2016-02-02,121\n2016-02-03,131\n",
    );
    let said = project.essor("ingest data").err;
    assert!(said.contains("in place of 2 earlier loads"), "{said}");
    assert_eq!(
        figures(&project),
        "2016-02-01,messages_sent,101\n2016-02-02,messages_sent,121\n2016-02-03,messages_sent,131\n"
    );
}

#[test]
fn going_back_to_a_former_content_is_a_new_load() {
    let project = daily();
    let (first, second) = (
        "date,messages\n2016-02-01,100\n",
        "date,messages\n2016-02-01,200\n",
    );
    for content in [first, second, first] {
        project.write("data/a.csv", content);
        project.ok("ingest data");
    }
    assert_eq!(figures(&project), "2016-02-01,messages_sent,100\n");
    assert!(
        project.ok("status").contains(".2 "),
        "the second load of an identity has a name of its own"
    );
}

#[test]
fn a_corrected_mapping_is_a_new_load() {
    let project = Project::new(
        "[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\ncolumns = { n = \"signups\" }\n",
    );
    project.write("data/a.csv", "date,n\n2016-02-01,100\n");
    project.ok("ingest data");
    project.write(
        "essor.toml",
        "[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\ncolumns = { n = \"messages\" }\n",
    );
    project.ok("ingest data");
    assert_eq!(figures(&project), "2016-02-01,messages_sent,100\n");
}

#[test]
fn replace_replaces_whatever_the_days() {
    let project = Project::new(
        "[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\non_change = \"replace\"\n",
    );
    for day in ["2016-02-01", "2016-02-02"] {
        project.write("data/a.csv", format!("date,messages\n{day},100\n"));
        project.ok("ingest data");
    }
    assert_eq!(figures(&project), "2016-02-02,messages_sent,100\n");
}

#[test]
fn two_loads_that_state_the_same_figure_are_refused_unless_told_otherwise() {
    let project = daily();
    project.write(
        "data/daily.csv",
        "date,messages\n2016-02-01,100\n2016-02-02,120\n",
    );
    project.ok("ingest data");
    project.write(
        "data/month.csv",
        "date,messages\n2016-02-02,125\n2016-02-03,130\n",
    );
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("`data/month.csv` states a figure that `data/daily.csv`")
            && ran.err.contains("messages_sent of Pigeon on 2016-02-02"),
        "{}",
        ran.err
    );
    assert_eq!(project.sql("SELECT SUM(value) FROM usage"), "220\n");
    for (policy, day_two) in [("sum", 245), ("max", 125), ("latest", 125)] {
        project.write(
            "essor.toml",
            DAILY.replace(
                "platform = \"Pigeon\"\n[[",
                &format!("platform = \"Pigeon\"\non_conflict = \"{policy}\"\n[["),
            ),
        );
        project.ok("ingest data");
        assert_eq!(
            figures(&project),
            format!(
                "2016-02-01,messages_sent,100\n2016-02-02,messages_sent,{day_two}\n2016-02-03,messages_sent,130\n"
            ),
            "{policy}"
        );
    }
}

#[test]
fn readings_of_one_day_at_different_hours_do_not_clash() {
    let project =
        Project::new("[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\nday = \"t\"\n");
    project.write("data/am.csv", "t,accounts\n2016-02-01T08:00:00Z,100\n");
    project.write("data/pm.csv", "t,accounts\n2016-02-01T20:00:00Z,110\n");
    project.ok("ingest data");
    assert_eq!(
        project.sql("SELECT value FROM daily WHERE metric = 'registered_users'"),
        "110\n"
    );
}

#[test]
fn unload_undoes_and_the_file_may_come_back() {
    let project = daily();
    project.write("data/a.csv", "date,messages\n2016-02-01,100\n");
    project.ok("ingest data");
    let load = project.sql("SELECT load FROM loads");
    project.ok(&format!("unload {}", &load[..6]));
    assert_eq!(figures(&project), "");
    assert!(
        project
            .essor(&format!("unload {}", &load[..6]))
            .err
            .contains("is no live load")
    );
    project.ok("ingest data");
    assert_eq!(figures(&project), "2016-02-01,messages_sent,100\n");
}

#[test]
fn rows_that_cant_be_read_are_rejected_with_line_column_and_reason() {
    let project = daily();
    project.write(
        "data/dirty.csv",
        b"date,messages,signups\n2016-02-01,100,1\n2016-02-30,100,1\n2016-02-02,-5,1\n2016-02-03,\"1,5 Mrd\",1\n2016-02-04,100\n2016-02-05,99999999999999999999,1\n2016-02-06,\xff,1\n2016-02-07,70,7\n".as_slice(),
    );
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 3);
    assert!(
        ran.out.contains("read 8 rows, kept 2, rejected 6"),
        "{}",
        ran.out
    );
    assert!(
        ran.err
            .contains("data/dirty.csv:3: rejected: column `date`"),
        "{}",
        ran.err
    );
    let rejects = project.sql("SELECT file, line, \"column\" FROM rejects ORDER BY line");
    assert_eq!(
        rejects,
        "data/dirty.csv,3,date\ndata/dirty.csv,4,messages\ndata/dirty.csv,5,messages\ndata/dirty.csv,6,\ndata/dirty.csv,7,messages\ndata/dirty.csv,8,messages\n"
    );
    assert!(
        !project.sql("SELECT reason FROM rejects").contains("Mrd"),
        "a reason never repeats the value"
    );
    assert_eq!(project.sql("SELECT COUNT(*) FROM usage"), "4\n");
}

#[test]
fn strict_refuses_the_file_whole() {
    let project = daily();
    project.write(
        "data/dirty.csv",
        "date,messages\n2016-02-01,100\n2016-02-02,x\n",
    );
    project.write("data/clean.csv", "date,messages\n2016-02-03,100\n");
    let ran = project.essor("ingest data --strict");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("`data/dirty.csv` is refused whole: 1 of its 2 rows can't be read"),
        "{}",
        ran.err
    );
    assert_eq!(figures(&project), "2016-02-03,messages_sent,100\n");
    assert_eq!(project.sql("SELECT COUNT(*) FROM rejects"), "0\n");
}

#[test]
fn a_platform_spelled_two_ways_is_rejected_even_across_files() {
    let project = Project::new("");
    project.write(
        "data/a.csv",
        "date,platform,messages\n2016-02-01,Pigeon Post,100\n",
    );
    project.write(
        "data/b.csv",
        "date,platform,messages\n2016-02-02,pigeon-post,100\n2016-02-02,Owl,5\n",
    );
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 3);
    assert_eq!(
        project.sql("SELECT DISTINCT platform FROM usage ORDER BY 1"),
        "Owl\nPigeon Post\n"
    );
    assert_eq!(
        project.sql("SELECT file, line, \"column\" FROM rejects"),
        "data/b.csv,2,platform\n"
    );
    project.write(
        "data/a.csv",
        "date,platform,messages\n2016-02-01,pigeon-post,100\n",
    );
    project.ok("ingest data/a.csv");
    assert_eq!(
        project.sql("SELECT DISTINCT platform FROM usage ORDER BY 1"),
        "Owl\npigeon-post\n",
        "the file that spelled it may mend it"
    );
}

#[test]
fn standard_input_globs_and_compressed_files_are_read() {
    let project = daily();
    project
        .command()
        .args(["ingest", "-"])
        .write_stdin("date,messages\n2016-02-01,100\n")
        .assert()
        .success();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"{\"date\":\"2016-02-02\",\"messages\":200}\n").unwrap();
    project.write("data/b.ndjson.gz", gzip.finish().unwrap());
    project.write(
        "data/c.json.zst",
        zstd::encode_all(&b"[{\"date\":\"2016-02-03\",\"messages\":300}]"[..], 1).unwrap(),
    );
    project.ok("ingest 'data/*.gz' 'data/*.zst'");
    assert_eq!(
        figures(&project),
        "2016-02-01,messages_sent,100\n2016-02-02,messages_sent,200\n2016-02-03,messages_sent,300\n"
    );
}

#[test]
fn answers_written_as_parquet_and_arrow_can_be_read_back() {
    let project = daily();
    project.write(
        "data/a.csv",
        "date,platform,messages\n2016-02-01,Pigeon,100\n2016-02-02,Pigeon,120\n",
    );
    project.ok("ingest data");
    for file in ["out.parquet", "out.arrow"] {
        let other = daily();
        let to = other.path(file);
        project.ok(&format!(
            "query --sql 'SELECT day AS date, platform, metric, value FROM usage' -o {}",
            to.display()
        ));
        other.ok(&format!("ingest {file}"));
        assert_eq!(figures(&other), figures(&project), "{file}");
    }
}

#[test]
fn a_file_that_cant_be_read_is_named_and_the_others_are_taken() {
    let project = daily();
    project.write("data/a.csv", "date,mesages\n2016-02-01,100\n");
    project.write("data/b.parquet", b"PAR1 this is no Parquet PAR1".as_slice());
    project.write("data/c.csv", "date,messages\n2016-02-01,100\n");
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("`mesages`") && ran.err.contains("messages"),
        "the unknown column and the nearest name: {}",
        ran.err
    );
    assert!(ran.err.contains("data/b.parquet"), "{}", ran.err);
    assert_eq!(figures(&project), "2016-02-01,messages_sent,100\n");
}

#[test]
fn of_a_rolling_file_the_newest_content_counts() {
    let project = daily();
    project.write(
        "data/latest.csv",
        "date,messages\n2016-02-01,100\n2016-02-02,120\n",
    );
    project.ok("ingest data");
    project.write(
        "data/latest.csv",
        "date,messages\n2016-02-02,121\n2016-02-03,130\n",
    );
    project.ok("ingest data");
    assert_eq!(
        figures(&project),
        "2016-02-01,messages_sent,100\n2016-02-02,messages_sent,121\n2016-02-03,messages_sent,130\n"
    );
}

#[test]
fn a_file_without_a_platform_is_given_one_on_the_command_line() {
    let project = Project::new("");
    project.write("a.csv", "date,messages\n2016-02-01,100\n");
    assert!(project.essor("ingest a.csv").err.contains("platform"));
    project.ok("ingest a.csv --platform Owl");
    assert_eq!(
        project.sql("SELECT platform, value FROM usage"),
        "Owl,100\n"
    );
    std::fs::remove_file(project.path("a.csv")).unwrap();
    assert!(project.ok("status").contains("the file is gone"));
}

#[test]
fn a_whole_day_and_its_moments_say_the_same_twice() {
    let project = daily();
    project.write("data/a.csv", "date,messages\n2016-02-01,100\n");
    project.ok("ingest data");
    project.write(
        "data/b.csv",
        "date,messages\n2016-02-01T05:00:00Z,40\n2016-02-01T15:00:00Z,60\n",
    );
    assert_eq!(project.essor("ingest data").code, 1, "across files");
    project.write(
        "data/b.csv",
        "date,messages\n2016-02-02T05:00:00Z,40\n2016-02-02,60\n",
    );
    assert_eq!(project.essor("ingest data").code, 3, "within a file");
    assert_eq!(
        figures(&project),
        "2016-02-01,messages_sent,100\n2016-02-02,messages_sent,40\n"
    );
}

#[test]
fn a_rolling_file_is_not_added_to_itself() {
    let project = Project::new(&DAILY.replace("[project]\n", "[project]\non_conflict = \"sum\"\n"));
    project.write(
        "data/latest.csv",
        "date,messages\n2016-02-01,10\n2016-02-02,10\n",
    );
    project.ok("ingest data");
    project.write(
        "data/latest.csv",
        "date,messages\n2016-02-02,10\n2016-02-03,10\n",
    );
    assert_eq!(project.essor("ingest data").code, 1);
    assert_eq!(project.sql("SELECT SUM(value) FROM usage"), "20\n");
}

#[test]
fn a_file_stays_in_the_zone_that_it_was_read_in() {
    let toml = |zone: &str| format!("[project]\nzone = \"{zone}\"\n");
    let project = Project::new(&toml("UTC"));
    project.write(
        "data/a.csv",
        "date,platform,messages\n2016-02-01T23:30:00Z,Owl,100\n",
    );
    project.ok("ingest data");
    project.write("essor.toml", toml("Europe/Paris"));
    let ran = project.essor("ingest data");
    assert!(
        ran.code == 1 && ran.err.contains("`Europe/Paris`"),
        "{}",
        ran.err
    );
    assert_eq!(
        project.sql("SELECT COUNT(*), SUM(value) FROM usage"),
        "1,100\n"
    );
}

#[test]
fn new_content_without_a_figure_takes_nothing_back() {
    let project = Project::new(
        "[[source]]\npath = \"data/*\"\nplatform = \"Owl\"\non_change = \"replace\"\n",
    );
    project.write("data/a.csv", "date,messages\n2016-02-01,100\n");
    project.ok("ingest data");
    project.write("data/a.csv", "date,messages\n2016-02-01,many\n");
    assert_eq!(project.essor("ingest data").code, 3);
    assert_eq!(figures(&project), "2016-02-01,messages_sent,100\n");
}
