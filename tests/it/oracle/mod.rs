//! A second engine: random small data sets, each figure worked out again with plain sets.
//!
//! Every data set is a platform of its own, in files of its own, so that one ingest serves many.
//! `ESSOR_ORACLE=2000` says how many there are; `ESSOR_ORACLE_ONLY=retention` asks only the questions that name it.

mod active;
mod answer;
mod data;
mod growth;
mod messages;
mod question;
mod retention;
mod sets;

use essor::engine::{self, Settings};
use essor::query::{self, Library, rows};
use essor::store::Store;

use crate::project::Project;
use data::{Chance, Data};
use question::QUESTIONS;

/// How many platforms share a project: with the loads of more each question takes longer.
const TOGETHER: usize = 12;
/// Planning is what costs time: of so many questions one goes to each data set, to the next set the next.
const TURNS: usize = 5;

/// What came of asking: rows compared, and every difference in words.
#[derive(Default)]
struct Outcome {
    answers: usize,
    rows: usize,
    wrong: Vec<String>,
}

impl Outcome {
    fn add(&mut self, other: Outcome) {
        self.answers += other.answers;
        self.rows += other.rows;
        self.wrong.extend(other.wrong);
    }
}

fn platform(set: usize) -> String {
    format!("P{set:05}x")
}

/// Asks a share of the questions of every given set, in queries of so many threads.
async fn ask(project: &Project, threads: usize, sets: &[(usize, &Data)]) -> Outcome {
    let essor = essor::project::Project::open(project.root()).unwrap();
    let store = Store::open(project.root()).await.unwrap();
    let settings = Settings {
        threads: Some(threads),
        ..Settings::default()
    };
    let context = engine::session(&store, &essor, settings, None)
        .await
        .unwrap();
    let library = Library::open(project.root()).unwrap();
    let only = std::env::var("ESSOR_ORACLE_ONLY").unwrap_or_default();
    let mut outcome = Outcome::default();
    for (set, data) in sets {
        let share = QUESTIONS.iter().skip(set % TURNS).step_by(TURNS);
        for question in share.filter(|q| q.0.contains(&only)) {
            let given = question.given(&platform(*set));
            let asked = library.find(question.query()).unwrap();
            let answer = query::run(&context, asked, &given).await;
            let (wrong, rows) = match answer {
                Ok(answer) => question
                    .answer(data)
                    .differences(&rows::rows(&answer.batch)),
                Err(error) => (vec![error.to_string()], 0),
            };
            let said = wrong.iter().map(|w| format!("{set} {}: {w}", question.0));
            outcome.add(Outcome {
                answers: 1,
                rows,
                wrong: said.collect(),
            });
        }
    }
    outcome
}

/// Asks of the sets of one project in two threads: an answer may not depend on the partitions of its query.
fn check(first: usize, all: &[Data]) -> Outcome {
    let project = Project::new("[project]\ndimensions = [\"country\", \"client\"]\n");
    let sets: Vec<(usize, &Data)> = (first..).zip(all).collect();
    for (set, data) in &sets {
        data.write(&project, &platform(*set));
    }
    project.ok("ingest data");
    let (some, others) = sets.split_at(sets.len() / 2);
    let run = |threads, sets: &[(usize, &Data)]| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(ask(&project, threads, sets))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(4, others));
        let mut outcome = run(1, some);
        outcome.add(other.join().unwrap());
        outcome
    })
}

#[test]
fn random_data_give_what_plain_sets_give() {
    let sets: usize = std::env::var("ESSOR_ORACLE").map_or(12, |n| n.parse().unwrap());
    let mut chance = Chance::new(7);
    let all: Vec<Data> = (0..sets).map(|_| Data::random(&mut chance)).collect();
    let mut outcome = Outcome::default();
    for (place, together) in all.chunks(TOGETHER).enumerate() {
        let found = check(place * TOGETHER, together);
        found.wrong.iter().for_each(|wrong| println!("{wrong}"));
        outcome.add(found);
        let (answers, rows) = (outcome.answers, outcome.rows);
        let wrong = outcome.wrong.len();
        println!("{answers} answers, {rows} rows, {wrong} differ");
    }
    let few: Vec<&str> = outcome.wrong.iter().take(30).map(String::as_str).collect();
    assert!(few.is_empty(), "{}", few.join("\n"));
}
