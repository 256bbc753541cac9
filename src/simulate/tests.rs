//! What is written: figures, files and users' behaviour.

mod asked;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, UInt32Type, UInt64Type};
use chrono::{Datelike, Weekday};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::calendar::{day, from_date32};

/// One row of a day's file.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    user: u64,
    day: i32,
    messages: u32,
    country: String,
    client: String,
}

fn ask(days: u32, monthly_actives: u64) -> Ask {
    Ask {
        from: day("2016-02-01").unwrap(),
        days,
        monthly_actives,
        signups: monthly_actives / 200,
        messages: monthly_actives * 30,
        daily_share: 0.45,
        seed: 7,
    }
}

fn target(folder: &Path) -> Target<'_> {
    Target {
        folder,
        platform: "Made \"Up\"",
        with_signups: true,
        force: false,
    }
}

fn written(ask: &Ask) -> (tempfile::TempDir, Realised) {
    let folder = tempfile::tempdir().unwrap();
    let realised = simulate(ask, &target(folder.path()), &|_| ()).unwrap();
    (folder, realised)
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn activity(folder: &Path) -> Vec<Line> {
    let entries = fs::read_dir(folder.join("data/activity")).unwrap();
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    let mut lines = vec![];
    for batch in paths.iter().flat_map(|path| batches(path)) {
        let users = batch.column(0).as_primitive::<UInt64Type>();
        let days = batch.column(1).as_primitive::<Date32Type>();
        let messages = batch.column(2).as_primitive::<UInt32Type>();
        let (countries, clients) = (batch.column(3).as_string::<i32>(), batch.column(4));
        let clients = clients.as_string::<i32>();
        lines.extend((0..batch.num_rows()).map(|row| Line {
            user: users.value(row),
            day: days.value(row),
            messages: messages.value(row),
            country: countries.value(row).to_owned(),
            client: clients.value(row).to_owned(),
        }));
    }
    lines
}

fn signups(folder: &Path) -> Vec<(u64, i32)> {
    let mut rows = vec![];
    for batch in batches(&folder.join("data/signups.parquet")) {
        let users = batch.column(0).as_primitive::<UInt64Type>();
        let days = batch.column(1).as_primitive::<Date32Type>();
        rows.extend(
            users
                .values()
                .iter()
                .copied()
                .zip(days.values().iter().copied()),
        );
    }
    rows
}

/// The users of each day, by the day's place from the first.
fn by_day(lines: &[Line], ask: &Ask) -> Vec<HashSet<u64>> {
    let mut days = vec![HashSet::new(); ask.days as usize];
    for line in lines {
        days[(line.day - date32(ask.from)) as usize].insert(line.user);
    }
    days
}

fn distinct(days: &[HashSet<u64>]) -> usize {
    days.iter().flatten().collect::<HashSet<_>>().len()
}

fn close(is: f64, asked: f64, part: f64) {
    assert!((is / asked - 1.0).abs() < part, "{is} instead of {asked}");
}

#[test]
fn a_month_has_the_figures_asked_for() {
    for (days, share) in [(30, 0.45), (29, 0.3), (31, 0.6)] {
        let ask = Ask {
            daily_share: share,
            ..ask(days, 10_000)
        };
        let (folder, realised) = written(&ask);
        let lines = activity(folder.path());
        let users = by_day(&lines, &ask);
        let daily = users.iter().map(HashSet::len).sum::<usize>() as f64 / f64::from(days);
        let messages: u64 = lines.iter().map(|l| u64::from(l.messages)).sum();
        close(distinct(&users) as f64, 10_000.0, 0.01);
        close(daily, 10_000.0 * share, 0.01);
        close(messages as f64 / f64::from(days), 300_000.0, 0.01);
        assert_eq!(realised.monthly_actives, [distinct(&users) as u64]);
        assert_eq!(realised.user_days() as f64, daily * f64::from(days));
        assert_eq!(realised.messages, messages);
        assert_eq!(realised.rows, lines.len() as u64);
        assert_eq!(realised.signups, 50 * u64::from(days));
    }
}

#[test]
fn a_sample_tells_what_all_users_do() {
    let ask = ask(30, 1_500_000);
    let (_folder, realised) = written(&ask);
    close(realised.mean_monthly_actives(), 1.5e6, 0.005);
    close(realised.mean_daily_actives(), 0.45 * 1.5e6, 0.005);
    close(realised.messages as f64 / 30.0, 45e6, 0.01);
}

#[test]
fn monthly_actives_stay_level_over_long_spans() {
    let ask = ask(185, 20_000);
    let (folder, realised) = written(&ask);
    let users = by_day(&activity(folder.path()), &ask);
    for first in [0, 5, 40, 100, 155] {
        close(distinct(&users[first..first + 30]) as f64, 20_000.0, 0.02);
    }
    assert_eq!(realised.monthly_actives.len(), 6);
    close(realised.mean_monthly_actives(), 20_000.0, 0.01);
    close(realised.mean_daily_actives(), 9_000.0, 0.01);
}

#[test]
fn fewer_days_than_a_month_are_part_of_one() {
    let ask = ask(7, 10_000);
    let (folder, realised) = written(&ask);
    let users = by_day(&activity(folder.path()), &ask);
    assert!(users.iter().all(|day| !day.is_empty()));
    assert!(distinct(&users) < 9_000);
    close(realised.mean_monthly_actives(), 10_000.0, 0.01);
    close(realised.mean_daily_actives(), 4_500.0, 0.01);
    assert_eq!(realised.signups, 350);
    let project = fs::read_to_string(folder.path().join("essor.toml")).unwrap();
    let project: toml::Table = project.parse().unwrap();
    assert_eq!(project["project"]["platform"].as_str(), Some("Made \"Up\""));
    assert_eq!(project["source"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let files = |seed: u64, threads: usize| {
        let ask = Ask {
            seed,
            ..ask(30, 100_000)
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let (folder, _) = pool.build().unwrap().install(|| written(&ask));
        let read = |path: &str| fs::read(folder.path().join(path)).unwrap();
        [
            "essor.toml",
            "data/signups.parquet",
            "data/activity/2016-02-29.parquet",
        ]
        .map(read)
    };
    let one = files(7, 1);
    assert!(one == files(7, 2));
    let other = files(8, 2);
    assert!(one.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn pseudonyms_are_unique_and_come_in_no_order() {
    let (folder, realised) = written(&ask(30, 20_000));
    let signups = signups(folder.path());
    let day_of: HashMap<u64, i32> = signups.iter().copied().collect();
    assert_eq!(day_of.len(), signups.len());
    assert_eq!(realised.registered, signups.len() as u64);
    let lines = activity(folder.path());
    assert!(lines.iter().all(|l| day_of[&l.user] <= l.day));
    // Neighbours are as often in order of pseudonym, and of signup, as not.
    let up = |key: &dyn Fn(&Line) -> i128| {
        let pairs = lines.windows(2).filter(|w| key(&w[0]) != key(&w[1]));
        let (ups, all) = pairs.fold((0, 0), |(up, all), w| {
            (up + i32::from(key(&w[0]) < key(&w[1])), all + 1)
        });
        f64::from(ups) / f64::from(all)
    };
    close(up(&|l| i128::from(l.user)), 0.5, 0.02);
    close(up(&|l| i128::from(day_of[&l.user])), 0.5, 0.02);
}

#[test]
fn who_signs_up_is_active_at_once_and_then_less_and_less() {
    let ask = Ask {
        signups: 500,
        ..ask(60, 40_000)
    };
    let (folder, _) = written(&ask);
    let users = by_day(&activity(folder.path()), &ask);
    let first = date32(ask.from);
    let cohort: Vec<(u64, usize)> = signups(folder.path())
        .into_iter()
        .filter(|(_, day)| (first..first + 30).contains(day))
        .map(|(user, day)| (user, (day - first) as usize))
        .collect();
    assert!(cohort.iter().all(|(user, day)| users[*day].contains(user)));
    let retained = |age: usize| {
        let active = cohort.iter().filter(|(u, d)| users[d + age].contains(u));
        active.count() as f64 / cohort.len() as f64
    };
    let curve = [0, 1, 3, 10, 28].map(retained);
    assert!(curve.windows(2).all(|w| w[0] > w[1]), "{curve:?}");
    assert!(curve[1] < 0.7 && curve[4] > 0.1, "{curve:?}");
}

#[test]
fn users_lapse_and_return() {
    let ask = ask(90, 10_000);
    let (folder, _) = written(&ask);
    let users = by_day(&activity(folder.path()), &ask);
    let month =
        |at: usize| -> HashSet<u64> { users[at..at + 30].iter().flatten().copied().collect() };
    let (first, second, third) = (month(0), month(30), month(60));
    let returned = third
        .difference(&second)
        .filter(|u| first.contains(u))
        .count();
    assert!(returned > 100, "{returned}");
}

#[test]
fn weekends_are_quieter() {
    let ask = ask(28, 20_000);
    let (folder, _) = written(&ask);
    let users = by_day(&activity(folder.path()), &ask);
    let mut weekdays: BTreeMap<u32, usize> = BTreeMap::new();
    for (at, users) in users.iter().enumerate() {
        let weekday = from_date32(date32(ask.from) + at as i32).weekday();
        *weekdays.entry(weekday.number_from_monday()).or_default() += users.len();
    }
    let on = |day: Weekday| weekdays[&day.number_from_monday()] as f64;
    close(on(Weekday::Sun) / on(Weekday::Wed), 0.92, 0.02);
}

#[test]
fn users_differ_and_some_have_two_rows_a_day() {
    let (folder, _) = written(&ask(60, 20_000));
    let lines = activity(folder.path());
    let rows = lines.len();
    let part = |count: usize| count as f64 / rows as f64;
    let silent = part(lines.iter().filter(|l| l.messages == 0).count());
    assert!((0.05..0.3).contains(&silent), "{silent}");
    let key = |l: &Line| (l.user, l.day, l.country.clone(), l.client.clone());
    assert_eq!(lines.iter().map(key).collect::<HashSet<_>>().len(), rows);
    let days: HashSet<(u64, i32)> = lines.iter().map(|l| (l.user, l.day)).collect();
    let twice = part(rows - days.len());
    assert!((0.01..0.08).contains(&twice), "{twice}");
    let pairs = |of: &dyn Fn(&Line) -> String| {
        lines
            .iter()
            .map(|l| (l.user, of(l)))
            .collect::<HashSet<_>>()
            .len()
    };
    let users = lines.iter().map(|l| l.user).collect::<HashSet<_>>().len();
    let moved = pairs(&|l| l.country.clone()) - users;
    assert!(
        (users / 200..users / 20).contains(&moved),
        "{moved} of {users}"
    );
    let mut sent: Vec<u32> = lines.iter().map(|l| l.messages).collect();
    sent.sort_unstable();
    let top: u64 = sent[rows * 99 / 100..].iter().map(|m| u64::from(*m)).sum();
    let all: u64 = sent.iter().map(|m| u64::from(*m)).sum();
    assert!(top * 10 > all, "the tail is light: {top} of {all}");
}
